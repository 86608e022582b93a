#pragma once

// A hashed timer wheel: starting, stopping and moving a timer cost the same for one or a million.
// Ticks are 10 ms. A timer is a field of what it times; it never allocates.
// Runs on: the thread that owns the wheel.

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_TICK_MS 10
#define WHEEL_SLOTS 8192

struct wheel_timer;
typedef void (*wheel_fn)(struct wheel_timer *timer, void *context);

struct wheel_timer {
	struct wheel_timer *next, *previous; // NULL while not running
	uint64_t deadline_ms;
	wheel_fn fire; // may start or stop any timer, this one too, and free what holds it
	void *context;
};

struct wheel {
	struct wheel_timer slots[WHEEL_SLOTS]; // heads of rings
	uint64_t tick; // next tick to run
	uint64_t now_ms;
};

struct wheel *wheel_create(uint64_t now_ms);
// Timers still running are stopped. Whoever frees a timer before its wheel stops it first.
void wheel_destroy(struct wheel *wheel);
void wheel_timer_init(struct wheel_timer *timer, wheel_fn fire, void *context);
// (Re)starts the timer to fire at the first wheel_run at or after deadline_ms.
void wheel_start(struct wheel *wheel, struct wheel_timer *timer, uint64_t deadline_ms);
void wheel_stop(struct wheel_timer *timer); // harmless when it does not run
bool wheel_is_running(const struct wheel_timer *timer);
void wheel_run(struct wheel *wheel, uint64_t now_ms); // fires everything due, in order of ticks
