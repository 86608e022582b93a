// Bans: what earns one, for how long, whom it never hits, and the operator's word (LIMIT-013).

#include "tests/unit/sip/guard/fixture.h"

#include <stdio.h>

#define PEER "192.0.2.7:5060"
#define GUARD_ANSWER "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n"
#define STRANGER "203.0.113.5:5060"

static struct sip_guard_ban_facts only_ban(const struct guard_fixture *fixture)
{
	struct sip_guard_ban_facts facts = { 0 };
	uint64_t at = 0;
	CHECK_NUMBER(guard_fixture_bans(fixture), 1);
	CHECK_TRUE(sip_guard_ban_next(fixture->guard, &at, &facts));
	return facts;
}

static void a_scanner_is_banned_by_its_name(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	CHECK_NUMBER(guard_fixture_send(fixture, STRANGER, GUARD_SCANNER), SIP_GUARD_DROPPED);
	CHECK_NUMBER(guard_fixture_send(fixture, STRANGER, GUARD_INVITE), SIP_GUARD_DROPPED);
	struct sip_guard_ban_facts facts = only_ban(fixture);
	CHECK_NUMBER(facts.cause, SIP_GUARD_CAUSE_SCANNER);
	CHECK_NUMBER(facts.until_ms - facts.since_ms, 60000);
	CHECK_NUMBER(facts.dropped, 1);
	CHECK_NUMBER(facts.address.port, 0);
	CHECK_TRUE(facts.is_udp_only);
	guard_fixture_wait(fixture, 59990);
	CHECK_NUMBER(guard_fixture_send(fixture, STRANGER, GUARD_INVITE), SIP_GUARD_DROPPED);
	guard_fixture_wait(fixture, 10);
	CHECK_NUMBER(guard_fixture_send(fixture, STRANGER, GUARD_INVITE), SIP_GUARD_NEXT);
	guard_fixture_destroy(fixture);
}

static void each_ban_lasts_twice_as_long_up_to_an_hour(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	static const unsigned minutes[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	for (unsigned i = 0; i < 8; i++) {
		guard_fixture_send(fixture, STRANGER, GUARD_SCANNER);
		struct sip_guard_ban_facts facts = only_ban(fixture);
		CHECK_NUMBER(facts.until_ms - facts.since_ms, minutes[i] * 60000);
		CHECK_NUMBER(facts.strikes, i + 1);
		guard_fixture_wait(fixture, minutes[i] * 60000);
		CHECK_NUMBER(guard_fixture_bans(fixture), 0);
	}
	guard_fixture_wait(fixture, 2 * 3600000); // long enough to be forgotten
	guard_fixture_send(fixture, STRANGER, GUARD_SCANNER);
	CHECK_NUMBER(only_ban(fixture).strikes, 1);
	guard_fixture_destroy(fixture);
}

static void no_datagram_bans_a_known_peer(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow listed = guard_fixture_flow(PEER, SIP_UDP);
	struct sip_flow proven = guard_fixture_flow("198.51.100.9:5060", SIP_UDP);
	sip_guard_note_authenticated(fixture->guard, &proven.remote);
	for (unsigned i = 0; i < 3000; i++) {
		guard_fixture_send(fixture, PEER, GUARD_SCANNER);
		guard_fixture_send(fixture, "198.51.100.9:5060", GUARD_SCANNER);
		sip_guard_note(fixture->guard, &listed, SIP_GUARD_OFFENCE_DOMAIN);
		sip_guard_note(fixture->guard, &proven, SIP_GUARD_OFFENCE_MALFORMED);
	}
	CHECK_NUMBER(guard_fixture_bans(fixture), 0);
	guard_fixture_destroy(fixture);
}

// A carrier known by a name alone is a stranger until we ask it: who forges its address meanwhile must
// not make us deaf to its answers.
static void who_was_banned_and_is_asked_since_is_heard(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow flow = guard_fixture_flow(STRANGER, SIP_UDP);
	guard_fixture_send(fixture, STRANGER, GUARD_SCANNER);
	CHECK_NUMBER(guard_fixture_send(fixture, STRANGER, GUARD_ANSWER), SIP_GUARD_DROPPED);
	sip_guard_note_asked(fixture->guard, &flow.remote, false);
	CHECK_NUMBER(guard_fixture_send(fixture, STRANGER, GUARD_ANSWER), SIP_GUARD_FIRST);
	CHECK_NUMBER(guard_fixture_bans(fixture), 0);
	CHECK_OK(sip_guard_ban_set(fixture->guard, &flow.remote, 60000));
	CHECK_NUMBER(guard_fixture_send(fixture, STRANGER, GUARD_ANSWER), SIP_GUARD_DROPPED);
	CHECK_FALSE(sip_guard_may_connect(fixture->guard, &flow.remote));
	guard_fixture_destroy(fixture);
}

static void offences_ban_when_they_are_many_in_a_minute(void **state)
{
	(void)state;
	static const enum sip_guard_cause causes[] = {
		[SIP_GUARD_OFFENCE_DOMAIN] = SIP_GUARD_CAUSE_DOMAINS,
		[SIP_GUARD_OFFENCE_MALFORMED] = SIP_GUARD_CAUSE_MALFORMED,
		[SIP_GUARD_OFFENCE_CREDENTIALS] = SIP_GUARD_CAUSE_CREDENTIALS,
	};
	for (unsigned offence = 0; offence < SIP_GUARD_OFFENCE_COUNT; offence++) {
		struct guard_fixture *fixture = guard_fixture_create();
		struct sip_flow flow = guard_fixture_flow(STRANGER, SIP_UDP);
		for (unsigned i = 0; i < 60; i++) { // 19 a minute, for three minutes
			if (i % 20 != 0)
				sip_guard_note(fixture->guard, &flow, offence);
			guard_fixture_send(fixture, STRANGER, GUARD_INFO);
			guard_fixture_wait(fixture, 3000);
		}
		CHECK_NUMBER(guard_fixture_bans(fixture), 0);
		guard_fixture_wait(fixture, 60000);
		for (unsigned i = 0; i < 20; i++) {
			guard_fixture_send(fixture, STRANGER, GUARD_INFO);
			sip_guard_note(fixture->guard, &flow, offence);
			guard_fixture_wait(fixture, 100);
		}
		struct sip_guard_ban_facts facts = only_ban(fixture);
		CHECK_NUMBER(facts.cause, causes[offence]);
		// Only who answers our nonce is surely there.
		CHECK_TRUE(facts.is_udp_only == (offence != SIP_GUARD_OFFENCE_CREDENTIALS));
		guard_fixture_destroy(fixture);
	}
}

static void who_knocks_far_too_often_is_banned(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	guard_fixture_flood(fixture, STRANGER, GUARD_INFO, 20 + 199);
	CHECK_NUMBER(guard_fixture_bans(fixture), 0);
	guard_fixture_flood(fixture, STRANGER, GUARD_INFO, 1);
	CHECK_NUMBER(only_ban(fixture).cause, SIP_GUARD_CAUSE_FLOOD);
	guard_fixture_destroy(fixture);
}

static void many_wrong_passwords_make_a_known_one_a_stranger(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow flow = guard_fixture_flow("198.51.100.9:5060", SIP_UDP);
	sip_guard_note_authenticated(fixture->guard, &flow.remote);
	for (unsigned i = 0; i < 19; i++)
		sip_guard_note(fixture->guard, &flow, SIP_GUARD_OFFENCE_CREDENTIALS);
	sip_guard_note_authenticated(fixture->guard, &flow.remote); // a right one: forgiven
	for (unsigned i = 0; i < 19; i++)
		sip_guard_note(fixture->guard, &flow, SIP_GUARD_OFFENCE_CREDENTIALS);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.9", GUARD_BYE), SIP_GUARD_FIRST);
	sip_guard_note(fixture->guard, &flow, SIP_GUARD_OFFENCE_CREDENTIALS);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.9", GUARD_BYE), SIP_GUARD_NEXT);
	guard_fixture_destroy(fixture);
}

static void what_a_datagram_claims_holds_for_datagrams(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow stream = guard_fixture_flow(STRANGER, SIP_TCP);
	guard_fixture_send(fixture, STRANGER, GUARD_SCANNER);
	CHECK_TRUE(sip_guard_may_connect(fixture->guard, &stream.remote));
	sip_guard_receive(fixture->guard, TEXT(GUARD_INVITE), &stream);
	CHECK_NUMBER(fixture->received, 1);
	sip_guard_receive(fixture->guard, TEXT(GUARD_SCANNER), &stream); // now it is proven
	CHECK_FALSE(sip_guard_may_connect(fixture->guard, &stream.remote));
	CHECK_FALSE(only_ban(fixture).is_udp_only);
	CHECK_NUMBER(guard_fixture_send(fixture, STRANGER, GUARD_INVITE), SIP_GUARD_DROPPED);
	guard_fixture_destroy(fixture);
}

static void the_operator_bans_anybody_and_lifts_bans(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow peer = guard_fixture_flow(PEER, SIP_UDP);
	struct sip_flow other = guard_fixture_flow("[2001:db8:1::5]:5060", SIP_UDP);
	CHECK_OK(sip_guard_ban_set(fixture->guard, &peer.remote, 10000));
	CHECK_OK(sip_guard_ban_set(fixture->guard, &other.remote, 10000));
	CHECK_NUMBER(guard_fixture_send(fixture, PEER, GUARD_BYE), SIP_GUARD_DROPPED);
	CHECK_NUMBER(guard_fixture_send(fixture, "[2001:db8:1::99]:5060", GUARD_BYE),
		     SIP_GUARD_DROPPED); // of the same /64
	CHECK_FALSE(sip_guard_may_connect(fixture->guard, &peer.remote));
	CHECK_NUMBER(sip_guard_ban_lift(fixture->guard, &peer.remote), 1);
	CHECK_NUMBER(sip_guard_ban_lift(fixture->guard, &peer.remote), 0);
	CHECK_NUMBER(guard_fixture_send(fixture, PEER, GUARD_BYE), SIP_GUARD_FIRST);
	CHECK_NUMBER(sip_guard_ban_lift(fixture->guard, NULL), 1);
	CHECK_NUMBER(guard_fixture_bans(fixture), 0);
	CHECK_OK(sip_guard_ban_set(fixture->guard, &peer.remote, 10000));
	guard_fixture_wait(fixture, 10000);
	CHECK_NUMBER(guard_fixture_send(fixture, PEER, GUARD_BYE), SIP_GUARD_FIRST);
	guard_fixture_destroy(fixture);
}

static void a_flood_of_forged_scanners_fills_no_more_than_the_table(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow real = guard_fixture_flow("198.51.100.66:5060", SIP_UDP);
	CHECK_OK(sip_guard_ban_set(fixture->guard, &real.remote, 5 * 3600000));
	for (unsigned i = 0; i < 100000; i++) {
		char source[32];
		snprintf(source, sizeof(source), "100.%u.%u.%u:5060", 64 + i % 64, i / 256 % 256,
			 i / 64 % 256);
		guard_fixture_send(fixture, source, GUARD_SCANNER);
		if (i % 10 == 0)
			guard_fixture_wait(fixture, 10);
	}
	CHECK_TRUE(guard_fixture_bans(fixture) <= 8192);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.66:5060", GUARD_BYE),
		     SIP_GUARD_DROPPED); // the operator's is still there
	guard_fixture_destroy(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_scanner_is_banned_by_its_name),
		TEST(each_ban_lasts_twice_as_long_up_to_an_hour),
		TEST(no_datagram_bans_a_known_peer),
		TEST(who_was_banned_and_is_asked_since_is_heard),
		TEST(offences_ban_when_they_are_many_in_a_minute),
		TEST(who_knocks_far_too_often_is_banned),
		TEST(many_wrong_passwords_make_a_known_one_a_stranger),
		TEST(what_a_datagram_claims_holds_for_datagrams),
		TEST(the_operator_bans_anybody_and_lifts_bans),
		TEST(a_flood_of_forged_scanners_fills_no_more_than_the_table),
	};
	return RUN_TESTS(tests);
}
