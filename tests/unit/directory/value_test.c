// Every type of field: what is accepted, in which form it is kept, and how a refusal reads.

#include "tests/unit/directory/world.h"

#include <string.h>

#include "tests/check.h"
#include "tests/fake/allocation.h"

static const char sid_a[] = "AL0123456789abcdef0123456789abcdef";

static void good_values_are_kept_in_one_form(void **state)
{
	(void)state;
	static const struct {
		enum directory_kind kind;
		const char *field, *given, *kept;
	} rows[] = {
		{ DIRECTORY_TRUNK, "domain", "ACME-Berlin", "acme-berlin" },
		{ DIRECTORY_TRUNK, "domain", "a.b", "a.b" },
		{ DIRECTORY_TRUNK, "cps", "0010", "10" },
		{ DIRECTORY_TRUNK, "cps", "100000", "100000" },
		{ DIRECTORY_TRUNK, "cps", "", "" },
		{ DIRECTORY_CARRIER, "weight", "", "10" },
		{ DIRECTORY_TRUNK, "enabled", "No", "false" },
		{ DIRECTORY_TRUNK, "symmetric_rtp", "on", "true" },
		{ DIRECTORY_TRUNK, "name", "  Köln 1  ", "Köln 1" },
		{ DIRECTORY_TRUNK, "acls", "AL0123456789abcdef0123456789abcdef", sid_a },
		{ DIRECTORY_TRUNK, "acls",
		  "AL0123456789abcdef0123456789abcdef,AL0123456789abcdef0123456789abcdef", sid_a },
		{ DIRECTORY_ACL_ADDRESS, "address", "192.0.2.0/24", "192.0.2.0/24" },
		{ DIRECTORY_ACL_ADDRESS, "address", "192.0.2.7/32", "192.0.2.7" },
		{ DIRECTORY_ACL_ADDRESS, "address", "2001:DB8:0::/48", "2001:db8::/48" },
		{ DIRECTORY_CARRIER, "address", "192.0.2.7", "192.0.2.7" },
		{ DIRECTORY_CARRIER, "address", "2001:DB8::1", "2001:db8::1" },
		{ DIRECTORY_CARRIER, "address", "[2001:db8::1]:5060", "[2001:db8::1]:5060" },
		{ DIRECTORY_CARRIER, "address", "GW-1.Example.com", "gw-1.example.com" },
		{ DIRECTORY_CARRIER, "address", "gw.example.com:5070", "gw.example.com:5070" },
		{ DIRECTORY_CARRIER, "address", "3com.example", "3com.example" },
		{ DIRECTORY_CARRIER, "sources", "192.0.2.7, 198.51.100.0/24  2001:DB8::/48",
		  "192.0.2.7 198.51.100.0/24 2001:db8::/48" },
		{ DIRECTORY_CARRIER, "transport", "TLS", "tls" },
		{ DIRECTORY_CARRIER, "transport", "auto", "auto" },
		{ DIRECTORY_CARRIER, "options_ping_s", "30", "30" },
		{ DIRECTORY_CARRIER, "address", "192.0.2.7:5070", "192.0.2.7:5070" },
		{ DIRECTORY_NUMBER, "e164", "+14155550100", "+14155550100" },
		{ DIRECTORY_TRIGGER, "codes", " 32001,32201  32202", "32001 32201 32202" },
		{ DIRECTORY_TRIGGER, "codes", "ALL", "all" },
		{ DIRECTORY_TRIGGER, "webhook", "https://www.example.com/hook?a=b",
		  "https://www.example.com/hook?a=b" },
		{ DIRECTORY_TRIGGER, "webhook", "HTTPS://www.example.com:65535?X=Y", // RFC 3986 3.1
		  "https://www.example.com:65535?X=Y" },
		{ DIRECTORY_TRIGGER, "webhook", "Http://[2001:db8::1]:8080/a:b",
		  "http://[2001:db8::1]:8080/a:b" },
		{ DIRECTORY_TRIGGER, "email", "alerts+sip@example.com", "alerts+sip@example.com" },
		{ DIRECTORY_NUMBER, "e164", "+123456789012345", "+123456789012345" },
		{ DIRECTORY_ACCOUNT, "voice_countries", "us jp,US", "JP US" },
		{ DIRECTORY_ACCOUNT, "voice_countries", "US All", "all" },
		{ DIRECTORY_ACCOUNT, "voice_countries", "", "" },
		{ DIRECTORY_CREDENTIAL, "ha1_md5", "0123456789ABCDEF0123456789abcdef",
		  "0123456789abcdef0123456789abcdef" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct directory_object *object = world_make(rows[i].kind, NULL);
		world_set(object, rows[i].field, rows[i].given);
		CHECK_TEXT(directory_object_get(object, rows[i].field), rows[i].kept);
		directory_object_destroy(object);
	}
}

static void bad_values_are_refused_and_change_nothing(void **state)
{
	(void)state;
	static const struct {
		enum directory_kind kind;
		const char *field, *given, *says;
	} rows[] = {
		{ DIRECTORY_TRUNK, "domain", "-acme", "letters" },
		{ DIRECTORY_TRUNK, "domain", "acme-", "letters" },
		{ DIRECTORY_TRUNK, "domain", "acme.", "letters" },
		{ DIRECTORY_TRUNK, "domain", "a..b", "letters" },
		{ DIRECTORY_TRUNK, "domain", "under_score", "letters" },
		{ DIRECTORY_TRUNK, "cps", "0", "1 to 100000" },
		{ DIRECTORY_TRUNK, "cps", "100001", "1 to 100000" },
		{ DIRECTORY_TRUNK, "cps", "99999999999999999999999", "1 to 100000" },
		{ DIRECTORY_TRUNK, "cps", "-1", "whole number" },
		{ DIRECTORY_TRUNK, "cps", "5x", "'5x'" },
		{ DIRECTORY_TRUNK, "enabled", "maybe", "true or false" },
		{ DIRECTORY_CARRIER, "sources", "192.0.2.7 0.0.0.0/0", "16 bits" },
		{ DIRECTORY_CARRIER, "sources", "192.0.2.7 gw.example", "16 bits" },
		{ DIRECTORY_CARRIER, "sources", "192.0.2.1/24", "host part is zero" },
		{ DIRECTORY_TRUNK, "name", "line\nbreak", "(not shown)" },
		{ DIRECTORY_TRUNK, "name", "\xff\xfe", "(not shown)" },
		{ DIRECTORY_TRUNK, "name", "\xc0\x80", "(not shown)" },
		{ DIRECTORY_TRUNK, "name", "cut \xe2\x82", "(not shown)" },
		{ DIRECTORY_TRUNK, "acls", "TK0123456789abcdef0123456789abcdef", "kind acl" },
		{ DIRECTORY_TRUNK, "account", "AC0123", "kind account" },
		{ DIRECTORY_TRUNK, "account", "", "must not be empty" },
		{ DIRECTORY_TRUNK, "account", " , ", "must not be empty" },
		{ DIRECTORY_ACL_ADDRESS, "address", "192.0.2.7/24", "host part" },
		{ DIRECTORY_ACL_ADDRESS, "address", "192.0.2.0/33", "prefix" },
		{ DIRECTORY_ACL_ADDRESS, "address", "::ffff:192.0.2.7", "as IPv4" },
		{ DIRECTORY_ACL_ADDRESS, "address", "pbx.example.com", "192.0.2.7" },
		{ DIRECTORY_CARRIER, "address", "0.0.0.0", "IP address" },
		{ DIRECTORY_CARRIER, "address", "192.0.2.7:0", "IP address" },
		{ DIRECTORY_CARRIER, "address", "gw.example.com:", "host name" },
		{ DIRECTORY_CARRIER, "address", "gw.example.com:65536", "host name" },
		{ DIRECTORY_CARRIER, "address", "gw.example.com:0", "host name" },
		{ DIRECTORY_CARRIER, "address", "gw..example.com", "host name" },
		{ DIRECTORY_CARRIER, "address", "gw.example.com.", "host name" },
		{ DIRECTORY_CARRIER, "address", "gw_1.example.com", "host name" },
		{ DIRECTORY_CARRIER, "address", "192.0.2.700", "host name" },
		{ DIRECTORY_CARRIER, "address", "sip:gw.example.com", "host name" },
		{ DIRECTORY_CARRIER, "address", "gw.example.com;transport=tcp", "host name" },
		{ DIRECTORY_ACCOUNT, "voice_countries", "US XX", "codes of countries" },
		{ DIRECTORY_ACCOUNT, "status", "closed", "active, suspended" },
		{ DIRECTORY_CARRIER, "transport", "sctp", "auto, udp, tcp, tls" },
		{ DIRECTORY_CARRIER, "options_ping_s", "3601", "0 to 3600" },
		{ DIRECTORY_CARRIER, "weight", "0", "1 to 65535" },
		{ DIRECTORY_TRIGGER, "codes", "12", "five digits" },
		{ DIRECTORY_TRIGGER, "codes", "32001;32002", "five digits" },
		{ DIRECTORY_TRIGGER, "codes", "00001", "five digits" },
		{ DIRECTORY_TRIGGER, "webhook", "ftp://example.com/", "a URL" },
		{ DIRECTORY_TRIGGER, "webhook", "https://", "a URL" },
		{ DIRECTORY_TRIGGER, "webhook", "https://example.com:99999/", "1 to 65535" },
		{ DIRECTORY_TRIGGER, "webhook", "https://example.com:0/", "1 to 65535" },
		{ DIRECTORY_TRIGGER, "webhook", "https://example.com:/", "1 to 65535" },
		{ DIRECTORY_TRIGGER, "webhook", "https://example.com:8x", "1 to 65535" },
		{ DIRECTORY_TRIGGER, "webhook", "https://[2001:db8::1]:65536/", "1 to 65535" },
		{ DIRECTORY_TRIGGER, "webhook", "https://[2001:db8::1]x/", "a URL" },
		{ DIRECTORY_TRIGGER, "webhook", "https://:443/", "a URL" },
		{ DIRECTORY_TRIGGER, "webhook", "https://?x@example.com", "a URL" },
		{ DIRECTORY_TRIGGER, "webhook", "https://user:pass@example.com/", "without user" },
		{ DIRECTORY_TRIGGER, "webhook", "https://example.com/a b", "a URL" },
		{ DIRECTORY_TRIGGER, "webhook", "https://example.com/\r\nX: y", "a URL" },
		{ DIRECTORY_TRIGGER, "email", "nobody", "an address" },
		{ DIRECTORY_TRIGGER, "email", "a b@example.com", "an address" },
		{ DIRECTORY_TRIGGER, "email", "a@b@example.com", "an address" },
		{ DIRECTORY_TRIGGER, "email", "a@example.com\r\nBcc: x", "an address" },
		{ DIRECTORY_TRIGGER, "every_s", "86401", "0 to 86400" },
		{ DIRECTORY_CARRIER, "priority", "65536", "0 to 65535" },
		{ DIRECTORY_NUMBER, "e164", "14155550100", "plus sign" },
		{ DIRECTORY_NUMBER, "e164", "+04155550100", "plus sign" },
		{ DIRECTORY_NUMBER, "e164", "+1234567890123456", "plus sign" },
		{ DIRECTORY_NUMBER, "e164", "+1 415", "plus sign" },
		{ DIRECTORY_NUMBER, "e164", "+1", "plus sign" },
		{ DIRECTORY_CREDENTIAL, "user", "a:b", "colons" },
		{ DIRECTORY_CREDENTIAL, "user", "a\"b", "quotes" },
		{ DIRECTORY_CARRIER, "tls_certificate", "carrier.crt", "absolute path" },
		{ DIRECTORY_CARRIER, "tls_key", "/", "2 to 255 octets" },
		{ DIRECTORY_ACCOUNT, "deprecated_tls", "maybe", "true" },
		{ DIRECTORY_CREDENTIAL, "ha1_md5", "12", "(not shown)" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct directory_object *object = world_make(rows[i].kind, NULL);
		struct directory_problem problem = { 0 };
		struct text before = directory_object_get(object, rows[i].field);
		CHECK_STATUS(directory_object_set(object, text_of(rows[i].field),
						  text_of(rows[i].given), &problem),
			     ERR_MALFORMED);
		CHECK_STRING(problem.field, rows[i].field);
		if (!strstr(problem.text, rows[i].says))
			fail_msg("%s=%s: '%s' does not say '%s'", rows[i].field, rows[i].given,
				 problem.text, rows[i].says);
		CHECK_TRUE(text_is_equal(directory_object_get(object, rows[i].field), before));
		directory_object_destroy(object);
	}
}

static void a_long_value_is_shown_in_part(void **state)
{
	(void)state;
	char name[400], list[36 * 33 + 1] = "";
	struct directory_problem problem = { 0 };
	struct directory_object *object = world_make(DIRECTORY_TRUNK, NULL);
	for (size_t i = 0; i + 1 < sizeof(name); i++)
		name[i] = i % 2 ? '\xbc' : '\xc3'; // ü
	CHECK_STATUS(directory_object_set(object, TEXT("name"),
					  (struct text){ name, sizeof(name) - 2 }, &problem),
		     ERR_MALFORMED);
	CHECK_TRUE(strstr(problem.text, "ü...'"));
	struct writer out = writer_of(list, sizeof(list));
	for (unsigned i = 0; i < 33; i++)
		writer_format(&out, "%s%032x ", "AL", i);
	CHECK_STATUS(directory_object_set(object, TEXT("acls"), writer_done(&out), &problem),
		     ERR_MALFORMED);
	CHECK_TRUE(strstr(problem.text, "fewer SIDs"));
	directory_object_destroy(object);
}

static void an_unknown_field_is_answered_with_the_nearest(void **state)
{
	(void)state;
	static const struct {
		const char *given, *says;
	} rows[] = {
		{ "domian", "'domain'" },
		{ "acl", "'acls'" },
		{ "colour", "it has: account name domain cps" },
		{ "colour", " ..." },
		{ "a_name_that_is_longer_than_any_field_has", "it has:" },
	};
	struct directory_object *object = world_make(DIRECTORY_TRUNK, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct directory_problem problem = { 0 };
		CHECK_STATUS(
			directory_object_set(object, text_of(rows[i].given), TEXT("x"), &problem),
			ERR_NOT_FOUND);
		if (!strstr(problem.text, rows[i].says))
			fail_msg("%s: %s", rows[i].given, problem.text);
	}
	CHECK_STATUS(directory_object_set(object, TEXT("\n"), TEXT("x"), NULL), ERR_NOT_FOUND);
	directory_object_destroy(object);
}

static void kinds_are_known_by_name_plural_and_sid(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++) {
		const struct directory_schema *schema = directory_schema((enum directory_kind)kind);
		struct directory_object *object = world_make((enum directory_kind)kind, NULL);
		CHECK_NUMBER(directory_kind_of(text_of(schema->name)), kind);
		CHECK_NUMBER(directory_kind_of(text_of(schema->plural)), kind);
		CHECK_NUMBER(directory_kind_of_sid(text_of(object->sid)), kind);
		CHECK_TRUE(schema->field_count <= DIRECTORY_FIELDS_MAX);
		directory_object_destroy(object);
	}
	CHECK_NUMBER(directory_kind_of(TEXT("switch")), DIRECTORY_KIND_COUNT);
	CHECK_NUMBER(directory_kind_of_sid(TEXT("XX0123456789abcdef0123456789abcdef")),
		     DIRECTORY_KIND_COUNT);
	CHECK_NUMBER(directory_kind_of_sid(TEXT("AL0123456789ABCDEF0123456789abcdef")),
		     DIRECTORY_KIND_COUNT);
}

static void a_failing_allocation_is_a_status(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 64; n++) {
		allocation_fail_at(n);
		struct directory_object *object = directory_object_create(DIRECTORY_TRUNK);
		struct directory_object *copy = NULL;
		if (object) {
			enum status status =
				directory_object_set(object, TEXT("name"), TEXT("one"), NULL);
			CHECK_TRUE(status == OK || status == ERR_MEMORY);
			copy = directory_object_copy(object);
		}
		bool has_failed = allocation_has_failed();
		allocation_fail_at(0);
		CHECK_TRUE(copy || has_failed);
		directory_object_destroy(copy);
		directory_object_destroy(object);
		if (!has_failed)
			return;
	}
	fail_msg("some allocation always fails");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_values_are_kept_in_one_form),
		TEST(bad_values_are_refused_and_change_nothing),
		TEST(a_long_value_is_shown_in_part),
		TEST(an_unknown_field_is_answered_with_the_nearest),
		TEST(kinds_are_known_by_name_plural_and_sid),
		TEST(a_failing_allocation_is_a_status),
	};
	return RUN_TESTS(tests);
}
