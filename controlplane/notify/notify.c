// Deliveries: their turn, their attempts, their end. Runs on the control thread, memory only.

#include "notify/notify.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/ring.h"
#include "base/secret.h"
#include "base/wheel.h"
#include "config/notify.h"
#include "notify/pause.h"
#include "notify/sender.h"

#define RING_SIZE 256 // notify.in_flight_max at most

struct delivery {
	struct delivery *next, **previous; // of all
	struct delivery *next_ready; // of its tenant
	struct tenant *tenant;
	struct notify *notify;
	struct wheel_timer retry;
	struct notify_job job;
	notify_done_fn done;
	void *context;
	unsigned attempts;
	bool is_once;
	char body[];
};

struct tenant { // an account that has deliveries, or the operator
	struct map_node node; // by SID
	struct tenant *next, *previous; // in turn; itself when it is out of turn
	struct delivery *first_ready, **last_ready;
	unsigned held, in_flight; // of its deliveries: all, and those under way
	char sid[35];
};

struct notify {
	struct notify_options options;
	struct notify_counters counters;
	struct notify_sender *sender;
	struct ring *jobs, *results;
	struct event *arrival;
	struct map tenants;
	struct tenant turn; // head of those who have something ready
	struct delivery *deliveries;
	struct notify_pauses mails; // of triggers
	unsigned held, in_flight;
};

const char *notify_outcome_label(unsigned outcome)
{
	static const char *const labels[] = { "delivered", "failed", "dropped", "held", "stopped" };
	return outcome < NOTIFY_OUTCOME_COUNT ? labels[outcome] : NULL;
}

const char *notify_way_label(unsigned way)
{
	static const char *const labels[] = { "webhook", "mail" };
	return way < NOTIFY_WAYS ? labels[way] : NULL;
}

static void leave_turn(struct tenant *tenant)
{
	tenant->next->previous = tenant->previous;
	tenant->previous->next = tenant->next;
	tenant->next = tenant->previous = tenant;
}

static void enter_turn(struct notify *notify, struct tenant *tenant)
{
	leave_turn(tenant);
	tenant->next = &notify->turn;
	tenant->previous = notify->turn.previous;
	tenant->previous->next = tenant;
	notify->turn.previous = tenant;
}

static bool tenant_is_equal(const struct map_node *node, const void *key)
{
	return strcmp(map_entry(node, struct tenant, node)->sid, key) == 0;
}

static struct tenant *find_tenant(struct notify *notify, const char *sid)
{
	uint64_t hash = map_hash(text_of(sid));
	struct map_node *node = map_find(&notify->tenants, hash, tenant_is_equal, sid);
	if (node)
		return map_entry(node, struct tenant, node);
	struct tenant *tenant = calloc(1, sizeof(*tenant));
	if (!tenant)
		return NULL;
	text_copy_cut(text_of(sid), tenant->sid, sizeof(tenant->sid));
	tenant->next = tenant->previous = tenant;
	tenant->last_ready = &tenant->first_ready;
	map_add(&notify->tenants, &tenant->node, hash);
	return tenant;
}

static void release_tenant(struct notify *notify, struct tenant *tenant)
{
	if (tenant->held > 0)
		return;
	leave_turn(tenant);
	map_remove(&notify->tenants, &tenant->node);
	free(tenant);
}

static void show(struct notify *notify)
{
	counter_set(&notify->counters.in_flight, notify->in_flight);
	counter_set(&notify->counters.waiting, notify->held - notify->in_flight);
}

static unsigned share(unsigned whole)
{
	return whole / 4 > 0 ? whole / 4 : 1;
}

static void make_ready(struct delivery *delivery)
{
	struct tenant *tenant = delivery->tenant;
	delivery->next_ready = NULL;
	*tenant->last_ready = delivery;
	tenant->last_ready = &delivery->next_ready;
	if (tenant->next == tenant)
		enter_turn(delivery->notify, tenant);
}

static void start(struct notify *notify, struct tenant *tenant)
{
	struct delivery *delivery = tenant->first_ready;
	const struct notify_job *job = &delivery->job;
	tenant->first_ready = delivery->next_ready;
	if (!tenant->first_ready)
		tenant->last_ready = &tenant->first_ready;
	leave_turn(tenant);
	if (tenant->first_ready)
		enter_turn(notify, tenant);
	delivery->attempts++;
	tenant->in_flight++;
	notify->in_flight++;
	counter_add(&notify->counters.attempts[job->way], 1);
	(void)ring_put(notify->jobs, &job); // has room for in_flight_max
}

// The next whose turn it is, of those that have their share not in use.
static struct tenant *next_tenant(struct notify *notify)
{
	unsigned max = share(notify->options.config->in_flight_max);
	struct tenant *tenant = notify->turn.next;
	while (tenant != &notify->turn && tenant->in_flight >= max)
		tenant = tenant->next;
	return tenant != &notify->turn ? tenant : NULL;
}

static void pump(struct notify *notify)
{
	struct tenant *tenant;
	bool has_started = false;
	while (notify->in_flight < notify->options.config->in_flight_max &&
	       (tenant = next_tenant(notify))) {
		start(notify, tenant);
		has_started = true;
	}
	if (has_started)
		notify_sender_wake(notify->sender);
	show(notify);
}

static void on_retry(struct wheel_timer *timer, void *context)
{
	(void)timer;
	struct delivery *delivery = context;
	make_ready(delivery);
	pump(delivery->notify);
}

static void tell(struct notify *notify, notify_done_fn done, void *context,
		 const struct notify_end *end)
{
	counter_add(&notify->counters.outcomes[end->way][end->outcome], 1);
	done(context, end);
}

static void destroy_delivery(struct delivery *delivery)
{
	struct notify *notify = delivery->notify;
	wheel_stop(&delivery->retry);
	*delivery->previous = delivery->next;
	if (delivery->next)
		delivery->next->previous = delivery->previous;
	delivery->tenant->held--;
	notify->held--;
	release_tenant(notify, delivery->tenant);
	secret_wipe(delivery->body, delivery->job.body.size); // it may hold a code
	free(delivery);
}

// Its attempts are added.
static void end(struct delivery *delivery, struct notify_end end)
{
	struct notify *notify = delivery->notify;
	notify_done_fn done = delivery->done;
	void *context = delivery->context;
	end.way = delivery->job.way;
	end.attempts = delivery->attempts;
	destroy_delivery(delivery);
	tell(notify, done, context, &end);
}

static bool is_delivered(const struct notify_result *result)
{
	bool is_answered = result->outcome == FETCH_ANSWERED || result->outcome == FETCH_TOO_LONG;
	return is_answered &&
	       (result->job->way == NOTIFY_MAIL || (result->status >= 200 && result->status < 300));
}

// What will be the same next time is not tried again: an address that is forbidden, a refusal by a 4xx
// of HTTP (but too early, too many, a time-out) or by a 5xx of SMTP (RFC 5321 4.2.1).
static bool can_change(const struct notify_result *result)
{
	unsigned status = result->status;
	if (result->outcome == FETCH_FORBIDDEN)
		return false;
	if (result->job->way == NOTIFY_MAIL)
		return status < 500;
	return result->outcome == FETCH_FAILED || status >= 500 || status == 408 || status == 425 ||
	       status == 429;
}

static enum notify_cause cause_of(const struct notify_result *result)
{
	static const enum notify_cause causes[] = {
		[FETCH_CAUSE_OTHER] = NOTIFY_CAUSE_OTHER,
		[FETCH_CAUSE_NAME] = NOTIFY_CAUSE_NAME,
		[FETCH_CAUSE_CONNECTION] = NOTIFY_CAUSE_CONNECTION,
		[FETCH_CAUSE_TIME] = NOTIFY_CAUSE_TIME,
		[FETCH_CAUSE_TLS] = NOTIFY_CAUSE_TLS,
	};
	return result->outcome == FETCH_ANSWERED || result->outcome == FETCH_TOO_LONG
		       ? NOTIFY_CAUSE_ANSWER
		       : causes[result->cause];
}

static uint64_t pause_ms(const struct delivery *delivery)
{
	return (delivery->notify->options.config->retry_s * 1000ull) << (delivery->attempts - 1);
}

static void take_result(struct notify *notify, const struct notify_result *result)
{
	struct delivery *delivery = (void *)((char *)result->job - offsetof(struct delivery, job));
	const struct notify_config *config = notify->options.config;
	char problem[128];
	struct writer writer = writer_of(problem, sizeof(problem));
	delivery->tenant->in_flight--;
	notify->in_flight--;
	if (is_delivered(result)) {
		end(delivery, (struct notify_end){ .outcome = NOTIFY_DELIVERED,
						   .status = result->status,
						   .problem = "" });
		return;
	}
	if (result->outcome == FETCH_FORBIDDEN) // who reads it may be the operator
		writer_format(&writer, "%s: it is in no network of notify.allowed_targets",
			      result->problem);
	else if (result->status >= 300 || !result->problem[0])
		writer_format(&writer, "it answered %u", result->status);
	else
		writer_string(&writer, result->problem);
	(void)writer_string_done(&writer);
	if (delivery->is_once || !can_change(result) || delivery->attempts > config->retries) {
		end(delivery, (struct notify_end){ .outcome = NOTIFY_FAILED,
						   .status = result->status,
						   .problem = problem,
						   .cause = cause_of(result) });
		return;
	}
	wheel_start(notify->options.wheel, &delivery->retry,
		    notify->options.clock->now_ms + pause_ms(delivery));
}

static void on_results(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct notify *notify = context;
	struct notify_result result;
	ring_quiet(notify->results);
	while (ring_take(notify->results, &result))
		take_result(notify, &result);
	pump(notify);
}

static const char *problem_of(const struct notify *notify, const struct notify_order *order)
{
	if (order->content->size == 0)
		return "out of memory";
	if (order->way == NOTIFY_MAIL && !notify_has_mail(notify))
		return "no mail server is configured (notify.mail_server)";
	if (strlen(order->target) >= NOTIFY_TARGET_SIZE)
		return "its target is too long";
	return notify->held >= notify->options.config->queue_max ? "too many deliveries wait"
								 : NULL;
}

static struct delivery *create_delivery(struct notify *notify, const struct notify_order *order)
{
	struct tenant *tenant = find_tenant(notify, order->account_sid);
	if (!tenant)
		return NULL;
	bool has_room = tenant->held < share(notify->options.config->queue_max);
	size_t size = order->content->size;
	struct delivery *delivery = has_room ? calloc(1, sizeof(*delivery) + size) : NULL;
	if (!delivery) {
		release_tenant(notify, tenant);
		return NULL;
	}
	delivery->notify = notify;
	delivery->tenant = tenant;
	delivery->done = order->done;
	delivery->context = order->context;
	delivery->is_once = order->is_once;
	delivery->job.way = order->way;
	delivery->job.is_trusted = order->is_trusted;
	memcpy(delivery->body, order->content->body, size);
	delivery->job.body = (struct text){ delivery->body, size };
	memcpy(delivery->job.signature, order->content->signature, NOTIFY_SIGNATURE_SIZE);
	memcpy(delivery->job.idempotency, order->content->idempotency, NOTIFY_IDEMPOTENCY_SIZE);
	text_copy_cut(text_of(order->target), delivery->job.target, sizeof(delivery->job.target));
	wheel_timer_init(&delivery->retry, on_retry, delivery);
	delivery->next = notify->deliveries;
	delivery->previous = &notify->deliveries;
	if (delivery->next)
		delivery->next->previous = &delivery->next;
	notify->deliveries = delivery;
	tenant->held++;
	notify->held++;
	return delivery;
}

void notify_send(struct notify *notify, const struct notify_order *order)
{
	const char *problem = problem_of(notify, order);
	struct delivery *delivery = problem ? NULL : create_delivery(notify, order);
	if (delivery) {
		make_ready(delivery);
		pump(notify);
		return;
	}
	struct notify_end end = { order->way,
				  NOTIFY_DROPPED,
				  0,
				  0,
				  problem ? problem : "too many deliveries of the account wait",
				  NOTIFY_CAUSE_OTHER };
	tell(notify, order->done, order->context, &end);
}

bool notify_has_mail(const struct notify *notify)
{
	return notify->options.config->mail_server[0] != 0;
}

bool notify_may_mail(struct notify *notify, const char *trigger_sid, uint32_t *out_held)
{
	uint64_t now_ms = notify->options.clock->now_ms;
	struct notify_pause *pause = notify_pause_find(&notify->mails, trigger_sid, now_ms);
	bool may = pause && pause->until_ms <= now_ms;
	if (may) {
		*out_held = pause->held;
		pause->until_ms = now_ms + notify->options.config->mail_every_s * 1000ull;
		pause->held = 0;
	} else if (pause) {
		pause->held++;
	}
	if (!may)
		counter_add(&notify->counters.outcomes[NOTIFY_MAIL][NOTIFY_HELD], 1);
	return may;
}

const struct notify_counters *notify_counters(const struct notify *notify)
{
	return &notify->counters;
}

enum status notify_start(const struct notify_options *options, struct notify **out_notify)
{
	struct notify *notify = calloc(1, sizeof(*notify));
	enum status status = ERR_MEMORY;
	if (!notify)
		return status;
	notify->options = *options;
	notify->turn.next = notify->turn.previous = &notify->turn;
	notify->jobs = ring_create(sizeof(const struct notify_job *), RING_SIZE);
	notify->results = ring_create(sizeof(struct notify_result), RING_SIZE);
	if (!map_init(&notify->tenants, 64) || !notify->jobs || !notify->results)
		goto fail;
	notify->arrival = event_new(options->loop, ring_fd(notify->results), EV_READ | EV_PERSIST,
				    on_results, notify);
	if (!notify->arrival || event_add(notify->arrival, NULL) != 0)
		goto fail;
	status = notify_sender_start(options->config, notify->jobs, notify->results,
				     &notify->sender);
	if (status != OK)
		goto fail;
	*out_notify = notify;
	return OK;
fail:
	notify_stop(notify);
	return status;
}

void notify_stop(struct notify *notify)
{
	if (!notify)
		return;
	notify_sender_stop(notify->sender);
	while (notify->deliveries)
		end(notify->deliveries,
		    (struct notify_end){ .outcome = NOTIFY_STOPPED,
					 .problem = "trunkd was stopped meanwhile" });
	map_clear(&notify->tenants);
	if (notify->arrival)
		event_free(notify->arrival);
	ring_destroy(notify->jobs);
	ring_destroy(notify->results);
	free(notify);
}
