// The hashed timer wheel: a timer hangs in the ring of its deadline's tick, modulo the slots.
// Runs on: the thread that owns the wheel. Never allocates after its creation.

#include "base/wheel.h"

#include <stddef.h>
#include <stdlib.h>

static void ring_init(struct wheel_timer *head)
{
	head->next = head;
	head->previous = head;
}

static void ring_append(struct wheel_timer *head, struct wheel_timer *timer)
{
	timer->next = head;
	timer->previous = head->previous;
	head->previous->next = timer;
	head->previous = timer;
}

struct wheel *wheel_create(uint64_t now_ms)
{
	struct wheel *wheel = calloc(1, sizeof(*wheel));
	if (!wheel)
		return NULL;
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		ring_init(&wheel->slots[i]);
	wheel->tick = now_ms / WHEEL_TICK_MS;
	wheel->now_ms = now_ms;
	return wheel;
}

// Timers are unlinked, so that their owners may stop them, harmlessly, after the wheel is gone.
void wheel_destroy(struct wheel *wheel)
{
	if (!wheel)
		return;
	for (size_t i = 0; i < WHEEL_SLOTS; i++) {
		struct wheel_timer *head = &wheel->slots[i];
		while (head->next != head)
			wheel_stop(head->next);
	}
	free(wheel);
}

void wheel_timer_init(struct wheel_timer *timer, wheel_fn fire, void *context)
{
	*timer = (struct wheel_timer){ .fire = fire, .context = context };
}

// A deadline that has passed hangs in the next tick to run, never in one already behind us.
void wheel_start(struct wheel *wheel, struct wheel_timer *timer, uint64_t deadline_ms)
{
	wheel_stop(timer);
	uint64_t tick = deadline_ms / WHEEL_TICK_MS;
	if (tick < wheel->tick)
		tick = wheel->tick;
	timer->deadline_ms = deadline_ms;
	ring_append(&wheel->slots[tick % WHEEL_SLOTS], timer);
}

void wheel_stop(struct wheel_timer *timer)
{
	if (!timer->next)
		return;
	timer->next->previous = timer->previous;
	timer->previous->next = timer->next;
	timer->next = NULL;
	timer->previous = NULL;
}

bool wheel_is_running(const struct wheel_timer *timer)
{
	return timer->next != NULL;
}

// Moves what this tick owes into a ring of its own: callbacks may then start and stop at will, and
// a timer that restarts itself in the past waits for the next run instead of running forever.
static void collect_due(struct wheel *wheel, uint64_t tick, struct wheel_timer *due)
{
	struct wheel_timer *head = &wheel->slots[tick % WHEEL_SLOTS];
	struct wheel_timer *next;
	for (struct wheel_timer *timer = head->next; timer != head; timer = next) {
		next = timer->next;
		bool is_later_turn = timer->deadline_ms / WHEEL_TICK_MS > tick;
		if (is_later_turn || timer->deadline_ms > wheel->now_ms)
			continue;
		wheel_stop(timer);
		ring_append(due, timer);
	}
}

// The last tick is run again next time: timers later in its 10 ms are not due yet.
void wheel_run(struct wheel *wheel, uint64_t now_ms)
{
	if (now_ms > wheel->now_ms)
		wheel->now_ms = now_ms;
	uint64_t last = wheel->now_ms / WHEEL_TICK_MS;
	for (uint64_t tick = wheel->tick; tick <= last; tick++) {
		struct wheel_timer due;
		ring_init(&due);
		collect_due(wheel, tick, &due);
		wheel->tick = tick < last ? tick + 1 : last;
		while (due.next != &due) {
			struct wheel_timer *timer = due.next;
			wheel_stop(timer);
			timer->fire(timer, timer->context);
		}
	}
}
