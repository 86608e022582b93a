// What a connection under a transaction changes: timers, answers' ways, its loss, and requests too large
// for a datagram. RFC 3261 17, 18.1.1, 18.2.2; D-20.

#include <string.h>

#include "sip/flow/aim.h"
#include "sip/message_uri.h"
#include "sip/table.h"
#include "tests/check.h"
#include "tests/unit/sip/fixture.h"

#define CONNECTION 77

static const struct sip_client_limits no_limits;

static struct fixture *connected(void)
{
	struct fixture *fixture = fixture_create();
	fixture->flow.protocol = SIP_TCP;
	fixture->flow.connection = CONNECTION;
	return fixture;
}

static unsigned live(const struct fixture *fixture)
{
	const struct sip_transaction_counters *counters =
		sip_transaction_counters(fixture->transactions);
	return (unsigned)(counter_get(&counters->server_count) +
			  counter_get(&counters->client_count));
}

static void a_request_is_sent_once_on_a_connection(void **state)
{
	struct fixture *fixture = connected();
	(void)state;
	(void)fixture_send(fixture, SIP_INVITE, no_limits, fixture);
	CHECK_TRUE(fixture_sent_has(fixture, 0, "\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;branch="));
	fixture_wait(fixture, 20000);
	CHECK_NUMBER(fixture->sent_count, 1); // no Timer A
	fixture_wait(fixture, 12010);
	CHECK_NUMBER(fixture->failures, 1); // but Timer B
	CHECK_NUMBER(fixture->failure, SIP_FAILURE_TIMEOUT);
	fixture_destroy(fixture);
}

static void nothing_lingers_after_an_answer_on_a_connection(void **state)
{
	struct fixture *fixture = connected();
	(void)state;
	(void)fixture_send(fixture, SIP_BYE, no_limits, fixture);
	fixture_answer(fixture, 0, 200, "b");
	fixture_wait(fixture, 10);
	CHECK_NUMBER(live(fixture), 0); // Timer K
	(void)fixture_send(fixture, SIP_INVITE, no_limits, fixture);
	fixture_answer(fixture, 1, 486, "b");
	CHECK_TRUE(fixture_did_send(fixture, 2, "ACK "));
	CHECK_NUMBER(fixture->sent[2].flow.connection, CONNECTION);
	fixture_wait(fixture, 10);
	CHECK_NUMBER(live(fixture), 0); // Timer D
	fixture_destroy(fixture);
}

static void an_answer_is_repeated_by_nobody_on_a_connection(void **state)
{
	struct fixture *fixture = connected();
	(void)state;
	fixture_ask(fixture, &(struct fixture_request){ .method = "INVITE" });
	CHECK_OK(sip_server_reply(fixture->server, &(struct sip_answer){ .status = 486 }));
	unsigned sent = fixture->sent_count;
	fixture_wait(fixture, 5000);
	CHECK_NUMBER(fixture->sent_count, sent); // no Timer G
	fixture_ask(fixture, &(struct fixture_request){ .method = "ACK" });
	sip_server_release(fixture->server);
	fixture->server = NULL;
	fixture_wait(fixture, 10);
	CHECK_NUMBER(live(fixture), 0); // Timer I
	fixture_destroy(fixture);
}

// RFC 3261 13.3.1.4: whatever the transport.
static void a_2xx_is_repeated_on_a_connection_too(void **state)
{
	struct fixture *fixture = connected();
	(void)state;
	fixture_ask(fixture, &(struct fixture_request){ .method = "INVITE" });
	CHECK_OK(sip_server_reply(fixture->server, &(struct sip_answer){ .status = 200 }));
	fixture_forget_sent(fixture);
	fixture_wait(fixture, 1500);
	CHECK_NUMBER(fixture_count_sent(fixture, "SIP/2.0 200"), 2);
	fixture_destroy(fixture);
}

// RFC 3261 18.2.2: on the connection of the request, else to the port its Via names.
static void an_answer_knows_the_connection_and_the_port_of_via(void **state)
{
	struct fixture *fixture = connected();
	(void)state;
	fixture->flow.remote.port = 40123;
	fixture_ask(fixture, &(struct fixture_request){ .method = "OPTIONS" });
	CHECK_OK(sip_server_reply(fixture->server, &(struct sip_answer){ .status = 200 }));
	CHECK_NUMBER(fixture->sent[0].flow.connection, CONNECTION);
	CHECK_NUMBER(fixture->sent[0].flow.remote.port, 5062);
	CHECK_TRUE(fixture_sent_has(fixture, 0, "received=192.0.2.9"));
	fixture_destroy(fixture);
}

static void a_lost_connection_fails_who_heard_nothing(void **state)
{
	struct fixture *fixture = connected();
	(void)state;
	(void)fixture_send(fixture, SIP_INVITE, no_limits, fixture);
	(void)fixture_send(fixture, SIP_OPTIONS, no_limits, fixture);
	fixture->flow.connection = CONNECTION + 1;
	(void)fixture_send(fixture, SIP_INVITE, no_limits, fixture);
	sip_transactions_broken(fixture->transactions, CONNECTION);
	CHECK_NUMBER(fixture->failures, 2);
	CHECK_NUMBER(fixture->failure, SIP_FAILURE_TRANSPORT);
	CHECK_NUMBER(live(fixture), 1);
	sip_transactions_broken(fixture->transactions, CONNECTION); // again: harmless
	CHECK_NUMBER(fixture->failures, 2);
	fixture_destroy(fixture);
}

// Another connection whose waiters share the list is none of it, nor is what a failure sends anew.
static void only_those_of_the_lost_connection_fail(void **state)
{
	struct fixture *fixture = connected();
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		(void)fixture_send(fixture, SIP_INVITE, no_limits, fixture);
	fixture->flow.connection = CONNECTION + SIP_WAITING_LISTS;
	(void)fixture_send(fixture, SIP_INVITE, no_limits, fixture);
	fixture->flow.connection = CONNECTION;
	fixture->resends = true;
	sip_transactions_broken(fixture->transactions, CONNECTION);
	CHECK_NUMBER(fixture->failures, 3);
	CHECK_NUMBER(live(fixture), 2);
	fixture->resends = false;
	sip_transactions_broken(fixture->transactions, CONNECTION + SIP_WAITING_LISTS);
	CHECK_NUMBER(fixture->failures, 4);
	fixture_destroy(fixture);
}

static void who_heard_something_waits_on(void **state)
{
	struct fixture *fixture = connected();
	(void)state;
	(void)fixture_send(fixture, SIP_INVITE, no_limits, fixture);
	fixture_answer(fixture, 0, 180, "b");
	sip_transactions_broken(fixture->transactions, CONNECTION);
	CHECK_NUMBER(fixture->failures, 0);
	fixture_answer(fixture, 0, 200, "b"); // on a connection the peer has made
	CHECK_NUMBER(fixture->status, 200);
	fixture_destroy(fixture);
}

static void send_large(struct fixture *fixture)
{
	static char body[1400];
	struct sip_client *client = NULL;
	memset(body, 'x', sizeof(body));
	struct sip_request request = {
		.method = SIP_INVITE,
		.target = TEXT("sip:b@192.0.2.9:5071"),
		.from = TEXT("<sip:us@192.0.2.1>;tag=ours"),
		.to = TEXT("<sip:b@192.0.2.9>"),
		.call_id = TEXT("out-1"),
		.cseq = 7,
		.content_type = TEXT("text/plain"),
		.body = { body, sizeof(body) },
		.max_forwards = 70,
		.flow = fixture->flow,
	};
	CHECK_OK(sip_client_send(fixture->transactions, &request, no_limits, fixture, &client));
}

static void a_large_request_goes_by_tcp(void **state)
{
	struct fixture *fixture = fixture_create();
	(void)state;
	send_large(fixture);
	CHECK_NUMBER(fixture->sent[0].flow.protocol, SIP_TCP);
	CHECK_TRUE(fixture_sent_has(fixture, 0, "\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;"));
	fixture_wait(fixture, 2000);
	CHECK_NUMBER(fixture->sent_count, 1);
	fixture_answer(fixture, 0, 486, "b");
	CHECK_NUMBER(fixture->sent[1].flow.protocol, SIP_TCP); // its ACK
	CHECK_NUMBER(fixture->status, 486);
	fixture_destroy(fixture);
}

// RFC 3261 18.1.1: back to UDP, and for a while no more tries.
static void a_peer_without_tcp_gets_the_large_datagram(void **state)
{
	struct fixture *fixture = fixture_create();
	(void)state;
	send_large(fixture);
	sip_transactions_broken(fixture->transactions, fixture->sent[0].flow.connection);
	CHECK_NUMBER(fixture->failures, 0);
	CHECK_NUMBER(fixture->sent_count, 2);
	CHECK_NUMBER(fixture->sent[1].flow.protocol, SIP_UDP);
	CHECK_TRUE(fixture_sent_has(fixture, 1, "\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;"));
	fixture_wait(fixture, 510);
	CHECK_NUMBER(fixture->sent_count, 3); // Timer A runs now
	fixture_answer(fixture, 1, 486, "b");
	send_large(fixture);
	CHECK_NUMBER(fixture->sent[4].flow.protocol, SIP_UDP);
	fixture_destroy(fixture);
}

static void protocols_have_names(void **state)
{
	enum sip_protocol protocol = SIP_UDP;
	(void)state;
	CHECK_TRUE(sip_protocol_parse(TEXT("TLS"), &protocol));
	CHECK_NUMBER(protocol, SIP_TLS);
	CHECK_NUMBER(sip_protocol_port(protocol), 5061);
	CHECK_FALSE(sip_protocol_parse(TEXT("sctp"), &protocol));
	CHECK_FALSE(sip_protocol_parse(TEXT(""), &protocol));
}

static bool is_ours(const void *context, const struct address *address)
{
	const struct prefix *ours = context;
	return prefix_contains(ours, address);
}

// Beside the address where a peer was met we have all of 192.0.2.128/25 and 2001:db8:2::/48.
static struct sip_flow aim(const struct sip_flow *met, const char *text)
{
	struct prefix ours;
	const struct sip_home home = { .ports = { 5060, 5060, 5061 },
				       .is_ours = is_ours,
				       .context = &ours };
	struct sip_uri uri;
	struct sip_flow flow = { 0 };
	bool is_ipv6 = met->local.family == ADDRESS_IPV6;
	CHECK_TRUE(prefix_parse(is_ipv6 ? TEXT("2001:db8:2::/48") : TEXT("192.0.2.128/25"), &ours));
	CHECK_TRUE(sip_uri_split(text_of(text), &uri) == SIP_URI_OK);
	sip_flow_aim(met, &uri, &home, &flow);
	return flow;
}

// SRTP-007: a Contact moves requests with keys to TLS, never away from it.
static void what_was_met_by_tls_stays_there(void **state)
{
	(void)state;
	struct sip_flow tls = { .protocol = SIP_TLS, .connection = CONNECTION };
	CHECK_TRUE(address_parse(TEXT("192.0.2.1:5061"), &tls.local));
	CHECK_TRUE(address_parse(TEXT("203.0.113.10:41000"), &tls.remote));
	struct sip_flow flow = aim(&tls, "sip:a@203.0.113.10:5060;transport=udp");
	CHECK_NUMBER(flow.protocol, SIP_TLS);
	CHECK_NUMBER(flow.connection, CONNECTION);
	CHECK_NUMBER(flow.remote.port, 41000);
	CHECK_NUMBER(aim(&tls, "sip:a@203.0.113.10;transport=tcp").protocol, SIP_TLS);
	flow = aim(&tls, "sip:a@203.0.113.10");
	CHECK_NUMBER(flow.protocol, SIP_TLS);
	CHECK_NUMBER(flow.remote.port, 5061);
	struct sip_flow udp = tls;
	udp.protocol = SIP_UDP;
	flow = aim(&udp, "sip:a@203.0.113.10;transport=tls");
	CHECK_NUMBER(flow.protocol, SIP_TLS);
	CHECK_NUMBER(flow.local.port, 5061);
	CHECK_NUMBER(aim(&udp, "sips:a@203.0.113.10").protocol, SIP_TLS);
}

static void nobody_leads_us_to_our_own_host(void **state)
{
	(void)state;
	static const char *const targets[] = { "sip:a@127.0.0.1:6379;transport=tcp",
					       "sip:a@169.254.169.254:80;transport=tcp",
					       "sip:a@0.0.0.0",
					       "sip:a@239.1.2.3",
					       "sip:a@255.255.255.255",
					       "sip:a@192.0.2.1:22;transport=tcp",
					       "sip:a@192.0.2.1",
					       "sip:a@192.0.2.200:5070",
					       "sip:a@192.0.2.200:5061;transport=tls" };
	struct sip_flow met = { .protocol = SIP_UDP };
	CHECK_TRUE(address_parse(TEXT("192.0.2.1:5060"), &met.local));
	CHECK_TRUE(address_parse(TEXT("203.0.113.10:5060"), &met.remote));
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct sip_flow flow = aim(&met, targets[i]);
		CHECK_NUMBER(flow.protocol, SIP_UDP);
		CHECK_TRUE(address_is_equal(&flow.remote, &met.remote));
	}
	struct sip_flow flow = aim(&met, "sip:a@10.0.0.1:5070");
	CHECK_NUMBER(flow.remote.port, 5070);
	flow = aim(&met, "sip:a@10.0.0.1:6379;transport=tcp"); // only to be lost, not to be read
	CHECK_NUMBER(flow.protocol, SIP_UDP);
	CHECK_TRUE(address_is_equal(&flow.remote, &met.remote));
	CHECK_NUMBER(aim(&met, "sip:a@203.0.113.77:6379;transport=tcp").remote.port, 6379);
	CHECK_TRUE(address_parse(TEXT("10.0.0.9:5060"), &met.remote)); // who is inside already
	CHECK_NUMBER(aim(&met, "sip:a@10.0.0.1:5071;transport=tcp").remote.port, 5071);
	CHECK_TRUE(address_parse(TEXT("192.0.2.1:5080"), &met.remote)); // a peer on this host
	CHECK_NUMBER(aim(&met, "sip:a@192.0.2.1:5070").remote.port, 5070);
	CHECK_NUMBER(aim(&met, "sip:a@192.0.2.200:5070").remote.port, 5070);
	CHECK_TRUE(address_parse(TEXT("127.0.0.1:5060"), &met.local)); // where all is tried out
	CHECK_NUMBER(aim(&met, "sip:a@127.0.0.2:5070").remote.port, 5070);
}

static void nobody_leads_us_to_our_own_host_by_ipv6(void **state)
{
	(void)state;
	static const char *const targets[] = { "sip:a@[2001:db8::1]:5070",
					       "sip:a@[2001:db8:2::7]:9464;transport=tcp",
					       "sip:a@[::ffff:127.0.0.1]", "sip:a@[fe80::1]" };
	struct sip_flow met = { .protocol = SIP_TCP };
	CHECK_TRUE(address_parse(TEXT("[2001:db8::1]:5060"), &met.local));
	CHECK_TRUE(address_parse(TEXT("[2001:db8:1::10]:5060"), &met.remote));
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct sip_flow flow = aim(&met, targets[i]);
		CHECK_TRUE(address_is_equal(&flow.remote, &met.remote));
	}
	CHECK_NUMBER(aim(&met, "sip:a@[2001:db8:1::11]:5070").remote.port, 5070);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_sent_once_on_a_connection),
		TEST(nothing_lingers_after_an_answer_on_a_connection),
		TEST(an_answer_is_repeated_by_nobody_on_a_connection),
		TEST(a_2xx_is_repeated_on_a_connection_too),
		TEST(an_answer_knows_the_connection_and_the_port_of_via),
		TEST(a_lost_connection_fails_who_heard_nothing),
		TEST(only_those_of_the_lost_connection_fail),
		TEST(who_heard_something_waits_on),
		TEST(a_large_request_goes_by_tcp),
		TEST(a_peer_without_tcp_gets_the_large_datagram),
		TEST(protocols_have_names),
		TEST(what_was_met_by_tls_stays_there),
		TEST(nobody_leads_us_to_our_own_host),
		TEST(nobody_leads_us_to_our_own_host_by_ipv6),
	};
	return RUN_TESTS(tests);
}
