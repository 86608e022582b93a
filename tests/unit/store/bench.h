#pragma once

// A real redis-server on a private Unix socket, stores on it, and a loop that is turned until
// something is so.
// Runs on: the thread of the test.

#include <stdbool.h>
#include <sys/types.h>

#include "store/store.h"

struct event_base;

struct bench_redis { // started by the test, for stores that reach it by URL
	char directory[64];
	char url[128];
	char socket[112];
	pid_t pid;
};

struct bench_node { // one store with its mirror
	struct event_base *loop;
	struct directory *directory;
	struct store *store;
	unsigned changes_seen; // of state
	enum store_state last_seen;
};

struct bench_pair { // two nodes on one Redis
	struct event_base *loop;
	struct bench_redis redis;
	struct bench_node a, b;
};

struct bench_result { // what done told
	unsigned count;
	enum status status;
	struct directory_problem problem;
	char sid[35];
};

void bench_redis_start(struct bench_redis *redis, const char *password);
void bench_redis_launch(struct bench_redis *redis, const char *password); // again, same place
void bench_redis_kill(struct bench_redis *redis);
void bench_redis_stop(struct bench_redis *redis); // and removes its directory
// redis-cli against it; every command has to work.
void bench_redis_do(const struct bench_redis *redis, const char *command);

void bench_node_open(struct bench_node *node, struct event_base *loop);
enum status bench_node_start(struct bench_node *node, const struct store_options *options);
void bench_node_join(struct bench_node *node, struct event_base *loop,
		     const struct bench_redis *redis);
void bench_node_close(struct bench_node *node);
void bench_pair_start(struct bench_pair *pair);
void bench_pair_stop(struct bench_pair *pair);

// Turns the loop until `is_so` or for so long; says whether it was.
bool bench_turn(struct event_base *loop, bool (*is_so)(void *context), void *context, unsigned ms);
bool bench_wait_state(struct bench_node *node, enum store_state state, unsigned ms);

void bench_done(void *context, enum status status, const struct directory_problem *problem,
		const char *sid);
bool bench_is_told(void *context); // of a bench_result, for bench_turn
// Adds, and waits for the answer.
enum status bench_add(struct bench_node *node, struct directory_object *object,
		      struct bench_result *out_result);
enum status bench_change(struct bench_node *node, struct directory_object *object,
			 struct bench_result *out_result);
enum status bench_remove(struct bench_node *node, const char *sid, struct bench_result *out_result);
