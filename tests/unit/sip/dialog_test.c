// Dialogs by RFC 3261 12: tags, order, targets and routes, as either side.

#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#include "sip/dialog.h"

struct pair {
	struct sip_dialogs *dialogs;
	struct sip_message message;
	char octets[4096];
};

static int set_up(void **state)
{
	static struct pair pair; // lint: global (each test starts from an empty one)
	pair = (struct pair){ .dialogs = sip_dialogs_create(8) };
	assert_non_null(pair.dialogs);
	*state = &pair;
	return 0;
}

static int tear_down(void **state)
{
	sip_dialogs_destroy(((struct pair *)*state)->dialogs);
	return 0;
}

static const struct sip_message *parse(struct pair *pair, const char *octets)
{
	CHECK_TRUE(text_copy(text_of(octets), pair->octets, sizeof(pair->octets)));
	CHECK_TRUE(sip_message_parse(text_of(pair->octets), &pair->message));
	CHECK_TRUE(address_parse(TEXT("198.51.100.7:5071"), &pair->message.flow.remote));
	CHECK_TRUE(address_parse(TEXT("192.0.2.1:5060"), &pair->message.flow.local));
	return &pair->message;
}

static const struct sip_message *invite(struct pair *pair, const char *lines)
{
	char octets[2048];
	int size =
		snprintf(octets, sizeof(octets),
			 "INVITE sip:+1555@x.example SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: \"A\" "
			 "<sip:a@x.example>;tag=theirs\r\n"
			 "To: <sip:+1555@x.example>\r\nCall-ID: in\r\nCSeq: 100 INVITE\r\n%s\r\n",
			 lines);
	assert_true(size > 0 && (size_t)size < sizeof(octets));
	return parse(pair, octets);
}

static struct sip_dialog *open_server(struct pair *pair, const char *lines)
{
	struct sip_dialog *dialog = NULL;
	CHECK_OK(sip_dialog_open_server(pair->dialogs, invite(pair, lines), "ours", pair, &dialog));
	return dialog;
}

static struct sip_dialog *open_client(struct pair *pair)
{
	struct sip_dialog *dialog = NULL;
	struct sip_dialog_call call = { .local = TEXT("<sip:us@192.0.2.1>"),
					.remote = TEXT("<sip:b@203.0.113.5>"),
					.target = TEXT("sip:b@203.0.113.5") };
	CHECK_TRUE(address_parse(TEXT("192.0.2.1:5060"), &call.flow.local));
	CHECK_TRUE(address_parse(TEXT("203.0.113.5:5060"), &call.flow.remote));
	CHECK_OK(sip_dialog_open_client(pair->dialogs, &call, pair, &dialog));
	return dialog;
}

// A response to the dialog's own INVITE.
static const struct sip_message *answer(struct pair *pair, struct sip_dialog *dialog,
					unsigned status, const char *tag, const char *lines)
{
	char octets[4096];
	struct sip_request request;
	sip_dialog_request(dialog, SIP_ACK, 1, &request); // only for its From and Call-ID
	int size = snprintf(
		octets, sizeof(octets),
		"SIP/2.0 %u X\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: %.*s\r\n"
		"To: <sip:b@203.0.113.5>%s%s\r\nCall-ID: %.*s\r\nCSeq: 1 INVITE\r\n%s\r\n",
		status, TEXT_FORMAT(request.from), tag != NULL ? ";tag=" : "",
		tag != NULL ? tag : "", TEXT_FORMAT(request.call_id), lines);
	assert_true(size > 0 && (size_t)size < sizeof(octets));
	return parse(pair, octets);
}

static void check_destination(const struct sip_dialog *dialog, const char *expected)
{
	char room[ADDRESS_TEXT_SIZE];
	CHECK_STRING(address_string(&sip_dialog_flow(dialog)->remote, room), expected);
}

static void the_called_side_asks_back_along_the_record_route(void **state)
{
	struct pair *pair = *state;
	struct sip_request request;
	struct sip_dialog *dialog = open_server(
		pair, "Contact: <sip:a@198.51.100.7:5099>\r\n"
		      "Record-Route: <sip:198.51.100.20;lr>, <sip:198.51.100.21:5090;lr>\r\n"
		      "Record-Route: <sip:198.51.100.22;lr>\r\n");
	memset(pair->octets, 'x', sizeof(pair->octets)); // it owns its text
	sip_dialog_request(dialog, SIP_BYE, 0, &request);
	CHECK_TEXT(request.target, "sip:a@198.51.100.7:5099");
	CHECK_TEXT(request.from, "<sip:+1555@x.example>;tag=ours");
	CHECK_TEXT(request.to, "\"A\" <sip:a@x.example>;tag=theirs");
	CHECK_TEXT(request.call_id, "in");
	CHECK_NUMBER(request.cseq, 1);
	CHECK_TEXT(request.routes, "Route: <sip:198.51.100.20;lr>\r\n"
				   "Route: <sip:198.51.100.21:5090;lr>\r\n"
				   "Route: <sip:198.51.100.22;lr>\r\n");
	check_destination(dialog, "198.51.100.20:5060");
	CHECK_TRUE(sip_dialog_is_confirmed(dialog));
}

static void the_calling_side_reverses_the_record_route(void **state)
{
	struct pair *pair = *state;
	struct sip_request request;
	struct sip_dialog *dialog = open_client(pair);
	CHECK_FALSE(sip_dialog_is_confirmed(dialog));
	sip_dialog_request(dialog, SIP_INVITE, 0, &request);
	CHECK_NUMBER(request.cseq, 1);
	CHECK_TEXT(request.to, "<sip:b@203.0.113.5>");
	CHECK_TRUE(request.routes.size == 0);
	check_destination(dialog, "203.0.113.5:5060");
	CHECK_OK(sip_dialog_update(dialog, answer(pair, dialog, 200, "b",
						  "Contact: <sip:b@203.0.113.9;x=y>\r\n"
						  "Record-Route: <sip:203.0.113.30;lr>\r\n"
						  "Record-Route: <sip:203.0.113.31;lr=on>\r\n")));
	sip_dialog_request(dialog, SIP_ACK, 1, &request);
	CHECK_NUMBER(request.cseq, 1);
	CHECK_TEXT(request.target, "sip:b@203.0.113.9;x=y");
	CHECK_TEXT(request.to, "<sip:b@203.0.113.5>;tag=b");
	CHECK_TEXT(request.routes,
		   "Route: <sip:203.0.113.31;lr=on>\r\nRoute: <sip:203.0.113.30;lr>\r\n");
	check_destination(dialog, "203.0.113.31:5060");
	sip_dialog_request(dialog, SIP_BYE, 0, &request);
	CHECK_NUMBER(request.cseq, 2);
	CHECK_NUMBER(sip_dialog_local_cseq(dialog), 2);
}

static void a_strict_router_becomes_the_request_uri(void **state)
{
	struct pair *pair = *state;
	struct sip_request request;
	struct sip_dialog *dialog = open_client(pair);
	CHECK_OK(sip_dialog_update(dialog, answer(pair, dialog, 200, "b",
						  "Contact: <sip:b@203.0.113.9>\r\n"
						  "Record-Route: <sip:203.0.113.30;lr>\r\n"
						  "Record-Route: <sip:203.0.113.31>\r\n")));
	sip_dialog_request(dialog, SIP_BYE, 0, &request);
	CHECK_TEXT(request.target, "sip:203.0.113.31");
	CHECK_TEXT(request.routes,
		   "Route: <sip:203.0.113.30;lr>\r\nRoute: <sip:b@203.0.113.9>\r\n");
	check_destination(dialog, "203.0.113.31:5060");
	// a new target takes the last place, the rest stays
	CHECK_OK(sip_dialog_update(
		dialog, answer(pair, dialog, 200, "b", "Contact: <sip:b@203.0.113.8>\r\n")));
	sip_dialog_request(dialog, SIP_BYE, 0, &request);
	CHECK_TEXT(request.target, "sip:203.0.113.31");
	CHECK_TEXT(request.routes,
		   "Route: <sip:203.0.113.30;lr>\r\nRoute: <sip:b@203.0.113.8>\r\n");
	CHECK_TEXT(sip_dialog_remote_target(dialog), "sip:b@203.0.113.8");
}

static void a_target_refresh_changes_the_target_alone(void **state)
{
	struct pair *pair = *state;
	struct sip_request request;
	struct sip_dialog *dialog = open_server(pair, "Contact: <sip:a@198.51.100.7>\r\n"
						      "Record-Route: <sip:198.51.100.20;lr>\r\n");
	CHECK_OK(
		sip_dialog_update(dialog, invite(pair, "Contact: <sip:a@198.51.100.8>\r\n"
						       "Record-Route: <sip:evil.example;lr>\r\n")));
	sip_dialog_request(dialog, SIP_BYE, 0, &request);
	CHECK_TEXT(request.target, "sip:a@198.51.100.8");
	CHECK_TEXT(request.routes, "Route: <sip:198.51.100.20;lr>\r\n");
	CHECK_STATUS(sip_dialog_update(dialog, invite(pair, "")), ERR_MALFORMED);
	CHECK_TEXT(sip_dialog_remote_target(dialog), "sip:a@198.51.100.8");
}

static void an_early_dialog_is_settled_by_its_200(void **state)
{
	struct pair *pair = *state;
	struct sip_dialog *dialog = open_client(pair);
	CHECK_OK(sip_dialog_update(dialog, answer(pair, dialog, 100, NULL, "")));
	CHECK_FALSE(sip_dialog_is_confirmed(dialog));
	CHECK_OK(sip_dialog_update(dialog, answer(pair, dialog, 180, "one", "")));
	CHECK_TRUE(sip_dialog_is_confirmed(dialog));
	assert_ptr_equal(sip_dialog_find(pair->dialogs, answer(pair, dialog, 180, "two", "")),
			 dialog);
	CHECK_STATUS(sip_dialog_update(dialog, answer(pair, dialog, 200, "two", "")),
		     ERR_MALFORMED);
	CHECK_STATUS(sip_dialog_update(dialog,
				       answer(pair, dialog, 200, NULL, "Contact: <sip:b@h>\r\n")),
		     ERR_MALFORMED);
	CHECK_OK(sip_dialog_update(
		dialog, answer(pair, dialog, 200, "two", "Contact: <sip:b@pbx.example>\r\n")));
	check_destination(dialog, "203.0.113.5:5060"); // a name: where it was first met
	assert_null(sip_dialog_find(pair->dialogs,
				    answer(pair, dialog, 200, "one", "Contact: <sip:b@h>\r\n")));
	assert_ptr_equal(sip_dialog_find(pair->dialogs, answer(pair, dialog, 200, "two", "")),
			 dialog);
	assert_ptr_equal(sip_dialog_owner(dialog), pair);
}

static const struct sip_message *bye(struct pair *pair, const char *from, const char *to,
				     const char *call_id, unsigned cseq)
{
	char octets[1024];
	int size = snprintf(octets, sizeof(octets),
			    "BYE sip:us@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			    "From: <sip:a@x>;tag=%s\r\nTo: <sip:b@x>;tag=%s\r\nCall-ID: %s\r\n"
			    "CSeq: %u BYE\r\n\r\n",
			    from, to, call_id, cseq);
	assert_true(size > 0 && (size_t)size < sizeof(octets));
	return parse(pair, octets);
}

static void a_request_finds_its_dialog_by_tags_and_call_id(void **state)
{
	struct pair *pair = *state;
	struct sip_dialog *dialog = open_server(pair, "Contact: <sip:a@198.51.100.7>\r\n");
	assert_ptr_equal(sip_dialog_find(pair->dialogs, bye(pair, "theirs", "ours", "in", 1)),
			 dialog);
	assert_null(sip_dialog_find(pair->dialogs, bye(pair, "others", "ours", "in", 1)));
	assert_null(sip_dialog_find(pair->dialogs, bye(pair, "theirs", "guess", "in", 1)));
	assert_null(sip_dialog_find(pair->dialogs, bye(pair, "theirs", "ours", "out", 1)));
	sip_dialog_close(dialog);
	assert_null(sip_dialog_find(pair->dialogs, bye(pair, "theirs", "ours", "in", 1)));
	CHECK_NUMBER(sip_dialogs_count(pair->dialogs), 0);
	sip_dialog_close(NULL);
}

static void requests_must_come_in_order(void **state)
{
	struct pair *pair = *state;
	struct sip_dialog *dialog = open_server(pair, "Contact: <sip:a@198.51.100.7>\r\n");
	CHECK_FALSE(sip_dialog_accepts(dialog, bye(pair, "theirs", "ours", "in", 99)));
	CHECK_FALSE(sip_dialog_accepts(dialog, bye(pair, "theirs", "ours", "in", 100)));
	CHECK_TRUE(sip_dialog_accepts(dialog, bye(pair, "theirs", "ours", "in", 105)));
	CHECK_FALSE(sip_dialog_accepts(dialog, bye(pair, "theirs", "ours", "in", 104)));
}

// From the called side of a dialog we opened.
static const struct sip_message *ask(struct pair *pair, struct sip_dialog *dialog, const char *tag,
				     unsigned cseq)
{
	char ours[64], call_id[64];
	struct sip_request request;
	sip_dialog_request(dialog, SIP_ACK, 1, &request);
	const char *at = strstr(request.from.data, ";tag=");
	CHECK_TRUE(text_copy(text_cut(request.from, (size_t)(at + 5 - request.from.data)), ours,
			     sizeof(ours)));
	CHECK_TRUE(text_copy(request.call_id, call_id, sizeof(call_id)));
	return bye(pair, tag, ours, call_id, cseq);
}

static const struct sip_message *by_tls(const struct sip_message *message, uint64_t connection)
{
	struct sip_message *changed = (struct sip_message *)message; // the pair's own
	changed->flow.protocol = SIP_TLS;
	changed->flow.connection = connection;
	return changed;
}

// TLS-010: who is called by a name stays that one wherever its Contact leads, and is connected to: a
// connection of its own has shown us no certificate. Who has called is reached on its latest connection.
static void a_named_peer_is_connected_to(void **state)
{
	struct pair *pair = *state;
	struct sip_dialog *dialog = NULL;
	struct sip_dialog_call call = {
		.local = TEXT("<sip:us@192.0.2.1>"),
		.remote = TEXT("<sip:b@203.0.113.5>"),
		.target = TEXT("sip:b@203.0.113.5;transport=tls"),
		.flow = { .protocol = SIP_TLS, .connection = 7, .peer = "CRcarrier" }
	};
	CHECK_TRUE(address_parse(TEXT("192.0.2.1:5061"), &call.flow.local));
	CHECK_TRUE(address_parse(TEXT("203.0.113.5:5061"), &call.flow.remote));
	CHECK_OK(sip_dialog_open_client(pair->dialogs, &call, pair, &dialog));
	CHECK_OK(sip_dialog_update(
		dialog,
		answer(pair, dialog, 200, "t", "Contact: <sip:b@203.0.113.99;transport=tls>\r\n")));
	check_destination(dialog, "203.0.113.99:5061");
	CHECK_STRING(sip_dialog_flow(dialog)->peer, "CRcarrier");
	CHECK_TRUE(sip_dialog_accepts(dialog, by_tls(ask(pair, dialog, "t", 1), 9)));
	CHECK_NUMBER(sip_dialog_flow(dialog)->connection, 7);
	CHECK_OK(sip_dialog_open_server(
		pair->dialogs, by_tls(invite(pair, "Contact: <sip:a@198.51.100.7>\r\n"), 3),
		"called", pair, &dialog));
	CHECK_TRUE(sip_dialog_accepts(dialog, by_tls(bye(pair, "theirs", "called", "in", 101), 4)));
	CHECK_NUMBER(sip_dialog_flow(dialog)->connection, 4);
}

// Where only a customer's Contact leads nobody has been met.
static void a_contact_elsewhere_leads_us(void **state)
{
	struct pair *pair = *state;
	struct sip_request request;
	struct sip_dialog *dialog = open_server(pair, "Contact: <sip:a@198.51.100.7:5099>\r\n");
	sip_dialog_request(dialog, SIP_BYE, 0, &request);
	CHECK_FALSE(request.flow.is_led); // another port of where it was met
	sip_dialog_close(dialog);
	dialog = open_server(pair, "Contact: <sip:a@198.51.100.8>\r\n");
	sip_dialog_request(dialog, SIP_BYE, 0, &request);
	CHECK_TRUE(request.flow.is_led);
}

// RFC 3261 12.1: tag, target, routes and order are each fork's own.
static void each_fork_is_a_dialog_until_one_answers(void **state)
{
	struct pair *pair = *state;
	struct sip_dialog *dialog = open_client(pair);
	struct sip_request request;
	CHECK_OK(sip_dialog_update(
		dialog, answer(pair, dialog, 180, "one", "Contact: <sip:one@203.0.113.6>\r\n")));
	CHECK_OK(sip_dialog_update(dialog, answer(pair, dialog, 180, "two",
						  "Contact: <sip:two@203.0.113.7>\r\n"
						  "Record-Route: <sip:203.0.113.8;lr>\r\n")));
	CHECK_TEXT(sip_dialog_remote_target(dialog), "sip:two@203.0.113.7");
	check_destination(dialog, "203.0.113.8:5060");
	CHECK_TRUE(sip_dialog_accepts(dialog, ask(pair, dialog, "two", 70)));
	assert_ptr_equal(sip_dialog_find(pair->dialogs, ask(pair, dialog, "one", 5)), dialog);
	assert_null(sip_dialog_find(pair->dialogs, ask(pair, dialog, "three", 5)));
	CHECK_TRUE(sip_dialog_accepts(dialog, ask(pair, dialog, "one", 5)));
	CHECK_TEXT(sip_dialog_remote_target(dialog), "sip:one@203.0.113.6");
	check_destination(dialog, "203.0.113.6:5060");
	sip_dialog_request(dialog, SIP_UPDATE, 0, &request);
	CHECK_NUMBER(request.routes.size, 0);
	CHECK_FALSE(sip_dialog_accepts(dialog, ask(pair, dialog, "one", 5)));
	CHECK_FALSE(sip_dialog_accepts(dialog, ask(pair, dialog, "two", 70)));
	CHECK_TRUE(sip_dialog_accepts(dialog, ask(pair, dialog, "two", 71)));
	// Many of them: the oldest are forgotten, nothing else.
	for (unsigned i = 0; i < 30; i++) {
		char tag[8];
		(void)snprintf(tag, sizeof(tag), "f%u", i);
		CHECK_OK(sip_dialog_update(dialog, answer(pair, dialog, 180, tag,
							  "Contact: <sip:f@203.0.113.9>\r\n")));
	}
	assert_null(sip_dialog_find(pair->dialogs, ask(pair, dialog, "one", 80)));
	assert_ptr_equal(sip_dialog_find(pair->dialogs, ask(pair, dialog, "f21", 1)), dialog);
	CHECK_OK(sip_dialog_update(
		dialog, answer(pair, dialog, 200, "f29", "Contact: <sip:f@203.0.113.9>\r\n")));
	assert_null(sip_dialog_find(pair->dialogs, ask(pair, dialog, "f21", 1)));
	assert_ptr_equal(sip_dialog_find(pair->dialogs, ask(pair, dialog, "f29", 1)), dialog);
}

static void what_cannot_open_a_dialog_is_refused(void **state)
{
	struct pair *pair = *state;
	struct sip_dialog *dialog = NULL;
	static const char *const lines[] = {
		"",
		"Contact: *\r\n",
		"Contact: <tel:+1555>\r\n",
		"Contact: <sip:a@h>\r\nRecord-Route: junk\r\n",
		"Contact: <sip:a@h>\r\nRecord-Route: <sip:h;lr>,,<sip:h;lr>\r\n",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CHECK_STATUS(sip_dialog_open_server(pair->dialogs, invite(pair, lines[i]), "ours",
						    NULL, &dialog),
			     ERR_MALFORMED);
	CHECK_NUMBER(sip_dialogs_count(pair->dialogs), 0);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	sip_message_start();
	const struct CMUnitTest tests[] = {
		CASE(the_called_side_asks_back_along_the_record_route),
		CASE(the_calling_side_reverses_the_record_route),
		CASE(a_strict_router_becomes_the_request_uri),
		CASE(a_target_refresh_changes_the_target_alone),
		CASE(an_early_dialog_is_settled_by_its_200),
		CASE(a_request_finds_its_dialog_by_tags_and_call_id),
		CASE(requests_must_come_in_order),
		CASE(a_named_peer_is_connected_to),
		CASE(a_contact_elsewhere_leads_us),
		CASE(each_fork_is_a_dialog_until_one_answers),
		CASE(what_cannot_open_a_dialog_is_refused),
	};
	return RUN_TESTS(tests);
}
