// RFC 3263 over a zone in memory and a fake clock: rules, order, bounds. ORIG-043.

#include "bench.h"

#include <stdio.h>

static void an_address_needs_no_dns(void **state)
{
	static const char *const rows[][2] = {
		{ "198.51.100.11", "udp 198.51.100.11:5060" },
		{ "198.51.100.11:5070", "udp 198.51.100.11:5070" },
		{ "198.51.100.11;tcp", "tcp 198.51.100.11:5060" },
		{ "198.51.100.11;tls", "tls 198.51.100.11:5061" },
		{ "sips:198.51.100.11", "tls 198.51.100.11:5061" },
		{ "[2001:db8::11]:5070", "udp [2001:db8::11]:5070" },
	};
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_TRUE(bench_ask(bench, rows[i][0]));
		bench_check(bench, rows[i][1]);
	}
	CHECK_NUMBER(fake_dns_asked(bench->dns), 0);
}

static void what_cannot_be_reached_is_said(void **state)
{
	struct bench *bench = *state;
	CHECK_TRUE(bench_ask(bench, "no host"));
	CHECK_STRING(bench->hops.problem, "it is no host name");
	CHECK_NUMBER(bench->hops.count, 0);
	bench_restart(bench, false, false);
	CHECK_TRUE(bench_ask(bench, "[2001:db8::11]:5070"));
	CHECK_STRING(bench->hops.problem, "we have no signalling address of its family");
	CHECK_TRUE(bench_ask(bench, "198.51.100.11;tls"));
	CHECK_STRING(bench->hops.problem, "we do not speak SIP by tls");
	bench_get(bench, "nobody.example");
	CHECK_STRING(bench->hops.problem, "A of nobody.example: no such name");
}

static void the_rules_of_rfc_3263_hold(void **state)
{
	static const char *const zone[][3] = {
		{ "gw.example", "A", "198.51.100.11" },
		{ "gw.example", "AAAA", "2001:db8::11" },
		{ "plain.example", "A", "198.51.100.12" },
		{ "udp.example", "A", "198.51.100.99" },
		{ "_sip._udp.udp.example", "SRV", "10 0 5070 plain.example" },
		{ "all.example", "A", "198.51.100.99" },
		{ "_sip._udp.all.example", "SRV", "10 0 5070 plain.example" },
		{ "_sip._tcp.all.example", "SRV", "10 0 5071 plain.example" },
		{ "_sips._tcp.all.example", "SRV", "10 0 5072 plain.example" },
		{ "points.example", "NAPTR", "10 50 SIPS+D2T _sips._tcp.points.example" },
		{ "points.example", "NAPTR", "10 60 SIP+D2U _sip._udp.points.example" },
		{ "points.example", "NAPTR", "20 10 SIP+D2T _sip._tcp.points.example" },
		{ "_sips._tcp.points.example", "SRV", "1 1 5061 plain.example" },
		{ "_sip._udp.points.example", "SRV", "1 1 5060 plain.example" },
		{ "_sip._tcp.points.example", "SRV", "1 1 5060 plain.example" },
		{ "alias.example", "CNAME", "plain.example" },
		{ "never.example", "A", "198.51.100.13" },
		{ "_sip._udp.never.example", "SRV", "0 0 0 ." },
	};
	static const char *const rows[][2] = {
		// A port: addresses alone.
		{ "plain.example:5080", "udp 198.51.100.12:5080" },
		{ "udp.example:5080", "udp 198.51.100.99:5080" },
		{ "gw.example:5080;tls", "tls [2001:db8::11]:5080, tls 198.51.100.11:5080" },
		// None: services, and the host itself where there are none.
		{ "plain.example", "udp 198.51.100.12:5060" },
		{ "plain.example;tls", "tls 198.51.100.12:5061" },
		{ "sips:plain.example", "tls 198.51.100.12:5061" },
		{ "udp.example", "udp 198.51.100.12:5070" },
		{ "udp.example;tcp", "tcp 198.51.100.99:5060" },
		{ "all.example", "udp 198.51.100.12:5070, tcp 198.51.100.12:5071, "
				 "tls 198.51.100.12:5072" },
		{ "all.example;tcp", "tcp 198.51.100.12:5071" },
		{ "sips:all.example", "tls 198.51.100.12:5072" },
		// What the domain prefers, of its lowest order.
		{ "points.example", "tls 198.51.100.12:5061, udp 198.51.100.12:5060" },
		{ "points.example;tcp", "tcp 198.51.100.12:5060" },
		{ "sips:points.example", "tls 198.51.100.12:5061" },
		{ "alias.example", "udp 198.51.100.12:5060" },
		{ "ALIAS.example", "udp 198.51.100.12:5060" },
		{ "never.example", "" },
	};
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++)
		bench_add(bench, zone[i][0], zone[i][1], zone[i][2]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_get(bench, rows[i][0]);
		bench_check(bench, rows[i][1]);
	}
	CHECK_STRING(bench->hops.problem, "its DNS says that it takes no SIP by udp");
}

static void pointers_to_what_we_do_not_speak_are_passed_over(void **state)
{
	struct bench *bench = *state;
	bench_restart(bench, true, false);
	bench_add(bench, "a.example", "NAPTR", "10 50 SIPS+D2T _sips._tcp.a.example");
	bench_add(bench, "a.example", "NAPTR", "20 50 SIP+D2U _sip._udp.b.example");
	bench_add(bench, "_sip._udp.b.example", "SRV", "1 1 5064 c.example");
	bench_add(bench, "c.example", "A", "198.51.100.11");
	bench_get(bench, "a.example");
	bench_check(bench, "udp 198.51.100.11:5064");
}

static void services_go_by_priority(void **state)
{
	struct bench *bench = *state;
	bench_add(bench, "_sip._udp.a.example", "SRV", "30 0 5060 c.example");
	bench_add(bench, "_sip._udp.a.example", "SRV", "10 0 5060 a.example");
	bench_add(bench, "_sip._udp.a.example", "SRV", "20 0 5060 b.example");
	bench_add(bench, "a.example", "A", "198.51.100.1");
	bench_add(bench, "b.example", "A", "198.51.100.2");
	bench_add(bench, "c.example", "A", "198.51.100.3");
	for (unsigned i = 0; i < 20; i++) {
		bench_get(bench, "a.example");
		bench_check(bench, "udp 198.51.100.1:5060, udp 198.51.100.2:5060, "
				   "udp 198.51.100.3:5060");
	}
}

// RFC 2782: in proportion to weight, and those of weight 0 rarely; anew for each look-up.
static void services_of_one_priority_share_by_weight(void **state)
{
	struct bench *bench = *state;
	unsigned first[3] = { 0 };
	bench_add(bench, "_sip._udp.a.example", "SRV", "10 0 5060 a.example");
	bench_add(bench, "_sip._udp.a.example", "SRV", "10 20 5060 b.example");
	bench_add(bench, "_sip._udp.a.example", "SRV", "10 60 5060 c.example");
	bench_add(bench, "a.example", "A", "198.51.100.1");
	bench_add(bench, "b.example", "A", "198.51.100.2");
	bench_add(bench, "c.example", "A", "198.51.100.3");
	for (unsigned i = 0; i < 8000; i++) {
		bench_get(bench, "a.example");
		CHECK_NUMBER(bench->hops.count, 3);
		first[bench->hops.items[0].address.octets[3] - 1]++;
	}
	assert_in_range(first[0], 30, 300); // 1 of 81: 99
	assert_in_range(first[1], 1700, 2250); // 20 of 81: 1975
	assert_in_range(first[2], 5600, 6250); // 60 of 81: 5926
}

static void hops_are_bounded(void **state)
{
	struct bench *bench = *state;
	char name[32], value[64];
	for (unsigned i = 0; i < 64; i++) {
		(void)snprintf(name, sizeof(name), "t%u.example", i);
		(void)snprintf(value, sizeof(value), "10 10 5060 %s", name);
		bench_add(bench, "_sip._udp.a.example", "SRV", value);
		for (unsigned j = 0; j < 12; j++) {
			(void)snprintf(value, sizeof(value), "198.51.%u.%u", i, j + 1);
			bench_add(bench, name, "A", value);
		}
	}
	bench_get(bench, "a.example");
	CHECK_NUMBER(bench->hops.count, SIP_HOPS_MAX);
}

static void silent_hops_are_tried_last_for_a_while(void **state)
{
	struct bench *bench = *state;
	bench_add(bench, "a.example", "A", "198.51.100.1");
	bench_add(bench, "a.example", "A", "198.51.100.2");
	bench_add(bench, "a.example", "A", "198.51.100.3");
	bench_get(bench, "a.example:5060");
	struct sip_hop first = bench->hops.items[0];
	sip_resolver_note_silent(bench->resolver, &first);
	CHECK_TRUE(bench_ask(bench, "a.example:5060"));
	bench_check(bench, "udp 198.51.100.2:5060, udp 198.51.100.3:5060, udp 198.51.100.1:5060");
	CHECK_NUMBER(counter_get(&sip_resolver_counters(bench->resolver)->avoided), 1);
	bench_pass(bench, 29000);
	CHECK_TRUE(bench_ask(bench, "a.example:5060"));
	bench_check(bench, "udp 198.51.100.2:5060, udp 198.51.100.3:5060, udp 198.51.100.1:5060");
	bench_pass(bench, 1100);
	CHECK_TRUE(bench_ask(bench, "a.example:5060"));
	bench_check(bench, "udp 198.51.100.1:5060, udp 198.51.100.2:5060, udp 198.51.100.3:5060");
	sip_resolver_note_silent(bench->resolver, &first);
	sip_resolver_note_heard(bench->resolver, &first);
	CHECK_TRUE(bench_ask(bench, "a.example:5060"));
	bench_check(bench, "udp 198.51.100.1:5060, udp 198.51.100.2:5060, udp 198.51.100.3:5060");
	// One alone is tried all the same, and so are many: the box forgets the oldest.
	for (unsigned i = 0; i < 200; i++) {
		first.address.port = (uint16_t)(6000 + i);
		sip_resolver_note_silent(bench->resolver, &first);
	}
	CHECK_TRUE(bench_ask(bench, "a.example:6199"));
	bench_check(bench, "udp 198.51.100.2:6199, udp 198.51.100.3:6199, udp 198.51.100.1:6199");
	CHECK_TRUE(bench_ask(bench, "198.51.100.1:6199"));
	bench_check(bench, "udp 198.51.100.1:6199");
}

static void aliases_do_not_go_on_for_ever(void **state)
{
	struct bench *bench = *state;
	bench_add(bench, "a.example", "CNAME", "b.example");
	bench_add(bench, "b.example", "CNAME", "a.example");
	bench_get(bench, "a.example");
	CHECK_NUMBER(bench->hops.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(an_address_needs_no_dns),
		BENCH_TEST(what_cannot_be_reached_is_said),
		BENCH_TEST(the_rules_of_rfc_3263_hold),
		BENCH_TEST(pointers_to_what_we_do_not_speak_are_passed_over),
		BENCH_TEST(services_go_by_priority),
		BENCH_TEST(services_of_one_priority_share_by_weight),
		BENCH_TEST(hops_are_bounded),
		BENCH_TEST(silent_hops_are_tried_last_for_a_while),
		BENCH_TEST(aliases_do_not_go_on_for_ever),
	};
	return RUN_TESTS(tests);
}
