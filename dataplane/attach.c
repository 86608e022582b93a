// One control process at a time gets the two memory files over a Unix socket. The connection then
// carries nothing but one word, which ends this process; its end tells each side that the other is gone.
// Runs on: main. Never touches a stream, never waits for the control process.

#include "dataplane/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "dataplane/shared.h"

struct attach {
	struct shared_mailboxes *mailboxes;
	struct shared_views *views;
	size_t mailboxes_size, views_size;
	int mailboxes_fd, views_fd; // as handed over: the second opened for reading alone
	int listen_fd, client_fd; // -1: none
	uint32_t stream_count, worker_count, allow_uid;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

// Sealed against shrinking, which would kill a worker at its next access.
static int create_memory(const char *name, size_t size, void **out_memory)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	void *memory = MAP_FAILED;
	if (fchmod(fd, 0600) == 0 && ftruncate(fd, (off_t)size) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (memory == MAP_FAILED) {
		close(fd);
		return -1;
	}
	(void)madvise(memory, size, MADV_DONTDUMP); // keys pass through
	*out_memory = memory;
	return fd;
}

// From here on nobody can map it for writing, not even by opening it again under /proc.
static int reopen_for_reading(int fd)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool create_memories(struct attach *attach)
{
	attach->mailboxes_fd = create_memory("trunkd_mailboxes", attach->mailboxes_size,
					     (void **)&attach->mailboxes);
	int fd = create_memory("trunkd_views", attach->views_size, (void **)&attach->views);
	if (fd >= 0) {
		attach->views_fd = reopen_for_reading(fd);
		close(fd);
	}
	return attach->mailboxes_fd >= 0 && attach->views_fd >= 0;
}

struct attach *attach_create(const struct dataplane_facts *facts, uint32_t stream_count)
{
	struct attach *attach = calloc(1, sizeof(*attach));
	if (!attach)
		return NULL;
	attach->mailboxes_fd = attach->views_fd = attach->listen_fd = attach->client_fd = -1;
	attach->worker_count = facts->worker_count;
	attach->stream_count = stream_count;
	attach->mailboxes_size = shared_mailboxes_size(facts->worker_count);
	attach->views_size = shared_views_size(stream_count);
	if (create_memories(attach)) {
		attach->views->facts = *facts;
		return attach;
	}
	fprintf(stderr, "trunkd-dataplane: no shared memory: %s\n", strerror(errno));
	attach_destroy(attach);
	return NULL;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void attach_destroy(struct attach *attach)
{
	if (!attach)
		return;
	if (attach->listen_fd >= 0)
		unlink(attach->path);
	close_fd(&attach->client_fd);
	close_fd(&attach->listen_fd);
	close_fd(&attach->mailboxes_fd);
	close_fd(&attach->views_fd);
	if (attach->mailboxes)
		munmap(attach->mailboxes, attach->mailboxes_size);
	if (attach->views)
		munmap(attach->views, attach->views_size);
	free(attach);
}

struct shared_mailboxes *attach_mailboxes(const struct attach *attach)
{
	return attach->mailboxes;
}

struct shared_views *attach_views(const struct attach *attach)
{
	return attach->views;
}

static bool complain(const char *path, const char *why)
{
	fprintf(stderr, "trunkd-dataplane: --socket %s: %s\n", path, why);
	return false;
}

static bool write_path(const char *path, struct sockaddr_un *out_address)
{
	*out_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(out_address->sun_path))
		return complain(path, "too long for a Unix socket: at most 107 characters");
	memcpy(out_address->sun_path, path, strlen(path));
	return true;
}

bool attach_is_free(const char *path)
{
	struct sockaddr_un address;
	if (!write_path(path, &address))
		return false;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool is_served = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close_fd(&fd);
	return !is_served ||
	       complain(path, "another dataplane serves it; stop that one, or name another");
}

static bool make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	memcpy(folder, path, sizeof(folder));
	char *slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return true;
	*slash = 0;
	return mkdir(folder, 0755) == 0 || errno == EEXIST;
}

bool attach_listen(struct attach *attach, const char *path, uint32_t allow_uid)
{
	struct sockaddr_un address;
	if (!attach_is_free(path) || !write_path(path, &address))
		return false;
	memcpy(attach->path, address.sun_path, sizeof(attach->path));
	if (!make_folder(attach->path))
		return complain(path, strerror(errno));
	unlink(path);
	attach->allow_uid = allow_uid;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	bool is_bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	umask(mask);
	bool is_given = allow_uid == UINT32_MAX || (is_bound && chown(path, allow_uid, -1u) == 0);
	if (is_bound && is_given && listen(fd, 8) == 0) {
		attach->listen_fd = fd;
		return true;
	}
	complain(path, strerror(errno));
	if (is_bound)
		unlink(path);
	close_fd(&fd);
	return false;
}

static bool is_allowed(const struct attach *attach, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid() || peer.uid == attach->allow_uid;
}

static bool greet(const struct attach *attach, int fd, enum shared_answer answer)
{
	struct shared_greeting greeting = {
		.magic = SHARED_MAGIC,
		.version = SHARED_VERSION,
		.answer = answer,
		.worker_count = attach->worker_count,
		.stream_count = attach->stream_count,
		.worker_view_size = sizeof(struct worker_view),
		.stream_view_size = sizeof(struct stream_view),
		.facts_size = sizeof(struct dataplane_facts),
	};
	const int fds[2] = { attach->mailboxes_fd, attach->views_fd };
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(fds))] = { 0 };
	struct iovec part = { &greeting, sizeof(greeting) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	if (answer == SHARED_WELCOME) {
		message.msg_control = room;
		message.msg_controllen = sizeof(room);
		struct cmsghdr *control = CMSG_FIRSTHDR(&message);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(fds));
		memcpy(CMSG_DATA(control), fds, sizeof(fds));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(greeting);
}

static bool is_gone(int fd)
{
	struct pollfd state = { .fd = fd, .events = POLLIN };
	return poll(&state, 1, 0) > 0; // it has nothing more to say, so this is its end
}

static bool is_asked_to_end(int fd)
{
	char word = 0;
	return recv(fd, &word, 1, MSG_DONTWAIT) == 1 && word == SHARED_END;
}

static void leave(struct attach *attach)
{
	close_fd(&attach->client_fd);
	log_event(LOG_INFO, "control_detached", NULL);
}

static void accept_client(struct attach *attach)
{
	int fd = accept4(attach->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (attach->client_fd >= 0 && is_gone(attach->client_fd))
		leave(attach);
	enum shared_answer answer = SHARED_WELCOME;
	if (!is_allowed(attach, fd))
		answer = SHARED_FORBIDDEN;
	else if (attach->client_fd >= 0)
		answer = SHARED_TAKEN;
	if (greet(attach, fd, answer) && answer == SHARED_WELCOME) {
		attach->client_fd = fd;
		log_event(LOG_INFO, "control_attached", NULL);
		return;
	}
	close(fd);
	log_event(LOG_WARNING, "control_refused", "why",
		  answer == SHARED_TAKEN ? "another is attached" : "not allowed", NULL);
}

void attach_run(struct attach *attach, int stop_fd)
{
	for (;;) {
		struct pollfd waits[3] = {
			{ .fd = stop_fd, .events = POLLIN },
			{ .fd = attach->listen_fd, .events = POLLIN },
			{ .fd = attach->client_fd, .events = POLLIN }, // negative: passed over
		};
		if (poll(waits, 3, -1) < 0 && errno != EINTR)
			return;
		if (waits[0].revents)
			return;
		if (waits[2].revents && is_asked_to_end(attach->client_fd))
			return;
		if (waits[2].revents)
			leave(attach);
		if (waits[1].revents)
			accept_client(attach);
	}
}
