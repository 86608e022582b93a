// How many may wait at the door: a model of a thread that takes what it can, before a door at which ten times
// as many call. The thread is never without work, and nobody waits for long.

#include "tests/check.h"

#include "sip/guard/waiting.h"

#define MS 1000
#define AIM_US 20000

struct model {
	struct sip_guard_waiting waiting;
	uint64_t now_us, arrivals_us[SIP_GUARD_WAITING_MAX];
	unsigned first, count;
	double cost_us, left_us; // of one; of the thread's time
	unsigned done, refused;
	uint64_t idle_us;
};

static void arrive(struct model *model, unsigned calls)
{
	for (unsigned i = 0; i < calls; i++) {
		bool has_room = model->count < (unsigned)model->waiting.most;
		if (has_room)
			model->arrivals_us[(model->first + model->count++) %
					   SIP_GUARD_WAITING_MAX] = model->now_us;
		model->refused += !has_room;
	}
}

static void work(struct model *model, unsigned for_us)
{
	for (model->left_us += for_us; model->left_us > 0 && model->count > 0; model->count--) {
		uint64_t arrived_us = model->arrivals_us[model->first];
		model->first = (model->first + 1) % SIP_GUARD_WAITING_MAX;
		sip_guard_waiting_note(&model->waiting, model->now_us - arrived_us);
		model->left_us -= model->cost_us;
		model->done++;
	}
	if (model->left_us <= 0)
		return;
	model->idle_us += (uint64_t)model->left_us;
	model->left_us = 0;
}

// door_ms: how often the door has time.
static void run(struct model *model, unsigned per_s, unsigned door_ms, unsigned tenths)
{
	model->done = 0;
	model->idle_us = 0;
	for (unsigned i = 0; i < tenths; i++) {
		model->refused = 0;
		for (unsigned ms = 0; ms < 100; ms++) {
			if (ms % door_ms == 0)
				arrive(model, per_s * door_ms / 1000);
			work(model, MS);
			model->now_us += MS;
		}
		sip_guard_waiting_follow(&model->waiting, AIM_US, model->refused);
	}
}

static void the_thread_never_rests_and_nobody_waits_for_long(void **state)
{
	(void)state;
	static const double capacities[] = { 400, 1000, 3000, 20000 };
	static const unsigned doors_ms[] = { 1, 5, 10 }; // it may have to wait for its CPU, too
	for (unsigned i = 0; i < 12; i++) {
		double capacity = capacities[i / 3];
		struct model model = { .cost_us = 1e6 / capacity };
		unsigned offered = (unsigned)(10 * capacity);
		sip_guard_waiting_begin(&model.waiting);
		run(&model, offered, doors_ms[i % 3], 20);
		run(&model, offered, doors_ms[i % 3], 50);
		if (model.done < 0.99 * 5 * capacity)
			fail_msg("%.0f, each %u ms: %u done, idle for %llu us", capacity,
				 doors_ms[i % 3], model.done, (unsigned long long)model.idle_us);
		if (model.waiting.mean_us < AIM_US / 2 || model.waiting.mean_us > 2 * AIM_US)
			fail_msg("%.0f, each %u ms: waits %llu us", capacity, doors_ms[i % 3],
				 (unsigned long long)model.waiting.mean_us);
	}
}

static void a_slower_thread_has_a_shorter_queue(void **state)
{
	(void)state;
	struct model model = { .cost_us = 100 };
	sip_guard_waiting_begin(&model.waiting);
	run(&model, 100000, 1, 30);
	double most = model.waiting.most;
	CHECK_TRUE(most > 100 && most < 400); // 10,000 a second for 20 ms
	model.cost_us = 1000;
	run(&model, 10000, 1, 30);
	CHECK_TRUE(model.waiting.most > 10 && model.waiting.most < 40);
}

static void while_nobody_is_refused_it_does_not_grow(void **state)
{
	(void)state;
	struct model model = { .cost_us = 1000 };
	sip_guard_waiting_begin(&model.waiting);
	double most = model.waiting.most;
	run(&model, 500, 2, 100);
	CHECK_TRUE(model.waiting.most <= most);
	run(&model, 0, 2, 100);
	CHECK_TRUE(model.waiting.most <= most);
	CHECK_NUMBER(model.waiting.mean_us, 0);
}

// The thread stands still for seconds: one window of long waits, and all is as before.
static void after_a_stall_it_is_as_before(void **state)
{
	(void)state;
	struct model model = { .cost_us = 500 };
	sip_guard_waiting_begin(&model.waiting);
	run(&model, 20000, 2, 30);
	double most = model.waiting.most;
	arrive(&model, 5000);
	model.now_us += 5000 * MS;
	run(&model, 20000, 2, 20);
	CHECK_TRUE(model.waiting.most > 0.7 * most && model.waiting.most < 1.4 * most);
	run(&model, 20000, 2, 50);
	CHECK_TRUE(model.done > 0.99 * 5 * 2000);
}

// One call a second, which waits for long as the thread has much else to do, and then there are many.
static void after_few_calls_many_find_their_room_soon(void **state)
{
	(void)state;
	struct model model = { .cost_us = 1000 };
	sip_guard_waiting_begin(&model.waiting);
	for (unsigned i = 0; i < 600; i++) {
		if (i % 10 == 0)
			sip_guard_waiting_note(&model.waiting, 15 * AIM_US);
		sip_guard_waiting_follow(&model.waiting, AIM_US, 0);
	}
	CHECK_NUMBER((unsigned)model.waiting.most, SIP_GUARD_WAITING_MIN);
	model.cost_us = 50; // 20,000 a second
	run(&model, 200000, 1, 20);
	run(&model, 200000, 1, 20);
	CHECK_TRUE(model.done > 0.99 * 2 * 20000);
}

static void it_stays_within_its_bounds(void **state)
{
	(void)state;
	struct sip_guard_waiting waiting;
	sip_guard_waiting_begin(&waiting);
	for (unsigned i = 0; i < 100; i++) {
		sip_guard_waiting_note(&waiting, UINT32_MAX);
		sip_guard_waiting_follow(&waiting, AIM_US, 1);
	}
	CHECK_NUMBER((unsigned)waiting.most, SIP_GUARD_WAITING_MIN);
	for (unsigned i = 0; i < 100; i++) {
		sip_guard_waiting_note(&waiting, 0);
		sip_guard_waiting_follow(&waiting, AIM_US, 1);
	}
	CHECK_NUMBER((unsigned)waiting.most, SIP_GUARD_WAITING_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_thread_never_rests_and_nobody_waits_for_long),
		TEST(a_slower_thread_has_a_shorter_queue),
		TEST(while_nobody_is_refused_it_does_not_grow),
		TEST(after_a_stall_it_is_as_before),
		TEST(after_few_calls_many_find_their_room_soon),
		TEST(it_stays_within_its_bounds),
	};
	return RUN_TESTS(tests);
}
