// HTTP as a scraper, a prober and a stranger use it. The server runs on its own thread.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/api.h"
#include "api/http.h"
#include "base/random.h"

struct node {
	struct api *api;
	uint16_t port;
	atomic_bool is_ready;
};

static char *write_metrics(void *context)
{
	(void)context;
	return strdup("# TYPE trunkd_ready gauge\ntrunkd_ready 1\n");
}

static bool is_ready(void *context)
{
	return atomic_load(&((struct node *)context)->is_ready);
}

static const char *reason(void *context)
{
	(void)context;
	return "no dataplane is attached";
}

static uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static enum status start(struct node *node, const char *address)
{
	struct api_options options = { .metrics_address = address,
				       .write_metrics = write_metrics,
				       .is_ready = is_ready,
				       .reason = reason,
				       .context = node };
	return api_start(&options, &node->api);
}

static int make(void **state)
{
	char address[64];
	struct node *node = calloc(1, sizeof(*node));
	node->port = free_port();
	snprintf(address, sizeof(address), "127.0.0.1:%u", node->port);
	assert_int_equal(start(node, address), OK);
	*state = node;
	return 0;
}

static int take_down(void **state)
{
	struct node *node = *state;
	api_stop(node->api);
	free(node);
	return 0;
}

static int dial(const struct node *node)
{
	const struct timeval patience = { .tv_sec = 3 };
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons(node->port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

// Everything until the server closes, or nothing within 3 s.
static const char *hear(int fd, char *room, size_t size)
{
	size_t used = 0;
	for (;;) {
		ssize_t count = recv(fd, room + used, size - 1 - used, 0);
		if (count <= 0)
			break;
		used += (size_t)count;
	}
	room[used] = 0;
	close(fd);
	return room;
}

static const char *ask(const struct node *node, const char *request, char *room, size_t size)
{
	int fd = dial(node);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return hear(fd, room, size);
}

static void pages_are_served(void **state)
{
	static const struct {
		const char *request, *status, *body;
	} cases[] = {
		{ "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
		  "\ntrunkd_ready 1\n" },
		{ "GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
		  "trunkd_ready 1\n" },
		{ "GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.0 200 ", "version=0.0.4" },
		{ "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "\r\n\r\n" },
		{ "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "\r\n\r\nok\n" },
		{ "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 503 ",
		  "no dataplane is attached" },
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", "/healthz" },
		{ "GET /metrics/../x HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", "" },
		{ "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab",
		  "HTTP/1.1 405 ", "Allow: GET, HEAD" },
		{ "DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ", "Allow" },
	};
	struct node *node = *state;
	char room[8192];
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *answer = ask(node, cases[i].request, room, sizeof(room));
		if (strncmp(answer, cases[i].status, strlen(cases[i].status)) != 0 ||
		    !strstr(answer, cases[i].body))
			fail_msg("%s: %s", cases[i].request, answer);
	}
	atomic_store(&node->is_ready, true);
	assert_non_null(
		strstr(ask(node, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", room, sizeof(room)),
		       "200 OK"));
}

static void too_large_headers_and_bodies_are_refused(void **state)
{
	struct node *node = *state;
	static const char HEAD[] = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ";
	char room[8192], *request = malloc(70000);
	size_t size = sizeof(HEAD) - 1;
	memset(request, 'a', 70000);
	memcpy(request, HEAD, size);
	memcpy(request + size + 60000, "\r\n\r\n", 4);
	int fd = dial(node);
	(void)!send(fd, request, size + 60004, MSG_NOSIGNAL);
	assert_null(strstr(hear(fd, room, sizeof(room)), "200 OK"));
	free(request);
	const char *answer =
		ask(node, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
		    room, sizeof(room));
	assert_non_null(strstr(answer, " 413 "));
	assert_non_null(
		strstr(ask(node, "GET /healthz HTTP/1.0\r\n\r\n", room, sizeof(room)), "200"));
}

static void idle_connections_are_bounded_and_do_not_shut_others_out(void **state)
{
	struct node *node = *state;
	char room[4096];
	int fds[API_CONNECTIONS_MAX + 8];
	for (unsigned i = 0; i < API_CONNECTIONS_MAX + 8; i++)
		fds[i] = dial(node); // the kernel holds those above the limit
	int fd = dial(node);
	const char *request = "GET /healthz HTTP/1.0\r\n\r\n";
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	struct pollfd answer = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&answer, 1, 300), 0); // it has to wait for its turn
	for (unsigned i = 0; i < API_CONNECTIONS_MAX + 8; i++)
		close(fds[i]);
	assert_non_null(strstr(hear(fd, room, sizeof(room)), "200 OK"));
}

static void a_scraper_may_come_often(void **state)
{
	struct node *node = *state;
	char room[4096];
	for (unsigned i = 0; i < 300; i++)
		assert_non_null(strstr(
			ask(node, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", room, sizeof(room)),
			"200 OK"));
}

static void random_requests_do_no_harm(void **state)
{
	static const char *const PARTS[] = { "GET ",      "POST ",     "/metrics",
					     "/",         " HTTP/1.1", " HTTP/9.9",
					     "\r\n",      "\n",        "Host: x",
					     ":",         "\x80\xff",  "Content-Length: -1",
					     "%00",       "?",         "Transfer-Encoding: chunked",
					     "ffffffffff" };
	struct node *node = *state;
	char room[8192], request[512];
	for (unsigned round = 0; round < 500; round++) {
		struct writer writer = writer_of(request, sizeof(request));
		for (unsigned i = random_below(12); i > 0; i--)
			writer_string(&writer,
				      PARTS[random_below(sizeof(PARTS) / sizeof(PARTS[0]))]);
		int fd = dial(node);
		struct text text = writer_done(&writer);
		(void)!send(fd, text.data, text.size, MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_WR);
		(void)hear(fd, room, sizeof(room));
	}
	assert_non_null(
		strstr(ask(node, "GET /healthz HTTP/1.0\r\n\r\n", room, sizeof(room)), "200"));
}

static void wrong_and_taken_addresses_are_refused(void **state)
{
	struct node *node = *state, second = { 0 };
	char address[64];
	assert_int_equal(start(&second, "nowhere"), ERR_MALFORMED);
	assert_int_equal(start(&second, "127.0.0.1"), ERR_MALFORMED);
	snprintf(address, sizeof(address), "127.0.0.1:%u", node->port);
	assert_int_equal(start(&second, address), ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, take_down)
		TEST(pages_are_served),
		TEST(too_large_headers_and_bodies_are_refused),
		TEST(idle_connections_are_bounded_and_do_not_shut_others_out),
		TEST(a_scraper_may_come_often),
		TEST(random_requests_do_no_harm),
		TEST(wrong_and_taken_addresses_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
