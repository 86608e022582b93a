// The door to c-ares against a server of the test's own, over real sockets on loopback: honest, slow,
// silent and lying.

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server.h"
#include "sip/resolve/dns.h"

enum manner {
	HONEST,
	SILENT,
	DROPS_ONE, // answers the second time
	WRONG_ID, // before the right one
	OTHER_NAME, // before the right one
	GARBAGE, // before the right one
	TRUNCATED, // over UDP
	HUGE, // and truncated over UDP
	CIRCLE,
	FAILS,
	NO_EDNS, // FORMERR to what has an OPT record
};

struct bench {
	struct event_base *loop;
	struct server *server;
	struct dns *dns;
	struct message_room message;
	enum manner manner;
	struct dns_answer answer;
	unsigned told;
	bool is_inside;
};

static void add_right(struct bench *bench, const struct server_question *question)
{
	struct message_room *message = &bench->message;
	message_start(message, question->id, question->name, question->type, 0);
	if (question->type == DNS_SRV)
		message_add(message, question->name, DNS_SRV, 60, "10 20 5060 gw.example");
	else if (question->type == DNS_A)
		message_add(message, question->name, DNS_A, 60, "198.51.100.1");
}

static void lie(struct bench *bench, const struct server_question *question)
{
	struct message_room *message = &bench->message;
	uint16_t id = question->id;
	if (bench->manner == WRONG_ID)
		id = (uint16_t)~id;
	if (bench->manner == GARBAGE) {
		message->size = 0;
		message_put(message, "\x00\x01garbage that is no message at all", 35);
	} else if (bench->manner == OTHER_NAME) {
		message_start(message, id, "other.example", question->type, 0);
		message_add(message, "other.example", DNS_A, 60, "203.0.113.66");
	} else {
		message_start(message, id, question->name, question->type, 0);
		message_add(message, question->name, DNS_A, 60, "203.0.113.66");
	}
	server_answer(question, message);
}

static void add_many(struct bench *bench, const struct server_question *question)
{
	char value[32];
	message_start(&bench->message, question->id, question->name, question->type, 0);
	for (unsigned i = 0; i < 1500; i++) {
		(void)snprintf(value, sizeof(value), "198.51.%u.%u", i / 250, i % 250 + 1);
		message_add(&bench->message, question->name, DNS_A, 60, value);
	}
}

static void asked(void *context, const struct server_question *question)
{
	struct bench *bench = context;
	struct message_room *message = &bench->message;
	if (bench->manner == SILENT ||
	    (bench->manner == DROPS_ONE && server_asked(bench->server) == 1))
		return;
	if (bench->manner == WRONG_ID || bench->manner == OTHER_NAME || bench->manner == GARBAGE)
		lie(bench, question);
	add_right(bench, question);
	if (bench->manner == FAILS)
		message_start(message, question->id, question->name, question->type, 2);
	if (bench->manner == CIRCLE) {
		message_start(message, question->id, question->name, question->type, 0);
		message_add(message, question->name, MESSAGE_CNAME, 60, "b.example");
		message_add(message, "b.example", MESSAGE_CNAME, 60, question->name);
	}
	if ((bench->manner == TRUNCATED || bench->manner == HUGE) && !question->is_tcp) {
		message_start(message, question->id, question->name, question->type, 0);
		message_set_truncated(message);
	} else if (bench->manner == HUGE) {
		add_many(bench, question);
	}
	if (bench->manner == NO_EDNS && server_asked(bench->server) == 1)
		message_start(message, question->id, question->name, question->type, 1);
	server_answer(question, message);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	bench->loop = event_base_new();
	bench->server = server_start(bench->loop, asked, bench);
	struct address address = server_address(bench->server);
	struct dns_options options = { &address, 1, 700 };
	CHECK_OK(dns_start(bench->loop, &options, &bench->dns));
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	dns_stop(bench->dns);
	server_stop(bench->server);
	event_base_free(bench->loop);
	free(bench);
	return 0;
}

static void on_answer(void *context, const struct dns_answer *answer)
{
	struct bench *bench = context;
	CHECK_FALSE(bench->is_inside);
	bench->answer = *answer;
	bench->told++;
}

static void ask(struct bench *bench, const char *name, enum dns_type type)
{
	bench->is_inside = true;
	CHECK_OK(dns_ask(bench->dns, name, type, on_answer, bench));
	bench->is_inside = false;
}

static void wait_told(struct bench *bench, unsigned count)
{
	uint64_t end_ns = clock_monotonic_ns() + 10000000000;
	static const struct timeval turn = { .tv_usec = 20000 };
	while (bench->told < count && clock_monotonic_ns() < end_ns) {
		(void)event_base_loopexit(bench->loop, &turn);
		(void)event_base_dispatch(bench->loop);
	}
	CHECK_NUMBER(bench->told, count);
}

static void get(struct bench *bench, enum manner manner, const char *name, enum dns_type type)
{
	bench->manner = manner;
	ask(bench, name, type);
	wait_told(bench, bench->told + 1);
}

static void check_right(const struct bench *bench)
{
	char room[ADDRESS_TEXT_SIZE];
	CHECK_NUMBER(bench->answer.outcome, DNS_FOUND);
	CHECK_NUMBER(bench->answer.count, 1);
	CHECK_STRING(address_string(&bench->answer.records[0].address, room), "198.51.100.1");
}

static void an_answer_comes_by_the_loop(void **state)
{
	struct bench *bench = *state;
	get(bench, HONEST, "a.example", DNS_A);
	check_right(bench);
	get(bench, HONEST, "_sip._udp.a.example", DNS_SRV);
	CHECK_STRING(bench->answer.records[0].name, "gw.example");
	CHECK_NUMBER(server_asked(bench->server), 2);
}

static void a_lost_question_is_repeated(void **state)
{
	struct bench *bench = *state;
	get(bench, DROPS_ONE, "a.example", DNS_A);
	check_right(bench);
	CHECK_NUMBER(server_asked(bench->server), 2);
}

static void a_silent_server_is_given_up(void **state)
{
	struct bench *bench = *state;
	uint64_t start_ns = clock_monotonic_ns();
	get(bench, SILENT, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
	CHECK_STRING(bench->answer.problem, "no server answered in time");
	CHECK_NUMBER(server_asked(bench->server), 3);
	CHECK_TRUE(clock_monotonic_ns() - start_ns < 5000000000);
}

static void lies_before_the_truth_are_passed_over(void **state)
{
	static const enum manner manners[] = { WRONG_ID, OTHER_NAME, GARBAGE };
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		get(bench, manners[i], "a.example", DNS_A);
		check_right(bench);
	}
}

static void what_was_truncated_comes_over_tcp(void **state)
{
	struct bench *bench = *state;
	get(bench, TRUNCATED, "a.example", DNS_A);
	check_right(bench);
	CHECK_NUMBER(server_asked(bench->server), 2);
}

static void a_huge_answer_is_cut(void **state)
{
	struct bench *bench = *state;
	get(bench, HUGE, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_FOUND);
	CHECK_NUMBER(bench->answer.count, DNS_RECORDS_MAX);
}

static void circles_and_failures_end(void **state)
{
	struct bench *bench = *state;
	get(bench, CIRCLE, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
	get(bench, FAILS, "a.example", DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
}

static void a_server_without_edns_is_asked_without(void **state)
{
	struct bench *bench = *state;
	get(bench, NO_EDNS, "a.example", DNS_A);
	check_right(bench);
}

static void names_nobody_can_ask_for_fail_later(void **state)
{
	struct bench *bench = *state;
	char label[80];
	memset(label, 'a', sizeof(label));
	label[sizeof(label) - 1] = '\0';
	get(bench, HONEST, label, DNS_A);
	CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
	CHECK_NUMBER(server_asked(bench->server), 0);
}

static void a_port_where_nobody_listens_fails(void **state)
{
	struct bench *bench = *state;
	struct address nobody;
	struct dns *dns;
	CHECK_TRUE(address_parse(TEXT("127.0.0.1:1"), &nobody));
	struct dns_options options = { &nobody, 1, 700 };
	CHECK_OK(dns_start(bench->loop, &options, &dns));
	CHECK_OK(dns_ask(dns, "a.example", DNS_A, on_answer, bench));
	CHECK_NUMBER(bench->told, 0);
	wait_told(bench, 1);
	CHECK_NUMBER(bench->answer.outcome, DNS_FAILED);
	dns_stop(dns);
}

static void the_second_server_is_asked_when_the_first_is_silent(void **state)
{
	struct bench *bench = *state;
	struct address servers[2];
	struct dns *dns;
	CHECK_TRUE(address_parse(TEXT("127.0.0.1:1"), &servers[0]));
	servers[1] = server_address(bench->server);
	struct dns_options options = { servers, 2, 700 };
	CHECK_OK(dns_start(bench->loop, &options, &dns));
	CHECK_OK(dns_ask(dns, "a.example", DNS_A, on_answer, bench));
	wait_told(bench, 1);
	check_right(bench);
	dns_stop(dns);
}

static void many_questions_at_once_and_an_end_amid_them(void **state)
{
	struct bench *bench = *state;
	char name[32];
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		ask(bench, name, DNS_A);
	}
	wait_told(bench, 200);
	bench->manner = SILENT;
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "m%u.example", i);
		ask(bench, name, DNS_A);
	}
}

int main(void)
{
#define BENCH_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		BENCH_TEST(an_answer_comes_by_the_loop),
		BENCH_TEST(a_lost_question_is_repeated),
		BENCH_TEST(a_silent_server_is_given_up),
		BENCH_TEST(lies_before_the_truth_are_passed_over),
		BENCH_TEST(what_was_truncated_comes_over_tcp),
		BENCH_TEST(a_huge_answer_is_cut),
		BENCH_TEST(circles_and_failures_end),
		BENCH_TEST(a_server_without_edns_is_asked_without),
		BENCH_TEST(names_nobody_can_ask_for_fail_later),
		BENCH_TEST(a_port_where_nobody_listens_fails),
		BENCH_TEST(the_second_server_is_asked_when_the_first_is_silent),
		BENCH_TEST(many_questions_at_once_and_an_end_amid_them),
	};
	return RUN_TESTS(tests);
}
