// Secrets: stored whole, wiped, compared.

#include "tests/check.h"

#include <string.h>

#include "base/secret.h"

static void a_secret_is_stored_whole_or_not_at_all(void **state)
{
	(void)state;
	struct secret secret = { 0 };
	char longest[SECRET_SIZE + 1];
	memset(longest, 'k', sizeof(longest));
	CHECK_TRUE(secret_set(&secret, longest, SECRET_SIZE));
	CHECK_NUMBER(secret.size, SECRET_SIZE);
	CHECK_TRUE(secret_set(&secret, "abc", 3));
	CHECK_FALSE(secret_set(&secret, longest, SECRET_SIZE + 1));
	CHECK_NUMBER(secret.size, 3); // as it was
	assert_memory_equal(secret.octets, "abc", 3);
	CHECK_NUMBER(secret.octets[3], 0); // nothing left of the longer one
}

static void clearing_leaves_nothing(void **state)
{
	(void)state;
	static const struct secret empty;
	struct secret secret;
	CHECK_TRUE(secret_set(&secret, "password", 8));
	secret_clear(&secret);
	assert_memory_equal(&secret, &empty, sizeof(secret));
	char room[8] = "hunter2";
	secret_wipe(room, sizeof(room));
	assert_memory_equal(room, "\0\0\0\0\0\0\0", sizeof(room));
}

static void comparing_sees_every_octet(void **state)
{
	(void)state;
	uint8_t a[32], b[32];
	memset(a, 0x5a, sizeof(a));
	for (size_t i = 0; i < sizeof(b); i++) {
		memcpy(b, a, sizeof(b));
		CHECK_TRUE(secret_is_equal(a, b, sizeof(b)));
		b[i] ^= 0x80;
		CHECK_FALSE(secret_is_equal(a, b, sizeof(b)));
	}
	CHECK_TRUE(secret_is_equal(a, b, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_secret_is_stored_whole_or_not_at_all),
		TEST(clearing_leaves_nothing),
		TEST(comparing_sees_every_octet),
	};
	return RUN_TESTS(tests);
}
