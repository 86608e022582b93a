// What is read of DNS messages, honest and hostile.

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

struct bench {
	struct message_room message;
	struct dns_answer answer;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct bench));
	return *state == NULL;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

// From a heap copy of exactly its size, so that a sanitizer sees each step too far.
static void parse_octets(struct bench *bench, size_t size, const char *name, enum dns_type type)
{
	char *copy = malloc(size + (size == 0));
	memcpy(copy, bench->message.octets, size);
	dns_answer_parse((struct text){ copy, size }, name, type, &bench->answer);
	free(copy);
}

static void parse(struct bench *bench, const char *name, enum dns_type type)
{
	parse_octets(bench, bench->message.size, name, type);
}

static void records_of_each_type_are_read(void **state)
{
	struct bench *bench = *state;
	struct message_room *message = &bench->message;
	struct dns_answer *answer = &bench->answer;
	char room[ADDRESS_TEXT_SIZE];
	message_start(message, 1, "a.example", DNS_A, 0);
	message_add(message, "a.example", DNS_A, 300, "198.51.100.1");
	message_add(message, "A.Example", DNS_A, 60, "198.51.100.2");
	parse(bench, "A.example", DNS_A);
	CHECK_NUMBER(answer->outcome, DNS_FOUND);
	CHECK_NUMBER(answer->count, 2);
	CHECK_NUMBER(answer->ttl_s, 60);
	CHECK_STRING(address_string(&answer->records[1].address, room), "198.51.100.2");
	message_start(message, 1, "a.example", DNS_AAAA, 0);
	message_add(message, "a.example", DNS_AAAA, 300, "2001:db8::1");
	parse(bench, "a.example", DNS_AAAA);
	CHECK_STRING(address_string(&answer->records[0].address, room), "2001:db8::1");
	message_start(message, 1, "_sip._udp.a.example", DNS_SRV, 0);
	message_add(message, "_sip._udp.a.example", DNS_SRV, 300, "10 20 5070 GW1.example");
	message_add(message, "_sip._udp.a.example", DNS_SRV, 300, "0 0 0 .");
	parse(bench, "_sip._udp.a.example", DNS_SRV);
	CHECK_NUMBER(answer->count, 2);
	CHECK_NUMBER(answer->records[0].priority, 10);
	CHECK_NUMBER(answer->records[0].weight, 20);
	CHECK_NUMBER(answer->records[0].port, 5070);
	CHECK_STRING(answer->records[0].name, "gw1.example");
	CHECK_STRING(answer->records[1].name, "");
	message_start(message, 1, "a.example", DNS_NAPTR, 0);
	message_add(message, "a.example", DNS_NAPTR, 300, "10 20 s SIPS+D2T _sips._tcp.a.example");
	message_add(message, "a.example", DNS_NAPTR, 300, "11 21 S sip+d2u _sip._udp.a.example");
	parse(bench, "a.example", DNS_NAPTR);
	CHECK_NUMBER(answer->count, 2);
	CHECK_NUMBER(answer->records[0].protocol, SIP_TLS);
	CHECK_NUMBER(answer->records[1].protocol, SIP_UDP);
	CHECK_NUMBER(answer->records[1].priority, 11);
	CHECK_STRING(answer->records[1].name, "_sip._udp.a.example");
}

static void what_is_no_use_is_left_out(void **state)
{
	struct bench *bench = *state;
	struct message_room *message = &bench->message;
	message_start(message, 1, "a.example", DNS_NAPTR, 0);
	message_add(message, "a.example", DNS_NAPTR, 300, "10 20 u E2U+sip _sip._udp.a.example");
	message_add(message, "a.example", DNS_NAPTR, 300, "10 20 s SIP+D2S _sip._sctp.a.example");
	message_add(message, "b.example", DNS_NAPTR, 300, "10 20 s SIP+D2U _sip._udp.a.example");
	message_add(message, "a.example", DNS_NAPTR, 300, "10 20 s SIP+D2U b\\c.example");
	parse(bench, "a.example", DNS_NAPTR);
	CHECK_NUMBER(bench->answer.outcome, DNS_NO_DATA);
	message_start(message, 1, "a.example", DNS_SRV, 0);
	message_add(message, "a.example", DNS_SRV, 300, "10 20 0 gw.example");
	message_add(message, "a.example", DNS_SRV, 300, "10 20 5060 g$w.example");
	message_add(message, "a.example", DNS_SRV, 300, "10 20 5060 <sip:evil>.example");
	parse(bench, "a.example", DNS_SRV);
	CHECK_NUMBER(bench->answer.outcome, DNS_NO_DATA);
	message_start(message, 1, "a.example", DNS_A, 0);
	message_add(message, "a.example", DNS_A, 300, "0.0.0.0");
	parse(bench, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_NO_DATA);
}

static void what_is_not_there_has_the_zones_word_for_how_long(void **state)
{
	struct bench *bench = *state;
	struct message_room *message = &bench->message;
	message_start(message, 1, "a.example", DNS_A, 3);
	message_add(message, "example", MESSAGE_SOA, 900, "300");
	parse(bench, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_NO_NAME);
	CHECK_NUMBER(bench->answer.ttl_s, 300);
	message_start(message, 1, "a.example", DNS_A, 0);
	message_add(message, "example", MESSAGE_SOA, 200, "300");
	parse(bench, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_NO_DATA);
	CHECK_NUMBER(bench->answer.ttl_s, 200);
	message_start(message, 1, "a.example", DNS_A, 0);
	parse(bench, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.ttl_s, 0);
}

static void errors_are_told_apart(void **state)
{
	static const char *const problems[] = { [1] = "the server did not understand",
						[2] = "the server failed",
						[4] = "the server knows no such question",
						[5] = "the server refused",
						[9] = "the server answered with an error" };
	struct bench *bench = *state;
	for (unsigned rcode = 1; rcode < 10; rcode++) {
		if (rcode == 3 || problems[rcode] == NULL)
			continue;
		message_start(&bench->message, 1, "a.example", DNS_A, rcode);
		parse(bench, "a.example", DNS_A);
		CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
		CHECK_STRING(bench->answer.problem, problems[rcode]);
	}
}

static void aliases_are_followed_in_whatever_order(void **state)
{
	struct bench *bench = *state;
	struct message_room *message = &bench->message;
	message_start(message, 1, "a.example", DNS_A, 0);
	message_add(message, "c.example", DNS_A, 300, "198.51.100.1");
	message_add(message, "b.example", MESSAGE_CNAME, 50, "c.example");
	message_add(message, "a.example", MESSAGE_CNAME, 100, "b.example");
	parse(bench, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_FOUND);
	CHECK_NUMBER(bench->answer.ttl_s, 50);
	message_start(message, 1, "a.example", DNS_A, 0);
	message_add(message, "a.example", MESSAGE_CNAME, 100, "b.example");
	parse(bench, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_NO_DATA);
	CHECK_STRING(bench->answer.alias, "b.example");
	CHECK_NUMBER(bench->answer.ttl_s, 100);
}

static void aliases_in_a_circle_end(void **state)
{
	struct bench *bench = *state;
	struct message_room *message = &bench->message;
	message_start(message, 1, "a.example", DNS_A, 0);
	message_add(message, "a.example", MESSAGE_CNAME, 100, "b.example");
	message_add(message, "b.example", MESSAGE_CNAME, 100, "a.example");
	parse(bench, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
	CHECK_STRING(bench->answer.problem, "its aliases lead nowhere");
}

static void many_records_are_cut(void **state)
{
	struct bench *bench = *state;
	struct message_room *message = &bench->message;
	char value[32];
	message_start(message, 1, "a.example", DNS_A, 0);
	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(value, sizeof(value), "198.51.%u.%u", i / 250, i % 250 + 1);
		message_add(message, "a.example", DNS_A, 300, value);
	}
	parse(bench, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.count, DNS_RECORDS_MAX);
}

static void an_answer_to_something_else_counts_for_nothing(void **state)
{
	struct bench *bench = *state;
	struct message_room *message = &bench->message;
	message_start(message, 1, "b.example", DNS_A, 0);
	message_add(message, "b.example", DNS_A, 300, "198.51.100.1");
	parse(bench, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
	parse(bench, "b.example", DNS_AAAA);
	CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
	message->octets[2] &= 0x7f; // a question
	parse(bench, "b.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
}

static void a_message_cut_anywhere_is_survived(void **state)
{
	struct bench *bench = *state;
	struct message_room *message = &bench->message;
	message_start(message, 1, "_sip._udp.a.example", DNS_SRV, 0);
	message_add(message, "_sip._udp.a.example", MESSAGE_CNAME, 300, "b.example");
	message_add(message, "b.example", DNS_SRV, 300, "10 20 5070 gw1.example");
	message_add(message, "b.example", DNS_SRV, 300, "10 20 5070 gw2.example");
	message_add(message, "example", MESSAGE_SOA, 300, "60");
	for (size_t size = 0; size <= message->size; size++)
		parse_octets(bench, size, "_sip._udp.a.example", DNS_SRV);
	CHECK_NUMBER(bench->answer.count, 2);
	for (size_t at = 12; at < message->size; at++) { // each octet a pointer, a length, a lie
		for (unsigned value = 0; value < 256; value += 51) {
			uint8_t kept = message->octets[at];
			message->octets[at] = (uint8_t)value;
			parse(bench, "_sip._udp.a.example", DNS_SRV);
			message->octets[at] = kept;
		}
	}
}

static void names_that_may_be_asked_for(void **state)
{
	static const struct {
		const char *name;
		bool is_valid;
	} rows[] = {
		{ "carrier.example", true },
		{ "_sip._udp.carrier.example", true },
		{ "localhost", true },
		{ "a-b.c1.example", true },
		{ "", false },
		{ ".", false },
		{ "a..b", false },
		{ "a.example.", false },
		{ ".a", false },
		{ "a b.example", false },
		{ "a\\.example", false },
		{ "\xc3\xa4.example", false },
		{ "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc.example", true },
		{ "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd.example",
		  false },
	};
	char longest[300];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_NUMBER(dns_answer_is_name(text_of(rows[i].name)), rows[i].is_valid);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	CHECK_TRUE(dns_answer_is_name((struct text){ longest, 253 }));
	CHECK_FALSE(dns_answer_is_name((struct text){ longest, 255 }));
}

int main(void)
{
#define BENCH_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		BENCH_TEST(records_of_each_type_are_read),
		BENCH_TEST(what_is_no_use_is_left_out),
		BENCH_TEST(what_is_not_there_has_the_zones_word_for_how_long),
		BENCH_TEST(errors_are_told_apart),
		BENCH_TEST(aliases_are_followed_in_whatever_order),
		BENCH_TEST(aliases_in_a_circle_end),
		BENCH_TEST(many_records_are_cut),
		BENCH_TEST(an_answer_to_something_else_counts_for_nothing),
		BENCH_TEST(a_message_cut_anywhere_is_survived),
		TEST(names_that_may_be_asked_for),
	};
	return RUN_TESTS(tests);
}
