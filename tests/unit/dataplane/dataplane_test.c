// The door against the real other side of the socket: attaching, mailboxes, and memory that control
// cannot write. The workers are played by the test.

#include "tests/check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/attach.h"
#include "dataplane/dataplane.h"
#include "dataplane/shared.h"

#define WORKERS 2
#define STREAMS (2 * MEDIA_PORT_COUNT)

struct server {
	struct attach *attach;
	int stop_fd;
	char folder[32], path[64];
	pthread_t thread;
};

static void *serve(void *context)
{
	struct server *server = context;
	attach_run(server->attach, server->stop_fd);
	return NULL;
}

static int set_up(void **state)
{
	struct dataplane_facts facts = {
		.process_id = 77, .worker_count = WORKERS, .address_count = 2, .port = "null:"
	};
	struct server *server = calloc(1, sizeof(*server));
	*state = server;
	snprintf(server->folder, sizeof(server->folder), "/tmp/dataplane_test_XXXXXX");
	assert_non_null(mkdtemp(server->folder));
	snprintf(server->path, sizeof(server->path), "%s/made/socket", server->folder);
	server->attach = attach_create(&facts, STREAMS);
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	assert_non_null(server->attach);
	assert_true(attach_listen(server->attach, server->path, UINT32_MAX));
	return pthread_create(&server->thread, NULL, serve, server);
}

static void stop(struct server *server)
{
	if (!server->attach)
		return;
	(void)eventfd_write(server->stop_fd, 1);
	pthread_join(server->thread, NULL);
	attach_destroy(server->attach);
	server->attach = NULL;
}

static int tear_down(void **state)
{
	struct server *server = *state;
	char made[64];
	stop(server);
	close(server->stop_fd);
	snprintf(made, sizeof(made), "%s/made", server->folder);
	rmdir(made);
	int error = rmdir(server->folder); // fails unless the socket is gone
	free(server);
	return error;
}

static void facts_and_figures_are_read_where_the_workers_write_them(void **state)
{
	struct server *server = *state;
	struct dataplane *dataplane;
	struct stream_view stream;
	struct worker_view worker;
	CHECK_OK(dataplane_attach(server->path, &dataplane));
	CHECK_NUMBER(dataplane_facts(dataplane)->process_id, 77);
	CHECK_STRING(dataplane_facts(dataplane)->port, "null:");
	CHECK_NUMBER(dataplane_stream_count(dataplane), STREAMS);
	attach_views(server->attach)->streams[STREAMS - 1].packets = 12;
	attach_views(server->attach)->workers[1].view.verdicts[VERDICT_DROP_TTL] = 34;
	CHECK_OK(dataplane_stream_read(dataplane, STREAMS - 1, &stream));
	CHECK_NUMBER(stream.packets, 12);
	CHECK_STATUS(dataplane_stream_read(dataplane, STREAMS, &stream), ERR_NOT_FOUND);
	dataplane_worker_read(dataplane, 1, &worker);
	CHECK_NUMBER(worker.verdicts[VERDICT_DROP_TTL], 34);
	dataplane_detach(dataplane);
}

static void a_message_reaches_the_worker_of_its_port_and_no_other(void **state)
{
	struct server *server = *state;
	struct dataplane *dataplane;
	struct message message = { .kind = MESSAGE_STREAM_OPEN, .stream = { 0, 1 } }, taken = { 0 };
	struct shared_mailboxes *mailboxes = attach_mailboxes(server->attach);
	struct mailbox_end inboxes[WORKERS] = { mailbox_consumer(&mailboxes[0].inbox),
						mailbox_consumer(&mailboxes[1].inbox) };
	CHECK_OK(dataplane_attach(server->path, &dataplane));
	for (uint32_t index = 0; index < STREAMS; index += 997) {
		unsigned worker = dataplane_worker_of(dataplane, index);
		message.stream.index = index;
		CHECK_OK(dataplane_send(dataplane, &message));
		CHECK_TRUE(mailbox_take(&inboxes[worker], &taken));
		CHECK_NUMBER(taken.stream.index, index);
		CHECK_FALSE(mailbox_take(&inboxes[!worker], &taken));
	}
	message.stream.index = STREAMS;
	CHECK_STATUS(dataplane_send(dataplane, &message), ERR_NOT_FOUND);
	dataplane_detach(dataplane);
}

static void rtp_and_its_rtcp_have_one_worker_at_any_number(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= SHARED_WORKERS_MAX; workers++)
		for (uint32_t index = 0, last = 0; index < MEDIA_PORT_COUNT; index += 2) {
			unsigned worker = shared_worker_of(workers, index);
			assert_true(worker < workers && worker >= last);
			if (index + 1 < MEDIA_PORT_COUNT)
				CHECK_NUMBER(shared_worker_of(workers, index + 1), worker);
			CHECK_NUMBER(shared_worker_of(workers, index + MEDIA_PORT_COUNT), worker);
			last = worker;
		}
}

static void a_full_mailbox_is_a_status_and_nothing_is_lost(void **state)
{
	struct server *server = *state;
	struct dataplane *dataplane;
	struct message message = { .kind = MESSAGE_STREAM_CLOSE }, taken = { 0 };
	CHECK_OK(dataplane_attach(server->path, &dataplane));
	for (uint32_t i = 0; i < MAILBOX_SIZE; i++) {
		CHECK_NUMBER(dataplane_room(dataplane, 0), MAILBOX_SIZE - i);
		message.stream.generation = i;
		CHECK_OK(dataplane_send(dataplane, &message));
	}
	CHECK_NUMBER(dataplane_room(dataplane, 0), 0);
	CHECK_STATUS(dataplane_send(dataplane, &message), ERR_BUSY);
	struct mailbox_end inbox = mailbox_consumer(&attach_mailboxes(server->attach)[0].inbox);
	for (uint32_t i = 0; i < MAILBOX_SIZE; i++) {
		CHECK_TRUE(mailbox_take(&inbox, &taken));
		CHECK_NUMBER(taken.stream.generation, i);
	}
	CHECK_FALSE(mailbox_take(&inbox, &taken));
	CHECK_NUMBER(dataplane_room(dataplane, 0), MAILBOX_SIZE);
	dataplane_detach(dataplane);
}

static void events_of_all_workers_are_collected_in_their_order(void **state)
{
	struct server *server = *state;
	struct dataplane *dataplane;
	struct message events[64], event = { .kind = MESSAGE_STREAM_STARTED };
	uint32_t next[WORKERS] = { 0 };
	CHECK_OK(dataplane_attach(server->path, &dataplane));
	for (unsigned worker = 0; worker < WORKERS; worker++) {
		struct mailbox_end outbox =
			mailbox_producer(&attach_mailboxes(server->attach)[worker].outbox);
		event.stream.index = worker;
		for (event.stream.generation = 0; event.stream.generation < 500;
		     event.stream.generation++)
			CHECK_TRUE(mailbox_put(&outbox, &event));
	}
	for (unsigned left = 1000, count; left > 0; left -= count) {
		count = dataplane_collect(dataplane, events, 64);
		assert_true(count > 0 && count <= 64);
		for (unsigned i = 0; i < count; i++)
			CHECK_NUMBER(events[i].stream.generation, next[events[i].stream.index]++);
	}
	CHECK_NUMBER(dataplane_collect(dataplane, events, 64), 0);
	dataplane_detach(dataplane);
}

static void a_position_that_cannot_be_leads_nowhere(void **state)
{
	struct server *server = *state;
	struct message message = { .kind = MESSAGE_STREAM_CLOSE }, taken = { 0 };
	struct mailbox *mailbox = &attach_mailboxes(server->attach)[0].inbox;
	struct mailbox_end consumer = mailbox_consumer(mailbox);
	struct mailbox_end producer = mailbox_producer(mailbox);
	atomic_store(&mailbox->put, 0x80000000u); // by a control process gone wrong
	CHECK_FALSE(mailbox_take(&consumer, &taken));
	atomic_store(&mailbox->taken, 0x40000000u);
	CHECK_NUMBER(mailbox_room(&producer), 0);
	CHECK_FALSE(mailbox_put(&producer, &message));
	producer = mailbox_producer(mailbox); // the next control process
	consumer = mailbox_consumer(mailbox);
	CHECK_TRUE(mailbox_put(&producer, &message));
	CHECK_TRUE(mailbox_take(&consumer, &taken));
}

static void a_key_that_was_taken_is_no_longer_in_the_ring(void **state)
{
	static const struct message nothing;
	struct server *server = *state;
	struct mailbox *mailbox = &attach_mailboxes(server->attach)[0].inbox;
	struct mailbox_end producer = mailbox_producer(mailbox);
	struct mailbox_end consumer = mailbox_consumer(mailbox);
	struct message key = { .kind = MESSAGE_STREAM_KEY, .stream = { 2, 9 } }, taken;
	struct message other = { .kind = MESSAGE_STREAM_CLOSE, .stream = { 2, 9 } };
	memset(key.key.octets, 0x5a, sizeof(key.key.octets));
	for (unsigned i = 0; i < MAILBOX_SIZE; i++) { // the ring comes round, wherever it began
		uint32_t place = producer.position % MAILBOX_SIZE;
		CHECK_TRUE(mailbox_put(&producer, &key));
		CHECK_TRUE(mailbox_put(&producer, &other));
		assert_memory_equal(&mailbox->messages[place], &key, sizeof(key));
		CHECK_TRUE(mailbox_take(&consumer, &taken));
		assert_memory_equal(&taken, &key, sizeof(key));
		assert_memory_equal(&mailbox->messages[place], &nothing, sizeof(nothing));
		CHECK_TRUE(mailbox_take(&consumer, &taken));
		assert_memory_equal(&taken, &other, sizeof(other));
	}
}

// Of all mappings of that name: "dd" among the flags is MADV_DONTDUMP.
static void check_not_dumped(const char *name, unsigned count)
{
	char line[512];
	unsigned found = 0, hidden = 0;
	bool is_ours = false;
	FILE *file = fopen("/proc/self/smaps", "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strchr(line, '-') && strchr(line, '-') < strchr(line, ' '))
			is_ours = strstr(line, name);
		if (!is_ours || strncmp(line, "VmFlags:", 8) != 0)
			continue;
		found++;
		hidden += strstr(line, " dd") != NULL;
	}
	fclose(file);
	CHECK_NUMBER(found, count);
	CHECK_NUMBER(hidden, count);
}

static void no_core_file_has_the_mailboxes_of_either_side(void **state)
{
	struct server *server = *state;
	struct dataplane *dataplane;
	CHECK_OK(dataplane_attach(server->path, &dataplane));
	check_not_dumped("trunkd_mailboxes", 2);
	dataplane_detach(dataplane);
	check_not_dumped("trunkd_mailboxes", 1);
}

static void a_second_control_process_waits_until_the_first_is_gone(void **state)
{
	struct server *server = *state;
	struct dataplane *first, *second = NULL;
	CHECK_OK(dataplane_attach(server->path, &first));
	CHECK_STATUS(dataplane_attach(server->path, &second), ERR_BUSY);
	dataplane_detach(first);
	CHECK_OK(dataplane_attach(server->path, &second)); // at once, without a pause
	dataplane_detach(second);
}

static void what_one_control_process_left_in_a_mailbox_the_next_one_finds(void **state)
{
	struct server *server = *state;
	struct dataplane *dataplane;
	struct message event = { .kind = MESSAGE_STREAM_CLOSED, .stream = { 3, 4 } };
	struct mailbox_end outbox = mailbox_producer(&attach_mailboxes(server->attach)[0].outbox);
	CHECK_TRUE(mailbox_put(&outbox, &event));
	CHECK_TRUE(mailbox_put(&outbox, &event));
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(dataplane_attach(server->path, &dataplane));
		CHECK_NUMBER(dataplane_collect(dataplane, &event, 1), 1);
		CHECK_NUMBER(event.stream.generation, 4);
		dataplane_detach(dataplane);
	}
}

static void nobody_is_there(void **state)
{
	struct server *server = *state;
	struct dataplane *dataplane;
	stop(server);
	CHECK_STATUS(dataplane_attach(server->path, &dataplane), ERR_UNAVAILABLE);
}

static void another_version_is_refused(void **state)
{
	struct server *server = *state;
	struct dataplane *dataplane;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct shared_greeting greeting = { .magic = SHARED_MAGIC, .version = SHARED_VERSION + 1 };
	int result = -1;
	stop(server);
	memcpy(address.sun_path, server->path, sizeof(server->path));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	CHECK_NUMBER(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_NUMBER(listen(fd, 1), 0);
	pid_t child = fork();
	if (child == 0) {
		int client = accept(fd, NULL, NULL);
		_exit(send(client, &greeting, sizeof(greeting), 0) != sizeof(greeting));
	}
	CHECK_STATUS(dataplane_attach(server->path, &dataplane), ERR_MALFORMED);
	CHECK_NUMBER(waitpid(child, &result, 0), child);
	CHECK_NUMBER(result, 0);
	close(fd);
	unlink(server->path);
}

static void the_end_of_the_dataplane_is_seen_on_the_descriptor(void **state)
{
	struct server *server = *state;
	struct dataplane *dataplane;
	char octet;
	CHECK_OK(dataplane_attach(server->path, &dataplane));
	CHECK_TRUE(recv(dataplane_fd(dataplane), &octet, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	stop(server);
	CHECK_NUMBER(recv(dataplane_fd(dataplane), &octet, 1, 0), 0);
	dataplane_detach(dataplane);
}

// As a control process that was taken over would try: the descriptor, and its file under /proc.
static void control_can_write_no_figures(void **state)
{
	(void)state;
	char link[64], target[64];
	bool has_found = false;
	for (int fd = 3; fd < 64; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t size = readlink(link, target, sizeof(target) - 1);
		target[size > 0 ? size : 0] = 0;
		if (strncmp(target, "/memfd:trunkd_views", 19) != 0)
			continue;
		has_found = true;
		CHECK_TRUE(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
			   MAP_FAILED);
		CHECK_TRUE(write(fd, "x", 1) == -1);
		int again = open(link, O_RDWR | O_CLOEXEC); // root may; the seal holds all the same
		if (again < 0)
			continue;
		CHECK_TRUE(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0) ==
			   MAP_FAILED);
		CHECK_TRUE(write(again, "x", 1) == -1);
		CHECK_TRUE(ftruncate(again, 0) == -1);
		close(again);
	}
	CHECK_TRUE(has_found);
}

static void the_socket_is_for_its_owner_alone(void **state)
{
	struct server *server = *state;
	struct stat info;
	CHECK_NUMBER(stat(server->path, &info), 0);
	CHECK_NUMBER(info.st_mode & 0777, 0600);
	CHECK_FALSE(attach_is_free(server->path));
}

#define WITH_SERVER(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(facts_and_figures_are_read_where_the_workers_write_them),
		WITH_SERVER(a_message_reaches_the_worker_of_its_port_and_no_other),
		TEST(rtp_and_its_rtcp_have_one_worker_at_any_number),
		WITH_SERVER(a_full_mailbox_is_a_status_and_nothing_is_lost),
		WITH_SERVER(events_of_all_workers_are_collected_in_their_order),
		WITH_SERVER(a_position_that_cannot_be_leads_nowhere),
		WITH_SERVER(a_key_that_was_taken_is_no_longer_in_the_ring),
		WITH_SERVER(no_core_file_has_the_mailboxes_of_either_side),
		WITH_SERVER(a_second_control_process_waits_until_the_first_is_gone),
		WITH_SERVER(what_one_control_process_left_in_a_mailbox_the_next_one_finds),
		WITH_SERVER(nobody_is_there),
		WITH_SERVER(another_version_is_refused),
		WITH_SERVER(the_end_of_the_dataplane_is_seen_on_the_descriptor),
		WITH_SERVER(control_can_write_no_figures),
		WITH_SERVER(the_socket_is_for_its_owner_alone),
	};
	return RUN_TESTS(tests);
}
