#pragma once

// The inside of the store, for the sources of this folder alone.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"
#include "store/place.h"
#include "store/redis.h"
#include "store/store.h"

struct event;
struct store_change;
struct store_embedded;
struct store_limits;
struct store_load;

struct store {
	struct event_base *loop;
	struct directory *directory;
	void (*changed)(void *context, enum store_state state);
	void *context;
	struct store_counters counters;

	struct store_places places;
	char where[STORE_PLACE_SIZE]; // the current one
	struct secret password;
	struct store_embedded *embedded; // NULL: by URL
	struct store_limits *limits; // NULL: not shared

	enum store_state state;
	struct store_redis *commands, *subscription; // NULL while away
	bool is_up, is_subscribed;
	struct event *retry, *beat, *finish, *sweep;
	struct directory *retired; // replaced, not yet freed
	uint64_t retry_ms; // the next pause
	uint64_t away_since_ms; // wall clock
	char why[128]; // of the last loss

	unsigned long version; // of the last change heard of
	unsigned long heard; // the same when the last beat was sent
	unsigned long expected; // what the last beat found in Redis
	bool is_beating; // one is under way
	struct store_load *load; // going on

	struct store_change *changes; // sent
	struct store_change *finished; // to be told, oldest first
	unsigned change_count;
};

// store.c: both connections go, what is under way fails, another attempt follows.
void store_lose(struct store *store, const char *why);

// load.c
void store_load_start(struct store *store);
void store_load_abort(struct store *store);
void store_load_sweep(struct store *store); // frees more of the mirror that was replaced
// An object as Redis has it now (empty: gone) into the mirror, and into the one being loaded.
void store_load_apply(struct store *store, struct text sid, const struct redisReply *hash);
bool store_load_ask(struct store *store, const char *sid, store_redis_reply_fn reply,
		    void *context);
void store_load_skip(struct store *store, struct text sid, const struct directory_problem *problem);
bool store_load_version(const struct redisReply *reply, unsigned long *out_version);
void store_loaded(struct store *store); // store.c: the mirror is whole

// follow.c
void store_follow_event(struct store *store, struct text message);
void store_follow_beat(struct store *store);

// change.c
void store_change_tell(struct store *store); // every finished one
void store_change_abandon(struct store *store); // at the end
