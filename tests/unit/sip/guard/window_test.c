// Which new calls are read in overload: the window's own rules; then a model of callers who repeat what is
// not answered, give up after 4 s, and do not come back when they hear 503, before a thread that can do a
// tenth of that: most of what it does must be for those who called within the last second.

#include "tests/check.h"

#include <stdlib.h>

#include "sip/guard/overload.h"
#include "sip/guard/window.h"

#define MS 1000
#define S 1000000
#define START_US 10000000

// So many INVITEs in places that are spread evenly, in each tenth of a second.
static void offer(struct sip_guard_window *window, unsigned calls_per_s, double rate,
		  unsigned tenths, uint64_t *now_us)
{
	for (unsigned i = 0; i < tenths; i++) {
		for (unsigned j = 0; j < calls_per_s / 10; j++) {
			uint32_t place = j * 7919 * 13 % SIP_GUARD_SHARE_ALL;
			if (place < window->sieve.share)
				(void)sip_guard_window_is_late(
					window, place, *now_us + 100 * MS * j / (calls_per_s / 10));
		}
		*now_us += 100 * MS;
		sip_guard_window_follow(window, rate, 0, *now_us);
	}
}

static void little_more_is_read_than_can_be_done(void **state)
{
	(void)state;
	static const unsigned times[] = { 2, 10, 50 };
	for (unsigned i = 0; i < 3; i++) {
		struct sip_guard_window window = { 0 };
		uint64_t now_us = START_US;
		sip_guard_window_open(&window, 0.5, now_us);
		offer(&window, 1000 * times[i], 1000, 100, &now_us);
		double read = (double)window.sieve.share / SIP_GUARD_SHARE_ALL * times[i];
		if (read < 0.95 || read > 1.6)
			fail_msg("%u times: %f of what can be done is read", times[i], read);
	}
}

static void it_shrinks_at_once_and_at_its_old_end(void **state)
{
	(void)state;
	struct sip_guard_window window = { 0 };
	uint64_t now_us = START_US;
	sip_guard_window_open(&window, 1, now_us);
	CHECK_TRUE(sip_guard_window_is_whole(&window));
	offer(&window, 8000, 1000, 1, &now_us);
	CHECK_TRUE(window.sieve.share < SIP_GUARD_SHARE_ALL / 3);
	CHECK_NUMBER(window.sieve.start, SIP_GUARD_SHARE_ALL - window.sieve.share);
	CHECK_NUMBER(window.trial, 0);
}

static void what_is_new_in_it_is_on_trial(void **state)
{
	(void)state;
	struct sip_guard_window window = { 0 };
	uint64_t now_us = START_US;
	sip_guard_window_open(&window, 0.25, now_us);
	offer(&window, 3600, 1000, 30, &now_us); // no longer early
	uint32_t before = window.sieve.share, start = window.sieve.start;
	offer(&window, 3600, 1250, 5, &now_us);
	CHECK_NUMBER(window.sieve.start, start);
	CHECK_TRUE(window.sieve.share > before && window.sieve.share <= 2 * before);
	CHECK_NUMBER(window.trial, window.sieve.share - before);
	CHECK_TRUE(!sip_guard_window_is_late(&window, before - 1, now_us));
	CHECK_TRUE(sip_guard_window_is_late(&window, before, now_us));
	CHECK_TRUE(sip_guard_window_is_late(&window, window.sieve.share, now_us)); // sieved since
	CHECK_TRUE(!window.takes_late); // little time to spare
	offer(&window, 3600, 1250, SIP_GUARD_TRIAL_US / (100 * MS), &now_us);
	CHECK_NUMBER(window.trial, 0);
	CHECK_TRUE(!sip_guard_window_is_late(&window, before, now_us));
}

static void who_is_left_out_when_few_call_may_come_late(void **state)
{
	(void)state;
	struct sip_guard_window window = { 0 };
	uint64_t now_us = START_US;
	sip_guard_window_open(&window, 0.125, now_us);
	offer(&window, 1000, 1000, 5, &now_us);
	CHECK_TRUE(window.trial > 0 && window.takes_late);
	offer(&window, 1000, 1000, 100, &now_us);
	CHECK_TRUE(sip_guard_window_is_whole(&window));
}

// Then nobody outside has waited for long.
static void where_others_are_told_nothing_is_on_trial(void **state)
{
	(void)state;
	struct sip_guard_window window = { .are_others_told = true };
	uint64_t now_us = START_US;
	sip_guard_window_open(&window, 0.25, now_us);
	offer(&window, 3600, 1000, 30, &now_us); // no longer early
	uint32_t before = window.sieve.share, start = window.sieve.start;
	offer(&window, 3600, 1250, 6, &now_us);
	CHECK_NUMBER(window.trial, 0);
	CHECK_TRUE(window.sieve.share > before && window.sieve.share <= 2 * before);
	CHECK_TRUE(!sip_guard_window_is_late(&window, window.sieve.share - 1, now_us));
	before = window.sieve.share;
	offer(&window, 3600, 1250, SIP_GUARD_TURN_US / (100 * MS), &now_us);
	CHECK_TRUE(window.sieve.start != start); // and moves on all the same
	CHECK_TRUE(window.sieve.share < before * 5 / 4);
	offer(&window, 0, 1250, 20, &now_us); // nobody calls any more
	CHECK_TRUE(sip_guard_window_is_whole(&window));
}

// Whoever is not answered repeats, and is read again.
static void where_others_are_told_all_peers_are(void **state)
{
	(void)state;
	struct sip_guard_overload overload = { .is_on = true, .rate = 100 };
	unsigned peers = 0, strangers = 0;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 1000; i++)
			peers += sip_guard_overload_may_answer(&overload, SIP_GUARD_NEED_PEER,
							       START_US);
		CHECK_TRUE(round == 0 ? peers < 100 : peers >= 1000);
		overload.window.are_others_told = true;
	}
	for (unsigned i = 0; i < 1000; i++)
		strangers +=
			sip_guard_overload_may_answer(&overload, SIP_GUARD_NEED_STRANGER, START_US);
	CHECK_TRUE(strangers < 100);
}

static void it_moves_on(void **state)
{
	(void)state;
	struct sip_guard_window window = { 0 };
	uint64_t now_us = START_US;
	sip_guard_window_open(&window, 0.125, now_us);
	uint32_t start = window.sieve.start, share = window.sieve.share;
	for (unsigned i = 0; i < 4; i++) // what is read fits
		offer(&window, 8000, 950, SIP_GUARD_TURN_US / (100 * MS) + 30, &now_us);
	CHECK_TRUE((window.sieve.start - start) % SIP_GUARD_SHARE_ALL >= share * 3 / 4);
}

// ---- callers who repeat

#define CALLERS 120000
#define DATAGRAMS 20000 // room in the socket
#define WORK_LATER_MS 50 // at least: most of a call's work comes then
#define WORK_SPREAD_MS 100
#define NOBODY UINT32_MAX

struct caller {
	uint64_t born_us;
	uint32_t next; // in its millisecond's list
	uint8_t tries;
	bool is_done;
};

struct datagram {
	uint32_t caller;
	uint64_t arrived_us;
};

struct model {
	struct sip_guard_overload overload;
	bool has_refuser;
	struct caller callers[CALLERS];
	uint32_t due[60000]; // by millisecond: who sends
	unsigned works[60000]; // by millisecond: calls that go on
	struct datagram queue[DATAGRAMS];
	unsigned first, count, caller_count;
	double cost_us, left_us; // of a call; of the thread's time
	uint64_t now_us, used_us;
	unsigned in_time, late, told;
	unsigned work;
};

static void send_later(struct model *model, uint32_t caller, uint64_t at_us)
{
	uint64_t ms = (at_us - START_US) / MS;
	if (ms >= 60000)
		return;
	model->callers[caller].next = model->due[ms];
	model->due[ms] = caller;
}

static uint32_t place_of(const struct model *model, uint32_t caller)
{
	return ((caller * 0x9e3779b1u >> 16) - model->overload.window.sieve.start) &
	       (SIP_GUARD_SHARE_ALL - 1);
}

// As RFC 3261 17.1.1.2 has it: after 0.5, 1.5 and 3.5 s.
static void send(struct model *model, uint32_t index)
{
	struct caller *caller = &model->callers[index];
	if (caller->is_done || caller->tries == 4)
		return;
	send_later(model, index, model->now_us + (500ull << caller->tries++) * MS);
	if (model->overload.is_on && place_of(model, index) >= model->overload.window.sieve.share) {
		caller->is_done = model->has_refuser;
		return;
	}
	if (model->count < DATAGRAMS)
		model->queue[(model->first + model->count++) % DATAGRAMS] =
			(struct datagram){ index, model->now_us };
}

static void admit(struct model *model, struct caller *caller)
{
	uint64_t took_us = model->now_us - caller->born_us;
	caller->is_done = true;
	model->in_time += took_us <= S;
	model->late += took_us > S;
	uint64_t ms =
		(model->now_us - START_US) / MS + WORK_LATER_MS + model->in_time % WORK_SPREAD_MS;
	if (ms < 60000)
		model->works[ms]++;
}

// Returns what it cost.
static double serve(struct model *model)
{
	struct datagram datagram = model->queue[model->first];
	struct caller *caller = &model->callers[datagram.caller];
	struct sip_guard_overload *overload = &model->overload;
	enum sip_guard_need need = SIP_GUARD_NEED_PEER;
	model->first = (model->first + 1) % DATAGRAMS;
	model->count--;
	sip_guard_overload_note(overload, SIP_GUARD_DATAGRAMS, model->now_us - datagram.arrived_us);
	if (caller->is_done || model->now_us - datagram.arrived_us > S / 2)
		return model->cost_us / 50;
	if (overload->is_on &&
	    sip_guard_window_is_late(&overload->window, place_of(model, datagram.caller),
				     datagram.arrived_us))
		need = SIP_GUARD_NEED_LATE;
	if ((need != SIP_GUARD_NEED_LATE || overload->window.takes_late) &&
	    sip_guard_overload_admit(overload, need, model->now_us)) {
		admit(model, caller);
		return model->cost_us * 0.3;
	}
	if (!sip_guard_overload_may_answer(overload, need, model->now_us))
		return model->cost_us / 50;
	caller->is_done = true;
	model->told++;
	return model->cost_us / 10;
}

static void turn(struct model *model)
{
	uint64_t ms = (model->now_us - START_US) / MS;
	for (uint32_t caller = model->due[ms], next; caller != NOBODY; caller = next) {
		next = model->callers[caller].next;
		send(model, caller);
	}
	model->work += model->works[ms];
	model->left_us += MS;
	double before_us = model->left_us;
	for (; model->work > 0 && model->left_us > 0; model->work--)
		model->left_us -= model->cost_us * 0.7;
	while (model->count > 0 && model->left_us > 0)
		model->left_us -= serve(model);
	model->used_us += (uint64_t)(before_us - model->left_us);
	if (model->left_us > 0)
		model->left_us = 0; // it rests
	model->now_us += MS;
	model->overload.window.are_others_told = model->has_refuser;
	(void)sip_guard_overload_look(&model->overload, 20 * MS,
				      (struct sip_guard_time){ model->now_us, model->used_us });
}

static void run(struct model *model, double calls_per_s, unsigned seconds)
{
	double due = 0;
	model->in_time = model->late = model->told = 0;
	for (unsigned i = 0; i < seconds * 1000; i++) {
		for (due += calls_per_s / 1000; due >= 1 && model->caller_count < CALLERS; due--) {
			model->callers[model->caller_count].born_us = model->now_us;
			send_later(model, model->caller_count++, model->now_us);
		}
		turn(model);
	}
}

static struct model *create_model(double capacity)
{
	struct model *model = calloc(1, sizeof(*model));
	assert_non_null(model);
	model->now_us = START_US;
	model->cost_us = S / capacity;
	for (unsigned i = 0; i < 60000; i++)
		model->due[i] = NOBODY;
	return model;
}

static double share_at_ten_times(double capacity, bool has_refuser)
{
	struct model *model = create_model(capacity);
	model->has_refuser = has_refuser;
	run(model, 10 * capacity, 3);
	run(model, 10 * capacity, 15);
	double share = model->in_time / (15 * capacity);
	CHECK_TRUE(model->late < model->in_time / 5);
	CHECK_TRUE(model->told > 0);
	free(model);
	return share;
}

static void nearly_all_is_done_at_ten_times_the_capacity(void **state)
{
	(void)state;
	static const double capacities[] = { 100, 300, 600 };
	for (unsigned i = 0; i < 3; i++) {
		double share = share_at_ten_times(capacities[i], true);
		if (share < 0.75)
			fail_msg("%.0f: %.3f", capacities[i], share);
	}
}

static void most_is_done_without_a_refuser(void **state)
{
	(void)state;
	static const double capacities[] = { 100, 300, 600 };
	for (unsigned i = 0; i < 3; i++) {
		double share = share_at_ten_times(capacities[i], false);
		if (share < 0.6) // all callers begin at once here, and so do their repeats
			fail_msg("%.0f: %.3f", capacities[i], share);
	}
}

static void it_ends_when_the_callers_go(void **state)
{
	(void)state;
	struct model *model = create_model(300);
	run(model, 3000, 5);
	CHECK_TRUE(model->overload.is_on);
	run(model, 150, 30);
	CHECK_TRUE(!model->overload.is_on);
	CHECK_TRUE(model->in_time > 150 * 22); // the others repeat, and come late
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_more_is_read_than_can_be_done),
		cmocka_unit_test(it_shrinks_at_once_and_at_its_old_end),
		cmocka_unit_test(what_is_new_in_it_is_on_trial),
		cmocka_unit_test(who_is_left_out_when_few_call_may_come_late),
		cmocka_unit_test(where_others_are_told_nothing_is_on_trial),
		cmocka_unit_test(where_others_are_told_all_peers_are),
		cmocka_unit_test(it_moves_on),
		cmocka_unit_test(nearly_all_is_done_at_ten_times_the_capacity),
		cmocka_unit_test(most_is_done_without_a_refuser),
		cmocka_unit_test(it_ends_when_the_callers_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
