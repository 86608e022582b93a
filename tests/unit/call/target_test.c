// Request-URIs of targets, as they stand on the wire. Runs on the thread of the test.

#include "call/target/target.h"

#include "tests/check.h"

static const char *written(const char *text, bool is_secure, const char *number,
			   char room[static 256])
{
	struct origination_uri uri = { 0 };
	struct target target;
	if (directory_uri_read(text_of(text), &uri.uri) != NULL)
		fail_msg("%s is refused", text);
	target_of_uri(&uri, is_secure, &target);
	struct sip_hop hop = { .protocol = target.place.protocol };
	struct writer writer = writer_of(room, 256);
	target_write_uri(&target, &hop, number, true, &writer);
	return writer_string_done(&writer);
}

// ORIG-003, ORIG-004, ORIG-011, ORIG-012, ORIG-040, ORIG-041
static void uris_are_written_as_they_were_given_but_for_what_is_ours(void **state)
{
	(void)state;
	static const struct {
		const char *given;
		bool is_secure;
		const char *written;
	} rows[] = {
		{ "sip:172.56.42.132", false, "sip:+14158675309@172.56.42.132" },
		{ "sip:172.56.42.132:5070", false, "sip:+14158675309@172.56.42.132:5070" },
		{ "sip:anniebp@172.56.42.132", false, "sip:anniebp@172.56.42.132" },
		{ "sip:[2001:db8::7]", false, "sip:+14158675309@[2001:db8::7]" },
		{ "sip:[2001:db8::7]:5070", false, "sip:+14158675309@[2001:db8::7]:5070" },
		{ "sip:mysbc.com;edge=dublin;tnx=T1?X-a=b", false, "sip:+14158675309@mysbc.com" },
		{ "sip:mysbc.com;region=ie1;transport=tcp", false,
		  "sip:+14158675309@mysbc.com;transport=tcp" },
		{ "sips:mysbc.com", false, "sip:+14158675309@mysbc.com;transport=tls" },
		{ "sip:mysbc.com:5070;transport=udp", true,
		  "sip:+14158675309@mysbc.com:5070;transport=tls" },
	};
	char room[256];
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_STRING(written(rows[i].given, rows[i].is_secure, "+14158675309", room),
			     rows[i].written);
}

// What records and alerts call it has neither what is ours nor the number of one call.
static void a_uri_has_a_name_without_the_number(void **state)
{
	(void)state;
	struct origination_uri uri = { 0 };
	struct target target;
	assert_null(directory_uri_read(TEXT("sip:mysbc.com;transport=tcp;edge=dublin?X-a=b"),
				       &uri.uri));
	target_of_uri(&uri, false, &target);
	CHECK_STRING(target.name, "sip:mysbc.com;transport=tcp");
	CHECK_STRING(target.lines, "X-a: b\r\n");
	CHECK_STRING(target.edge, "dublin");
	CHECK_STRING(target.connection, "");
	assert_null(directory_uri_read(TEXT("sip:mysbc.com;tnx=TNX01"), &uri.uri));
	target_of_uri(&uri, false, &target);
	CHECK_STRING(target.connection, "TNX01"); // ORIG-044
}

// ORIG-035, ORIG-036, MEDIA-004, SIP-019: what an answer tells of a URI that did not take the call.
static void refusals_tell_their_causes(void **state)
{
	(void)state;
	static const struct {
		unsigned status;
		enum refusal_cause cause;
	} rows[] = {
		{ 401, REFUSED_URI_CHALLENGED },
		{ 407, REFUSED_URI_PROXY_CHALLENGED },
		{ 415, REFUSED_URI_CODEC },
		{ 488, REFUSED_URI_CODEC },
		{ 422, REFUSED_URI_SESSION_INTERVAL },
		{ 480, REFUSED_URI_UNAVAILABLE },
		{ 403, REFUSED_URI_FAILED },
		{ 503, REFUSED_URI_FAILED },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_NUMBER(target_refusal(TARGET_URI, rows[i].status), rows[i].cause);
	CHECK_NUMBER(target_refusal(TARGET_CARRIER, 401), REFUSED_CARRIER_FAILED);
	CHECK_NUMBER(target_refusal(TARGET_CARRIER, 422), REFUSED_SESSION_INTERVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(uris_are_written_as_they_were_given_but_for_what_is_ours),
		TEST(a_uri_has_a_name_without_the_number),
		TEST(refusals_tell_their_causes),
	};
	return RUN_TESTS(tests);
}
