// The fake wire of the SIP tests. Runs on the thread of the test; copies every message, so that
// nothing the product borrowed is looked at too late.

#include "tests/unit/sip/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

static const struct address ours = { ADDRESS_IPV4, 0, 5060, { 192, 0, 2, 1 } };
static const struct address theirs = { ADDRESS_IPV4, 0, 5071, { 192, 0, 2, 9 } };

static enum status keep_sent(void *context, struct text octets, struct sip_flow *flow)
{
	struct fixture *fixture = context;
	if (fixture->send_status != OK)
		return fixture->send_status;
	assert_true(fixture->sent_count < FIXTURE_SENT_MAX);
	struct fixture_sent *sent = &fixture->sent[fixture->sent_count++];
	assert_true(octets.size < sizeof(sent->octets));
	memcpy(sent->octets, octets.data, octets.size);
	sent->octets[octets.size] = 0;
	sent->size = octets.size;
	sent->flow = *flow;
	sent->at_ms = fixture->clock.now_ms;
	return OK;
}

static bool is_known(void *context, const struct sip_message *request)
{
	(void)request;
	return ((struct fixture *)context)->is_known;
}

static void on_request(void *context, struct sip_server *server, const struct sip_message *request)
{
	struct fixture *fixture = context;
	fixture->requests++;
	if (fixture->on_request != NULL) {
		fixture->on_request(fixture, server, request);
		return;
	}
	assert_null(fixture->server);
	fixture->server = server;
}

static void on_cancelled(void *context, struct sip_server *server, const struct sip_message *cancel)
{
	struct fixture *fixture = context;
	(void)cancel;
	fixture->cancels++;
	CHECK_OK(sip_server_reply(server, &(struct sip_answer){ .status = 487 }));
	if (!fixture->releases)
		return;
	sip_server_release(server);
	fixture->server = NULL;
}

static void resend(struct fixture *fixture)
{
	if (!fixture->resends)
		return;
	fixture->resends = false;
	(void)fixture_send(fixture, SIP_INVITE, (struct sip_client_limits){ 0 }, fixture->owner);
}

static void on_acknowledged(void *context, const struct sip_message *ack)
{
	struct fixture *fixture = context;
	assert_int_equal(ack->method, SIP_ACK);
	fixture->acks++;
}

static void on_response(void *context, struct sip_client *client, void *owner,
			const struct sip_message *response)
{
	struct fixture *fixture = context;
	fixture->responses++;
	fixture->client = client;
	fixture->owner = owner;
	fixture->status = response->status;
	if (fixture->forgets)
		sip_client_forget(client);
	if (response->status >= 200)
		resend(fixture);
}

static void on_failed(void *context, struct sip_client *client, void *owner,
		      enum sip_failure failure)
{
	struct fixture *fixture = context;
	fixture->failures++;
	fixture->client = client;
	fixture->owner = owner;
	fixture->failure = failure;
	if (fixture->forgets)
		sip_client_forget(client);
	resend(fixture);
}

static void on_stray(void *context, const struct sip_message *response)
{
	struct fixture *fixture = context;
	fixture->strays++;
	fixture->status = response->status;
}

struct fixture *fixture_create(void)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	fixture->clock.now_ms = 1000000;
	fixture->is_known = true;
	fixture->flow = (struct sip_flow){ SIP_UDP, 0, ours, theirs, 0 };
	fixture->wheel = wheel_create(fixture->clock.now_ms);
	struct sip_transaction_options options = {
		.clock = &fixture->clock,
		.wheel = fixture->wheel,
		.user = { .context = fixture,
			  .is_known = is_known,
			  .request = on_request,
			  .cancelled = on_cancelled,
			  .acknowledged = on_acknowledged,
			  .response = on_response,
			  .failed = on_failed,
			  .stray_response = on_stray },
		.send = keep_sent,
		.send_context = fixture,
		.t1_ms = 500,
		.t2_ms = 4000,
		.t4_ms = 5000,
		.transactions_max = 8,
		.user_agent = "test",
	};
	sip_message_start();
	fixture->transactions = sip_transactions_create(&options);
	assert_non_null(fixture->transactions);
	return fixture;
}

void fixture_destroy(struct fixture *fixture)
{
	if (fixture->server != NULL)
		sip_server_release(fixture->server);
	sip_transactions_destroy(fixture->transactions);
	wheel_destroy(fixture->wheel);
	free(fixture);
}

int fixture_set_up(void **state)
{
	*state = fixture_create();
	return 0;
}

int fixture_tear_down(void **state)
{
	fixture_destroy(*state);
	return 0;
}

void fixture_wait(struct fixture *fixture, uint64_t ms)
{
	for (uint64_t passed = 0; passed < ms; passed += WHEEL_TICK_MS) {
		fixture->clock.now_ms += WHEEL_TICK_MS;
		wheel_run(fixture->wheel, fixture->clock.now_ms);
	}
}

// From a heap copy of exactly its size, so that the sanitizer sees every octet read beyond it. Where
// allocations fail on purpose the original has to do.
void fixture_receive_text(struct fixture *fixture, struct text octets)
{
	char *copy = malloc(octets.size);
	struct text given = octets;
	if (copy != NULL) {
		memcpy(copy, octets.data, octets.size);
		given.data = copy;
	}
	sip_transaction_receive(fixture->transactions, given, &fixture->flow);
	free(copy);
}

void fixture_receive(struct fixture *fixture, const char *octets)
{
	fixture_receive_text(fixture, text_of(octets));
}

bool fixture_did_send(const struct fixture *fixture, unsigned nth, const char *start)
{
	return nth < fixture->sent_count &&
	       strncmp(fixture->sent[nth].octets, start, strlen(start)) == 0;
}

bool fixture_sent_has(const struct fixture *fixture, unsigned nth, const char *part)
{
	return nth < fixture->sent_count && strstr(fixture->sent[nth].octets, part) != NULL;
}

void fixture_forget_sent(struct fixture *fixture)
{
	fixture->sent_count = 0;
}

unsigned fixture_count_sent(const struct fixture *fixture, const char *start)
{
	unsigned count = 0;
	for (unsigned i = 0; i < fixture->sent_count; i++)
		count += fixture_did_send(fixture, i, start);
	return count;
}

struct text fixture_write(char *room, size_t size, const struct fixture_request *request)
{
	unsigned cseq = request->cseq != 0 ? request->cseq : 1;
	int length =
		snprintf(room, size,
			 "%s sip:+15551234567@test.example SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 10.1.1.1:5062;rport;branch=%s\r\n"
			 "Max-Forwards: 70\r\n"
			 "From: \"A\" <sip:a@test.example>;tag=theirs\r\n"
			 "To: <sip:+15551234567@test.example>%s%s\r\n"
			 "Call-ID: %s\r\n"
			 "CSeq: %u %s\r\n"
			 "Contact: <sip:a@192.0.2.9:5071>\r\n"
			 "%s"
			 "Content-Length: 0\r\n\r\n",
			 request->method, request->branch != NULL ? request->branch : "z9hG4bKone",
			 request->to_tag != NULL ? ";tag=" : "",
			 request->to_tag != NULL ? request->to_tag : "",
			 request->call_id != NULL ? request->call_id : "call-1", cseq,
			 request->method, request->extra != NULL ? request->extra : "");
	assert_true(length > 0 && (size_t)length < size);
	return (struct text){ room, (size_t)length };
}

void fixture_ask(struct fixture *fixture, const struct fixture_request *request)
{
	char room[FIXTURE_OCTETS_MAX];
	fixture_receive_text(fixture, fixture_write(room, sizeof(room), request));
}

void fixture_answer(struct fixture *fixture, unsigned nth, unsigned status, const char *to_tag)
{
	struct sip_message request;
	char room[FIXTURE_OCTETS_MAX];
	assert_true(nth < fixture->sent_count);
	const struct fixture_sent *sent = &fixture->sent[nth];
	assert_true(sip_message_parse((struct text){ sent->octets, sent->size }, &request));
	int length = snprintf(room, sizeof(room),
			      "SIP/2.0 %u Whatever\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s%s%s\r\n"
			      "Call-ID: %.*s\r\nCSeq: %.*s\r\nContact: <sip:b@192.0.2.9:5071>\r\n"
			      "Content-Length: 0\r\n\r\n",
			      status, TEXT_FORMAT(request.via.whole),
			      TEXT_FORMAT(request.from_value), TEXT_FORMAT(request.to_value),
			      to_tag != NULL ? ";tag=" : "", to_tag != NULL ? to_tag : "",
			      TEXT_FORMAT(request.call_id), TEXT_FORMAT(request.cseq_value));
	assert_true(length > 0 && (size_t)length < sizeof(room));
	fixture_receive_text(fixture, (struct text){ room, (size_t)length });
}

struct sip_client *fixture_send(struct fixture *fixture, enum sip_method method,
				struct sip_client_limits limits, void *owner)
{
	struct sip_client *client = NULL;
	struct sip_request request = {
		.method = method,
		.target = TEXT("sip:b@192.0.2.9:5071"),
		.from = TEXT("<sip:us@192.0.2.1>;tag=ours"),
		.to = TEXT("<sip:b@192.0.2.9>"),
		.call_id = TEXT("out-1"),
		.cseq = 7,
		.routes = TEXT("Route: <sip:192.0.2.9;lr>\r\n"),
		.headers = TEXT("Contact: <sip:trunkd@192.0.2.1:5060>\r\n"),
		.max_forwards = 70,
		.flow = fixture->flow,
	};
	CHECK_OK(sip_client_send(fixture->transactions, &request, limits, owner, &client));
	return client;
}
