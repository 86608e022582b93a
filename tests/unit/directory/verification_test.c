// NUM-018: codes of caller IDs: once right, five times wrong, too late, too often.

#include "directory/verification/verification.h"

#include <stdio.h>
#include <string.h>

#include "directory/object.h"
#include "tests/check.h"
#include "world.h"

#define RIGHT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WRONG "00112233445566778899aabbccddeeff00112233445566778899aabbccddee00"

static struct directory_object *pending(uint64_t now_s)
{
	struct directory_object *object = directory_object_create(DIRECTORY_CALLER_ID);
	assert_non_null(object);
	assert_int_equal(directory_verification_begin(object, TEXT(RIGHT), now_s, NULL), OK);
	object->version = 1; // stored
	return object;
}

static enum status try(struct directory_object *object, struct text digest, uint64_t now_s,
		       bool *out_is_right)
{
	struct directory_problem problem = { "", "" };
	*out_is_right = false;
	enum status status =
		directory_verification_try(object, digest, now_s, out_is_right, &problem);
	assert_true(status == OK || problem.text[0] != 0);
	return status;
}

static void the_right_code_verifies_once(void **state)
{
	(void)state;
	bool is_right;
	struct directory_object *object = pending(1000);
	assert_true(directory_verification_is_pending(object));
	assert_int_equal(try(object, TEXT(WRONG), 1001, &is_right), OK);
	assert_false(is_right);
	assert_true(directory_verification_is_pending(object));
	assert_int_equal(try(object, TEXT(RIGHT), 1599, &is_right), OK);
	assert_true(is_right);
	assert_false(directory_verification_is_pending(object));
	assert_true(text_is_equal(directory_object_get(object, "verified_by"), TEXT("code")));
	assert_true(text_is_equal(directory_object_get(object, "verified_s"), TEXT("1599")));
	assert_int_equal(directory_object_get(object, "code_sha256").size, 0);
	assert_int_equal(try(object, TEXT(RIGHT), 1600, &is_right), ERR_CONFLICT);
	assert_int_equal(directory_verification_begin(object, TEXT(RIGHT), 9000, NULL),
			 ERR_CONFLICT);
	directory_object_destroy(object);
}

static void five_wrong_ones_end_the_code(void **state)
{
	(void)state;
	bool is_right;
	struct directory_object *object = pending(1000);
	for (unsigned i = 0; i < DIRECTORY_VERIFICATION_TRIES; i++) {
		assert_int_equal(directory_verification_tries_left(object), 5 - i);
		assert_int_equal(try(object, i == 2 ? TEXT("") : TEXT(WRONG), 1001, &is_right), OK);
		assert_false(is_right);
	}
	assert_int_equal(try(object, TEXT(RIGHT), 1002, &is_right), ERR_LIMIT);
	assert_false(is_right);
	assert_int_equal(directory_verification_begin(object, TEXT(RIGHT), 1100, NULL), OK);
	assert_int_equal(try(object, TEXT(RIGHT), 1101, &is_right), OK);
	assert_true(is_right);
	directory_object_destroy(object);
}

static void a_code_ends_after_ten_minutes(void **state)
{
	(void)state;
	bool is_right;
	struct directory_object *object = pending(1000);
	assert_int_equal(try(object, TEXT(RIGHT), 1600, &is_right), ERR_TIMEOUT);
	assert_false(is_right);
	assert_true(directory_verification_is_pending(object));
	directory_object_destroy(object);
}

static void five_codes_a_day(void **state)
{
	(void)state;
	struct directory_problem problem;
	struct directory_object *object = pending(1000);
	for (unsigned i = 1; i < DIRECTORY_VERIFICATION_CODES; i++)
		assert_int_equal(
			directory_verification_begin(object, TEXT(RIGHT), 1000 + i * 60, &problem),
			OK);
	assert_int_equal(directory_verification_begin(object, TEXT(RIGHT), 80000, &problem),
			 ERR_LIMIT);
	assert_int_equal(directory_verification_begin(object, TEXT(RIGHT), 1000 + 86400, &problem),
			 OK);
	directory_object_destroy(object);
}

// Whoever owns the number hears of it once a minute, however many accounts claim it.
static void a_number_is_sent_one_code_a_minute(void **state)
{
	(void)state;
	struct directory_problem problem;
	char acme[35], other[35], sid[35];
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	assert_non_null(directory);
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "acme", NULL), acme);
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "other", NULL), other);
	struct directory_object *object =
		world_make(DIRECTORY_CALLER_ID, "account", acme, "e164", "+442079460000", NULL);
	assert_int_equal(directory_verification_begin(object, TEXT(RIGHT), 1000, NULL), OK);
	world_add(directory, object, sid);
	assert_int_equal(
		directory_verification_may(directory, TEXT("+442079460000"), 1059, &problem),
		ERR_LIMIT);
	assert_string_equal(problem.text, "was sent a code a moment ago; allowed: another in 1 s");
	assert_int_equal(
		directory_verification_may(directory, TEXT("+442079460001"), 1059, &problem), OK);
	assert_int_equal(
		directory_verification_may(directory, TEXT("+442079460000"), 1060, &problem), OK);
	assert_false(directory_is_verified(directory, directory_account(directory, acme),
					   TEXT("+442079460000")));
	assert_non_null(
		directory_verification_find(directory, text_of(acme), TEXT("+442079460000")));
	assert_null(directory_verification_find(directory, text_of(other), TEXT("+442079460000")));
	directory_destroy(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_right_code_verifies_once),       TEST(five_wrong_ones_end_the_code),
		TEST(a_code_ends_after_ten_minutes),      TEST(five_codes_a_day),
		TEST(a_number_is_sent_one_code_a_minute),
	};
	return RUN_TESTS(tests);
}
