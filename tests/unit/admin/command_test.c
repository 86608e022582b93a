// Every row of the table of commands, asked as an operator asks.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "admin/request.h"
#include "base/random.h"
#include "directory/object.h"
#include "fake.h"

static void expect_warning(struct fake *fake, const char *line, const char *wanted)
{
	json_t *answer = fake_ask(fake, line);
	const char *warning = fake_text(answer, "warnings.0");
	if (!strstr(warning, wanted))
		fail_msg("%s: %s", line, warning);
	json_decref(answer);
}

static void every_command_has_help_a_handler_and_sane_limits(void **state)
{
	(void)state;
	assert_true(admin_command_count() >= 18);
	for (unsigned i = 0; i < admin_command_count(); i++) {
		const struct admin_command *command = admin_command_row(i);
		assert_non_null(command->run);
		assert_true(command->min <= command->max);
		assert_true(command->max == 0 || command->arguments[0]);
		assert_true(command->max > 0 || !command->arguments[0]);
		size_t size = strlen(command->text);
		assert_true(size > 20 && command->text[size - 1] == '.');
		for (unsigned other = 0; other < i; other++)
			assert_string_not_equal(command->words, admin_command_row(other)->words);
	}
	assert_null(admin_command_row(admin_command_count()));
}

static void the_reference_page_names_every_command_once_and_no_hidden_field(void **state)
{
	(void)state;
	char *page = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&page, &size);
	admin_command_describe(out);
	fclose(out);
	for (unsigned i = 0; i < admin_command_count(); i++)
		assert_non_null(strstr(page, admin_command_row(i)->text));
	assert_non_null(strstr(page, "credential_list"));
	assert_null(strstr(page, "ha1_"));
	free(page);
}

static void status_tells_of_every_part(void **state)
{
	struct fake *fake = *state;
	json_t *answer = fake_ask(fake, "status");
	assert_string_equal(fake_text(answer, "status"), "ok");
	assert_string_equal(fake_text(answer, "node"), "node-1");
	assert_string_equal(fake_text(answer, "dataplane.port"), "af_packet:eth1");
	assert_string_equal(fake_text(answer, "dataplane.addresses.0"), "192.0.2.1");
	assert_string_equal(fake_text(answer, "dataplane.engine"), "ipsec_mb");
	assert_string_equal(fake_text(answer, "dataplane.key_form"), "session");
	assert_string_equal(fake_text(answer, "dataplane.steering"), "by hand-over");
	assert_true(json_is_false(json_object_get(json_object_get(answer, "icmp"), "heard")));
	assert_string_equal(fake_text(answer, "redis.state"), "ready");
	assert_true(json_is_true(json_object_get(answer, "ready")));
	assert_int_equal(json_integer_value(json_object_get(answer, "uptime_s")), 5);
	json_decref(answer);
	assert_ptr_equal(admin_replace_dataplane(&fake->context, NULL), fake);
	fake_expect(fake, "status", "reason", "no dataplane is attached");
	assert_string_equal(fake_code(fake, "show workers"), "ERR_UNAVAILABLE");
}

static void wrong_words_are_explained(void **state)
{
	static const struct {
		const char *line, *code;
	} cases[] = {
		{ "", "ERR_MALFORMED" },
		{ "   ", "ERR_MALFORMED" },
		{ "dance", "ERR_NOT_FOUND" },
		{ "show", "ERR_NOT_FOUND" },
		{ "show dances", "ERR_NOT_FOUND" },
		{ "show call", "ERR_MALFORMED" },
		{ "show call a b", "ERR_MALFORMED" },
		{ "show call \"open", "ERR_MALFORMED" },
		{ "show call trailing\\", "ERR_MALFORMED" },
		{ "show call \xff\xfe", "ERR_MALFORMED" },
		{ "show call \x01", "ERR_MALFORMED" },
		{ "show call CA404", "ERR_NOT_FOUND" },
		{ "show call CA0123456789012345678901234567890123456789", "ERR_MALFORMED" },
		{ "show history 0", "ERR_MALFORMED" },
		{ "show history 10001", "ERR_MALFORMED" },
		{ "show alerts many", "ERR_MALFORMED" },
		{ "show trunk nowhere", "ERR_NOT_FOUND" },
		{ "hangup CA404", "ERR_NOT_FOUND" },
		{ "log level loud", "ERR_MALFORMED" },
		{ "reload", "ERR_MALFORMED" },
		{ "help dance", "ERR_NOT_FOUND" },
		{ "add account nonsense", "ERR_MALFORMED" },
		{ "add account colour=red", "ERR_NOT_FOUND" },
		{ "add account name=x password=Secret123456", "ERR_NOT_FOUND" },
		{ "change account x name=y", "ERR_NOT_FOUND" },
		{ "remove account x", "ERR_NOT_FOUND" },
	};
	struct fake *fake = *state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(fake_code(fake, cases[i].line), cases[i].code) != 0)
			fail_msg("%s: not %s but %s", cases[i].line, cases[i].code,
				 fake_code(fake, cases[i].line));
	fake_expect(fake, "show call", "hint", "usage: show call CALL");
	fake_expect(fake, "add", "hint",
		    "next: account trunk acl acl_address credential_list credential number carrier "
		    "origination_uri trigger caller_id blocked_number route");
	fake_expect(fake, "reload", "message",
		    "trunkd.yaml:3: sip.prot: unknown option; did you mean sip.port?");
	char line[300] = "check number";
	for (unsigned i = 0; i < 70; i++)
		memcpy(line + 12 + 2 * i, " 1", 3);
	assert_string_equal(fake_code(fake, line), "ERR_TOO_LARGE");
}

static void a_customer_is_set_up_shown_changed_and_removed(void **state)
{
	struct fake *fake = *state;
	assert_string_equal(fake_code(fake, "add account name='Acme Corp'"), "");
	assert_string_equal(fake_code(fake, "add account name=\"Acme Corp\""), "ERR_CONFLICT");
	assert_string_equal(fake_code(fake, "add acl account='Acme Corp' name=offices"), "");
	assert_string_equal(fake_code(fake, "add acl_address acl=offices address=192.0.2.0/24"),
			    "");
	assert_string_equal(fake_code(fake, "add credential_list account='Acme Corp' name=users"),
			    "");
	expect_warning(fake, "add trunk account='Acme Corp' name=office domain=acme",
		       "once an ACL");
	expect_warning(fake, "change trunk office acls=offices", "ACL alone");
	json_t *answer = fake_ask(fake, "change trunk office credential_lists=users cps=5");
	assert_null(json_object_get(answer, "warnings"));
	assert_string_equal(fake_text(answer, "trunk.acls_names.0"), "offices");
	assert_string_equal(fake_text(answer, "trunk.account_name"), "Acme Corp");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(answer, "trunk"), "cps")), 5);
	json_decref(answer);
	expect_warning(fake, "change trunk office symmetric_rtp=true", "symmetric RTP");
	expect_warning(fake, "change trunk office symmetric_rtp= secure=true", "403");
	expect_warning(fake, "change trunk office secure= srtp=true", "in clear");
	expect_warning(fake, "add carrier name=c address=192.0.2.9 srtp=true", "in clear");
	assert_string_equal(fake_code(fake, "change trunk office srtp= symmetric_rtp=true"), "");
	assert_string_equal(fake_code(fake, "add trunk account='Acme Corp' domain=b"), "");
	assert_string_equal(fake_code(fake, "change trunk office symmetric_rtp= domain=a.b"), "");
	expect_warning(fake, "show trunk office", "dashes");
	assert_string_equal(
		fake_code(fake, "add number account='Acme Corp' trunk=office e164=+442071838750"),
		"");
	fake_expect(fake, "check number +442071838750", "numbers.0.trunk", "office");
	fake_expect(fake, "check number +442071838750", "numbers.0.country", "GB");
	fake_expect(fake, "check number +12462345678", "numbers.0.country_name", "Barbados");
	fake_expect(fake, "check number 12", "numbers.0.account", "(none)");
	fake_expect(fake, "show numbers", "numbers.0.trunk_name", "office");
	assert_string_equal(fake_code(fake, "remove account 'Acme Corp'"), "ERR_CONFLICT");
	assert_string_equal(fake_code(fake, "remove number +442071838750"), "");
	assert_string_equal(fake_code(fake, "show number +442071838750"), "ERR_NOT_FOUND");
	fake->is_store_away = true;
	assert_string_equal(fake_code(fake, "change trunk office cps=6"), "ERR_UNAVAILABLE");
}

static void a_password_is_hashed_and_never_shown(void **state)
{
	struct fake *fake = *state;
	assert_string_equal(fake_code(fake, "add account name=acme"), "");
	assert_string_equal(fake_code(fake, "add credential_list account=acme name=users"), "");
	assert_string_equal(fake_code(fake, "add credential list=users user=pbx"), "ERR_MALFORMED");
	fake_expect(fake, "add credential list=users user=pbx password=short", "field", "password");
	fake_expect(fake, "add credential list=users user=pbx ha1_md5=00", "code", "ERR_FORBIDDEN");
	fake_expect(fake, "add credential list=users password=Correct9Horse", "field", "user");
	json_t *answer =
		fake_ask(fake, "add credential list=users user=pbx password=Correct9Horse");
	char *text = json_dumps(answer, 0);
	assert_string_equal(fake_text(answer, "status"), "ok");
	assert_null(strstr(text, "Correct9Horse"));
	assert_null(strstr(text, "ha1"));
	free(text);
	json_decref(answer);
	const struct directory_object *object =
		directory_next(fake->context.directory, DIRECTORY_CREDENTIAL, NULL);
	assert_non_null(object);
	// printf 'pbx:trunks.example:Correct9Horse' | md5sum
	assert_true(text_is_equal(directory_object_get(object, "ha1_md5"),
				  TEXT("afd134f55afa5984ced6402022427412")));
	assert_true(text_is_equal(directory_object_get(object, "realm"), TEXT("trunks.example")));
	assert_string_equal(fake_code(fake, "change credential pbx password=Another8Horse"), "");
	answer = fake_ask(fake, "show credentials");
	text = json_dumps(answer, 0);
	assert_non_null(strstr(text, "pbx"));
	assert_null(strstr(text, "ha1"));
	assert_null(strstr(text, "realm"));
	free(text);
	json_decref(answer);
}

static void help_and_completion_follow_the_table(void **state)
{
	struct fake *fake = *state;
	fake_add_call(fake, "CA01");
	assert_string_equal(fake_code(fake, "add account name=acme"), "");
	fake_expect(fake, "help add trunk", "fields.0.field", "account");
	fake_expect(fake, "help log", "commands.0.command", "log level");
	fake_expect(fake, "complete stat", "candidates.0", "status");
	fake_expect(fake, "complete show call ''", "candidates.0", "CA01");
	fake_expect(fake, "complete hangup a", "candidates.0", "all");
	fake_expect(fake, "complete show account a", "candidates.0", "acme");
	fake_expect(fake, "complete token account a", "candidates.0", "acme");
	fake_expect(fake, "complete verify caller_id +14155550199 a", "candidates.0", "acme");
	fake_expect(fake, "complete change account acme st", "candidates.0", "status=");
	fake_expect(fake, "complete add credential pass", "candidates.0", "password=-");
	// NUM-007: what may answer a number's calls, and the trunks it may be on. Five values of a choice.
	assert_string_equal(fake_code(fake, "add trunk account=acme name=office domain=o"), "");
	fake_expect(fake, "complete show numbers of off", "candidates.0", "office");
	fake_expect(fake, "complete buy number +14155550199 acme off", "candidates.0", "office");
	fake_expect(fake, "complete change number +14155550100 trunk=", "candidates.0",
		    "trunk=office");
	fake_expect(fake, "complete change number + voice_h", "candidates.0", "voice_handler=");
	fake_expect(fake, "complete change number + voice_handler=", "candidates.0",
		    "voice_handler=sip_trunking");
	fake_expect(fake, "complete change number + voice_handler=sip_trunking ''", "candidates.0",
		    "trunk=office");
	fake_expect(fake, "complete change trunk office recording=record-from-a", "candidates.1",
		    "recording=record-from-answer-dual");
	fake_expect(fake, "complete log level w", "candidates.0", "warning");
	fake_expect(fake, "complete help add tr", "candidates.0", "trunk");
	json_t *answer = fake_ask(fake, "commands");
	assert_int_equal(json_array_size(json_object_get(answer, "commands")),
			 admin_command_count());
	assert_int_equal(json_array_size(json_object_get(answer, "kinds")), DIRECTORY_KIND_COUNT);
	json_decref(answer);
}

static void an_answer_that_comes_after_the_asker_left_is_dropped(void **state)
{
	struct fake *fake = *state;
	struct admin_peer peer = { 0, 1 };
	fake->is_store_silent = true;
	struct admin_request *request =
		admin_request_run(&fake->context, TEXT("add account name=late"), peer, NULL, NULL);
	assert_non_null(request);
	admin_request_detach(request);
	fake_release_store();
}

static void random_lines_have_one_answer_each(void **state)
{
	static const char *const WORDS[] = { "show",     "add",    "change", "trunk",    "account",
					     "calls",    "call",   "help",   "check",    "number",
					     "complete", "log",    "level",  "\"",       "'",
					     "\\",       "name=",  "=",      "\xc3\xa4", "\xff",
					     "history",  "remove", "hangup", "CA01" };
	struct fake *fake = *state;
	for (unsigned i = 0; i < 20000; i++) {
		char line[256];
		struct writer writer = writer_of(line, sizeof(line));
		for (unsigned count = random_below(8); count > 0; count--) {
			writer_string(&writer,
				      WORDS[random_below(sizeof(WORDS) / sizeof(WORDS[0]))]);
			if (random_below(4) > 0)
				writer_char(&writer,
					    (char)(random_below(8) ? ' ' : random_below(256)));
		}
		const char *text = writer_string_done(&writer);
		json_t *answer = fake_ask(fake, text ? text : "");
		assert_true(json_is_object(answer));
		json_decref(answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)
		TEST(every_command_has_help_a_handler_and_sane_limits),
		TEST(the_reference_page_names_every_command_once_and_no_hidden_field),
		TEST(status_tells_of_every_part),
		TEST(wrong_words_are_explained),
		TEST(a_customer_is_set_up_shown_changed_and_removed),
		TEST(a_password_is_hashed_and_never_shown),
		TEST(help_and_completion_follow_the_table),
		TEST(an_answer_that_comes_after_the_asker_left_is_dropped),
		TEST(random_lines_have_one_answer_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
