// The control thread's loop: one tick, three signals, and everybody's sockets. Never blocks.

#include "control.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "attachment.h"
#include "base/log.h"
#include "call/engine.h"
#include "config/config.h"
#include "media/media.h"
#include "part.h"
#include "reload.h"
#include "sip/guard/guard.h"
#include "sip/transport.h"

#define TICK_MS 5
#define LATE_MS 20
#define STOP_WAIT_MS 5000

// Returns by how many microseconds this turn is late.
static uint64_t note_lateness(struct control *control)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t turn_us = (now_ns - control->tick_ns) / 1000;
	control->tick_ns = now_ns;
	if (turn_us >= (TICK_MS + LATE_MS) * 1000) {
		counter_add(&control->admin_context.loop_late, 1);
		if (turn_us > counter_get(&control->admin_context.loop_worst_us))
			counter_set(&control->admin_context.loop_worst_us, turn_us);
	}
	return turn_us > TICK_MS * 1000 ? turn_us - TICK_MS * 1000 : 0;
}

static uint64_t thread_time_us(void)
{
	struct timespec used = { 0, 0 };
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

static void tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct control *control = context;
	uint64_t late_us = note_lateness(control);
	clock_update(&control->clock);
	sip_guard_tick(control->guard, late_us, thread_time_us());
	sip_transport_steer(control->transport, sip_guard_has_door(control->guard));
	attachment_tick(control->attachment);
	media_engine_tick(control->media);
	wheel_run(control->wheel, control->clock.now_ms);
	if (control->stop_by_ms != 0 &&
	    (calls_count(control->calls) == 0 || control->clock.now_ms >= control->stop_by_ms))
		(void)event_base_loopbreak(control->loop);
}

static void asked_to_stop(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	struct control *control = context;
	if (control->stop_by_ms != 0) { // asked twice: at once
		(void)event_base_loopbreak(control->loop);
		return;
	}
	log_event(LOG_INFO, "stopping", NULL);
	control->stop_by_ms = control->clock.now_ms + STOP_WAIT_MS;
	calls_hang_up(control->calls);
}

static void asked_to_reload(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	char room[4096];
	(void)reload_run(context, room, sizeof room); // the log tells
}

static enum status add_events(struct control *control)
{
	static const struct timeval interval = { .tv_usec = TICK_MS * 1000 };
	control->tick = event_new(control->loop, -1, EV_PERSIST, tick, control);
	control->signals[0] = evsignal_new(control->loop, SIGTERM, asked_to_stop, control);
	control->signals[1] = evsignal_new(control->loop, SIGINT, asked_to_stop, control);
	control->signals[2] = evsignal_new(control->loop, SIGHUP, asked_to_reload, control);
	for (unsigned i = 0; i < 3; i++) {
		if (control->signals[i] == NULL || event_add(control->signals[i], NULL) != 0)
			return ERR_MEMORY;
	}
	if (control->tick == NULL || event_add(control->tick, &interval) != 0)
		return ERR_MEMORY;
	return OK;
}

static void remove_events(struct control *control)
{
	if (control->tick != NULL)
		event_free(control->tick);
	for (unsigned i = 0; i < 3; i++) {
		if (control->signals[i] != NULL)
			event_free(control->signals[i]);
	}
}

struct event_base *control_create_loop(void)
{
	struct event_config *wanted = event_config_new();
	struct event_base *loop = NULL;
	// One epoll_ctl for all that a turn changes on a socket.
	if (wanted != NULL &&
	    event_config_set_flag(wanted, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) == 0)
		loop = event_base_new_with_config(wanted);
	if (wanted != NULL)
		event_config_free(wanted);
	return loop;
}

// What comes meanwhile is read, answered and written together: falling asleep, waking the peers and writing
// small records was a third of what a call by TLS cost.
static void gather(struct control *control)
{
	uint64_t done = counter_get(&sip_transport_counters(control->transport)->received);
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t until_ns = gather_until(&control->gather, now_ns, done);
	const struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000),
					.tv_nsec = (long)(until_ns % 1000000000) };
	if (until_ns > now_ns) // a signal ends it
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void run_turns(struct control *control)
{
	while (event_base_loop(control->loop, EVLOOP_ONCE) == 0 &&
	       !event_base_got_break(control->loop))
		gather(control);
}

int control_run(const char *config_path, struct config *config)
{
	struct control *control = calloc(1, sizeof *control);
	if (control == NULL)
		return 1;
	control->config_path = config_path;
	control->config = config;
	(void)signal(SIGPIPE, SIG_IGN);
	unsigned started = 0;
	enum status status = OK;
	for (; part_at(started) != NULL && status == OK; started++)
		status = part_at(started)->start(control);
	if (status == OK)
		status = add_events(control);
	else
		log_event(LOG_ERROR, "start_failed", "part", part_at(started - 1)->name, "problem",
			  status_text(status), NULL);
	if (status == OK) {
		log_event(LOG_INFO, "started", "config", config_path, NULL);
		control->tick_ns = clock_monotonic_ns();
		run_turns(control);
	}
	remove_events(control);
	for (unsigned i = started; i-- > 0;) {
		if (part_at(i)->stop != NULL)
			part_at(i)->stop(control);
	}
	free(control);
	return status == OK ? 0 : 1;
}
