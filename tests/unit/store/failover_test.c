// Two real Redis servers, one a replica of the other: whichever is the master is used, whoever dies and
// whatever an operator makes of them meanwhile.

#include <arpa/inet.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "directory/directory.h"
#include "store/store.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"
#include "tests/unit/store/bench.h"

struct server {
	char directory[64], port[8];
	pid_t pid;
};

struct world {
	struct event_base *loop;
	struct server first, second;
	struct bench_node node;
	struct bench_result result;
};

static void find_port(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(server->port, sizeof(server->port), "%u", ntohs(address.sin_port));
	close(fd);
}

static bool does(const struct server *server, const char *command, const char *expected)
{
	char line[512];
	(void)snprintf(line, sizeof(line), "redis-cli -p %s %s 2>/dev/null | grep -q '%s'",
		       server->port, command, expected);
	return system(line) == 0;
}

static void wait_until(const struct server *server, const char *command, const char *expected)
{
	for (unsigned i = 0; !does(server, command, expected); i++) {
		if (i == 1000)
			fail_msg("%s: no %s", command, expected);
		usleep(20000);
	}
}

static void launch(struct server *server)
{
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!freopen("/dev/null", "w", stdout);
		execlp("redis-server", "redis-server", "--port", server->port, "--bind",
		       "127.0.0.1", "--dir", server->directory, "--save", "", "--appendonly", "no",
		       "--repl-diskless-sync-delay", "0", NULL);
		_exit(127);
	}
	wait_until(server, "ping", "PONG");
}

static void start_server(struct server *server)
{
	(void)snprintf(server->directory, sizeof(server->directory), "/tmp/failover_test.XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	find_port(server);
	launch(server);
}

static void kill_server(struct server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}

static void stop_server(struct server *server)
{
	char command[128];
	kill_server(server);
	(void)snprintf(command, sizeof(command), "rm -rf %s", server->directory);
	CHECK_NUMBER(system(command), 0);
}

static void follow(const struct server *replica, const struct server *master)
{
	char command[64];
	(void)snprintf(command, sizeof(command), "replicaof 127.0.0.1 %s", master->port);
	CHECK_TRUE(does(replica, command, "OK"));
	wait_until(replica, "role", "connected");
}

// The first is named by the URL, the other by the list.
static void join(struct world *world, const struct server *first, const struct server *second)
{
	char url[64], other[64];
	struct address address;
	(void)snprintf(url, sizeof(url), "redis://127.0.0.1:%s", first->port);
	(void)snprintf(other, sizeof(other), "127.0.0.1:%s", second->port);
	CHECK_TRUE(address_parse(text_of(other), &address));
	struct store_options options = { .url = url, .addresses = &address, .address_count = 1 };
	bench_node_open(&world->node, world->loop);
	CHECK_OK(bench_node_start(&world->node, &options));
	CHECK_TRUE(bench_wait_state(&world->node, STORE_READY, 20000));
}

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	world->loop = event_base_new();
	start_server(&world->first);
	start_server(&world->second);
	follow(&world->second, &world->first);
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	bench_node_close(&world->node);
	stop_server(&world->first);
	stop_server(&world->second);
	event_base_free(world->loop);
	test_free(world);
	return 0;
}

struct awaited {
	struct world *world;
	const struct server *server;
};

static bool is_served_by(void *context)
{
	const struct awaited *awaited = context;
	const struct store *store = awaited->world->node.store;
	return store_state(store) == STORE_READY &&
	       strstr(store_where(store), awaited->server->port) != NULL;
}

static void wait_served_by(struct world *world, const struct server *server)
{
	struct awaited awaited = { world, server };
	if (!bench_turn(world->loop, is_served_by, &awaited, 20000))
		fail_msg("it stays with %s", store_where(world->node.store));
}

static void add(struct world *world, const char *name)
{
	CHECK_OK(bench_add(&world->node, world_make(DIRECTORY_ACCOUNT, "name", name, NULL),
			   &world->result));
}

static void the_second_serves_when_the_first_dies(void **state)
{
	struct world *world = *state;
	join(world, &world->first, &world->second);
	add(world, "Before");
	wait_until(&world->second, "get 'trunkd:{directory}:version'", "1");
	CHECK_TRUE(does(&world->second, "replicaof no one", "OK"));
	kill_server(&world->first);
	CHECK_TRUE(bench_wait_state(&world->node, STORE_AWAY, 20000));
	CHECK_NUMBER(directory_count(world->node.directory, DIRECTORY_ACCOUNT), 1); // calls go on
	wait_served_by(world, &world->second);
	CHECK_NUMBER(directory_count(world->node.directory, DIRECTORY_ACCOUNT), 1);
	add(world, "After");
	launch(&world->first); // back, as a replica: nothing changes
	follow(&world->first, &world->second);
	add(world, "Still");
	wait_served_by(world, &world->second);
}

static void a_replica_is_passed_over(void **state)
{
	struct world *world = *state;
	join(world, &world->second, &world->first);
	wait_served_by(world, &world->first);
	add(world, "Acme");
}

static void a_master_made_a_replica_is_left(void **state)
{
	struct world *world = *state;
	join(world, &world->first, &world->second);
	add(world, "Before");
	wait_until(&world->second, "get 'trunkd:{directory}:version'", "1");
	CHECK_TRUE(does(&world->second, "replicaof no one", "OK"));
	follow(&world->first, &world->second); // it stays up, and its connections too
	wait_served_by(world, &world->second);
	CHECK_NUMBER(directory_count(world->node.directory, DIRECTORY_ACCOUNT), 1);
	add(world, "After");
}

static void without_a_master_it_waits_for_one(void **state)
{
	struct world *world = *state;
	join(world, &world->first, &world->second);
	kill_server(&world->first);
	CHECK_TRUE(bench_wait_state(&world->node, STORE_AWAY, 20000));
	CHECK_FALSE(bench_wait_state(&world->node, STORE_READY, 500)); // the other is a replica
	CHECK_TRUE(does(&world->second, "replicaof no one", "OK"));
	wait_served_by(world, &world->second);
	launch(&world->first);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(the_second_serves_when_the_first_dies),
		WORLD_TEST(a_replica_is_passed_over),
		WORLD_TEST(a_master_made_a_replica_is_left),
		WORLD_TEST(without_a_master_it_waits_for_one),
	};
	log_set_level(LOG_ERROR);
	return RUN_TESTS(tests);
}
