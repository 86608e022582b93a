// The client side of the dataplane: attaches, maps, and from there on only reads and writes memory.
// Runs on: control thread; the readers of counters on any thread. Never waits but in dataplane_attach.

#include "dataplane/dataplane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/shared.h"

#define ANSWER_TIMEOUT_S 2

struct dataplane {
	int fd;
	uint32_t worker_count, stream_count;
	struct shared_mailboxes *mailboxes;
	const struct shared_views *views;
	size_t mailboxes_size, views_size;
	struct mailbox_end inboxes[SHARED_WORKERS_MAX], outboxes[SHARED_WORKERS_MAX];
	unsigned next_worker; // whose outbox is collected first
};

static enum status connect_to(const char *path, int *out_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	if (strlen(path) >= sizeof(address.sun_path))
		return ERR_MALFORMED;
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_SYSTEM;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		*out_fd = fd;
		return OK;
	}
	enum status status = errno == EACCES ? ERR_FORBIDDEN : ERR_UNAVAILABLE;
	close(fd);
	return status;
}

static enum status judge(const struct shared_greeting *greeting, ssize_t size)
{
	if (size <= 0)
		return ERR_UNAVAILABLE;
	bool is_known = size == sizeof(*greeting) && greeting->magic == SHARED_MAGIC &&
			greeting->version == SHARED_VERSION;
	if (!is_known)
		return ERR_MALFORMED;
	if (greeting->answer != SHARED_WELCOME)
		return greeting->answer == SHARED_TAKEN ? ERR_BUSY : ERR_FORBIDDEN;
	bool is_same_build = greeting->worker_view_size == sizeof(struct worker_view) &&
			     greeting->stream_view_size == sizeof(struct stream_view) &&
			     greeting->facts_size == sizeof(struct dataplane_facts);
	bool is_in_bounds = greeting->worker_count > 0 &&
			    greeting->worker_count <= SHARED_WORKERS_MAX &&
			    greeting->stream_count <= MEDIA_ADDRESSES_MAX * MEDIA_PORT_COUNT;
	return is_same_build && is_in_bounds ? OK : ERR_MALFORMED;
}

// The two descriptors, or none: whatever came is closed again unless it is exactly those.
static enum status receive(int fd, struct shared_greeting *greeting, int out_fds[static 2])
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(2 * sizeof(int))];
	struct iovec part = { greeting, sizeof(*greeting) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = room,
				  .msg_controllen = sizeof(room) };
	ssize_t size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	enum status status = judge(greeting, size);
	struct cmsghdr *control = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	size_t count = control && control->cmsg_type == SCM_RIGHTS
			       ? (control->cmsg_len - CMSG_LEN(0)) / sizeof(int)
			       : 0;
	int fds[2] = { -1, -1 };
	if (count > 0)
		memcpy(fds, CMSG_DATA(control), count * sizeof(int));
	if (status == OK && count != 2)
		status = ERR_MALFORMED;
	for (size_t i = 0; i < count && status != OK; i++)
		close(fds[i]);
	if (status == OK)
		memcpy(out_fds, fds, sizeof(fds));
	return status;
}

static void *map(int fd, size_t size, int protection)
{
	struct stat state;
	if (fstat(fd, &state) != 0 || (size_t)state.st_size != size)
		return NULL;
	void *memory = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, size, MADV_DONTDUMP); // keys pass through
	return memory;
}

static enum status map_all(struct dataplane *dataplane, const int fds[static 2])
{
	dataplane->mailboxes_size = shared_mailboxes_size(dataplane->worker_count);
	dataplane->views_size = shared_views_size(dataplane->stream_count);
	dataplane->mailboxes = map(fds[0], dataplane->mailboxes_size, PROT_READ | PROT_WRITE);
	dataplane->views = map(fds[1], dataplane->views_size, PROT_READ);
	if (!dataplane->mailboxes || !dataplane->views)
		return ERR_MALFORMED;
	for (unsigned i = 0; i < dataplane->worker_count; i++) {
		dataplane->inboxes[i] = mailbox_producer(&dataplane->mailboxes[i].inbox);
		dataplane->outboxes[i] = mailbox_consumer(&dataplane->mailboxes[i].outbox);
	}
	return OK;
}

enum status dataplane_attach(const char *socket_path, struct dataplane **out_dataplane)
{
	struct shared_greeting greeting = { 0 };
	int fds[2] = { -1, -1 };
	struct dataplane *dataplane = calloc(1, sizeof(*dataplane));
	if (!dataplane)
		return ERR_MEMORY;
	dataplane->fd = -1;
	enum status status = connect_to(socket_path, &dataplane->fd);
	if (status == OK)
		status = receive(dataplane->fd, &greeting, fds);
	if (status == OK) {
		dataplane->worker_count = greeting.worker_count;
		dataplane->stream_count = greeting.stream_count;
		status = map_all(dataplane, fds);
		close(fds[0]);
		close(fds[1]);
	}
	if (status == OK)
		*out_dataplane = dataplane;
	else
		dataplane_detach(dataplane);
	return status;
}

void dataplane_detach(struct dataplane *dataplane)
{
	if (!dataplane)
		return;
	if (dataplane->mailboxes)
		munmap(dataplane->mailboxes, dataplane->mailboxes_size);
	if (dataplane->views)
		munmap((void *)(uintptr_t)dataplane->views, dataplane->views_size);
	if (dataplane->fd >= 0)
		close(dataplane->fd);
	free(dataplane);
}

// Asked for on the connection, not by a signal: we may be another user by now.
void dataplane_end(struct dataplane *dataplane)
{
	const char word = SHARED_END;
	(void)send(dataplane->fd, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	dataplane_detach(dataplane);
}

int dataplane_fd(const struct dataplane *dataplane)
{
	return dataplane->fd;
}

const struct dataplane_facts *dataplane_facts(const struct dataplane *dataplane)
{
	return &dataplane->views->facts;
}

unsigned dataplane_worker_of(const struct dataplane *dataplane, uint32_t stream_index)
{
	return shared_worker_of(dataplane->worker_count, stream_index);
}

enum status dataplane_send(struct dataplane *dataplane, const struct message *message)
{
	if (message->stream.index >= dataplane->stream_count)
		return ERR_NOT_FOUND;
	unsigned worker = dataplane_worker_of(dataplane, message->stream.index);
	return mailbox_put(&dataplane->inboxes[worker], message) ? OK : ERR_BUSY;
}

unsigned dataplane_room(const struct dataplane *dataplane, uint32_t stream_index)
{
	return mailbox_room(&dataplane->inboxes[dataplane_worker_of(dataplane, stream_index)]);
}

// Round robin, so that one worker with much to tell does not keep the others waiting.
unsigned dataplane_collect(struct dataplane *dataplane, struct message *out_messages, unsigned max)
{
	unsigned count = 0, silent = 0;
	while (count < max && silent < dataplane->worker_count) {
		struct mailbox_end *outbox = &dataplane->outboxes[dataplane->next_worker];
		bool is_taken = mailbox_take(outbox, &out_messages[count]);
		count += is_taken;
		silent = is_taken ? 0 : silent + 1;
		dataplane->next_worker = (dataplane->next_worker + 1) % dataplane->worker_count;
	}
	return count;
}

enum status dataplane_stream_read(const struct dataplane *dataplane, uint32_t index,
				  struct stream_view *out_view)
{
	if (index >= dataplane->stream_count)
		return ERR_NOT_FOUND;
	*out_view = dataplane->views->streams[index];
	return OK;
}

unsigned dataplane_stream_count(const struct dataplane *dataplane)
{
	return dataplane->stream_count;
}

void dataplane_worker_read(const struct dataplane *dataplane, unsigned worker,
			   struct worker_view *out_view)
{
	if (worker < dataplane->worker_count)
		*out_view = dataplane->views->workers[worker].view;
}
