// Starts, kills and asks a real Redis; turns the loop with a limit of time, never sleeps for luck.
// Runs on: the thread of the test.

#include "tests/unit/store/bench.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"

static uint64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

void bench_redis_launch(struct bench_redis *redis, const char *password)
{
	redis->pid = fork();
	CHECK_TRUE(redis->pid >= 0);
	if (redis->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!freopen("/dev/null", "w", stdout);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis->socket,
		       "--dir", redis->directory, "--appendonly", "yes", "--appendfsync", "always",
		       "--save", "", password ? "--requirepass" : NULL, password, NULL);
		_exit(127);
	}
	for (unsigned i = 0; access(redis->socket, F_OK) != 0; i++) {
		CHECK_TRUE(i < 5000);
		usleep(1000);
	}
}

void bench_redis_start(struct bench_redis *redis, const char *password)
{
	(void)snprintf(redis->directory, sizeof(redis->directory), "/tmp/store_test.XXXXXX");
	assert_non_null(mkdtemp(redis->directory));
	(void)snprintf(redis->socket, sizeof(redis->socket), "%s/s", redis->directory);
	(void)snprintf(redis->url, sizeof(redis->url), "unix://%s", redis->socket);
	bench_redis_launch(redis, password);
}

void bench_redis_kill(struct bench_redis *redis)
{
	kill(redis->pid, SIGKILL);
	waitpid(redis->pid, NULL, 0);
	unlink(redis->socket);
}

void bench_redis_stop(struct bench_redis *redis)
{
	char command[128];
	bench_redis_kill(redis);
	(void)snprintf(command, sizeof(command), "rm -rf %s", redis->directory);
	CHECK_NUMBER(system(command), 0);
}

void bench_redis_do(const struct bench_redis *redis, const char *command)
{
	char line[1024];
	(void)snprintf(line, sizeof(line), "redis-cli -e -s %s %s >/dev/null", redis->socket,
		       command);
	if (system(line) != 0)
		fail_msg("%s", line);
}

static void on_changed(void *context, enum store_state state)
{
	struct bench_node *node = context;
	node->changes_seen++;
	node->last_seen = state;
}

void bench_node_open(struct bench_node *node, struct event_base *loop)
{
	*node = (struct bench_node){ .loop = loop };
	node->directory = directory_create(TEXT(WORLD_BASE));
	assert_non_null(node->directory);
}

enum status bench_node_start(struct bench_node *node, const struct store_options *options)
{
	struct store_options own = *options;
	own.directory = node->directory;
	own.changed = on_changed;
	own.context = node;
	return store_start(node->loop, &own, &node->store);
}

void bench_node_join(struct bench_node *node, struct event_base *loop,
		     const struct bench_redis *redis)
{
	struct store_options options = { .url = redis->url };
	bench_node_open(node, loop);
	CHECK_OK(bench_node_start(node, &options));
	CHECK_TRUE(bench_wait_state(node, STORE_READY, 5000));
}

void bench_node_close(struct bench_node *node)
{
	store_stop(node->store);
	directory_destroy(node->directory);
	*node = (struct bench_node){ 0 };
}

void bench_pair_start(struct bench_pair *pair)
{
	pair->loop = event_base_new();
	bench_redis_start(&pair->redis, NULL);
	bench_node_join(&pair->a, pair->loop, &pair->redis);
	bench_node_join(&pair->b, pair->loop, &pair->redis);
}

void bench_pair_stop(struct bench_pair *pair)
{
	bench_node_close(&pair->a);
	bench_node_close(&pair->b);
	bench_redis_stop(&pair->redis);
	event_base_free(pair->loop);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what, (void)context;
}

bool bench_turn(struct event_base *loop, bool (*is_so)(void *context), void *context, unsigned ms)
{
	uint64_t until = now_ms() + ms;
	struct timeval tick = { .tv_usec = 5000 };
	struct event *timer = event_new(loop, -1, EV_PERSIST, on_tick, NULL);
	event_add(timer, &tick);
	bool is = is_so(context);
	while (!is && now_ms() < until) {
		(void)event_base_loop(loop, EVLOOP_ONCE);
		is = is_so(context);
	}
	event_free(timer);
	return is;
}

struct wanted {
	const struct bench_node *node;
	enum store_state state;
};

static bool is_in_state(void *context)
{
	const struct wanted *wanted = context;
	return store_state(wanted->node->store) == wanted->state;
}

bool bench_wait_state(struct bench_node *node, enum store_state state, unsigned ms)
{
	struct wanted wanted = { node, state };
	return bench_turn(node->loop, is_in_state, &wanted, ms);
}

void bench_done(void *context, enum status status, const struct directory_problem *problem,
		const char *sid)
{
	struct bench_result *result = context;
	result->count++;
	result->status = status;
	result->problem = problem ? *problem : (struct directory_problem){ 0 };
	(void)text_copy(text_of(sid), result->sid, sizeof(result->sid));
}

bool bench_is_told(void *context)
{
	return ((struct bench_result *)context)->count > 0;
}

static enum status wait_done(struct bench_node *node, struct bench_result *result)
{
	if (!bench_turn(node->loop, bench_is_told, result, 5000))
		fail_msg("no answer");
	CHECK_NUMBER(result->count, 1);
	return result->status;
}

enum status bench_add(struct bench_node *node, struct directory_object *object,
		      struct bench_result *out_result)
{
	*out_result = (struct bench_result){ 0 };
	store_add(node->store, object, bench_done, out_result);
	CHECK_NUMBER(out_result->count, 0); // through the loop, never at once
	return wait_done(node, out_result);
}

enum status bench_change(struct bench_node *node, struct directory_object *object,
			 struct bench_result *out_result)
{
	*out_result = (struct bench_result){ 0 };
	store_change(node->store, object, bench_done, out_result);
	return wait_done(node, out_result);
}

enum status bench_remove(struct bench_node *node, const char *sid, struct bench_result *out_result)
{
	*out_result = (struct bench_result){ 0 };
	store_remove(node->store, sid, bench_done, out_result);
	return wait_done(node, out_result);
}
