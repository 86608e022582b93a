#pragma once

// The directory's truth in Redis: loads the mirror, changes objects by atomic transactions, hears
// of changes by other nodes. Redis away is a normal state: the mirror serves, changes are refused.
// Runs on: control thread; no call waits, completion comes through the loop.

#include <stdbool.h>

#include "base/counter.h"
#include "base/status.h"
#include "directory/directory.h"
#include "directory/object.h"

struct address;
struct event_base;
struct store;
struct store_limits;
struct store_limits_options;

enum store_state {
	STORE_STARTING, // not loaded yet: calls wait for the first load
	STORE_READY,
	STORE_AWAY, // was ready; the mirror serves
};

struct store_counters {
	struct counter changes, refused, losses, loads, events,
		skipped; // skipped: read, but not valid
};

struct store_options {
	const char *url; // empty: embedded
	const struct address *addresses; // further ones of the Redis of that URL
	unsigned address_count;
	const char *password_file; // of all of them; may be empty
	const char *program; // redis-server
	const char *state_directory; // holds the embedded one's append-only file
	const char *runtime_directory; // holds its socket
	struct directory *directory;
	const struct store_limits_options *limits; // NULL: they are not shared
	void (*changed)(void *context, enum store_state state); // NULL allowed
	void *context;
};

typedef void (*store_done_fn)(void *context, enum status status,
			      const struct directory_problem *problem, const char *sid);

enum status store_start(struct event_base *loop, const struct store_options *options,
			struct store **out_store);
void store_stop(struct store *store); // the embedded Redis is shut down with its file written
enum store_state store_state(const struct store *store);
const char *store_where(const struct store *store); // for status: URL without secrets
struct store_limits *
store_limits(const struct store *store); // store/limits/limits.h; NULL: not shared
const struct store_counters *store_counters(const struct store *store);

// done may be NULL; its problem is NULL when all went well, and is gone when it returns.
// Each checks against the mirror, then changes Redis atomically (the check is repeated there), then
// the mirror, then calls done. Takes the object over. ERR_UNAVAILABLE when Redis is away.
void store_add(struct store *store, struct directory_object *object, store_done_fn done,
	       void *context);
void store_change(struct store *store, struct directory_object *object, store_done_fn done,
		  void *context); // object->version: what the change is based on
// Several at once: all of them, or none. Those of version 0 are added, others changed, each may refer to
// those before it. The array stays the caller's. done hears of the last one.
#define STORE_GROUP_MAX 12
void store_write(struct store *store, struct directory_object *const *objects, unsigned count,
		 store_done_fn done, void *context);
// One, added or changed by its version, that counts: of what the key names there may be so many within so
// many seconds of the first, whatever became of the objects since, on all nodes together. ERR_LIMIT: the
// field and text, and how long to wait. They are copied.
struct store_tally {
	char key[80]; // without spaces
	unsigned most, seconds;
	const char *field, *text; // constant
};
#define STORE_TALLIES_MAX 2
void store_write_counted(struct store *store, struct directory_object *object,
			 const struct store_tally *tallies, unsigned count, store_done_fn done,
			 void *context);
void store_remove(struct store *store, const char *sid, store_done_fn done, void *context);
