// A node's part in the limits that nodes share: it joins under a new name in each life, so that nothing of a
// former one counts, whatever became of it. Runs on the control thread; never waits.

#include "store/limits/limits.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "store/keys.h"
#include "store/limits/script.h"
#include "store/redis.h"

#define DIGEST_SIZE 41
#define KEY_SIZE 80
#define BEATS 5 // in the time after which a node is taken for dead
#define RETRY_MS 250

enum state { AWAY, LOADING, JOINING, JOINED };

struct store_limits {
	struct store_redis *redis; // NULL: no connection
	struct store_limits_events events;
	enum state state;
	char name[192];
	char life[RANDOM_SID_SIZE];
	char slots[KEY_SIZE]; // key of this life's
	char timeout_ms[16];
	unsigned beat_ms, wait_ms;
	char digests[STORE_LIMITS_SCRIPTS][DIGEST_SIZE];
	unsigned loaded, loading; // loading: not answered yet
	unsigned nodes;
	bool is_beating; // one is under way
	uint64_t asked_ms; // when it asked to join
	char why[128];
	struct event *beat, *retry;
};

static uint64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

static void wait_for(struct event *event, unsigned ms)
{
	struct timeval time = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	event_add(event, &time);
}

static void leave(struct store_limits *limits, const char *why)
{
	bool was_joined = limits->state == JOINED;
	limits->state = AWAY;
	event_del(limits->beat);
	(void)snprintf(limits->why, sizeof limits->why, "%s", why);
	if (!was_joined)
		return;
	log_event(LOG_WARNING, "limits_alone", "why", limits->why, NULL);
	if (limits->events.left)
		limits->events.left(limits->events.context, limits->why);
}

static void leave_and_retry(struct store_limits *limits, const char *why)
{
	leave(limits, why);
	wait_for(limits->retry, RETRY_MS);
}

// False: nothing came, or an error; it has left then.
static bool is_answer(struct store_limits *limits, const struct redisReply *reply)
{
	struct text error = store_redis_error(reply);
	char why[128];
	if (reply == NULL || error.size == 0)
		return reply != NULL;
	(void)snprintf(why, sizeof why, "%.*s", TEXT_FORMAT(error));
	leave_and_retry(limits, why);
	return false;
}

struct command {
	struct text words[2 * STORE_LIMITS_READ_MAX + 16];
	unsigned count;
};

static void add(struct command *command, const char *word)
{
	command->words[command->count++] = text_of(word);
}

static struct command command_of(const struct store_limits *limits, enum store_limits_script script,
				 const char *keys)
{
	struct command command = { .count = 0 };
	add(&command, "EVALSHA");
	add(&command, limits->digests[script]);
	add(&command, keys);
	return command;
}

static bool submit(struct store_limits *limits, const struct command *command,
		   store_redis_reply_fn reply, void *context)
{
	return store_redis_send(limits->redis, command->words, command->count, reply, context);
}

static unsigned number_of(const struct redisReply *reply)
{
	uint64_t number = 0;
	return text_to_unsigned(store_redis_text(reply), UINT32_MAX, &number) ? (unsigned)number
									      : 0;
}

static void note_nodes(struct store_limits *limits, unsigned nodes, bool is_news)
{
	struct log_value value;
	if (is_news || nodes != limits->nodes)
		log_event(LOG_INFO, "limits_shared", "nodes", log_number(&value, nodes), NULL);
	limits->nodes = nodes;
}

// An answer that comes late is none: what is slow here would be slow for calls.
static void on_joined(void *context, const struct redisReply *reply)
{
	struct store_limits *limits = context;
	if (limits->state != JOINING || !is_answer(limits, reply))
		return;
	if (now_ms() - limits->asked_ms > limits->wait_ms) {
		leave_and_retry(limits, "Redis is slow");
		return;
	}
	limits->state = JOINED;
	limits->why[0] = '\0';
	limits->is_beating = false;
	wait_for(limits->beat, limits->beat_ms);
	note_nodes(limits, number_of(reply), true);
	if (limits->events.joined)
		limits->events.joined(limits->events.context);
}

static void join(struct store_limits *limits)
{
	random_sid("ND", limits->life);
	(void)snprintf(limits->slots, sizeof limits->slots, STORE_KEY_LIMITS_SLOTS "%s",
		       limits->life);
	struct command command = command_of(limits, STORE_LIMITS_JOIN, "3");
	add(&command, STORE_KEY_LIMITS_NODES);
	add(&command, STORE_KEY_LIMITS_LIVES);
	add(&command, limits->slots);
	add(&command, limits->name);
	add(&command, limits->life);
	add(&command, limits->timeout_ms);
	add(&command, STORE_KEY_LIMITS_SLOTS);
	limits->state = JOINING;
	limits->asked_ms = now_ms();
	(void)submit(limits, &command, on_joined, limits);
}

static void on_beaten(void *context, const struct redisReply *reply)
{
	struct store_limits *limits = context;
	limits->is_beating = false;
	if (limits->state != JOINED || !is_answer(limits, reply))
		return;
	if (number_of(reply) == 0)
		leave_and_retry(limits, "another node has this one's name, or Redis forgot it");
	else
		note_nodes(limits, number_of(reply), false);
}

static void on_beat(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	struct store_limits *limits = context;
	if (limits->is_beating) {
		leave_and_retry(limits, "Redis is slow");
		return;
	}
	struct command command = command_of(limits, STORE_LIMITS_BEAT, "2");
	add(&command, STORE_KEY_LIMITS_NODES);
	add(&command, limits->slots);
	add(&command, limits->life);
	add(&command, limits->timeout_ms);
	limits->is_beating = submit(limits, &command, on_beaten, limits);
	wait_for(limits->beat, limits->beat_ms);
}

// Redis tells the digest of each; after the last one it can be called by it.
static void on_loaded(void *context, const struct redisReply *reply)
{
	struct store_limits *limits = context;
	limits->loading--;
	if (limits->state != LOADING || !is_answer(limits, reply))
		return;
	(void)text_copy(store_redis_text(reply), limits->digests[limits->loaded], DIGEST_SIZE);
	if (++limits->loaded == STORE_LIMITS_SCRIPTS)
		join(limits);
}

static void load(struct store_limits *limits)
{
	limits->state = LOADING;
	limits->loaded = 0;
	for (unsigned i = 0; i < STORE_LIMITS_SCRIPTS; i++) {
		struct text words[] = { TEXT("SCRIPT"), TEXT("LOAD"),
					text_of(store_limits_scripts[i]) };
		limits->loading += store_redis_send(limits->redis, words, 3, on_loaded, limits);
	}
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	struct store_limits *limits = context;
	if (limits->redis == NULL || limits->state != AWAY)
		return;
	if (limits->loading > 0)
		wait_for(limits->retry, RETRY_MS);
	else
		load(limits);
}

struct store_limits *store_limits_create(struct event_base *loop,
					 const struct store_limits_options *options)
{
	struct store_limits *limits = calloc(1, sizeof *limits);
	if (limits == NULL)
		return NULL;
	text_copy_cut(text_of(options->name), limits->name, sizeof limits->name);
	(void)snprintf(limits->timeout_ms, sizeof limits->timeout_ms, "%u",
		       options->node_timeout_s * 1000);
	limits->beat_ms = options->node_timeout_s * 1000 / BEATS;
	limits->wait_ms = options->wait_ms;
	limits->nodes = 1;
	(void)text_copy(TEXT("not yet joined"), limits->why, sizeof limits->why);
	limits->beat = evtimer_new(loop, on_beat, limits);
	limits->retry = evtimer_new(loop, on_retry, limits);
	if (limits->beat != NULL && limits->retry != NULL)
		return limits;
	store_limits_destroy(limits);
	return NULL;
}

void store_limits_destroy(struct store_limits *limits)
{
	if (limits == NULL)
		return;
	if (limits->beat != NULL)
		event_free(limits->beat);
	if (limits->retry != NULL)
		event_free(limits->retry);
	free(limits);
}

void store_limits_connect(struct store_limits *limits, struct store_redis *redis)
{
	limits->redis = redis;
	load(limits);
}

void store_limits_disconnect(struct store_limits *limits, const char *why)
{
	event_del(limits->retry);
	leave(limits, why);
	limits->redis = NULL;
}

void store_limits_attach(struct store_limits *limits, const struct store_limits_events *events)
{
	limits->events = *events;
	if (limits->state == JOINED && events->joined != NULL)
		events->joined(events->context);
}

bool store_limits_has_joined(const struct store_limits *limits)
{
	return limits->state == JOINED;
}

unsigned store_limits_nodes(const struct store_limits *limits)
{
	return limits->nodes > 0 ? limits->nodes : 1;
}

const char *store_limits_why(const struct store_limits *limits)
{
	return limits->why;
}

void store_limits_slow(struct store_limits *limits)
{
	if (limits->state == JOINED)
		leave_and_retry(limits, "Redis is slow");
}

static enum store_limits_cause cause_of(struct text answer)
{
	static const struct {
		const char *word;
		enum store_limits_cause cause;
	} rows[] = {
		{ "ok", STORE_LIMITS_ADMITTED },
		{ "trunk_rate", STORE_LIMITS_TRUNK_RATE },
		{ "account_rate", STORE_LIMITS_ACCOUNT_RATE },
		{ "trunk_calls", STORE_LIMITS_TRUNK_CALLS },
		{ "account_calls", STORE_LIMITS_ACCOUNT_CALLS },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (text_is_equal(answer, text_of(rows[i].word)))
			return rows[i].cause;
	return STORE_LIMITS_UNKNOWN;
}

static void on_taken(void *context, const struct redisReply *reply)
{
	struct store_limits_ask *ask = context;
	struct store_limits *limits = ask->limits;
	enum store_limits_cause cause = STORE_LIMITS_UNKNOWN;
	if (limits->state == JOINED && is_answer(limits, reply)) {
		cause = cause_of(store_redis_text(reply));
		if (cause == STORE_LIMITS_UNKNOWN)
			leave_and_retry(limits, "this node is taken for dead");
	}
	ask->done(ask, cause);
}

struct window_keys {
	char trunk[KEY_SIZE], account[KEY_SIZE];
	char numbers[4][12];
};

static void write_keys(const struct store_limits_ask *ask, struct window_keys *keys)
{
	const uint32_t numbers[] = { ask->trunk_rate, ask->account_rate, ask->trunk_calls,
				     ask->account_calls };
	(void)snprintf(keys->trunk, KEY_SIZE, STORE_KEY_LIMITS_WINDOW "%s", ask->trunk_sid);
	(void)snprintf(keys->account, KEY_SIZE, STORE_KEY_LIMITS_WINDOW "%s", ask->account_sid);
	for (unsigned i = 0; i < 4; i++)
		(void)snprintf(keys->numbers[i], sizeof keys->numbers[i], "%u", numbers[i]);
}

bool store_limits_take(struct store_limits *limits, struct store_limits_ask *ask)
{
	struct window_keys keys;
	if (limits->state != JOINED)
		return false;
	write_keys(ask, &keys);
	ask->limits = limits;
	struct command command = command_of(limits, STORE_LIMITS_TAKE, "3");
	add(&command, STORE_KEY_LIMITS_NODES);
	add(&command, keys.trunk);
	add(&command, keys.account);
	add(&command, STORE_KEY_LIMITS_SLOTS);
	add(&command, limits->life);
	add(&command, limits->timeout_ms);
	add(&command, ask->trunk_sid);
	add(&command, ask->account_sid);
	for (unsigned i = 0; i < 4; i++)
		add(&command, keys.numbers[i]);
	return submit(limits, &command, on_taken, ask);
}

static void on_done(void *context, const struct redisReply *reply)
{
	struct store_limits *limits = context;
	if (limits->state == JOINED)
		(void)is_answer(limits, reply);
}

void store_limits_give(struct store_limits *limits, const char *trunk_sid, const char *account_sid)
{
	if (limits->state != JOINED)
		return; // what is held is told when it joins
	struct command command = command_of(limits, STORE_LIMITS_GIVE, "1");
	add(&command, limits->slots);
	add(&command, trunk_sid);
	add(&command, account_sid);
	(void)submit(limits, &command, on_done, limits);
}

void store_limits_hold(struct store_limits *limits, const char *sid, unsigned calls)
{
	char number[12];
	(void)snprintf(number, sizeof number, "%u", calls);
	struct command command = command_of(limits, STORE_LIMITS_HOLD, "1");
	add(&command, limits->slots);
	add(&command, limits->timeout_ms);
	add(&command, sid);
	add(&command, number);
	(void)submit(limits, &command, on_done, limits);
}

struct reading {
	struct store_limits *limits;
	store_limits_read_fn done;
	void *context;
	unsigned count;
};

static void on_read(void *context, const struct redisReply *reply)
{
	struct reading *reading = context;
	struct store_limits_usage usages[STORE_LIMITS_READ_MAX] = { 0 };
	bool is_known = reading->limits->state == JOINED && is_answer(reading->limits, reply);
	struct text rest = store_redis_text(reply);
	for (unsigned i = 0; i < reading->count && is_known; i++) {
		struct text line = text_split(&rest, '\n');
		uint64_t calls = 0, rate = 0;
		is_known = text_to_unsigned(text_split(&line, ' '), UINT32_MAX, &calls) &&
			   text_to_unsigned(line, UINT32_MAX, &rate);
		usages[i] = (struct store_limits_usage){ (unsigned)calls, (unsigned)rate };
	}
	reading->done(reading->context, is_known ? usages : NULL);
	free(reading);
}

bool store_limits_read(struct store_limits *limits, const char *const *sids, unsigned count,
		       store_limits_read_fn done, void *context)
{
	char keys[STORE_LIMITS_READ_MAX][KEY_SIZE], number[8];
	if (limits->state != JOINED || count > STORE_LIMITS_READ_MAX)
		return false;
	struct reading *reading = calloc(1, sizeof *reading);
	if (reading == NULL)
		return false;
	*reading = (struct reading){ limits, done, context, count };
	(void)snprintf(number, sizeof number, "%u", count + 1);
	struct command command = command_of(limits, STORE_LIMITS_READ, number);
	add(&command, STORE_KEY_LIMITS_NODES);
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(keys[i], KEY_SIZE, STORE_KEY_LIMITS_WINDOW "%s", sids[i]);
		add(&command, keys[i]);
	}
	add(&command, STORE_KEY_LIMITS_SLOTS);
	for (unsigned i = 0; i < count; i++)
		add(&command, sids[i]);
	if (submit(limits, &command, on_read, reading))
		return true;
	free(reading);
	return false;
}
