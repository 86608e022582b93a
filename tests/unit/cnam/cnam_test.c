// Lookups against a real HTTP server and a real file: what is an answer, what is none, and how long a call
// waits at most.

#include "cnam/cnam.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/wheel.h"
#include "config/cnam.h"
#include "tests/check.h"

#define TIMEOUT_MS 400

struct server { // one answer for each last digit of the number
	int fd;
	unsigned port;
	atomic_uint asked;
	pthread_t thread;
};

static const char *const answers[] = {
	"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nACME CORP",
	"HTTP/1.1 200 OK\r\nContent-Length: 25\r\nConnection: close\r\n\r\n{\"name\": \"Bob "
	"\\\"B\\\" "
	"Ho\"}\n",
	"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!",
	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\nConnection: close\r\n\r\nACME CORP",
	"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{\"name\": 42",
	"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", // and then octets without end
	"", // nothing at all
	"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\nX\r\nVia: SIP/2",
};

static void serve_one(struct server *server, int fd)
{
	static const char endless[65536];
	char request[2048];
	ssize_t size = recv(fd, request, sizeof request - 1, 0);
	request[size > 0 ? size : 0] = 0;
	const char *number = strstr(request, "/?n=%2B1415555010");
	atomic_fetch_add(&server->asked, 1);
	if (!number || !strstr(request, "Authorization: Bearer secret\r\n"))
		return;
	unsigned digit = (unsigned)(number[17] - '0');
	if (digit == 8) { // keeps it waiting
		(void)poll(NULL, 0, 3 * TIMEOUT_MS);
		return;
	}
	(void)send(fd, answers[digit], strlen(answers[digit]), MSG_NOSIGNAL);
	if (digit == 7)
		(void)send(fd, endless, sizeof endless, MSG_NOSIGNAL);
}

static void *serve(void *context)
{
	struct server *server = context;
	for (;;) {
		int fd = accept(server->fd, NULL, NULL);
		if (fd < 0)
			return NULL;
		serve_one(server, fd);
		close(fd);
	}
}

static void start_server(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	server->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(bind(server->fd, (struct sockaddr *)&address, sizeof address) == 0);
	assert_true(listen(server->fd, 16) == 0);
	assert_true(getsockname(server->fd, (struct sockaddr *)&address, &size) == 0);
	server->port = ntohs(address.sin_port);
	assert_true(pthread_create(&server->thread, NULL, serve, server) == 0);
}

static void stop_server(struct server *server)
{
	(void)shutdown(server->fd, SHUT_RDWR);
	close(server->fd);
	pthread_join(server->thread, NULL);
}

struct world {
	struct server server;
	struct event_base *loop;
	struct clock clock;
	struct wheel *wheel;
	struct cnam_config config;
	struct cnam *cnam;
	char path[64];
	unsigned told;
	enum cnam_outcome outcome;
	char name[CNAM_NAME_SIZE];
};

static void write_file(struct world *world, const char *content)
{
	FILE *file = fopen(world->path, "w");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

static void open_world(struct world *world, enum config_cnam_source source)
{
	*world = (struct world){ .loop = event_base_new() };
	(void)signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_ERROR);
	clock_update(&world->clock);
	world->wheel = wheel_create(world->clock.now_ms);
	(void)snprintf(world->path, sizeof world->path, "/tmp/trunkd-cnam-%d", (int)getpid());
	world->config = (struct cnam_config){
		.source = source, .timeout_ms = TIMEOUT_MS, .ttl_s = 60, .entries_max = 3
	};
	if (source == CONFIG_CNAM_HTTP) {
		start_server(&world->server);
		write_file(world, "Bearer secret\n");
		(void)snprintf(world->config.url, sizeof world->config.url,
			       "http://127.0.0.1:%u/?n={number}&x=1", world->server.port);
		(void)snprintf(world->config.authorization_file,
			       sizeof world->config.authorization_file, "%s", world->path);
	} else {
		(void)snprintf(world->config.file, sizeof world->config.file, "%s", world->path);
	}
}

static void start(struct world *world)
{
	struct cnam_options options = { world->loop, &world->clock, world->wheel, &world->config };
	CHECK_OK(cnam_start(&options, &world->cnam));
}

static void close_world(struct world *world)
{
	cnam_stop(world->cnam);
	if (world->config.source == CONFIG_CNAM_HTTP)
		stop_server(&world->server);
	wheel_destroy(world->wheel);
	event_base_free(world->loop);
	(void)unlink(world->path);
}

static void done(void *context, enum cnam_outcome outcome, const char *name)
{
	struct world *world = context;
	world->told++;
	world->outcome = outcome;
	(void)snprintf(world->name, sizeof world->name, "%s", name);
}

static void turn(struct world *world, unsigned ms)
{
	(void)poll(NULL, 0, (int)ms);
	(void)event_base_loop(world->loop, EVLOOP_NONBLOCK);
	clock_update(&world->clock);
	wheel_run(world->wheel, world->clock.now_ms);
}

// Returns how long it took, in ms.
static uint64_t ask(struct world *world, const char *number)
{
	struct cnam_question *question;
	uint64_t from_ms = world->clock.now_ms;
	world->told = 0;
	world->outcome =
		cnam_ask(world->cnam, text_of(number), done, world, world->name, &question);
	if (world->outcome != CNAM_PENDING)
		return 0;
	CHECK_NUMBER(world->told, 0); // never from within
	while (world->told == 0 && world->clock.now_ms < from_ms + 5000)
		turn(world, 2);
	CHECK_NUMBER(world->told, 1);
	return world->clock.now_ms - from_ms;
}

// CNAM-001, CNAM-005, CNAM-007, CNAM-010, D-39: with a name, without one, and no answer.
static void the_web_service_is_asked(void **state)
{
	(void)state;
	static const struct {
		const char *number;
		enum cnam_outcome outcome;
		const char *name;
	} rows[] = {
		{ "+14155550100", CNAM_NAMED, "ACME CORP" },
		{ "+14155550101", CNAM_NAMED, "Bob \"B\" Ho" },
		{ "+14155550102", CNAM_NAMELESS, "" },
		{ "+14155550103", CNAM_NAMELESS, "" },
		{ "+14155550104", CNAM_FAILED, "" },
		{ "+14155550105", CNAM_FAILED, "" }, // no redirect is followed
		{ "+14155550106", CNAM_FAILED, "" },
		{ "+14155550107", CNAM_FAILED, "" }, // an answer without end
		{ "+14155550109", CNAM_NAMED, "X" }, // one line alone
	};
	struct world world;
	open_world(&world, CONFIG_CNAM_HTTP);
	start(&world);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		(void)ask(&world, rows[i].number);
		if (world.outcome != rows[i].outcome)
			fail_msg("%s: %s", rows[i].number, cnam_outcome_label(world.outcome));
		CHECK_STRING(world.name, rows[i].name);
	}
	CHECK_NUMBER(counter_get(&cnam_counters(world.cnam)->outcomes[CNAM_NAMED]), 3);
	CHECK_NUMBER(counter_get(&cnam_counters(world.cnam)->outcomes[CNAM_NAMELESS]), 2);
	CHECK_NUMBER(counter_get(&cnam_counters(world.cnam)->outcomes[CNAM_FAILED]), 4);
	close_world(&world);
}

// CNAM-011: a call waits for its bound and no longer.
static void a_slow_database_holds_up_nobody(void **state)
{
	(void)state;
	struct world world;
	struct cnam_question *question;
	char name[CNAM_NAME_SIZE];
	open_world(&world, CONFIG_CNAM_HTTP);
	start(&world);
	uint64_t took_ms = ask(&world, "+14155550108");
	CHECK_NUMBER(world.outcome, CNAM_FAILED);
	CHECK_TRUE(took_ms >= TIMEOUT_MS - 50 && took_ms < TIMEOUT_MS + 200);
	world.told = 0; // a call that is given up meanwhile hears nothing
	CHECK_NUMBER(cnam_ask(world.cnam, TEXT("+14155550108"), done, &world, name, &question),
		     CNAM_PENDING);
	cnam_cancel(question);
	for (unsigned i = 0; i < 20; i++)
		turn(&world, TIMEOUT_MS / 10);
	CHECK_NUMBER(world.told, 0);
	close_world(&world);
}

static void answers_are_remembered_within_bounds(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, CONFIG_CNAM_HTTP);
	start(&world);
	(void)ask(&world, "+14155550100");
	(void)ask(&world, "+14155550102");
	CHECK_NUMBER(ask(&world, "+14155550100"), 0);
	CHECK_STRING(world.name, "ACME CORP");
	CHECK_NUMBER(ask(&world, "+14155550102"), 0); // that there is none, too
	CHECK_NUMBER(world.outcome, CNAM_NAMELESS);
	CHECK_NUMBER(atomic_load(&world.server.asked), 2);
	(void)ask(&world, "+14155550104"); // a failure is not
	(void)ask(&world, "+14155550104");
	CHECK_NUMBER(atomic_load(&world.server.asked), 4);
	(void)ask(&world, "+14155550101");
	(void)ask(&world, "+14155550103"); // room for three: the first is forgotten
	CHECK_NUMBER(counter_get(&cnam_counters(world.cnam)->entries), 3);
	(void)ask(&world, "+14155550100");
	CHECK_NUMBER(atomic_load(&world.server.asked), 7);
	world.clock.now_ms += 61000;
	struct cnam_question *question;
	CHECK_NUMBER(
		cnam_ask(world.cnam, TEXT("+14155550100"), done, &world, world.name, &question),
		CNAM_PENDING);
	cnam_cancel(question);
	close_world(&world);
}

static void a_file_is_asked_and_read_again(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, CONFIG_CNAM_FILE);
	world.config.ttl_s = 0;
	write_file(&world, "# names\n+14155550100,ACME, Inc.\nnonsense\n+14155550101 , \n");
	start(&world);
	(void)ask(&world, "+14155550100");
	CHECK_NUMBER(world.outcome, CNAM_NAMED);
	CHECK_STRING(world.name, "ACME, Inc.");
	(void)ask(&world, "+14155550101");
	CHECK_NUMBER(world.outcome, CNAM_NAMELESS);
	(void)ask(&world, "+14155550999");
	CHECK_NUMBER(world.outcome, CNAM_NAMELESS);
	write_file(&world, "+14155550100,Other\n");
	for (unsigned i = 0; i < 30 && strcmp(world.name, "Other") != 0; i++) {
		turn(&world, 100);
		(void)ask(&world, "+14155550100");
	}
	CHECK_STRING(world.name, "Other");
	(void)unlink(world.path);
	for (unsigned i = 0; i < 30 && world.outcome != CNAM_FAILED; i++) {
		turn(&world, 100);
		(void)ask(&world, "+14155550100");
	}
	CHECK_NUMBER(world.outcome, CNAM_FAILED);
	close_world(&world);
}

static void without_a_source_nothing_is_asked(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, CONFIG_CNAM_OFF);
	start(&world);
	CHECK_FALSE(cnam_is_on(world.cnam));
	(void)ask(&world, "+14155550100");
	CHECK_NUMBER(world.outcome, CNAM_FAILED);
	CHECK_NUMBER(counter_get(&cnam_counters(world.cnam)->outcomes[CNAM_FAILED]), 0);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_web_service_is_asked),
		TEST(a_slow_database_holds_up_nobody),
		TEST(answers_are_remembered_within_bounds),
		TEST(a_file_is_asked_and_read_again),
		TEST(without_a_source_nothing_is_asked),
	};
	return RUN_TESTS(tests);
}
