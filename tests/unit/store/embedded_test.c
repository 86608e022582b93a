// The Redis of our own: started private, restarted when it dies, adopted when its starter was killed,
// shut down with its file written.

#include "store/embedded.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "store/store.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"
#include "tests/unit/store/bench.h"

struct world {
	struct event_base *loop;
	char directory[64], state[96], run[96], socket[128];
	struct store_options options;
	struct bench_node node;
	struct bench_result result;
};

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	world->loop = event_base_new();
	(void)snprintf(world->directory, sizeof(world->directory), "/tmp/store_test.XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	(void)snprintf(world->state, sizeof(world->state), "%s/lib", world->directory);
	(void)snprintf(world->run, sizeof(world->run), "%s/run", world->directory);
	(void)snprintf(world->socket, sizeof(world->socket), "%s/redis/redis.sock", world->run);
	world->options = (struct store_options){ .url = "",
						 .password_file = "",
						 .program = "redis-server",
						 .state_directory = world->state,
						 .runtime_directory = world->run };
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	char command[128];
	if (world->node.loop)
		bench_node_close(&world->node);
	(void)snprintf(command, sizeof(command), "rm -rf %s", world->directory);
	CHECK_NUMBER(system(command), 0);
	event_base_free(world->loop);
	test_free(world);
	return 0;
}

static void begin(struct world *world)
{
	bench_node_open(&world->node, world->loop);
	CHECK_OK(bench_node_start(&world->node, &world->options));
	CHECK_TRUE(bench_wait_state(&world->node, STORE_READY, 10000));
}

// The process that listens on the socket; 0: none does.
static pid_t listener(const struct world *world)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_TRUE(text_copy(text_of(world->socket), address.sun_path, sizeof(address.sun_path)));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		CHECK_NUMBER(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
	close(fd);
	return peer.pid;
}

static void it_is_private_and_goes_when_stopped(void **state)
{
	struct world *world = *state;
	struct stat found;
	char path[128];
	begin(world);
	CHECK_TRUE(strstr(store_where(world->node.store), world->socket));
	CHECK_NUMBER(stat(world->socket, &found), 0);
	CHECK_NUMBER(found.st_mode & 0777, 0700);
	(void)snprintf(path, sizeof(path), "%s/redis", world->run);
	CHECK_NUMBER(stat(path, &found), 0);
	CHECK_NUMBER(found.st_mode & 0777, 0700);
	(void)snprintf(path, sizeof(path), "%s/redis", world->state);
	CHECK_NUMBER(stat(path, &found), 0);
	CHECK_NUMBER(found.st_mode & 0777, 0700);
	pid_t pid = listener(world);
	CHECK_TRUE(pid > 0);
	bench_node_close(&world->node);
	CHECK_NUMBER(listener(world), 0);
	CHECK_TRUE(kill(pid, 0) != 0); // and left no zombie
}

static void what_was_added_is_there_after_a_restart(void **state)
{
	struct world *world = *state;
	begin(world);
	CHECK_OK(bench_add(&world->node, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL),
			   &world->result));
	bench_node_close(&world->node);
	begin(world);
	CHECK_STRING(directory_account(world->node.directory, world->result.sid)->name, "Acme");
}

static void killed_it_is_started_again(void **state)
{
	struct world *world = *state;
	begin(world);
	CHECK_OK(bench_add(&world->node, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL),
			   &world->result));
	pid_t first = listener(world); // it wrote its file before it answered
	kill(first, SIGKILL);
	CHECK_TRUE(bench_wait_state(&world->node, STORE_AWAY, 5000));
	CHECK_STRING(directory_account(world->node.directory, world->result.sid)->name, "Acme");
	CHECK_TRUE(bench_wait_state(&world->node, STORE_READY, 10000));
	CHECK_STRING(directory_account(world->node.directory, world->result.sid)->name, "Acme");
	pid_t second = listener(world);
	CHECK_TRUE(second > 0 && second != first);
}

// In a process of its own, which is killed as soon as its Redis answers.
static void start_and_be_killed(struct world *world)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct bench_node node;
		struct event_base *loop = event_base_new();
		bench_node_open(&node, loop);
		if (bench_node_start(&node, &world->options) != OK ||
		    !bench_wait_state(&node, STORE_READY, 10000))
			_exit(1);
		raise(SIGKILL);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	CHECK_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void the_one_of_a_killed_program_is_adopted(void **state)
{
	struct world *world = *state;
	start_and_be_killed(world);
	pid_t orphan = listener(world);
	CHECK_TRUE(orphan > 0);
	begin(world);
	CHECK_NUMBER(listener(world), orphan);
	bench_node_close(&world->node);
	CHECK_NUMBER(listener(world), 0); // and stopped like one of our own
}

static bool never(void *context)
{
	(void)context;
	return false;
}

static void two_never_write_one_file(void **state)
{
	struct world *world = *state;
	start_and_be_killed(world);
	pid_t orphan = listener(world);
	CHECK_NUMBER(unlink(world->socket), 0); // it lives, and cannot be reached
	bench_node_open(&world->node, world->loop);
	CHECK_OK(bench_node_start(&world->node, &world->options));
	(void)bench_turn(world->loop, never, NULL, 700);
	CHECK_NUMBER(store_state(world->node.store), STORE_STARTING);
	CHECK_NUMBER(listener(world), 0);
	kill(orphan, SIGKILL);
	CHECK_TRUE(bench_wait_state(&world->node, STORE_READY, 20000));
}

static void what_cannot_be_started_is_said_at_once(void **state)
{
	struct world *world = *state;
	world->options.program = "/nonexistent/redis-server";
	bench_node_open(&world->node, world->loop);
	CHECK_STATUS(bench_node_start(&world->node, &world->options), ERR_SYSTEM);
	CHECK_TRUE(!world->node.store);
	world->options.program = "redis-server";
	world->options.state_directory = "/proc/nowhere";
	CHECK_STATUS(bench_node_start(&world->node, &world->options), ERR_SYSTEM);
	world->options.state_directory = world->state;
	world->options.url = "redis://example.com";
	CHECK_STATUS(bench_node_start(&world->node, &world->options), ERR_MALFORMED);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(it_is_private_and_goes_when_stopped),
		WORLD_TEST(what_was_added_is_there_after_a_restart),
		WORLD_TEST(killed_it_is_started_again),
		WORLD_TEST(the_one_of_a_killed_program_is_adopted),
		WORLD_TEST(two_never_write_one_file),
		WORLD_TEST(what_cannot_be_started_is_said_at_once),
	};
	log_set_level(LOG_ERROR);
	return RUN_TESTS(tests);
}
