// A guard of its own for each test. Runs on the thread of the test.

#include "tests/unit/sip/guard/fixture.h"

#include <stdlib.h>
#include <string.h>

static bool is_listed(void *context, const struct address *address)
{
	struct prefix four, six;
	(void)context;
	CHECK_TRUE(prefix_parse(TEXT("192.0.2.0/24"), &four));
	CHECK_TRUE(prefix_parse(TEXT("2001:db8:1::/64"), &six));
	return prefix_contains(&four, address) || prefix_contains(&six, address);
}

static void on_event(void *context, const struct sip_guard_event *event)
{
	struct guard_fixture *fixture = context;
	fixture->events++;
	fixture->event = *event;
	fixture->event_source = event->source != NULL ? *event->source : (struct address){ 0 };
}

static void on_receive(void *context, struct text octets, const struct sip_flow *flow)
{
	struct guard_fixture *fixture = context;
	(void)octets, (void)flow;
	fixture->received++;
}

static void on_shed(void *context, struct text octets, const struct sip_flow *flow)
{
	struct guard_fixture *fixture = context;
	(void)octets, (void)flow;
	fixture->shed++;
}

struct guard_fixture *guard_fixture_create(void)
{
	struct guard_fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	fixture->clock = (struct clock){ 1000000, 1700000000000 };
	fixture->config = (struct guard_config){ .enabled = true,
						 .stranger_rate = 20,
						 .strangers_rate = 2000,
						 .peer_rate = 1000,
						 .known_minutes = 60,
						 .offences = 20,
						 .ban_s = 60,
						 .ban_max_s = 3600,
						 .options_interval_s = 10,
						 .options_burst = 2,
						 .queue_ms = 20,
						 .stale_ms = 500 };
	struct sip_guard_options options = { .clock = &fixture->clock,
					     .config = &fixture->config,
					     .receive = on_receive,
					     .shed = on_shed,
					     .receive_context = fixture,
					     .is_listed = is_listed,
					     .event = on_event,
					     .context = fixture };
	fixture->guard = sip_guard_create(&options);
	assert_non_null(fixture->guard);
	return fixture;
}

void guard_fixture_destroy(struct guard_fixture *fixture)
{
	sip_guard_destroy(fixture->guard);
	free(fixture);
}

void guard_fixture_wait(struct guard_fixture *fixture, uint64_t ms)
{
	uint64_t used_us = fixture->clock.now_ms * 1000; // the thread has nothing to do
	for (uint64_t i = 0; i < ms; i += 10) {
		fixture->clock.now_ms += 10;
		fixture->clock.wall_ms += 10;
		sip_guard_tick(fixture->guard, 0, used_us);
	}
}

struct sip_flow guard_fixture_flow(const char *source, enum sip_protocol protocol)
{
	struct sip_flow flow = { .protocol = protocol };
	CHECK_TRUE(address_parse(text_of(source), &flow.remote));
	return flow;
}

enum sip_guard_verdict guard_fixture_send(struct guard_fixture *fixture, const char *source,
					  const char *octets)
{
	struct sip_flow flow = guard_fixture_flow(source, SIP_UDP);
	return sip_guard_judge(fixture->guard, text_of(octets), &flow, 0);
}

unsigned guard_fixture_flood(struct guard_fixture *fixture, const char *source, const char *octets,
			     unsigned count)
{
	unsigned passed = 0;
	for (unsigned i = 0; i < count; i++)
		passed += guard_fixture_send(fixture, source, octets) != SIP_GUARD_DROPPED;
	return passed;
}

uint64_t guard_fixture_dropped(const struct guard_fixture *fixture, enum sip_guard_drop why)
{
	return counter_get(&sip_guard_counters(fixture->guard)->dropped[why]);
}

unsigned guard_fixture_bans(const struct guard_fixture *fixture)
{
	struct sip_guard_ban_facts facts;
	unsigned count = 0;
	uint64_t at = 0;
	while (sip_guard_ban_next(fixture->guard, &at, &facts))
		count++;
	return count;
}
