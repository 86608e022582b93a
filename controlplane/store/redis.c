// One connection to Redis through hiredis' asynchronous interface, driven by the loop.
// Runs on: control thread. Never blocks: no synchronous command, no name resolution.
//
// hiredis calls back from deep within itself and frees its context then, so that nothing here tells the
// owner of a loss at once: it is noted, and told from a turn of the loop of its own.

#include "store/redis.h"

#include <errno.h>
#include <event2/event.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "store/url.h"

#define WORDS_MAX 128

struct pending { // a command under way; Redis answers in order
	struct pending *next;
	uint64_t deadline_ms;
	struct store_redis *redis;
	store_redis_reply_fn reply;
	void *context;
};

struct store_redis {
	redisAsyncContext *connection; // NULL once hiredis let go of it
	struct store_redis_events events;
	struct pending *first, **last;
	struct event *deadline, *loss;
	bool is_lost;
	char why[128];
};

static uint64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

static void wait_for(struct event *event, uint64_t ms)
{
	struct timeval time = { .tv_sec = (time_t)(ms / 1000),
				.tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	event_add(event, &time);
}

void store_redis_fail(struct store_redis *redis, const char *why)
{
	if (redis->is_lost)
		return;
	redis->is_lost = true;
	(void)snprintf(redis->why, sizeof(redis->why), "%s", why);
	event_active(redis->loss, EV_TIMEOUT, 0);
}

static void tell_loss(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	struct store_redis *redis = context;
	redis->events.lost(redis->events.context, redis->why);
}

static void check_deadline(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	struct store_redis *redis = context;
	uint64_t now = now_ms();
	if (!redis->first)
		return;
	if (redis->first->deadline_ms <= now)
		store_redis_fail(redis, "no answer in 2 s");
	else
		wait_for(redis->deadline, redis->first->deadline_ms - now);
}

static struct pending *add_pending(struct store_redis *redis, store_redis_reply_fn reply,
				   void *context)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	if (!pending)
		return NULL;
	*pending = (struct pending){ .deadline_ms = now_ms() + STORE_REDIS_DEADLINE_MS,
				     .redis = redis,
				     .reply = reply,
				     .context = context };
	if (!redis->first)
		wait_for(redis->deadline, STORE_REDIS_DEADLINE_MS);
	*redis->last = pending;
	redis->last = &pending->next;
	return pending;
}

static void finish_first(struct store_redis *redis, const struct redisReply *reply)
{
	struct pending *pending = redis->first;
	if (!pending)
		return;
	redis->first = pending->next;
	if (!redis->first)
		redis->last = &redis->first;
	if (pending->reply)
		pending->reply(pending->context, reply);
	free(pending);
}

static void on_reply(redisAsyncContext *connection, void *reply, void *context)
{
	(void)connection;
	struct store_redis *redis = context;
	finish_first(redis, reply);
}

static void on_message(redisAsyncContext *connection, void *reply, void *context)
{
	(void)connection;
	struct store_redis *redis = context;
	struct text kind = store_redis_text(store_redis_at(reply, 0));
	if (text_is_equal(kind, TEXT("message")))
		redis->events.message(redis->events.context,
				      store_redis_text(store_redis_at(reply, 2)));
	else
		finish_first(redis, reply); // the subscription itself, an error, or the end
}

static void on_connect(const redisAsyncContext *connection, int status)
{
	struct store_redis *redis = connection->data;
	if (status == REDIS_OK || !redis)
		return;
	store_redis_fail(redis, connection->errstr ? connection->errstr : "cannot connect");
	redis->connection = NULL; // hiredis frees it after this
}

static void on_disconnect(const redisAsyncContext *connection, int status)
{
	struct store_redis *redis = connection->data;
	if (!redis)
		return;
	store_redis_fail(redis,
			 status != REDIS_OK && connection->errstr ? connection->errstr : "closed");
	redis->connection = NULL;
}

// The answer to the PING that ends the greeting; before it AUTH or SELECT may have failed.
static void greeted(void *context, const struct redisReply *reply)
{
	struct store_redis *redis = context;
	struct text error = store_redis_error(reply);
	char why[128];
	if (redis->is_lost || !reply)
		return;
	(void)snprintf(why, sizeof(why), "%.*s", TEXT_FORMAT(error));
	if (error.size > 0)
		store_redis_fail(redis, why);
	else
		redis->events.up(redis->events.context);
}

static void introduced(void *context, const struct redisReply *reply)
{
	struct store_redis *redis = context;
	struct text error = store_redis_error(reply);
	char why[128];
	(void)snprintf(why, sizeof(why), "%.*s", TEXT_FORMAT(error));
	if (reply && error.size > 0)
		store_redis_fail(redis, why);
}

const char *store_redis_objection(const struct redisReply *role)
{
	bool is_replica = text_is_equal(store_redis_text(store_redis_at(role, 0)), TEXT("slave"));
	return is_replica ? "it is a replica, not the master" : NULL;
}

static void on_role(void *context, const struct redisReply *reply)
{
	struct store_redis *redis = context;
	const char *objection = store_redis_objection(reply);
	if (objection)
		store_redis_fail(redis, objection);
}

static bool greet(struct store_redis *redis, const struct store_url *url,
		  const struct secret *password)
{
	struct text words[2] = { TEXT("AUTH") };
	char database[16];
	if (password->size > 0) {
		words[1] = (struct text){ (const char *)password->octets, password->size };
		if (!store_redis_send(redis, words, 2, introduced, redis))
			return false;
	}
	if (url->database > 0) {
		(void)snprintf(database, sizeof(database), "%u", url->database);
		words[0] = TEXT("SELECT");
		words[1] = text_of(database);
		if (!store_redis_send(redis, words, 2, introduced, redis))
			return false;
	}
	words[0] = TEXT("ROLE");
	if (!store_redis_send(redis, words, 1, on_role, redis))
		return false;
	words[0] = TEXT("PING");
	return store_redis_send(redis, words, 1, greeted, redis);
}

static redisAsyncContext *connect_to(const struct store_url *url)
{
	char host[ADDRESS_TEXT_SIZE];
	struct writer out = writer_of(host, sizeof(host));
	if (url->path[0])
		return redisAsyncConnectUnix(url->path);
	address_write_host(&url->address, &out);
	const char *name = writer_string_done(&out);
	return name ? redisAsyncConnect(name, url->address.port) : NULL;
}

struct store_redis *store_redis_open(struct event_base *loop, const struct store_url *url,
				     const struct secret *password,
				     const struct store_redis_events *events,
				     char out_why[static 128])
{
	struct store_redis *redis = calloc(1, sizeof(*redis));
	const char *why = "out of memory";
	if (!redis)
		goto fail;
	redis->events = *events;
	redis->last = &redis->first;
	redis->deadline = evtimer_new(loop, check_deadline, redis);
	redis->loss = event_new(loop, -1, 0, tell_loss, redis);
	redis->connection = connect_to(url);
	if (!redis->deadline || !redis->loss || !redis->connection)
		goto fail;
	why = redis->connection->errstr;
	if (redis->connection->err)
		goto fail;
	redis->connection->data = redis;
	why = "cannot begin";
	if (redisLibeventAttach(redis->connection, loop) != REDIS_OK ||
	    redisAsyncSetConnectCallback(redis->connection, on_connect) != REDIS_OK ||
	    redisAsyncSetDisconnectCallback(redis->connection, on_disconnect) != REDIS_OK)
		goto fail;
	if (!url->path[0])
		(void)redisEnableKeepAlive(&redis->connection->c);
	if (!greet(redis, url, password))
		goto fail;
	return redis;
fail:
	(void)snprintf(out_why, 128, "%s", why ? why : "cannot connect");
	store_redis_close(redis);
	return NULL;
}

void store_redis_close(struct store_redis *redis)
{
	if (!redis)
		return;
	redis->is_lost = true; // whoever is answered below sends nothing more
	if (redis->connection) {
		redis->connection->data = NULL;
		redisAsyncFree(redis->connection); // answers what is under way with NULL
	}
	while (redis->first)
		finish_first(redis, NULL);
	if (redis->deadline)
		event_free(redis->deadline);
	if (redis->loss)
		event_free(redis->loss);
	free(redis);
}

int store_redis_socket(const struct store_redis *redis)
{
	return redis->connection ? redis->connection->c.fd : -1;
}

bool store_redis_send(struct store_redis *redis, const struct text *words, unsigned count,
		      store_redis_reply_fn reply, void *context)
{
	const char *arguments[WORDS_MAX];
	size_t sizes[WORDS_MAX];
	if (!redis || redis->is_lost || !redis->connection || count > WORDS_MAX)
		return false;
	for (unsigned i = 0; i < count; i++) {
		arguments[i] = words[i].size > 0 ? words[i].data : "";
		sizes[i] = words[i].size;
	}
	struct pending *pending = add_pending(redis, reply, context);
	if (!pending)
		return false;
	if (redisAsyncCommandArgv(redis->connection, on_reply, redis, (int)count, arguments,
				  sizes) == REDIS_OK)
		return true;
	pending->reply =
		NULL; // stays in its place until the connection is closed, and tells nobody
	store_redis_fail(redis, "cannot send");
	return false;
}

bool store_redis_subscribe(struct store_redis *redis, const char *channel,
			   store_redis_reply_fn reply, void *context)
{
	if (redis->is_lost || !redis->connection || !add_pending(redis, reply, context))
		return false;
	if (redisAsyncCommand(redis->connection, on_message, redis, "SUBSCRIBE %s", channel) ==
	    REDIS_OK)
		return true;
	store_redis_fail(redis, "cannot subscribe");
	return true; // its reply comes, with NULL
}

struct text store_redis_text(const struct redisReply *reply)
{
	bool is_text =
		reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS);
	return is_text ? (struct text){ reply->str, reply->len } : TEXT_NONE;
}

struct text store_redis_error(const struct redisReply *reply)
{
	bool is_error = reply && reply->type == REDIS_REPLY_ERROR;
	return is_error ? (struct text){ reply->str, reply->len } : TEXT_NONE;
}

unsigned store_redis_count(const struct redisReply *reply)
{
	return reply && reply->type == REDIS_REPLY_ARRAY ? (unsigned)reply->elements : 0;
}

const struct redisReply *store_redis_at(const struct redisReply *reply, unsigned index)
{
	return index < store_redis_count(reply) ? reply->element[index] : NULL;
}
