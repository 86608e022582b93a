// Origination URIs: what may be set, what is made of it, which ones a trunk has. Runs on the thread of
// the test.

#include "directory/origination/origination.h"

#include <stdio.h>
#include <string.h>

#include "config/edges.h"
#include "directory/object.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"

static const char *refusal_of(const char *text)
{
	struct directory_uri uri;
	return directory_uri_read(text_of(text), &uri);
}

static struct directory_uri uri_of(const char *text)
{
	struct directory_uri uri = { 0 };
	const char *allowed = directory_uri_read(text_of(text), &uri);
	if (allowed != NULL)
		fail_msg("%s refused, allowed: %s", text, allowed);
	return uri;
}

// ORIG-002, ORIG-004, ORIG-008 to ORIG-011, ORIG-016, ORIG-042, ORIG-044
static void its_pieces_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text, *user, *host;
		uint16_t port;
		enum directory_transport transport;
		const char *edge, *tnx;
	} rows[] = {
		{ "sip:172.56.42.132", "", "172.56.42.132", 0, DIRECTORY_TRANSPORT_UDP, "", "" },
		{ "sip:mysbc.com", "", "mysbc.com", 0, DIRECTORY_TRANSPORT_UDP, "", "" },
		{ "SIP:MySBC.com", "", "mysbc.com", 0, DIRECTORY_TRANSPORT_UDP, "", "" },
		{ "sip:anniebp@172.56.42.132", "anniebp", "172.56.42.132", 0,
		  DIRECTORY_TRANSPORT_UDP, "", "" },
		{ "sip:a%20b@mysbc.com:5070", "a%20b", "mysbc.com", 5070, DIRECTORY_TRANSPORT_UDP,
		  "", "" },
		{ "sip:mysbc.com;transport=tcp", "", "mysbc.com", 0, DIRECTORY_TRANSPORT_TCP, "",
		  "" },
		{ "sip:mysbc.com:5062;transport=TLS", "", "mysbc.com", 5062,
		  DIRECTORY_TRANSPORT_TLS, "", "" },
		{ "sips:mysbc.com", "", "mysbc.com", 0, DIRECTORY_TRANSPORT_TLS, "", "" },
		{ "sips:mysbc.com;transport=tcp", "", "mysbc.com", 0, DIRECTORY_TRANSPORT_TLS, "",
		  "" },
		{ "sip:mysbc.com;edge=dublin", "", "mysbc.com", 0, DIRECTORY_TRANSPORT_UDP,
		  "dublin", "" },
		{ "sip:mysbc.com;region=ie1;transport=udp", "", "mysbc.com", 0,
		  DIRECTORY_TRANSPORT_UDP, "ie1", "" },
		{ "sip:mysbc.com;tnx=TNX01", "", "mysbc.com", 0, DIRECTORY_TRANSPORT_UDP, "",
		  "TNX01" },
		{ "sip:[2001:db8::7]", "", "2001:db8::7", 0, DIRECTORY_TRANSPORT_UDP, "", "" },
		{ "sip:[2001:db8::7]:5070", "", "2001:db8::7", 5070, DIRECTORY_TRANSPORT_UDP, "",
		  "" },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct directory_uri uri = uri_of(rows[i].text);
		CHECK_STRING(uri.user, rows[i].user);
		CHECK_STRING(uri.host, rows[i].host);
		CHECK_NUMBER(uri.port, rows[i].port);
		CHECK_NUMBER(uri.transport, rows[i].transport);
		CHECK_STRING(uri.edge, rows[i].edge);
		CHECK_STRING(uri.tnx, rows[i].tnx);
		CHECK_STRING(uri.lines, "");
	}
}

// ORIG-006
static void headers_become_lines(void **state)
{
	(void)state;
	CHECK_STRING(uri_of("sip:mysbc.com?X-myheader=foo").lines, "X-myheader: foo\r\n");
	CHECK_STRING(uri_of("sip:mysbc.com?x-a=b%20c&X-D=%e2%82%ac").lines,
		     "x-a: b c\r\nX-D: \xe2\x82\xac\r\n");
	CHECK_STRING(uri_of("sip:mysbc.com;transport=tcp?X-Empty=").lines, "X-Empty: \r\n");
}

// ORIG-007: nothing else comes in by a header, and no line ends in what a header says.
static void no_other_header_and_no_line_end_comes_in(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"sip:mysbc.com?Route=%3Csip:evil.example%3E",
		"sip:mysbc.com?From=x",
		"sip:mysbc.com?X-a=b&Route=c",
		"sip:mysbc.com?X-=b",
		"sip:mysbc.com?X-a",
		"sip:mysbc.com?X-a%0d%0aRoute=b",
		"sip:mysbc.com?X-a:Route=b",
		"sip:mysbc.com?X-a=b%0d%0aFoo:%20bar",
		"sip:mysbc.com?X-a=b%0aFoo",
		"sip:mysbc.com?X-a=b%0D",
		"sip:mysbc.com?X-a=b%00c",
		"sip:mysbc.com?X-a=b%7f",
		"sip:mysbc.com?X-a=%c2%85", // a line end of Unicode
		"sip:mysbc.com?X-a=%ff",
		"sip:mysbc.com?X-a=b%2",
		"sip:mysbc.com?X-a=b%zz",
		"sip:mysbc.com?X-a=b c",
	};
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (refusal_of(texts[i]) == NULL)
			fail_msg("%s was taken", texts[i]);
}

static void what_is_no_uri_is_refused_and_told_why(void **state)
{
	(void)state;
	static const struct {
		const char *text, *allowed;
	} rows[] = {
		{ "mysbc.com", "a SIP URI" },
		{ "tel:+14155550100", "a SIP URI" },
		{ "sip:", "host name" },
		{ "sip:@mysbc.com", "user" },
		{ "sip:u:secret@mysbc.com", "without password" },
		{ "sip:u%0a@mysbc.com", "user" },
		{ "sip:u@v@mysbc.com", "host name" },
		{ "sip:my_sbc.com", "host name" },
		{ "sip:mysbc.com:0", "host name" },
		{ "sip:mysbc.com:65536", "host name" },
		{ "sip:127.0.0.1", "can be reached" },
		{ "sip:0.0.0.0", "can be reached" },
		{ "sip:224.0.0.1", "can be reached" },
		{ "sip:169.254.169.254", "can be reached" },
		{ "sip:2001:db8::7", "host name" },
		{ "sip:[::1]", "can be reached" },
		{ "sip:256.1.1.1", "host name" },
		{ "sip:mysbc.com;lr", "transport, edge" },
		{ "sip:mysbc.com;maddr=192.0.2.9", "transport, edge" },
		{ "sip:mysbc.com;transport=sctp", "transport=udp" },
		{ "sip:mysbc.com;transport=tcp;transport=udp", "each once" },
		{ "sip:mysbc.com;edge=", "edge=NAME" },
		{ "sip:mysbc.com;edge=a;region=b", "one edge" },
		{ "sip:mysbc.com;tnx=a b", "tnx=NAME" },
		{ "sip:mysbc.com\r\nRoute: x", "printable" },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *allowed = refusal_of(rows[i].text);
		if (allowed == NULL || strstr(allowed, rows[i].allowed) == NULL)
			fail_msg("%s: allowed: %s", rows[i].text, allowed != NULL ? allowed : "it");
	}
	char longest[DIRECTORY_URI_MAX + 40] = "sip:mysbc.com?X-a=";
	memset(longest + strlen(longest), 'b', sizeof(longest) - strlen(longest) - 1);
	assert_non_null(refusal_of(longest));
}

static void add(struct directory *directory, const char *trunk, const char *uri,
		const char *priority, const char *enabled)
{
	world_add(directory,
		  world_make(DIRECTORY_ORIGINATION_URI, "trunk", trunk, "uri", uri, "priority",
			     priority, "enabled", enabled, NULL),
		  NULL);
}

// ORIG-020, ORIG-026: of this trunk, in order, and no disabled one.
static void a_trunk_has_its_enabled_ones_in_order(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	const struct origination_uri *uris[DIRECTORY_ORIGINATION_MAX];
	char account[DIRECTORY_SID_SIZE], trunks[2][DIRECTORY_SID_SIZE];
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "acme", NULL), account);
	for (unsigned i = 0; i < 2; i++)
		world_add(directory, world_make(DIRECTORY_TRUNK, "account", account, NULL),
			  trunks[i]);
	add(directory, trunks[0], "sip:backup.example", "20", "true");
	add(directory, trunks[0], "sip:off.example", "1", "false");
	add(directory, trunks[0], "sip:first.example", "10", "true");
	add(directory, trunks[1], "sip:other.example", "5", "true");
	CHECK_NUMBER(directory_origination_uris(directory, trunks[0], uris), 2);
	CHECK_STRING(uris[0]->uri.host, "first.example");
	CHECK_STRING(uris[1]->uri.host, "backup.example");
	assert_ptr_equal(directory_origination_uri(directory, uris[0]->sid), uris[0]);
	assert_null(directory_origination_uri(directory, trunks[0]));
	CHECK_NUMBER(directory_origination_uris(directory, trunks[1], uris), 1);
	CHECK_NUMBER(directory_origination_uris(directory, account, uris), 0);
	directory_destroy(directory);
}

static enum status check_new(struct directory *directory, const char *trunk,
			     struct directory_problem *problem)
{
	struct directory_object *object = world_make(DIRECTORY_ORIGINATION_URI, "trunk", trunk,
						     "uri", "sip:one.more.example", NULL);
	enum status status = directory_check(directory, object, true, problem);
	directory_object_destroy(object);
	return status;
}

// ORIG-017
static void the_eleventh_is_refused(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	struct directory_problem problem = { 0 };
	char account[DIRECTORY_SID_SIZE], trunk[DIRECTORY_SID_SIZE];
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "acme", NULL), account);
	world_add(directory, world_make(DIRECTORY_TRUNK, "account", account, NULL), trunk);
	for (unsigned i = 0; i < 10; i++) {
		CHECK_OK(check_new(directory, trunk, &problem));
		add(directory, trunk, "sip:pbx.example", "10", "false");
	}
	CHECK_NUMBER(check_new(directory, trunk, &problem), ERR_LIMIT);
	CHECK_STRING(problem.field, "trunk");
	assert_non_null(strstr(problem.text, "10 Origination URIs already"));
	directory_destroy(directory);
}

// ORIG-018, ORIG-019
static void priority_and_weight_have_their_ranges(void **state)
{
	(void)state;
	static const struct {
		const char *field, *value;
		enum status status;
	} rows[] = {
		{ "priority", "0", OK },
		{ "priority", "65535", OK },
		{ "priority", "-1", ERR_MALFORMED },
		{ "priority", "65536", ERR_MALFORMED },
		{ "weight", "1", OK },
		{ "weight", "65535", OK },
		{ "weight", "0", ERR_MALFORMED },
		{ "weight", "65536", ERR_MALFORMED },
	};
	struct directory_object *object = world_make(DIRECTORY_ORIGINATION_URI, NULL);
	struct directory_problem problem;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_NUMBER(directory_object_set(object, text_of(rows[i].field),
						  text_of(rows[i].value), &problem),
			     rows[i].status);
	directory_object_destroy(object);
}

// NET-013: told when the URI is written; one that was there before may still be switched off.
static void a_closed_connection_is_refused(void **state)
{
	(void)state;
	struct edges_config *edges = test_calloc(1, sizeof(*edges));
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	struct directory_problem problem;
	char account[35], trunk[35], sid[35];
	config_edges_fill_default(edges);
	directory_follow(directory, &(struct directory_rules){ .edges = edges });
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "acme", NULL), account);
	world_add(directory, world_make(DIRECTORY_TRUNK, "account", account, NULL), trunk);
	world_add(directory,
		  world_make(DIRECTORY_ORIGINATION_URI, "trunk", trunk, "uri",
			     "sip:mysbc.com;tnx=tokyo", NULL),
		  sid);
	edges->items[5].signalling.count = 1;
	struct directory_object *object = world_make(DIRECTORY_ORIGINATION_URI, "trunk", trunk,
						     "uri", "sip:mysbc.com;tnx=Tokyo", NULL);
	CHECK_STATUS(directory_check(directory, object, true, &problem), ERR_FORBIDDEN);
	CHECK_STRING(problem.field, "uri");
	assert_non_null(strstr(problem.text, "'Tokyo', which is not open to account AC"));
	assert_non_null(strstr(problem.text, "edges.accounts"));
	world_set(object, "uri", "sip:mysbc.com;edge=tokyo");
	CHECK_OK(directory_check(directory, object, true, &problem));
	world_set(object, "uri", "sip:mysbc.com;tnx=tokyo");
	(void)text_copy(text_of(account), edges->items[5].accounts.items[0], CONFIG_SID_SIZE);
	edges->items[5].accounts.count = 1;
	CHECK_OK(directory_check(directory, object, true, &problem));
	edges->items[5].accounts.count = 0;
	directory_object_destroy(object);
	object = directory_object_copy(
		directory_find(directory, DIRECTORY_ORIGINATION_URI, text_of(sid)));
	world_set(object, "enabled", "false");
	CHECK_OK(directory_check(directory, object, false, &problem));
	directory_object_destroy(object);
	directory_destroy(directory);
	test_free(edges);
}

// ORIG-013
static void sips_is_taken_with_a_warning(void **state)
{
	(void)state;
	struct directory_problem hint;
	struct directory_object *object =
		world_make(DIRECTORY_ORIGINATION_URI, "uri", "sips:mysbc.com", NULL);
	CHECK_STRING(text_of(object->values[1]).data, "sips:mysbc.com"); // as given (D-23)
	assert_true(directory_hint(object, &hint));
	CHECK_STRING(hint.field, "uri");
	assert_non_null(strstr(hint.text, "transport=tls"));
	directory_object_destroy(object);
	object = world_make(DIRECTORY_ORIGINATION_URI, "uri", "sip:mysbc.com;transport=tls", NULL);
	assert_false(directory_hint(object, &hint));
	directory_object_destroy(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_pieces_are_read),
		cmocka_unit_test(headers_become_lines),
		cmocka_unit_test(no_other_header_and_no_line_end_comes_in),
		cmocka_unit_test(what_is_no_uri_is_refused_and_told_why),
		cmocka_unit_test(a_trunk_has_its_enabled_ones_in_order),
		cmocka_unit_test(the_eleventh_is_refused),
		cmocka_unit_test(priority_and_weight_have_their_ranges),
		cmocka_unit_test(a_closed_connection_is_refused),
		cmocka_unit_test(sips_is_taken_with_a_warning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
