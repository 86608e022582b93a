// The socket: lines in pieces, too long lines, too many peers, slow and vanished ones.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/request.h"
#include "admin/socket.h"
#include "base/random.h"
#include "fake.h"

#define PATIENCE_MS 200

struct desk {
	struct fake fake;
	struct admin_socket *server;
	char path[80];
};

static int make(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	fake_make(&desk->fake);
	snprintf(desk->path, sizeof(desk->path), "%s/admin.sock", desk->fake.directory);
	assert_int_equal(admin_socket_start(desk->fake.loop, desk->path, PATIENCE_MS,
					    &desk->fake.context, &desk->server),
			 OK);
	*state = desk;
	return 0;
}

static int take_down(void **state)
{
	struct desk *desk = *state;
	admin_socket_stop(desk->server);
	assert_int_equal(access(desk->path, F_OK), -1);
	fake_remove(&desk->fake);
	free(desk);
	return 0;
}

static int dial(const struct desk *desk)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", desk->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void turn(struct desk *desk)
{
	for (unsigned i = 0; i < 4; i++)
		event_base_loop(desk->fake.loop, EVLOOP_NONBLOCK);
}

static void say(struct desk *desk, int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	turn(desk);
}

// What has arrived; "closed" when the other side is gone.
static const char *hear(struct desk *desk, int fd, char *room, size_t size)
{
	turn(desk);
	ssize_t count = recv(fd, room, size - 1, MSG_DONTWAIT);
	if (count == 0 || (count < 0 && errno == ECONNRESET))
		return "closed";
	room[count > 0 ? count : 0] = 0;
	return room;
}

static void the_socket_is_for_owner_and_group(void **state)
{
	struct desk *desk = *state;
	struct stat facts;
	assert_int_equal(stat(desk->path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0660);
}

static void a_path_in_use_is_refused_and_a_left_over_one_is_taken(void **state)
{
	struct desk *desk = *state;
	struct admin_socket *second = NULL;
	assert_int_equal(admin_socket_start(desk->fake.loop, desk->path, PATIENCE_MS,
					    &desk->fake.context, &second),
			 ERR_CONFLICT);
	char path[100];
	snprintf(path, sizeof(path), "%s2", desk->path);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd); // as after kill -9
	assert_int_equal(admin_socket_start(desk->fake.loop, path, PATIENCE_MS, &desk->fake.context,
					    &second),
			 OK);
	admin_socket_stop(second);
}

static void the_door_opens_the_socket_and_counts_for_other_threads(void **state)
{
	struct desk *desk = *state;
	struct admin_context *context = &desk->fake.context;
	struct admin *admin = NULL;
	const char *reason = NULL;
	char path[100];
	snprintf(path, sizeof(path), "%s3", desk->path);
	struct admin_options options = { path, context }, taken = { desk->path, context };
	assert_string_equal(fake_code(&desk->fake, "add account name=acme"), "");
	assert_int_equal(admin_start(desk->fake.loop, &taken, &admin), ERR_CONFLICT);
	assert_int_equal(admin_start(desk->fake.loop, &options, &admin), OK);
	assert_int_equal(counter_get(&context->objects[DIRECTORY_ACCOUNT]), 1);
	assert_true(admin_is_ready_any(context));
	assert_null(admin_reason_any(context));
	assert_int_equal(access(path, R_OK | W_OK), 0);
	admin_stop(admin);
	assert_int_equal(access(path, F_OK), -1);
	(void)admin_replace_dataplane(context, NULL);
	assert_false(admin_is_ready(context, &reason));
	assert_string_equal(reason, "no dataplane is attached");
	admin_stop(NULL);
}

static void lines_in_pieces_and_several_at_once_are_answered_in_order(void **state)
{
	struct desk *desk = *state;
	char room[8192];
	int fd = dial(desk);
	say(desk, fd, "sho");
	assert_string_equal(hear(desk, fd, room, sizeof(room)), "");
	say(desk, fd, "w ports\r\n");
	assert_non_null(strstr(hear(desk, fd, room, sizeof(room)), "\"ports\""));
	say(desk, fd, "show calls\nlog level info\nnonsense\nshow cal");
	for (unsigned i = 0; i < 5; i++)
		turn(desk);
	const char *answers = hear(desk, fd, room, sizeof(room));
	const char *first = strstr(answers, "\"calls\""), *second = strstr(answers, "\"level\"");
	const char *third = strstr(answers, "\"ERR_NOT_FOUND\"");
	assert_true(first && second && third && first < second && second < third);
	close(fd);
	turn(desk);
}

static void a_line_above_64_kib_ends_the_connection(void **state)
{
	struct desk *desk = *state;
	char room[512];
	int fd = dial(desk);
	char chunk[1025];
	memset(chunk, 'a', 1024);
	chunk[1024] = 0;
	for (unsigned i = 0; i < ADMIN_LINE_MAX / 1024; i++)
		say(desk, fd, chunk);
	assert_string_equal(hear(desk, fd, room, sizeof(room)), "");
	say(desk, fd, "a");
	assert_non_null(strstr(hear(desk, fd, room, sizeof(room)), "ERR_TOO_LARGE"));
	assert_string_equal(hear(desk, fd, room, sizeof(room)), "closed");
	close(fd);
}

static void the_65th_peer_is_turned_away(void **state)
{
	struct desk *desk = *state;
	char room[512];
	int fds[ADMIN_CONNECTIONS_MAX + 1];
	for (unsigned i = 0; i < ADMIN_CONNECTIONS_MAX; i++) {
		fds[i] = dial(desk);
		turn(desk);
	}
	fds[ADMIN_CONNECTIONS_MAX] = dial(desk);
	assert_non_null(
		strstr(hear(desk, fds[ADMIN_CONNECTIONS_MAX], room, sizeof(room)), "ERR_LIMIT"));
	assert_string_equal(hear(desk, fds[ADMIN_CONNECTIONS_MAX], room, sizeof(room)), "closed");
	close(fds[0]);
	turn(desk);
	int late = dial(desk);
	say(desk, late, "show ports\n");
	assert_non_null(strstr(hear(desk, late, room, sizeof(room)), "\"ok\""));
	close(late);
	for (unsigned i = 1; i <= ADMIN_CONNECTIONS_MAX; i++)
		close(fds[i]);
	turn(desk);
}

static void a_peer_that_leaves_before_its_answer_hurts_nobody(void **state)
{
	struct desk *desk = *state;
	char room[512];
	desk->fake.is_store_silent = true;
	int fd = dial(desk);
	say(desk, fd, "add account name=late\n");
	assert_string_equal(hear(desk, fd, room, sizeof(room)), "");
	close(fd);
	turn(desk);
	fake_release_store();
	turn(desk);
	desk->fake.is_store_silent = false;
	fd = dial(desk);
	say(desk, fd, "add account name=early\n");
	assert_non_null(strstr(hear(desk, fd, room, sizeof(room)), "early"));
	close(fd);
	turn(desk);
}

static void wait_out_the_patience(struct desk *desk)
{
	const struct timeval longer = { .tv_usec = 2 * PATIENCE_MS * 1000 };
	event_base_loopexit(desk->fake.loop, &longer);
	event_base_dispatch(desk->fake.loop);
}

static void an_answer_that_does_not_come_in_time_is_a_refusal(void **state)
{
	struct desk *desk = *state;
	char room[512];
	desk->fake.is_store_silent = true;
	int fd = dial(desk);
	say(desk, fd, "add account name=late\n");
	assert_string_equal(hear(desk, fd, room, sizeof(room)), "");
	wait_out_the_patience(desk);
	assert_non_null(strstr(hear(desk, fd, room, sizeof(room)), "ERR_TIMEOUT"));
	fake_release_store();
	desk->fake.is_store_silent = false;
	say(desk, fd, "show ports\n"); // the connection still serves
	assert_non_null(strstr(hear(desk, fd, room, sizeof(room)), "\"ports\""));
	close(fd);
	turn(desk);
}

static void a_peer_that_does_not_read_is_cut_off(void **state)
{
	struct desk *desk = *state;
	static char lines[40000];
	char room[65536];
	for (size_t i = 0; i + 9 < sizeof(lines); i += 9)
		memcpy(lines + i, "commands\n", 10);
	int fd = dial(desk);
	say(desk, fd, lines); // 4,444 answers of some KiB each: more than a socket holds
	for (unsigned i = 0; i < 500; i++)
		turn(desk);
	wait_out_the_patience(desk);
	const char *heard;
	size_t size = 0;
	while ((heard = hear(desk, fd, room, sizeof(room)))[0] && strcmp(heard, "closed") != 0)
		size += strlen(heard);
	assert_string_equal(heard, "closed");
	assert_true(size > 10000 && size < 4000000);
	close(fd);
}

static void random_octets_are_answered_or_cut_off(void **state)
{
	struct desk *desk = *state;
	char octets[512], room[65536];
	for (unsigned round = 0; round < 300; round++) {
		int fd = dial(desk);
		for (unsigned chunk = 0; chunk < 4; chunk++) {
			random_fill(octets, sizeof(octets));
			octets[random_below(sizeof(octets))] = '\n';
			(void)!send(fd, octets, sizeof(octets), MSG_NOSIGNAL);
			(void)hear(desk, fd, room, sizeof(room));
		}
		close(fd);
		turn(desk);
	}
	int fd = dial(desk);
	say(desk, fd, "show ports\n");
	assert_non_null(strstr(hear(desk, fd, room, sizeof(room)), "\"ok\""));
	close(fd);
	turn(desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, take_down)
		TEST(the_socket_is_for_owner_and_group),
		TEST(a_path_in_use_is_refused_and_a_left_over_one_is_taken),
		TEST(the_door_opens_the_socket_and_counts_for_other_threads),
		TEST(lines_in_pieces_and_several_at_once_are_answered_in_order),
		TEST(a_line_above_64_kib_ends_the_connection),
		TEST(the_65th_peer_is_turned_away),
		TEST(a_peer_that_leaves_before_its_answer_hurts_nobody),
		TEST(an_answer_that_does_not_come_in_time_is_a_refusal),
		TEST(a_peer_that_does_not_read_is_cut_off),
		TEST(random_octets_are_answered_or_cut_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
