// Keeps the loaded mirror as Redis is, by the messages that changes publish and a beat that notices when
// they stop. Every object is read over the one command connection, whose answers are in order, so that
// the last one read is the last one written, whichever way the news came.
// Runs on: control thread. Never trusts a message: it only says which object to read again.

#include <stdlib.h>

#include "base/log.h"
#include "store/keys.h"
#include "store/redis.h"
#include "store/state.h"

struct refresh {
	struct store *store;
	char sid[DIRECTORY_SID_SIZE];
};

static void on_refresh(void *context, const struct redisReply *reply)
{
	struct refresh *refresh = context;
	struct text error = store_redis_error(reply);
	struct directory_problem problem = { 0 };
	directory_problem_set(&problem, "", "%.*s", TEXT_FORMAT(error));
	if (error.size > 0)
		store_load_skip(refresh->store, text_of(refresh->sid), &problem);
	else if (reply)
		store_load_apply(refresh->store, text_of(refresh->sid), reply);
	free(refresh);
}

static void ask_refresh(struct store *store, struct text sid)
{
	struct refresh *refresh = calloc(1, sizeof(*refresh));
	if (!refresh) {
		store_redis_fail(store->commands, "out of memory");
		return;
	}
	refresh->store = store;
	(void)text_copy(sid, refresh->sid, sizeof(refresh->sid));
	if (!store_load_ask(store, refresh->sid, on_refresh, refresh))
		free(refresh);
}

// Our own changes are in the mirror already when their event comes.
static bool is_known(const struct store *store, struct text sid, unsigned long version,
		     bool is_drop)
{
	const struct directory_object *known =
		directory_find(store->directory, directory_kind_of_sid(sid), sid);
	return !store->load && (is_drop ? !known : known && known->version >= version);
}

static void reload(struct store *store, enum log_level level, const char *why)
{
	log_event(level, "store_reload", "why", why, NULL);
	store_load_start(store);
}

void store_follow_event(struct store *store, struct text message)
{
	struct cursor cursor = cursor_of(message);
	unsigned long version = cursor_unsigned(&cursor, INT64_MAX);
	(void)cursor_word(&cursor);
	struct text sid = cursor_word(&cursor), what = cursor_word(&cursor);
	counter_add(&store->counters.events, 1);
	if (cursor.failed || directory_kind_of_sid(sid) == DIRECTORY_KIND_COUNT) {
		struct log_value value;
		log_event(LOG_WARNING, "store_event_malformed", "message",
			  log_text(&value, message), NULL);
		return;
	}
	bool is_gap = !store->load && version > store->version + 1;
	store->version = version > store->version ? version : store->version;
	if (text_is_equal(what, TEXT("import"))) // many at once, of which this is one
		reload(store, LOG_INFO, "objects were imported");
	else if (is_gap)
		reload(store, LOG_WARNING, "events are missing");
	else if (!is_known(store, sid, version, text_is_equal(what, TEXT("drop"))))
		ask_refresh(store, sid);
}

// Two beats that know of changes whose events did not come mean a subscription that is dead; a version
// older than what had been heard of when it was asked for, a Redis that lost what it had.
static void on_beat(void *context, const struct redisReply *reply)
{
	struct store *store = context;
	unsigned long version;
	store->is_beating = false;
	if (!reply || store->load || !store_load_version(reply, &version))
		return;
	if (version < store->heard)
		reload(store, LOG_WARNING, "redis went back to an earlier version");
	else if (store->version < store->expected)
		store_redis_fail(store->subscription, "events are missing");
	store->expected = version;
}

// A master may be made a replica under a living connection.
static void on_role(void *context, const struct redisReply *reply)
{
	struct store *store = context;
	const char *objection = store_redis_objection(reply);
	if (objection)
		store_redis_fail(store->commands, objection);
}

void store_follow_beat(struct store *store)
{
	static const struct text role = TEXT("ROLE");
	static const struct text words[] = { TEXT("GET"), TEXT(STORE_KEY_VERSION) };
	if (store->is_beating || store->load)
		return;
	(void)store_redis_send(store->commands, &role, 1, on_role, store);
	store->heard = store->version;
	store->is_beating = store_redis_send(store->commands, words, 2, on_beat, store);
}
