// The refuser with real sockets: who hears 503 from it, and who hears nothing.

#include "tests/check.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip/refuser/refuser.h"
#include "sip/transport.h"

#define TRIES 200 // of 100 ms
#define HOST "office.example"

struct stage {
	struct sip_guard_apart *apart;
	struct sip_transport_counters counters;
	struct sip_refuser *refuser;
	struct address local, caller;
	int read, calling; // the control thread's socket; a caller's
	char room[4096];
};

static struct address bound(int fd)
{
	struct sockaddr_storage kernel;
	struct address address;
	socklen_t size = sizeof(kernel);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&kernel, &size), 0);
	assert_true(address_from_sockaddr((struct sockaddr *)&kernel, &address));
	return address;
}

static int open_socket(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	return fd;
}

static struct stage *open_stage(void)
{
	struct sockaddr_storage kernel;
	struct stage *stage = calloc(1, sizeof(*stage));
	assert_non_null(stage);
	stage->apart = calloc(1, sizeof(*stage->apart));
	assert_non_null(stage->apart);
	stage->read = open_socket();
	stage->calling = open_socket();
	stage->local = bound(stage->read);
	stage->caller = bound(stage->calling);
	assert_int_equal(sip_refuser_create(stage->apart, &stage->counters, &stage->refuser), OK);
	assert_true(sip_refuser_add(stage->refuser, stage->read, &stage->local));
	assert_int_equal(sip_refuser_start(stage->refuser), OK);
	socklen_t size = address_to_sockaddr(&stage->local, &kernel);
	assert_int_equal(connect(stage->calling, (struct sockaddr *)&kernel, size), 0);
	return stage;
}

static void close_stage(struct stage *stage)
{
	sip_refuser_destroy(stage->refuser);
	close(stage->read);
	close(stage->calling);
	free(stage->apart);
	free(stage);
}

// As the guard and the transport do.
static void sieve(struct stage *stage, uint32_t share)
{
	const struct sip_guard_sieve sieve = { .salt = 1, .share = share };
	sip_guard_apart_follow(stage->apart, &sieve, 1000, 1);
	assert_true(sip_guard_sieve_steer(stage->read, ADDRESS_IPV4, &sieve));
}

// Returns its size.
static size_t invite(struct stage *stage, const char *host, const char *call_id, const char *tag)
{
	char room[1024];
	int size = snprintf(
		room, sizeof(room),
		"INVITE sip:+4915550000001@%s SIP/2.0\r\nVia: SIP/2.0/UDP "
		"h;branch=z9hG4bK1;rport\r\n"
		"From: <sip:a@b.example>;tag=1\r\nTo: <sip:+4915550000001@%s>%s\r\nCall-ID: %s\r\n"
		"CSeq: 1 INVITE\r\nContact: <sip:a@h>\r\nMax-Forwards: 70\r\n"
		"Content-Length: 0\r\nX-Much: %0*d\r\n\r\n",
		host, host, tag, call_id, 200, 0);
	assert_int_equal(send(stage->calling, room, (size_t)size, 0), size);
	return (size_t)size;
}

static bool hears(struct stage *stage, int wait_ms)
{
	struct pollfd answer = { .fd = stage->calling, .events = POLLIN };
	if (poll(&answer, 1, wait_ms) != 1)
		return false;
	ssize_t size = recv(stage->calling, stage->room, sizeof(stage->room) - 1, 0);
	assert_true(size > 0);
	stage->room[size] = 0;
	return true;
}

// For a second nobody is answered; then all that came before is done with.
static void ask_until_heard(struct stage *stage, const char *call_id)
{
	unsigned tries = 0;
	do
		(void)invite(stage, HOST, call_id, "");
	while (!hears(stage, 100) && ++tries < TRIES);
	CHECK_TRUE(strstr(stage->room, call_id) != NULL);
}

static void a_known_peer_hears_when_to_ask_again(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	sip_guard_apart_note(stage->apart, &stage->caller, TEXT("Office.Example"));
	sieve(stage, 0);
	ask_until_heard(stage, "first");
	CHECK_TRUE(strncmp(stage->room, "SIP/2.0 503 Service Unavailable\r\n", 33) == 0);
	CHECK_TRUE(strstr(stage->room, "\r\nRetry-After: ") != NULL);
	CHECK_TRUE(strstr(stage->room, ";received=127.0.0.1;rport=") != NULL);
	CHECK_TRUE(strstr(stage->room, "To: <sip:+4915550000001@" HOST ">;tag=") != NULL);
	CHECK_TRUE(strlen(stage->room) < invite(stage, HOST, "first", ""));
	CHECK_TRUE(counter_get(&stage->counters.refuser_received) > 0);
	close_stage(stage);
}

static void who_is_not_known_hears_nothing(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	sip_guard_apart_note(stage->apart, &stage->caller, TEXT(HOST));
	sieve(stage, 0);
	ask_until_heard(stage, "first");
	while (hears(stage, 200))
		continue;
	(void)invite(stage, "elsewhere.example", "elsewhere", "");
	(void)invite(stage, HOST, "within", ";tag=1");
	(void)!send(stage->calling, "INVITE sip:\r\n\r\n", 15, 0);
	ask_until_heard(stage, "last");
	sip_guard_apart_forget(stage->apart);
	while (hears(stage, 200))
		continue;
	(void)invite(stage, HOST, "forgotten", "");
	sip_guard_apart_note(stage->apart, &stage->caller, TEXT("other.example"));
	(void)invite(stage, "other.example", "again", "");
	CHECK_TRUE(hears(stage, 10000));
	CHECK_TRUE(strstr(stage->room, "again") != NULL);
	close_stage(stage);
}

static void what_is_read_is_none_of_its_business(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	struct pollfd read = { .fd = stage->read, .events = POLLIN };
	sip_guard_apart_note(stage->apart, &stage->caller, TEXT(HOST));
	sieve(stage, SIP_GUARD_SHARE_ALL);
	(void)invite(stage, HOST, "first", "");
	CHECK_NUMBER(poll(&read, 1, 10000), 1);
	CHECK_NUMBER(counter_get(&stage->counters.refuser_received), 0);
	close_stage(stage);
}

static void an_address_of_somebody_else_is_not_shared(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(&stage->local, &kernel);
	int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK_TRUE(bind(other, (struct sockaddr *)&kernel, size) != 0);
	close(other);
	close_stage(stage);
}

static void callers_are_forgotten_after_two_turns(void **state)
{
	(void)state;
	static const struct sip_guard_sieve none = { .share = SIP_GUARD_SHARE_ALL };
	struct sip_guard_apart *apart = calloc(1, sizeof(*apart));
	struct address one, other;
	assert_non_null(apart);
	assert_true(address_parse(TEXT("192.0.2.1:5060"), &one) &&
		    address_parse(TEXT("192.0.2.2:5060"), &other));
	uint64_t now_ms = SIP_GUARD_APART_TURN_MS;
	sip_guard_apart_follow(apart, &none, 1000, now_ms);
	sip_guard_apart_note(apart, &one, TEXT(HOST));
	CHECK_TRUE(!sip_guard_apart_knows(apart, &other, TEXT(HOST)));
	CHECK_TRUE(!sip_guard_apart_knows(apart, &one, TEXT("b.example")));
	sip_guard_apart_follow(apart, &none, 1000, now_ms += SIP_GUARD_APART_TURN_MS);
	CHECK_TRUE(sip_guard_apart_knows(apart, &one, TEXT(HOST)));
	sip_guard_apart_follow(apart, &none, 1000, now_ms += SIP_GUARD_APART_TURN_MS);
	CHECK_TRUE(!sip_guard_apart_knows(apart, &one, TEXT(HOST)));
	free(apart);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_peer_hears_when_to_ask_again),
		cmocka_unit_test(who_is_not_known_hears_nothing),
		cmocka_unit_test(what_is_read_is_none_of_its_business),
		cmocka_unit_test(an_address_of_somebody_else_is_not_shared),
		cmocka_unit_test(callers_are_forgotten_after_two_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
