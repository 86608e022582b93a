// Overload: a model of a thread that can do so many calls a second is offered ten times that. A burst
// is no overload; a standing queue is; the rate finds the capacity; calls that began go before new ones.

#include "tests/unit/sip/guard/fixture.h"

#include <stdlib.h>

#include "sip/guard/apart.h"
#include "sip/guard/overload.h"

#define PEER "192.0.2.7:5060"

// One thread before a socket: calls wait unread in arrival order, each that is let in costs
// 1/capacity of a second, one that is refused 1/200 of that, or 1/20 with an answer.
#define QUEUE_MAX 5000 // datagrams that fit into the socket

struct model {
	struct sip_guard_overload overload;
	uint64_t arrivals_us[QUEUE_MAX];
	unsigned first, count;
	double capacity, spent_us; // spent_us: of the thread's time, beyond now
	uint64_t now_us, used_us;
	unsigned done, began, ended;
	uint64_t longest_us; // that an admitted call waited
};

static enum sip_guard_change look_at(struct sip_guard_overload *overload, uint64_t now_us,
				     uint64_t used_us)
{
	return sip_guard_overload_look(overload, 20000,
				       (struct sip_guard_time){ now_us, used_us, 0 });
}

static enum sip_guard_change look_at_door(struct sip_guard_overload *overload, uint64_t now_us,
					  uint64_t turned_away)
{
	const struct sip_guard_time now = { now_us, now_us, turned_away };
	return sip_guard_overload_look(overload, 20000, now);
}

static double serve(struct model *model)
{
	double cost_us = 1e6 / model->capacity;
	uint64_t waited_us = model->now_us - model->arrivals_us[model->first];
	model->first = (model->first + 1) % QUEUE_MAX;
	model->count--;
	sip_guard_overload_note(&model->overload, SIP_GUARD_DATAGRAMS, waited_us);
	if (waited_us > 500000)
		return cost_us / 200;
	if (!sip_guard_overload_admit(&model->overload, SIP_GUARD_NEED_PEER, model->now_us))
		return sip_guard_overload_may_answer(&model->overload, model->now_us)
			       ? cost_us / 20
			       : cost_us / 200;
	model->done++;
	if (waited_us > model->longest_us)
		model->longest_us = waited_us;
	return cost_us;
}

static void run(struct model *model, double offered_per_s, unsigned seconds)
{
	double due = 0;
	model->done = 0;
	model->longest_us = 0;
	for (unsigned i = 0; i < seconds * 1000; i++) {
		for (due += offered_per_s / 1000; due >= 1; due--)
			if (model->count < QUEUE_MAX)
				model->arrivals_us[(model->first + model->count++) % QUEUE_MAX] =
					model->now_us;
		model->now_us += 1000;
		for (model->spent_us -= 1000; model->spent_us < 0 && model->count > 0;)
			model->spent_us += serve(model);
		model->used_us += model->spent_us < 0 ? (uint64_t)(1000 + model->spent_us) : 1000;
		if (model->spent_us < 0)
			model->spent_us = 0; // idle
		enum sip_guard_change change =
			look_at(&model->overload, model->now_us, model->used_us);
		model->began += change == SIP_GUARD_BEGAN;
		model->ended += change == SIP_GUARD_ENDED;
	}
}

static void ten_times_the_capacity_keeps_95_percent_of_it(void **state)
{
	(void)state;
	static const double capacities[] = { 300, 1000, 8000 };
	for (unsigned i = 0; i < 3; i++) {
		struct model *model = calloc(1, sizeof(*model));
		assert_non_null(model);
		model->capacity = capacities[i];
		model->now_us = 1000000;
		run(model, 10 * capacities[i], 5); // until it has found it
		run(model, 10 * capacities[i], 20);
		CHECK_NUMBER(model->began, 1);
		if (model->done < 0.95 * 0.955 * 20 * capacities[i]) // refusing costs 4.5 %
			fail_msg("%u of %.0f", model->done, 20 * capacities[i]);
		if (model->longest_us > 400000)
			fail_msg("%.0f: waited %llu us", capacities[i],
				 (unsigned long long)model->longest_us);
		free(model);
	}
}

static void it_ends_when_the_load_does(void **state)
{
	(void)state;
	struct model *model = calloc(1, sizeof(*model));
	assert_non_null(model);
	model->capacity = 1000;
	model->now_us = 1000000;
	run(model, 10000, 10);
	CHECK_NUMBER(model->ended, 0);
	run(model, 500, 20);
	CHECK_NUMBER(model->began, 1);
	CHECK_NUMBER(model->ended, 1);
	run(model, 900, 60);
	CHECK_NUMBER(model->began, 1);
	run(model, 10000, 2);
	CHECK_NUMBER(model->began, 2);
	free(model);
}

static void a_load_it_can_carry_is_never_limited(void **state)
{
	(void)state;
	struct model *model = calloc(1, sizeof(*model));
	assert_non_null(model);
	model->capacity = 1000;
	model->now_us = 1000000;
	run(model, 950, 60);
	CHECK_NUMBER(model->began, 0);
	CHECK_TRUE(model->done > 950 * 60 - 10);
	free(model);
}

static void a_burst_is_no_overload(void **state)
{
	(void)state;
	struct sip_guard_overload overload = { 0 };
	uint64_t now_us = 1000000;
	for (unsigned i = 0; i < 100; i++) { // 90 ms of each second are late, the rest is not
		for (unsigned j = 0; j < 10; j++) {
			sip_guard_overload_note(&overload, SIP_GUARD_DATAGRAMS,
						j < 9 ? 300000 : 1000);
			now_us += 10000;
			CHECK_NUMBER(look_at(&overload, now_us, now_us), SIP_GUARD_SAME);
		}
	}
}

static void one_long_stall_is_no_overload(void **state)
{
	(void)state;
	struct sip_guard_overload overload = { 0 };
	uint64_t now_us = 1000000;
	for (unsigned i = 0; i < 20; i++) { // every other turn is 150 ms late, the rest is not
		uint64_t late_us = i % 2 == 0 ? 150000 : 0;
		now_us += late_us + 110000;
		sip_guard_overload_note(&overload, SIP_GUARD_LOOP, late_us);
		CHECK_NUMBER(look_at(&overload, now_us, now_us), SIP_GUARD_SAME);
	}
}

static void datagrams_that_wait_are_overload_although_the_loop_is_not_late(void **state)
{
	(void)state;
	struct sip_guard_overload overload = { 0 };
	uint64_t now_us = 1000000;
	bool has_begun = false;
	for (unsigned i = 0; i < 50; i++) {
		sip_guard_overload_note(&overload, SIP_GUARD_LOOP, 0);
		sip_guard_overload_note(&overload, SIP_GUARD_DATAGRAMS, 300000);
		now_us += 5000;
		has_begun |= look_at(&overload, now_us, now_us) == SIP_GUARD_BEGAN;
	}
	CHECK_TRUE(has_begun);
	CHECK_NUMBER(overload.standing_us, 300000);
}

static void what_has_begun_goes_before_what_is_new(void **state)
{
	(void)state;
	struct sip_guard_overload overload = { .is_on = true, .rest = 1000 };
	unsigned admitted[3] = { 0 };
	for (uint64_t now_us = 1000000; now_us < 11000000;
	     now_us += 250) { // 4,000 of each a second
		for (unsigned need = 0; need < 3; need++)
			admitted[need] += sip_guard_overload_admit(&overload, need, now_us);
	}
	CHECK_TRUE(admitted[SIP_GUARD_NEED_STARTED] > 9000);
	CHECK_TRUE(admitted[SIP_GUARD_NEED_PEER] < 300);
	CHECK_TRUE(admitted[SIP_GUARD_NEED_STRANGER] < 300);
}

// Once every 5 ms a tick that is late, and calls meanwhile.
static void drown(struct guard_fixture *fixture, unsigned calls_each, unsigned ticks)
{
	struct sip_flow flow = guard_fixture_flow(PEER, SIP_UDP);
	for (unsigned i = 0; i < ticks; i++) {
		for (unsigned j = 0; j < calls_each; j++) {
			enum sip_guard_verdict verdict =
				sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &flow, 100000);
			sip_guard_deliver(fixture->guard, verdict, TEXT(GUARD_INVITE), &flow);
		}
		fixture->clock.now_ms += 5;
		sip_guard_tick(fixture->guard, 100000, fixture->clock.now_ms * 1000);
	}
}

static void new_calls_are_shed_and_what_goes_on_goes_on(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	fixture->config.peer_rate = 100000;
	drown(fixture, 10, 2000); // 2,000 a second, for 10 s
	const struct sip_guard_counters *counters = sip_guard_counters(fixture->guard);
	CHECK_NUMBER(fixture->events, 1); // one per episode
	CHECK_NUMBER(fixture->event.kind, SIP_GUARD_EVENT_OVERLOAD);
	CHECK_NUMBER(counter_get(&counters->is_overloaded), 1);
	CHECK_NUMBER(counter_get(&counters->wait_us), 100000);
	CHECK_TRUE(fixture->shed > 0);
	CHECK_NUMBER(counter_get(&counters->shed), fixture->shed);
	CHECK_TRUE(guard_fixture_dropped(fixture, SIP_GUARD_DROP_OVERLOAD) > 0);
	CHECK_NUMBER(guard_fixture_flood(fixture, PEER, GUARD_BYE, 100), 100);
	CHECK_NUMBER(guard_fixture_flood(fixture, PEER, "SIP/2.0 200 OK\r\n\r\n", 100), 100);
	CHECK_NUMBER(guard_fixture_flood(fixture, PEER, "ACK sip:a@b SIP/2.0\r\n\r\n", 100), 100);
	guard_fixture_wait(fixture, 15000); // all are read again after 5 s, for 5 s
	CHECK_NUMBER(fixture->events, 2);
	CHECK_NUMBER(fixture->event.kind, SIP_GUARD_EVENT_RECOVERED);
	CHECK_NUMBER(counter_get(&counters->episodes), 1);
	CHECK_NUMBER(guard_fixture_send(fixture, PEER, GUARD_INVITE), SIP_GUARD_NEXT);
	guard_fixture_destroy(fixture);
}

// A call takes 1 ms of a thread that does nothing else; 9,000 come to the door in a second, 1,000 by streams.
static void as_large_a_part_of_others_comes_in_as_by_the_door(void **state)
{
	(void)state;
	struct sip_guard_overload overload = { .is_on = true, .part = 1, .rest = 1000 };
	uint64_t now_us = 1000000, turned_away = 0;
	unsigned admitted = 0, of_tenth = 0;
	for (unsigned tenth = 0; tenth < 200; tenth++) {
		unsigned let_in = of_tenth < 100 ? 100 - of_tenth : 0;
		for (unsigned i = 0; i < let_in; i++)
			sip_guard_overload_note_let_in(&overload);
		turned_away += 900 - let_in;
		of_tenth = 0;
		for (unsigned i = 0; i < 100; i++)
			of_tenth += sip_guard_overload_admit(&overload, SIP_GUARD_NEED_PEER,
							     now_us += 1000);
		admitted += tenth >= 100 ? of_tenth : 0;
		sip_guard_overload_note(&overload, SIP_GUARD_LOOP, 5000);
		(void)look_at_door(&overload, now_us, turned_away);
	}
	CHECK_TRUE(admitted > 800 && admitted < 1200); // a tenth of 10,000
}

static void what_stands_before_the_door_is_left_to_its_repeat(void **state)
{
	(void)state;
	struct guard_fixture *fixture = guard_fixture_create();
	struct sip_flow flow = guard_fixture_flow(PEER, SIP_UDP);
	struct sip_flow stream = guard_fixture_flow(PEER, SIP_TCP);
	fixture->config.peer_rate = 100000;
	CHECK_TRUE(!sip_guard_has_door(fixture->guard));
	atomic_store(&sip_guard_apart(fixture->guard)->is_served, true);
	drown(fixture, 10, 200);
	CHECK_TRUE(sip_guard_has_door(fixture->guard));
	uint64_t dropped = guard_fixture_dropped(fixture, SIP_GUARD_DROP_OVERLOAD);
	CHECK_NUMBER(sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &flow, 0),
		     SIP_GUARD_DROPPED);
	CHECK_NUMBER(guard_fixture_dropped(fixture, SIP_GUARD_DROP_OVERLOAD), dropped + 1);
	CHECK_NUMBER(sip_guard_judge_let_in(fixture->guard, TEXT(GUARD_INVITE), &flow, 0, 0),
		     SIP_GUARD_NEXT);
	CHECK_TRUE(sip_guard_judge(fixture->guard, TEXT(GUARD_INVITE), &stream, 0) !=
		   SIP_GUARD_DROPPED);
	CHECK_TRUE(atomic_load(&sip_guard_apart(fixture->guard)->most_waiting) > 0);
	guard_fixture_wait(fixture, 15000);
	CHECK_TRUE(!sip_guard_has_door(fixture->guard));
	CHECK_NUMBER(atomic_load(&sip_guard_apart(fixture->guard)->most_waiting), 0);
	guard_fixture_destroy(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ten_times_the_capacity_keeps_95_percent_of_it),
		TEST(it_ends_when_the_load_does),
		TEST(a_load_it_can_carry_is_never_limited),
		TEST(a_burst_is_no_overload),
		TEST(one_long_stall_is_no_overload),
		TEST(datagrams_that_wait_are_overload_although_the_loop_is_not_late),
		TEST(what_has_begun_goes_before_what_is_new),
		TEST(new_calls_are_shed_and_what_goes_on_goes_on),
		TEST(as_large_a_part_of_others_comes_in_as_by_the_door),
		TEST(what_stands_before_the_door_is_left_to_its_repeat),
	};
	return RUN_TESTS(tests);
}
