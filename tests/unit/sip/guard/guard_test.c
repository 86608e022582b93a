// Admission: who gets how much, that a flood of made-up addresses takes nothing from known peers, and
// what goes first.

#include "tests/unit/sip/guard/fixture.h"

#include <stdio.h>
#include <string.h>

#include "sip/guard/apart.h"
#include "sip/message.h"

#define PEER "192.0.2.7:5060"
#define STRANGER "203.0.113.5:5060"

static struct sip_flow made_up(uint32_t number)
{
	struct sip_flow flow = { .protocol = SIP_UDP,
				 .remote = { .family = ADDRESS_IPV4, .port = 5060 } };
	number |= 0x80000000; // none of the listed ones
	uint8_t octets[4] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			      (uint8_t)(number >> 8), (uint8_t)number };
	memcpy(flow.remote.octets, octets, 4);
	return flow;
}

static void a_stranger_has_its_rate_and_no_more(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	CHECK_NUMBER(guard_fixture_flood(fixture, STRANGER, GUARD_INFO, 50), 20);
	guard_fixture_wait(fixture, 500);
	CHECK_NUMBER(guard_fixture_flood(fixture, STRANGER, GUARD_INFO, 50), 10);
	CHECK_NUMBER(guard_fixture_dropped(fixture, SIP_GUARD_DROP_SOURCE), 70);
	CHECK_NUMBER(guard_fixture_flood(fixture, "203.0.113.6:5060", GUARD_INFO, 5), 5);
	guard_fixture_destroy(fixture);
}

static void a_flood_of_made_up_addresses_shares_one_budget(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	unsigned passed = 0;
	for (uint32_t i = 0; i < 200000; i++) { // 10 s at 20,000/s
		struct sip_flow flow = made_up(i * 2654435761u);
		passed += sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &flow, 0) !=
			  SIP_GUARD_DROPPED;
		if (i % 200 == 199)
			guard_fixture_wait(fixture, 10);
	}
	CHECK_TRUE(passed > 9900 && passed < 10300); // half of 2,000/s, and the first burst
	CHECK_NUMBER(guard_fixture_bans(fixture), 0);
	// A stranger that really is there knocks again: the other half is for it.
	unsigned tries = 0;
	while (guard_fixture_send(fixture, STRANGER, GUARD_INVITE) == SIP_GUARD_DROPPED) {
		tries++;
		for (uint32_t i = 0; i < 10000; i++) {
			struct sip_flow flow = made_up(tries * 10000000 + i);
			(void)sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &flow, 0);
			if (i % 200 == 199)
				guard_fixture_wait(fixture, 10);
		}
	}
	CHECK_TRUE(tries <= 1);
	guard_fixture_destroy(fixture);
}

static void known_peers_are_never_pushed_out(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow customer = guard_fixture_flow("198.51.100.9:5060", SIP_UDP);
	sip_guard_note_authenticated(fixture->guard, &customer.remote);
	for (uint32_t i = 0; i < 1000000; i++) {
		struct sip_flow flow = made_up(i * 2654435761u);
		(void)sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &flow, 0);
		flow.remote.octets[0] = 192, flow.remote.octets[1] = 0, flow.remote.octets[2] = 2;
		if (i % 100 == 0) // the listed ones come too
			(void)sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &flow, 0);
	}
	CHECK_NUMBER(guard_fixture_flood(fixture, "198.51.100.9:5060", GUARD_INVITE, 500), 500);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.9:5060", GUARD_BYE), SIP_GUARD_FIRST);
	guard_fixture_destroy(fixture);
}

static void calls_of_peers_go_first(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	CHECK_NUMBER(guard_fixture_send(fixture, PEER, GUARD_BYE), SIP_GUARD_FIRST);
	CHECK_NUMBER(guard_fixture_send(fixture, PEER, "ACK sip:a@b SIP/2.0\r\n\r\n"),
		     SIP_GUARD_FIRST);
	CHECK_NUMBER(guard_fixture_send(fixture, PEER, "SIP/2.0 200 OK\r\n\r\n"), SIP_GUARD_FIRST);
	CHECK_NUMBER(guard_fixture_send(fixture, PEER, GUARD_INVITE), SIP_GUARD_NEXT);
	CHECK_NUMBER(guard_fixture_send(fixture, STRANGER, GUARD_BYE), SIP_GUARD_NEXT);
	CHECK_NUMBER(guard_fixture_send(fixture, "[2001:db8:1::5]:5060", GUARD_BYE),
		     SIP_GUARD_FIRST);
	guard_fixture_destroy(fixture);
}

static void whom_we_asked_is_known_for_a_time(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow gateway = guard_fixture_flow("198.51.100.9:5060", SIP_UDP);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.9:5060", GUARD_BYE), SIP_GUARD_NEXT);
	sip_guard_note_asked(fixture->guard, &gateway.remote, false);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.9:5060", GUARD_BYE), SIP_GUARD_FIRST);
	guard_fixture_wait(fixture, 61 * 60000);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.9:5060", GUARD_BYE), SIP_GUARD_NEXT);
	guard_fixture_destroy(fixture);
}

// A customer may name whom it likes in its Contacts: that makes peers for as long as answers take, and few
// of them; it takes nothing from who is one for another reason.
static void whom_a_contact_named_is_known_for_its_answers(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow led = guard_fixture_flow("198.51.100.9:5060", SIP_UDP);
	sip_guard_note_asked(fixture->guard, &led.remote, true);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.9:5060", GUARD_BYE), SIP_GUARD_FIRST);
	guard_fixture_wait(fixture, 33000);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.9:5060", GUARD_BYE), SIP_GUARD_NEXT);
	sip_guard_note_authenticated(fixture->guard, &led.remote);
	sip_guard_note_asked(fixture->guard, &led.remote, true);
	guard_fixture_wait(fixture, 33000);
	CHECK_NUMBER(guard_fixture_send(fixture, "198.51.100.9:5060", GUARD_BYE), SIP_GUARD_FIRST);
	for (unsigned i = 0; i < 600; i++) {
		led.remote.octets[2] = (uint8_t)(i >> 8);
		led.remote.octets[3] = (uint8_t)i;
		sip_guard_note_asked(fixture->guard, &led.remote, true);
	}
	const struct sip_guard_counters *counters = sip_guard_counters(fixture->guard);
	CHECK_NUMBER(counter_get(&counters->led_refused), 600 - 512);
	guard_fixture_destroy(fixture);
}

static void a_peer_over_its_rate_is_limited_and_told_once_a_minute(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	CHECK_NUMBER(guard_fixture_flood(fixture, PEER, GUARD_INVITE, 5000), 1000);
	CHECK_NUMBER(fixture->events, 1);
	CHECK_NUMBER(fixture->event.kind, SIP_GUARD_EVENT_LIMITED);
	CHECK_NUMBER(fixture->event.value, 1000);
	CHECK_TRUE(address_is_private(&fixture->event_source) == false);
	CHECK_NUMBER(guard_fixture_bans(fixture), 0); // never banned
	guard_fixture_wait(fixture, 30000);
	guard_fixture_flood(fixture, PEER, GUARD_INVITE, 5000);
	CHECK_NUMBER(fixture->events, 1);
	guard_fixture_wait(fixture, 31000);
	guard_fixture_flood(fixture, PEER, GUARD_INVITE, 5000);
	CHECK_NUMBER(fixture->events, 2);
	guard_fixture_destroy(fixture);
}

static void streams_do_not_share_the_budget_of_datagrams(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow stream = guard_fixture_flow(STRANGER, SIP_TLS);
	for (uint32_t i = 0; i < 20000; i++) {
		struct sip_flow flow = made_up(i);
		(void)sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &flow, 0);
	}
	sip_guard_receive(fixture->guard, TEXT(GUARD_INVITE), &stream);
	CHECK_NUMBER(fixture->received, 1);
	guard_fixture_destroy(fixture);
}

static void switched_off_it_lets_everything_in(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	fixture->config.enabled = false;
	CHECK_NUMBER(guard_fixture_flood(fixture, STRANGER, GUARD_SCANNER, 1000), 1000);
	guard_fixture_destroy(fixture);
}

static void an_invite_that_waited_too_long_is_dropped(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow flow = guard_fixture_flow(PEER, SIP_UDP);
	CHECK_NUMBER(sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &flow, 499000),
		     SIP_GUARD_NEXT);
	CHECK_NUMBER(sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &flow, 501000),
		     SIP_GUARD_DROPPED);
	CHECK_NUMBER(sip_guard_judge(fixture->guard, TEXT(GUARD_BYE), &flow, 501000),
		     SIP_GUARD_FIRST);
	CHECK_NUMBER(guard_fixture_dropped(fixture, SIP_GUARD_DROP_STALE), 1);
	guard_fixture_destroy(fixture);
}

// Who is known at the door hears 503 for whatever is not marked: so a stranger's call is marked too, which
// goes on when another call of its makes it known.
static void calls_of_strangers_are_marked_for_the_door(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	const struct sip_guard_apart *apart = sip_guard_apart(fixture->guard);
	struct sip_message invite = { .flow = guard_fixture_flow(STRANGER, SIP_UDP),
				      .call_id = TEXT("call-1") };
	invite.via.whole = TEXT("SIP/2.0/UDP h;branch=z9hG4bK1");
	invite.target.host = TEXT("acme.example");
	sip_guard_note_caller(fixture->guard, &invite);
	CHECK_TRUE(sip_guard_taken_has(&apart->taken, &invite.flow.remote, invite.via.whole,
				       invite.call_id));
	CHECK_TRUE(!sip_guard_apart_knows(apart, &invite.flow.remote, invite.target.host));
	invite.flow = guard_fixture_flow(PEER, SIP_UDP);
	sip_guard_note_caller(fixture->guard, &invite);
	CHECK_TRUE(sip_guard_apart_knows(apart, &invite.flow.remote, invite.target.host));
	guard_fixture_destroy(fixture);
}

// What explain tells of a source.
static void looking_takes_nothing(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow stranger = guard_fixture_flow(STRANGER, SIP_UDP);
	struct sip_flow peer = guard_fixture_flow(PEER, SIP_UDP);
	struct sip_guard_look look;
	CHECK_NUMBER(guard_fixture_flood(fixture, STRANGER, GUARD_INFO, 15), 15);
	for (unsigned i = 0; i < 100; i++)
		sip_guard_look(fixture->guard, &stranger, &look);
	CHECK_FALSE(look.is_peer || look.are_strangers_out);
	CHECK_NUMBER(look.rate, 20);
	CHECK_NUMBER(look.left, 5);
	CHECK_NUMBER(guard_fixture_flood(fixture, STRANGER, GUARD_INFO, 50), 5);
	sip_guard_look(fixture->guard, &stranger, &look);
	CHECK_NUMBER(look.left, 0);
	CHECK_NUMBER(look.calls_rate, 0);
	sip_guard_look(fixture->guard, &peer, &look);
	CHECK_TRUE(look.is_peer && look.left == look.rate);
	guard_fixture_destroy(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stranger_has_its_rate_and_no_more),
		TEST(a_flood_of_made_up_addresses_shares_one_budget),
		TEST(known_peers_are_never_pushed_out),
		TEST(calls_of_strangers_are_marked_for_the_door),
		TEST(looking_takes_nothing),
		TEST(calls_of_peers_go_first),
		TEST(whom_we_asked_is_known_for_a_time),
		TEST(whom_a_contact_named_is_known_for_its_answers),
		TEST(a_peer_over_its_rate_is_limited_and_told_once_a_minute),
		TEST(streams_do_not_share_the_budget_of_datagrams),
		TEST(switched_off_it_lets_everything_in),
		TEST(an_invite_that_waited_too_long_is_dropped),
	};
	return RUN_TESTS(tests);
}
