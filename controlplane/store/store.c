// The connection's life: find or start Redis, subscribe, load, serve, lose it, come back.
// Runs on: control thread. Never blocks but in store_stop, where the embedded one is shut down.

#include "store/store.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/embedded.h"
#include "store/keys.h"
#include "store/limits/limits.h"
#include "store/redis.h"
#include "store/state.h"

#define RETRY_MIN_MS 20
#define RETRY_MAX_MS 2000
#define BEAT_MS 1000

static uint64_t wall_ms(void)
{
	struct clock clock;
	clock_update(&clock);
	return clock.wall_ms;
}

static void wait_for(struct event *event, uint64_t ms)
{
	struct timeval time = { .tv_sec = (time_t)(ms / 1000),
				.tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	event_add(event, &time);
}

static void set_state(struct store *store, enum store_state state)
{
	if (store->state == state)
		return;
	store->state = state;
	if (store->changed)
		store->changed(store->context, state);
}

// One line when the reason is another than before, not one for each attempt.
static void note_loss(struct store *store, const char *why)
{
	bool is_news = store->state == STORE_READY || strcmp(store->why, why) != 0;
	if (store->state != STORE_AWAY)
		store->away_since_ms = wall_ms();
	counter_add(&store->counters.losses, store->state == STORE_READY);
	if (is_news)
		log_event(LOG_WARNING,
			  store->state == STORE_STARTING ? "store_waits" : "store_away", "where",
			  store->where, "why", why, NULL);
	(void)snprintf(store->why, sizeof(store->why), "%s", why);
}

static void close_connections(struct store *store)
{
	struct store_redis *commands = store->commands, *subscription = store->subscription;
	store->commands = NULL;
	store->subscription = NULL;
	store->is_up = false;
	store->is_subscribed = false;
	store_redis_close(commands);
	store_redis_close(subscription);
	store_load_abort(store);
	event_del(store->beat);
	store->is_beating = false;
}

void store_lose(struct store *store, const char *why)
{
	char text[sizeof(store->why)];
	(void)snprintf(text, sizeof(text), "%s", why); // may be a connection's own
	note_loss(store, text);
	if (store->limits)
		store_limits_disconnect(store->limits, text);
	close_connections(store);
	if (store->state == STORE_READY)
		set_state(store, STORE_AWAY);
	store_places_move(&store->places);
	wait_for(store->retry, store->retry_ms);
	store->retry_ms = store->retry_ms * 2 < RETRY_MAX_MS ? store->retry_ms * 2 : RETRY_MAX_MS;
}

void store_loaded(struct store *store)
{
	store->retry_ms = RETRY_MIN_MS;
	store->why[0] = 0;
	wait_for(store->beat, BEAT_MS);
	set_state(store, STORE_READY);
}

static void on_lost(void *context, const char *why)
{
	store_lose(context, why);
}

static void on_message(void *context, struct text message)
{
	store_follow_event(context, message);
}

// Subscribed first, then loaded: no change falls between.
static void load_when_joined(struct store *store)
{
	if (store->is_up && store->is_subscribed)
		store_load_start(store);
}

static void on_subscribed(void *context, const struct redisReply *reply)
{
	struct store *store = context;
	struct text error = store_redis_error(reply);
	char why[128];
	(void)snprintf(why, sizeof(why), "%.*s", TEXT_FORMAT(error));
	if (!reply)
		return;
	if (error.size > 0) {
		store_redis_fail(store->subscription, why);
		return;
	}
	store->is_subscribed = true;
	load_when_joined(store);
}

static void on_subscription_up(void *context)
{
	struct store *store = context;
	(void)store_redis_subscribe(store->subscription, STORE_CHANNEL, on_subscribed, store);
}

static void on_commands_up(void *context)
{
	struct store *store = context;
	store->is_up = true;
	if (store->limits)
		store_limits_connect(store->limits, store->commands);
	if (store->embedded)
		store_embedded_adopt(store->embedded, store_redis_socket(store->commands));
	load_when_joined(store);
}

static bool open_connections(struct store *store, char out_why[static 128])
{
	const struct store_url *url = store_places_get(&store->places);
	struct store_redis_events commands = { on_commands_up, on_lost, on_message, store };
	struct store_redis_events subscription = { on_subscription_up, on_lost, on_message, store };
	store_places_write(&store->places, store->where);
	store->commands = store_redis_open(store->loop, url, &store->password, &commands, out_why);
	if (store->commands)
		store->subscription = store_redis_open(store->loop, url, &store->password,
						       &subscription, out_why);
	return store->subscription != NULL;
}

static enum status attempt(struct store *store)
{
	char why[128] = "";
	if (open_connections(store, why))
		return OK;
	enum status status = store->embedded ? store_embedded_ensure(store->embedded) : OK;
	store_lose(store, why);
	return status;
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	(void)attempt(context); // what went wrong is logged, and tried again
}

static void on_beat(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	struct store *store = context;
	store_follow_beat(store);
	wait_for(store->beat, BEAT_MS);
}

static void on_finish(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	store_change_tell(context);
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	store_load_sweep(context);
}

// The password is the file's first line.
static enum status read_password(const char *path, struct secret *out_password)
{
	uint8_t room[SECRET_SIZE + 2];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, room, sizeof(room)) : -1;
	enum status status = ERR_SYSTEM;
	if (size > 0) {
		const uint8_t *end = memchr(room, '\n', (size_t)size);
		size_t length = end ? (size_t)(end - room) : (size_t)size;
		status = length > 0 && secret_set(out_password, room, length) ? OK : ERR_MALFORMED;
	}
	if (status != OK)
		log_event(LOG_ERROR, "store_password_unreadable", "file", path, "problem",
			  fd < 0 ? strerror(errno) : "its first line has to be 1 to 128 octets",
			  NULL);
	secret_wipe(room, sizeof(room));
	if (fd >= 0)
		close(fd);
	return status;
}

static enum status locate(struct store *store, const struct store_options *options)
{
	const char *why = NULL;
	enum status status;
	store->places.count = 1;
	if (options->url && options->url[0]) {
		status = store_url_parse(text_of(options->url), &store->places.items[0], &why);
		if (status != OK)
			log_event(LOG_ERROR, "store_url_refused", "problem", why, NULL);
	} else {
		status = store_embedded_create(store->loop, options, &store->embedded);
		if (status == OK)
			store_embedded_url(store->embedded, &store->places.items[0]);
	}
	if (status != OK)
		return status;
	for (unsigned i = 0; i < options->address_count && !store->embedded; i++)
		(void)store_places_add(&store->places, &options->addresses[i]);
	store_places_write(&store->places, store->where);
	if (options->password_file && options->password_file[0] && !store->embedded)
		status = read_password(options->password_file, &store->password);
	return status;
}

enum status store_start(struct event_base *loop, const struct store_options *options,
			struct store **out_store)
{
	struct store *store = calloc(1, sizeof(*store));
	enum status status = ERR_MEMORY;
	if (!store)
		return status;
	(void)signal(SIGPIPE, SIG_IGN); // hiredis writes without MSG_NOSIGNAL
	store->loop = loop;
	store->directory = options->directory;
	store->changed = options->changed;
	store->context = options->context;
	store->retry_ms = RETRY_MIN_MS;
	store->retry = evtimer_new(loop, on_retry, store);
	store->beat = evtimer_new(loop, on_beat, store);
	store->finish = event_new(loop, -1, 0, on_finish, store);
	store->sweep = evtimer_new(loop, on_sweep, store);
	if (!store->retry || !store->beat || !store->finish || !store->sweep)
		goto fail;
	status = locate(store, options);
	if (status == OK && options->limits) {
		store->limits = store_limits_create(loop, options->limits);
		status = store->limits ? OK : ERR_MEMORY;
	}
	if (status == OK)
		status = attempt(store);
	if (status == ERR_BUSY)
		status = OK; // another holds the file, or it was only just started: tried again
	if (status != OK)
		goto fail;
	*out_store = store;
	return OK;
fail:
	store_stop(store);
	return status;
}

void store_stop(struct store *store)
{
	if (!store)
		return;
	store->state = STORE_AWAY; // nobody is told any more
	if (store->retry && store->beat && store->finish)
		close_connections(store);
	store_change_abandon(store);
	store_limits_destroy(store->limits);
	if (store->embedded)
		store_embedded_stop(store->embedded);
	store_embedded_destroy(store->embedded);
	if (store->retry)
		event_free(store->retry);
	if (store->beat)
		event_free(store->beat);
	if (store->finish)
		event_free(store->finish);
	if (store->sweep)
		event_free(store->sweep);
	directory_destroy(store->retired);
	secret_clear(&store->password);
	free(store);
}

enum store_state store_state(const struct store *store)
{
	return store->state;
}

const char *store_where(const struct store *store)
{
	return store->where;
}

struct store_limits *store_limits(const struct store *store)
{
	return store->limits;
}

const struct store_counters *store_counters(const struct store *store)
{
	return &store->counters;
}
