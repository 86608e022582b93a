// The commands explain and replay: their words, their answers, and that what is tried is never done.

#include "tests/unit/admin/fake.h"

#include <string.h>

#include "admin/explain/base64.h"
#include "directory/object.h"
#include "sip/message.h"
#include "tests/check.h"

static const json_t *at(const json_t *answer, const char *key)
{
	return json_object_get(json_object_get(answer, "explanation"), key);
}

static void an_invite_of_words_is_explained(void **state)
{
	json_t *answer = fake_ask(*state, "explain to=+81312345678 from=+1 source=192.0.2.7");
	CHECK_STRING(json_string_value(at(answer, "outcome")), "admitted");
	CHECK_TRUE(json_is_true(at(answer, "challenged")));
	CHECK_STRING(json_string_value(at(answer, "trunk")), "office");
	CHECK_STRING(json_string_value(at(answer, "sdp")), "v=0\r\n");
	CHECK_NUMBER(json_array_size(at(answer, "targets")), 1);
	CHECK_NUMBER(json_array_size(at(answer, "steps")), 1);
	json_decref(answer);
	answer = fake_ask(*state, "explain to=81312345678 digest=right");
	CHECK_STRING(json_string_value(at(answer, "outcome")), "400 Bad Request");
	CHECK_TRUE(json_is_false(at(answer, "challenged")));
	CHECK_STRING(json_string_value(at(answer, "header")), "Request-URI");
	CHECK_STRING(json_string_value(at(answer, "expected")), "E.164 with +");
	CHECK_TRUE(json_integer_value(at(answer, "alert_code")) > 0);
	CHECK_TRUE(json_string_length(at(answer, "fix")) > 0);
	json_decref(answer);
}

static void one_that_came_is_explained_by_its_sid(void **state)
{
	json_t *answer = fake_ask(*state, "explain CAkept");
	CHECK_STRING(json_string_value(at(answer, "outcome")), "admitted");
	CHECK_TRUE(json_is_false(at(answer, "challenged"))); // its digest was right
	json_decref(answer);
	CHECK_STRING(fake_code(*state, "explain CAother"), "ERR_NOT_FOUND");
}

static void one_that_came_is_explained_by_its_call_id_if_no_other_has_it(void **state)
{
	json_t *answer = fake_ask(*state, "explain one");
	CHECK_STRING(json_string_value(at(answer, "outcome")), "admitted");
	json_decref(answer);
	answer = fake_ask(*state, "explain two");
	CHECK_STRING(json_string_value(json_object_get(answer, "code")), "ERR_CONFLICT");
	CHECK_STRING(json_string_value(json_object_get(answer, "hint")),
		     "explain one by its SID: CAfirst, CAsecond");
	json_decref(answer);
}

static void wrong_words_are_told(void **state)
{
	static const char *const lines[] = {
		"explain to=",
		"explain to=+1 source=here",
		"explain to=+1 colour=red",
		"explain to=+1 digest=wrong",
		"explain message=!!!!",
		"explain message=QUJD", // "ABC"
		"replay dance",
		"replay show trunks",
		"replay change trunk nobody cps=5",
		"replay add acl name=x then",
		"replay config=/nowhere/trunkd.yaml",
	};
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (fake_code(*state, lines[i])[0] == '\0')
			fail_msg("%s was taken", lines[i]);
	json_t *answer = fake_ask(*state, "explain to=+1 colour=red");
	CHECK_STRING(json_string_value(json_object_get(answer, "field")), "colour");
	assert_non_null(strstr(json_string_value(json_object_get(answer, "hint")), "file"));
	json_decref(answer);
}

static void changes_are_tried_and_never_made(void **state)
{
	struct fake *fake = *state;
	unsigned before = directory_count(fake->context.directory, DIRECTORY_ACL);
	const struct directory_object *account =
		directory_next(fake->context.directory, DIRECTORY_ACCOUNT, NULL);
	char line[128];
	if (account == NULL) {
		assert_string_equal(fake_code(fake, "add account name=acme"), "");
		account = directory_next(fake->context.directory, DIRECTORY_ACCOUNT, NULL);
	}
	assert_non_null(account);
	snprintf(line, sizeof(line), "replay add acl name=tried account=%s", account->sid);
	json_t *answer = fake_ask(fake, line);
	CHECK_NUMBER(json_integer_value(json_object_get(answer, "asked")), 1);
	CHECK_NUMBER(json_integer_value(json_object_get(answer, "changed")), 1);
	const json_t *row = json_array_get(json_object_get(answer, "changed_calls"), 0);
	CHECK_STRING(json_string_value(json_object_get(row, "was")), "admitted");
	CHECK_STRING(json_string_value(json_object_get(row, "would_be")), "403 Forbidden");
	CHECK_STRING(json_string_value(json_object_get(row, "why")), "Its source is in an ACL.");
	json_decref(answer);
	CHECK_NUMBER(directory_count(fake->context.directory, DIRECTORY_ACL), before);
	snprintf(line, sizeof(line), "replay add acl name=tried account=%s then remove acl tried",
		 account->sid);
	answer = fake_ask(fake, line);
	CHECK_NUMBER(json_integer_value(json_object_get(answer, "changed")), 0);
	json_decref(answer);
}

static void base64_is_read_or_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *octets; // NULL: refused
	} rows[] = {
		{ "", "" },
		{ "QQ==", "A" },
		{ "QUI=", "AB" },
		{ "QUJD", "ABC" },
		{ "QUJDRA==", "ABCD" },
		{ "Q", NULL },
		{ "QQ=", NULL },
		{ "QQ=A", NULL },
		{ "====", NULL },
		{ "Q Q=", NULL },
		{ "QUJDREVGR0hJSktM", NULL }, // too long
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[8];
		size_t size = 0;
		bool is_good = admin_base64_read(text_of(rows[i].text), room, sizeof(room), &size);
		if (is_good != (rows[i].octets != NULL))
			fail_msg("%s is %s", rows[i].text, is_good ? "taken" : "refused");
		if (is_good)
			CHECK_TRUE(text_is_equal((struct text){ room, size },
						 text_of(rows[i].octets)));
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_invite_of_words_is_explained),
		CASE(one_that_came_is_explained_by_its_sid),
		CASE(one_that_came_is_explained_by_its_call_id_if_no_other_has_it),
		CASE(wrong_words_are_told),
		CASE(changes_are_tried_and_never_made),
		CASE(base64_is_read_or_refused),
	};
	sip_message_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
