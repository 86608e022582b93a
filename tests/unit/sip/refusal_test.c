// How long an answer may be that nothing is kept of: by a datagram whose source may be forged, and to whom
// the node knows.

#include "tests/check.h"

#include <stdio.h>

#include "config/guard.h"
#include "sip/guard/guard.h"
#include "sip/table.h"
#include "tests/unit/sip/fixture.h"

static const struct fixture_request invite = { .method = "INVITE" };

#define CHALLENGES                                                                                 \
	TEXT("Proxy-Authenticate: Digest realm=\"example.net\",nonce=\"0123456789\","              \
	     "algorithm=SHA-256\r\n"                                                               \
	     "Proxy-Authenticate: Digest realm=\"example.net\",nonce=\"0123456789\","              \
	     "algorithm=MD5\r\n")

static void challenge_a_stranger(struct fixture *fixture, struct sip_server *server,
				 const struct sip_message *request)
{
	(void)fixture, (void)request;
	sip_server_refuse(server, &(struct sip_answer){ .status = 407, .headers = CHALLENGES });
}

static void a_strangers_answer_is_cut_to_the_size_of_its_request(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		unsigned padding; // octets more in the request
		unsigned answers;
		bool has_first, has_second;
	} cases[] = {
		{ 400, 1, true, true },
		{ 100, 1, false, true }, // the phrase goes, then the first line
		{ 0, 0, false, false }, // a challenge without a challenge is none
	};
	fixture->on_request = challenge_a_stranger;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[512] = "";
		unsigned before = fixture->sent_count;
		struct fixture_request request = invite;
		(void)snprintf(line, sizeof(line), "X: %0*u\r\n", (int)cases[i].padding, 0u);
		request.extra = line;
		fixture_ask(fixture, &request);
		CHECK_NUMBER(fixture->sent_count - before, cases[i].answers);
		if (cases[i].answers == 0)
			continue;
		CHECK_NUMBER(fixture_sent_has(fixture, before, "SHA-256"), cases[i].has_first);
		CHECK_NUMBER(fixture_sent_has(fixture, before, "MD5"), cases[i].has_second);
	}
	CHECK_NUMBER(counter_get(&sip_transaction_counters(fixture->transactions)->withheld), 1);
}

static bool is_listed(void *context, const struct address *address)
{
	(void)context, (void)address;
	return true;
}

// The shortest answer there is, not silence: its address stands in an ACL, or is a carrier's.
static void a_known_peer_is_answered_however_little_it_says(void **state)
{
	struct fixture *fixture = *state;
	struct guard_config config = { .peer_rate = 100 };
	struct sip_guard *guard = sip_guard_create(&(struct sip_guard_options){
		.clock = &fixture->clock, .config = &config, .is_listed = is_listed });
	assert_non_null(guard);
	fixture->transactions->options.guard = guard;
	fixture->on_request = challenge_a_stranger;
	fixture_ask(fixture, &invite);
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 407 \r\n"));
	CHECK_TRUE(fixture_sent_has(fixture, 0, "MD5") && !fixture_sent_has(fixture, 0, "SHA"));
	fixture_forget_sent(fixture);
	fixture->is_known = true;
	fixture_receive(fixture,
			"OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP h;branch=z9hG4bKz\r\nf:sip:a\r\n"
			"t:sip:a\r\ni:1\r\nCSeq:1 OPTIONS\r\nRequire:a b\r\n\r\n");
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 400 \r\nVia: SIP/2.0/UDP h;branch="));
	CHECK_TRUE(fixture_sent_has(fixture, 0, "\r\nl: 0\r\n\r\n"));
	CHECK_NUMBER(counter_get(&sip_transaction_counters(fixture->transactions)->withheld), 0);
	fixture->transactions->options.guard = NULL;
	sip_guard_destroy(guard);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_strangers_answer_is_cut_to_the_size_of_its_request),
		CASE(a_known_peer_is_answered_however_little_it_says),
	};
	return RUN_TESTS(tests);
}
