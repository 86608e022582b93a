#pragma once

// The door to hiredis: one connection in the loop, every command with a deadline. A connection that
// is lost once stays lost; its owner closes it and opens another.
// Runs on: control thread.

#include <stdbool.h>

#include "base/text.h"

#define STORE_REDIS_DEADLINE_MS 2000

struct event_base;
struct redisReply; // opaque outside redis.c
struct secret;
struct store_redis;
struct store_url;

// NULL: the connection is gone; whether the command was done is not known.
typedef void (*store_redis_reply_fn)(void *context, const struct redisReply *reply);

// What a reply to ROLE says against it: a replica cannot be written. NULL: it is a master, or does not say.
const char *store_redis_objection(const struct redisReply *role);

struct store_redis_events { // each called from the loop, never from within a function below
	void (*up)(void *context);
	void (*lost)(void *context, const char *why); // once; close it then
	void (*message)(void *context, struct text message);
	void *context;
};

// NULL: not even begun, and why.
struct store_redis *store_redis_open(struct event_base *loop, const struct store_url *url,
				     const struct secret *password,
				     const struct store_redis_events *events,
				     char out_why[static 128]);
// What is under way is answered with NULL first. Not from within a reply.
void store_redis_close(struct store_redis *redis);
void store_redis_fail(struct store_redis *redis, const char *why); // counts as lost from now on
int store_redis_socket(const struct store_redis *redis);

// False: lost already, reply is never called.
bool store_redis_send(struct store_redis *redis, const struct text *words, unsigned count,
		      store_redis_reply_fn reply, void *context);
// Reply tells that it is done; then messages come, and no other command may be sent.
bool store_redis_subscribe(struct store_redis *redis, const char *channel,
			   store_redis_reply_fn reply, void *context);

// Reading a reply. A kind that does not fit reads as nothing.
struct text store_redis_text(const struct redisReply *reply); // string or status
struct text store_redis_error(const struct redisReply *reply); // empty: it is none
unsigned store_redis_count(const struct redisReply *reply);
const struct redisReply *store_redis_at(const struct redisReply *reply, unsigned index);
