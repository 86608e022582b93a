// A customer's objects as an operator manages them: made, listed, changed, shared, removed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

static int make(void **state)
{
	(void)fake_set_up(state);
	assert_string_equal(fake_code(*state, "add account name=acme"), "");
	return 0;
}

static void expect_ok(struct fake *fake, const char *line)
{
	const char *code = fake_code(fake, line);
	if (code[0] != '\0')
		fail_msg("%s: %s", line, code);
}

// The text at "trunk.sid" of the answer to a line, into room.
static const char *text_of_answer(struct fake *fake, const char *line, const char *kind,
				  const char *key, char room[static 64])
{
	json_t *answer = fake_ask(fake, line);
	const json_t *object = json_object_get(answer, kind);
	const json_t *general = json_object_get(object, "general"); // of a trunk that is shown
	const char *text = json_string_value(json_object_get(general ? general : object, key));
	snprintf(room, 64, "%s", text ? text : "(none)");
	json_decref(answer);
	return room;
}

static unsigned count(struct fake *fake, const char *line, const char *list)
{
	json_t *answer = fake_ask(fake, line);
	unsigned size = (unsigned)json_array_size(json_object_get(answer, list));
	json_decref(answer);
	return size;
}

static bool says(struct fake *fake, const char *line, const char *words)
{
	json_t *answer = fake_ask(fake, line);
	char *text = json_dumps(answer, 0);
	bool is_said = strstr(text, words) != NULL;
	free(text);
	json_decref(answer);
	return is_said;
}

// TRUNK-003 to -008, OTHER-004 (in part): a trunk has a SID of its own from its first moment on, nobody
// can change it, and it is listed, opened by SID or name, renamed and deleted, from the list or by its page.
static void a_trunk_is_made_listed_renamed_and_deleted(void **state)
{
	struct fake *fake = *state;
	char first[64], second[64], line[128], room[64];
	text_of_answer(fake, "add trunk account=acme name=office domain=acme", "trunk", "sid",
		       first);
	text_of_answer(fake, "add trunk account=acme name=plant domain=plant", "trunk", "sid",
		       second);
	assert_int_equal(strlen(first), 34);
	assert_memory_equal(first, "TK", 2);
	assert_string_not_equal(first, second);
	snprintf(line, sizeof(line), "change trunk %s sid=%s", first, second);
	assert_string_equal(fake_code(fake, line), "ERR_NOT_FOUND");
	assert_int_equal(count(fake, "show trunks", "trunks"), 2);
	snprintf(line, sizeof(line), "change trunk %s name='Head office'", first);
	expect_ok(fake, line);
	snprintf(line, sizeof(line), "show trunk %s", first);
	assert_string_equal(text_of_answer(fake, line, "trunk", "name", room), "Head office");
	assert_string_equal(text_of_answer(fake, "show trunk 'Head office'", "trunk", "sid", room),
			    first);
	expect_ok(fake, "remove trunk plant");
	snprintf(line, sizeof(line), "remove trunk %s", first);
	expect_ok(fake, line);
	assert_int_equal(count(fake, "show trunks", "trunks"), 0);
	text_of_answer(fake, "show account acme", "account", "sid", room);
	assert_memory_equal(room, "AC", 2);
}

// TERM-002, TERM-008: a domain is one trunk's on the whole platform; a dot is no error but a hint.
static void a_domain_is_one_trunks(void **state)
{
	struct fake *fake = *state;
	expect_ok(fake, "add account name=other");
	expect_ok(fake, "add trunk account=acme name=a domain=acme");
	assert_string_equal(fake_code(fake, "add trunk account=other name=b domain=acme"),
			    "ERR_CONFLICT");
	assert_string_equal(fake_code(fake, "add trunk account=other name=b domain=ACME"),
			    "ERR_CONFLICT");
	expect_ok(fake, "add trunk account=other name=b domain=berlin-acme");
	assert_false(says(fake, "show trunk b", "dashes"));
	expect_ok(fake, "add credential_list account=acme name=users");
	expect_ok(fake, "add trunk account=acme name=d domain=x.acme credential_lists=users");
	assert_true(says(fake, "show trunk d", "dashes"));
	assert_string_equal(fake_code(fake, "add trunk account=other name=c domain=acme"),
			    "ERR_CONFLICT");
}

// Half of the world in an ACL is no error, but said.
static void a_wide_prefix_is_warned_of(void **state)
{
	struct fake *fake = *state;
	expect_ok(fake, "add acl account=acme name=office");
	assert_true(says(fake, "add acl_address acl=office address=0.0.0.0/0", "credential list"));
	assert_true(says(fake, "add acl_address acl=office address=203.0.0.0/15", "known peer"));
	assert_true(says(fake, "add acl_address acl=office address=2001::/31", "known peer"));
	assert_false(says(fake, "add acl_address acl=office address=203.0.0.0/16", "warning"));
	assert_false(says(fake, "add acl_address acl=office address=2001:db8::/32", "warning"));
	assert_false(says(fake, "add acl_address acl=office address=203.0.113.9", "warning"));
}

// TRUNK-022: what one trunk is told changes no other.
static void trunks_of_an_account_are_apart(void **state)
{
	struct fake *fake = *state;
	expect_ok(fake, "add trunk account=acme name=a domain=a cps=5 secure=true");
	expect_ok(fake, "add trunk account=acme name=b domain=b");
	expect_ok(fake, "change trunk a symmetric_rtp=true");
	assert_true(says(fake, "show trunk a", "\"symmetric_rtp\": true"));
	assert_true(says(fake, "show trunk b", "\"symmetric_rtp\": false"));
	assert_true(says(fake, "show trunk b", "\"secure\": false"));
	assert_false(says(fake, "show trunk b", "\"cps\": 5"));
	expect_ok(fake, "remove trunk a");
	assert_int_equal(count(fake, "show trunks", "trunks"), 1);
}

static json_t *take(struct fake *fake, const char *line, const char *key)
{
	json_t *answer = fake_ask(fake, line), *value = json_object_get(answer, key);
	assert_non_null(value);
	json_incref(value);
	json_decref(answer);
	return value;
}

static void expect_in(const json_t *trunk, const char *group, const char *keys)
{
	char room[512];
	snprintf(room, sizeof(room), "%s", keys);
	char *rest = room, *key;
	while ((key = strsep(&rest, " ")))
		if (!json_object_get(json_object_get(trunk, group), key))
			fail_msg("no %s in %s", key, group);
}

// TRUNK-002: four groups, each with its settings. TRUNK-004: the SID stands in General. TRUNK-013: without
// a number it takes no call from the PSTN. ORIG-010: a URI with transport=tls goes to port 5061.
static void a_trunk_is_shown_in_four_groups(void **state)
{
	static const char *const GROUPS[] = { "general", "termination", "origination", "numbers" };
	struct fake *fake = *state;
	const char *key;
	json_t *group;
	unsigned place = 0;
	expect_ok(fake, "add trunk account=acme name=office domain=acme");
	expect_ok(fake, "add origination_uri trunk=office uri='sip:pbx.example.com;transport=tls'");
	json_t *trunk = take(fake, "show trunk office", "trunk");
	json_object_foreach(trunk, key, group) assert_string_equal(key, GROUPS[place++]);
	assert_int_equal(place, 4);
	expect_in(trunk, "general",
		  "sid name recording recording_trim secure transfer symmetric_rtp");
	expect_in(trunk, "termination",
		  "domain termination_uri localized_uris cps acls credential_lists");
	expect_in(trunk, "origination", "origination_uris cnam disaster_recovery_url");
	expect_in(trunk, "numbers", "numbers");
	json_decref(trunk);
	assert_true(says(fake, "show trunk office", "\"acme.trunks.example\""));
	assert_true(says(fake, "show trunk office", "pbx.example.com:5061 by TLS"));
	assert_true(says(fake, "show trunk office", "no number is associated"));
	assert_true(says(fake, "show trunk office", "neither an ACL nor a credential list"));
	expect_ok(fake, "add number account=acme e164=+14155550100 trunk=office");
	assert_true(says(fake, "show trunk office", "+14155550100"));
	assert_false(says(fake, "show trunk office", "no number is associated"));
}

// TRUNK-018: five values, and what they are is said when another is given.
static void the_recording_mode_is_one_of_five(void **state)
{
	static const char *const MODES[] = { "do-not-record", "record-from-ringing",
					     "record-from-answer", "record-from-ringing-dual",
					     "record-from-answer-dual" };
	struct fake *fake = *state;
	char line[128];
	expect_ok(fake, "add trunk account=acme name=a domain=a");
	assert_true(says(fake, "show trunk a", "\"recording\": \"do-not-record\""));
	assert_true(says(fake, "show trunk a", "\"recording_trim\": \"do-not-trim\""));
	for (unsigned i = 0; i < sizeof(MODES) / sizeof(MODES[0]); i++) {
		snprintf(line, sizeof(line), "change trunk a recording=%s", MODES[i]);
		expect_ok(fake, line);
		snprintf(line, sizeof(line), "\"recording\": \"%s\"", MODES[i]);
		assert_true(says(fake, "show trunk a", line));
		assert_true(says(fake, "change trunk a recording=always", MODES[i]));
	}
	assert_string_equal(fake_code(fake, "change trunk a recording=always"), "ERR_MALFORMED");
	expect_ok(fake, "change trunk a recording_trim=trim-silence");
	assert_true(says(fake, "show trunk a", "\"recording_trim\": \"trim-silence\""));
	assert_string_equal(fake_code(fake, "change trunk a recording_trim=yes"), "ERR_MALFORMED");
	expect_ok(fake, "change trunk a recording=");
	assert_true(says(fake, "show trunk a", "\"recording\": \"do-not-record\""));
}

// TRUNK-019: set, read back, changed, cleared; what is no URL is refused.
static void the_disaster_recovery_url_is_set_and_cleared(void **state)
{
	struct fake *fake = *state;
	expect_ok(fake, "add trunk account=acme name=a domain=a");
	assert_true(says(fake, "show trunk a", "\"disaster_recovery_url\": null"));
	assert_true(says(fake, "show trunk a", "\"disaster_recovery_method\": \"POST\""));
	expect_ok(fake, "change trunk a disaster_recovery_url=https://dr.example.com/voice?id=7");
	assert_true(says(fake, "show trunk a", "https://dr.example.com/voice?id=7"));
	expect_ok(fake, "change trunk a disaster_recovery_url=http://dr.example.com/ "
			"disaster_recovery_method=get");
	assert_true(says(fake, "show trunk a", "\"disaster_recovery_method\": \"GET\""));
	static const char *const WRONG[] = { "ftp://dr.example.com/", "dr.example.com", "https://",
					     "https://user:secret@dr.example.com/" };
	for (unsigned i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
		char line[128];
		snprintf(line, sizeof(line), "change trunk a disaster_recovery_url=%s", WRONG[i]);
		assert_string_equal(fake_code(fake, line), "ERR_MALFORMED");
	}
	assert_string_equal(fake_code(fake, "change trunk a disaster_recovery_method=PUT"),
			    "ERR_MALFORMED");
	expect_ok(fake, "change trunk a disaster_recovery_url=");
	assert_true(says(fake, "show trunk a", "\"disaster_recovery_url\": null"));
}

// MEDIA-009, TRUNK-014, TRUNK-016: the flags are there, and off where nobody said more.
static void flags_of_a_new_trunk_are_off(void **state)
{
	struct fake *fake = *state;
	expect_ok(fake, "add trunk account=acme name=a domain=a");
	assert_true(says(fake, "show trunk a", "\"symmetric_rtp\": false"));
	assert_true(says(fake, "show trunk a", "\"secure\": false"));
	assert_true(says(fake, "show trunk a", "\"transfer\": false"));
	expect_ok(fake, "change trunk a symmetric_rtp=true secure=true transfer=true");
	assert_true(says(fake, "show trunk a", "\"symmetric_rtp\": true"));
	assert_true(says(fake, "show trunk a", "\"secure\": true"));
	assert_string_equal(fake_code(fake, "change trunk a secure=perhaps"), "ERR_MALFORMED");
}

// AUTH-012, AUTH-013, AUTH-016: lists of addresses are the account's, with names, and shared by trunks.
static void a_list_of_addresses_is_shared_by_trunks(void **state)
{
	struct fake *fake = *state;
	expect_ok(fake, "add acl account=acme name=office");
	expect_ok(fake, "add acl_address acl=office address=192.0.2.7 name='Tokyo, line 1'");
	expect_ok(fake, "add acl_address acl=office address=2001:db8::/48 name=Osaka");
	expect_ok(fake, "add trunk account=acme name=a domain=a acls=office");
	expect_ok(fake, "add trunk account=acme name=b domain=b acls=office");
	assert_int_equal(count(fake, "show acls", "acls"), 1);
	assert_int_equal(count(fake, "show acl_addresses", "acl_addresses"), 2);
	assert_true(says(fake, "show acl_addresses", "Tokyo, line 1"));
	assert_true(says(fake, "show trunk a", "office") && says(fake, "show trunk b", "office"));
	expect_ok(fake, "change acl office name='Head office'");
	assert_true(says(fake, "show trunk b", "Head office"));
	assert_string_equal(fake_code(fake, "remove acl 'Head office'"), "ERR_CONFLICT");
	expect_ok(fake, "change trunk a acls=");
	expect_ok(fake, "change trunk b acls=");
	expect_ok(fake, "remove acl_address 192.0.2.7");
}

// AUTH-014, AUTH-016, AUTH-019: lists of users as well; nothing that is answered holds a password.
static void a_list_of_users_is_shared_and_keeps_its_passwords(void **state)
{
	struct fake *fake = *state;
	static const char *const LINES[] = { "show credentials", "show credential_lists",
					     "show credential pbx", "show trunk a" };
	expect_ok(fake, "add credential_list account=acme name=users");
	expect_ok(fake, "add credential list=users user=pbx password=Correct9Horse");
	expect_ok(fake, "add trunk account=acme name=a domain=a credential_lists=users");
	expect_ok(fake, "add trunk account=acme name=b domain=b credential_lists=users");
	assert_true(says(fake, "show credentials", "pbx"));
	assert_true(says(fake, "show trunk b", "users"));
	for (unsigned i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		assert_false(says(fake, LINES[i], "Correct9Horse"));
		assert_false(says(fake, LINES[i], "ha1"));
	}
	expect_ok(fake, "change credential pbx password=Another9Horse");
	assert_string_equal(fake_code(fake, "remove credential_list users"), "ERR_CONFLICT");
}

// AUTH-018: lists are made and attached by the command that makes or changes the trunk; when one part of it
// is wrong, nothing is made.
static void lists_are_made_with_their_trunk(void **state)
{
	struct fake *fake = *state;
	static const struct {
		const char *words, *field;
	} WRONG[] = {
		{ "new_acl=office", "new_acl_addresses" },
		{ "new_acl_addresses=192.0.2.7", "new_acl" },
		{ "new_acl=office new_acl_addresses=192.0.2.777", "address" },
		{ "new_acl=office new_acl_addresses='192.0.2.7 192.0.2.7'", "address" },
		{ "new_acl=office new_acl_addresses='1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 "
		  "1.1.1.6 "
		  "1.1.1.7 1.1.1.8 1.1.1.9'",
		  "new_acl_addresses" },
		{ "new_credential_list=users", "new_user" },
		{ "new_credential_list=users new_user=pbx", "password" },
		{ "new_credential_list=users new_user=pbx password=simple", "password" },
		{ "new_acl=office new_acl_addresses=192.0.2.7 new_credential_list=users "
		  "new_user=pbx "
		  "password=simple",
		  "password" },
	};
	for (unsigned i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
		char line[300];
		snprintf(line, sizeof(line), "add trunk account=acme name=a domain=a %s",
			 WRONG[i].words);
		json_t *answer = fake_ask(fake, line);
		assert_string_equal(json_string_value(json_object_get(answer, "field")),
				    WRONG[i].field);
		json_decref(answer);
		assert_int_equal(count(fake, "show trunks", "trunks"), 0);
		assert_int_equal(count(fake, "show acls", "acls"), 0);
		assert_int_equal(count(fake, "show acl_addresses", "acl_addresses"), 0);
		assert_int_equal(count(fake, "show credential_lists", "credential_lists"), 0);
	}
	expect_ok(fake, "add trunk account=acme name=a domain=a new_acl=office "
			"new_acl_addresses='192.0.2.7 198.51.100.0/24' new_credential_list=users "
			"new_user=pbx password=Correct9Horse");
	assert_true(says(fake, "show trunk a", "\"acls_names\": [\"office\"]"));
	assert_true(says(fake, "show trunk a", "\"credential_lists_names\": [\"users\"]"));
	assert_int_equal(count(fake, "show acl_addresses", "acl_addresses"), 2);
	assert_true(says(fake, "show credentials", "pbx"));
	assert_false(says(fake, "show credentials", "Correct9Horse"));
	expect_ok(fake, "change trunk a new_acl=plant new_acl_addresses=203.0.113.9");
	assert_true(says(fake, "show trunk a", "[\"office\", \"plant\"]"));
	expect_ok(fake, "remove trunk a");
	assert_true(says(fake, "help add trunk", "new_credential_list"));
}

// AUTH-017: an ACL alone is allowed, and warned of.
static void addresses_alone_are_warned_of(void **state)
{
	struct fake *fake = *state;
	expect_ok(fake, "add acl account=acme name=office");
	expect_ok(fake, "add credential_list account=acme name=users");
	assert_true(says(fake, "add trunk account=acme name=a domain=a acls=office", "ACL alone"));
	assert_true(says(fake, "show trunk a", "ACL alone"));
	assert_false(says(fake, "change trunk a credential_lists=users", "ACL alone"));
}

// Calls to such a target come back or go nowhere; between nodes of a laboratory that may be meant.
static void a_target_that_is_ourselves_is_warned_of(void **state)
{
	struct fake *fake = *state;
	struct sip_config *sip = &fake->config.sip;
	struct config_addresses *public = &fake->config.names.addresses;
	sip->port = 5060;
	sip->tls_port = 5061;
	sip->addresses.count = 2;
	public->count = 1;
	assert_true(address_parse(TEXT("192.0.2.1"), &sip->addresses.items[0]));
	assert_true(address_parse(TEXT("2001:db8::1"), &sip->addresses.items[1]));
	assert_true(address_parse(TEXT("203.0.113.1"), &public->items[0]));
	assert_true(says(fake, "add carrier name=a address=192.0.2.1", "our own"));
	assert_true(says(fake, "add carrier name=b address=[2001:db8::1]:5061", "our own"));
	assert_true(says(fake, "add carrier name=c address=acme.trunks.example", "name of ours"));
	assert_true(says(fake, "show carrier a", "our own"));
	assert_false(says(fake, "change carrier a address=192.0.2.1:5070", "warnings"));
	assert_false(says(fake, "add carrier name=d address=192.0.2.2", "warnings"));
	assert_false(says(fake, "add carrier name=e address=gw.carrier.example", "warnings"));
	assert_true(says(fake, "change carrier d address=203.0.113.1", "come back to us"));
	expect_ok(fake, "add trunk account=acme name=t domain=acme");
	assert_true(says(fake, "add origination_uri trunk=t uri=sip:192.0.2.1:5070", "next URI"));
	assert_true(
		says(fake, "add origination_uri trunk=t uri=sip:acme.trunks.example", "next URI"));
	assert_false(says(fake, "add origination_uri trunk=t uri=sip:192.0.2.3", "warnings"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, fake_tear_down)
		TEST(a_trunk_is_made_listed_renamed_and_deleted),
		TEST(a_domain_is_one_trunks),
		TEST(a_wide_prefix_is_warned_of),
		TEST(trunks_of_an_account_are_apart),
		TEST(a_trunk_is_shown_in_four_groups),
		TEST(the_recording_mode_is_one_of_five),
		TEST(the_disaster_recovery_url_is_set_and_cleared),
		TEST(flags_of_a_new_trunk_are_off),
		TEST(a_list_of_addresses_is_shared_by_trunks),
		TEST(a_list_of_users_is_shared_and_keeps_its_passwords),
		TEST(lists_are_made_with_their_trunk),
		TEST(addresses_alone_are_warned_of),
		TEST(a_target_that_is_ourselves_is_warned_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
