// The rule for OPTIONS in exact figures (LIMIT-012, LIMIT-013, D-34): ten seconds apart is never
// blocked; the ninth within a minute is; the block is temporary and grows.

#include "tests/unit/sip/guard/fixture.h"

#include <stdio.h>

#define PEER "192.0.2.7:5060"

static enum sip_guard_verdict ask(struct guard_fixture *fixture, const char *source,
				  const char *host, unsigned number)
{
	char room[256];
	snprintf(room, sizeof(room),
		 "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%u\r\n\r\n", host,
		 number);
	return guard_fixture_send(fixture, source, room);
}

// Answered ones of `count`, one each spacing_ms.
static unsigned ask_often(struct guard_fixture *fixture, unsigned count, uint64_t spacing_ms)
{
	unsigned answered = 0;
	for (unsigned i = 0; i < count; i++) {
		answered += ask(fixture, PEER, "acme.example", 1000 + i) == SIP_GUARD_NEXT;
		guard_fixture_wait(fixture, spacing_ms);
	}
	return answered;
}

static void ten_seconds_apart_is_never_blocked(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	CHECK_NUMBER(ask_often(fixture, 360, 10000), 360); // an hour
	CHECK_NUMBER(guard_fixture_bans(fixture), 0);
	guard_fixture_destroy(fixture);
}

static void eight_at_once_are_a_burst_that_is_allowed(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	CHECK_NUMBER(ask_often(fixture, 8, 10), 8);
	guard_fixture_wait(fixture, 60000);
	CHECK_NUMBER(ask_often(fixture, 8, 10), 8);
	guard_fixture_destroy(fixture);
}

static void one_a_second_is_blocked_by_the_ninth(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_guard_ban_facts facts;
	uint64_t at = 0;
	CHECK_NUMBER(ask_often(fixture, 30, 1000), 8);
	CHECK_NUMBER(fixture->events, 1); // it is a peer's: somebody should know
	CHECK_NUMBER(fixture->event.kind, SIP_GUARD_EVENT_OPTIONS);
	CHECK_NUMBER(fixture->event.value, 10);
	CHECK_TRUE(sip_guard_ban_next(fixture->guard, &at, &facts));
	CHECK_STRING(facts.host, "acme.example");
	CHECK_NUMBER(facts.cause, SIP_GUARD_CAUSE_OPTIONS);
	CHECK_NUMBER(facts.until_ms - facts.since_ms, 60000);
	CHECK_NUMBER(facts.since_ms, 1700000000000 + 8000);
	CHECK_NUMBER(guard_fixture_dropped(fixture, SIP_GUARD_DROP_OPTIONS), 22);
	guard_fixture_destroy(fixture);
}

static void a_block_hits_options_to_that_host_alone(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	ask_often(fixture, 9, 100);
	CHECK_NUMBER(ask(fixture, PEER, "acme.example", 1), SIP_GUARD_DROPPED);
	CHECK_NUMBER(ask(fixture, PEER, "ACME.example", 2), SIP_GUARD_DROPPED);
	CHECK_NUMBER(ask(fixture, PEER, "other.example", 3), SIP_GUARD_NEXT);
	CHECK_NUMBER(ask(fixture, "192.0.2.8:5060", "acme.example", 4), SIP_GUARD_NEXT);
	CHECK_NUMBER(guard_fixture_send(fixture, PEER, GUARD_INVITE), SIP_GUARD_NEXT);
	guard_fixture_destroy(fixture);
}

static void who_slows_down_is_answered_after_the_block(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	ask_often(fixture, 9, 1000);
	CHECK_NUMBER(ask_often(fixture, 5, 10000), 0); // still blocked
	CHECK_NUMBER(ask_often(fixture, 30, 10000), 29); // 59 s after the block began: one more
	guard_fixture_destroy(fixture);
}

static void who_goes_on_is_blocked_for_longer(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_guard_ban_facts facts = { 0 };
	uint64_t longest_ms = 0;
	for (unsigned i = 0; i < 3 * 3600; i++) {
		uint64_t at = 0;
		(void)ask(fixture, PEER, "acme.example", i);
		fixture->clock.now_ms += 1000;
		fixture->clock.wall_ms += 1000;
		if (sip_guard_ban_next(fixture->guard, &at, &facts) &&
		    facts.until_ms - facts.since_ms > longest_ms)
			longest_ms = facts.until_ms - facts.since_ms;
	}
	CHECK_NUMBER(longest_ms, 3600000);
	CHECK_TRUE(facts.strikes >= 7); // 1, 2, 4, 8, 16, 32, 60 minutes
	guard_fixture_destroy(fixture);
}

static void a_retransmission_is_no_second_ping(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	for (unsigned i = 0; i < 30; i++)
		CHECK_NUMBER(ask(fixture, PEER, "acme.example", 5), SIP_GUARD_NEXT);
	guard_fixture_destroy(fixture);
}

static void without_a_rule_nothing_is_blocked(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	fixture->config.options_interval_s = 0;
	CHECK_NUMBER(ask_often(fixture, 100, 10), 100);
	guard_fixture_destroy(fixture);
}

static void the_operator_lifts_a_block(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow flow = guard_fixture_flow(PEER, SIP_UDP);
	ask_often(fixture, 9, 100);
	CHECK_NUMBER(sip_guard_ban_lift(fixture->guard, &flow.remote), 1);
	CHECK_NUMBER(ask(fixture, PEER, "acme.example", 1), SIP_GUARD_NEXT);
	guard_fixture_destroy(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ten_seconds_apart_is_never_blocked),
		TEST(eight_at_once_are_a_burst_that_is_allowed),
		TEST(one_a_second_is_blocked_by_the_ninth),
		TEST(a_block_hits_options_to_that_host_alone),
		TEST(who_slows_down_is_answered_after_the_block),
		TEST(who_goes_on_is_blocked_for_longer),
		TEST(a_retransmission_is_no_second_ping),
		TEST(without_a_rule_nothing_is_blocked),
		TEST(the_operator_lifts_a_block),
	};
	return RUN_TESTS(tests);
}
