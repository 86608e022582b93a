// Starts, watches, adopts and stops the private Redis.
// Runs on: control thread. Never passes it a secret, a descriptor but the lock, or our signals.

#include "store/embedded.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"

#define PATH_SIZE 512
#define LOCK_FD 3 // in the child
#define STOP_MS 5000
#define BACKOFF_MIN_MS 250
#define BACKOFF_MAX_MS 10000
#define STEADY_MS 10000 // having lived so long, it is started again without delay

struct store_embedded {
	struct event_base *loop;
	char program[PATH_SIZE];
	char directory[PATH_SIZE]; // of the append-only file
	char socket[STORE_URL_PATH_SIZE];
	int process; // pidfd; -1: none
	pid_t pid;
	bool is_child; // else adopted
	struct event *end;
	uint64_t started_ms, next_ms, backoff_ms;
};

extern char **environ;

static uint64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

// A directory of ours that nobody else may enter. Its parent is made too, if need be.
static enum status make_private(const char *parent, char *room, size_t size)
{
	int length = snprintf(room, size, "%s/redis", parent);
	if (length < 0 || (size_t)length >= size)
		return ERR_TOO_LARGE;
	struct stat found;
	bool is_made = (mkdir(parent, 0755) == 0 || errno == EEXIST) &&
		       (mkdir(room, 0700) == 0 || errno == EEXIST);
	if (is_made && lstat(room, &found) == 0 && S_ISDIR(found.st_mode) &&
	    found.st_uid == geteuid() && chmod(room, 0700) == 0)
		return OK;
	log_event(LOG_ERROR, "redis_directory_unusable", "path", room, "problem",
		  is_made ? "not a directory of this user" : strerror(errno), NULL);
	return ERR_SYSTEM;
}

enum status store_embedded_create(struct event_base *loop, const struct store_options *options,
				  struct store_embedded **out_embedded)
{
	struct store_embedded *embedded = calloc(1, sizeof(*embedded));
	char run[PATH_SIZE];
	if (!embedded)
		return ERR_MEMORY;
	embedded->loop = loop;
	embedded->process = -1;
	embedded->backoff_ms = BACKOFF_MIN_MS;
	enum status status = ERR_TOO_LARGE;
	if (!text_copy(text_of(options->program), embedded->program, sizeof(embedded->program)))
		goto fail;
	status = make_private(options->state_directory, embedded->directory,
			      sizeof(embedded->directory));
	if (status == OK)
		status = make_private(options->runtime_directory, run, sizeof(run));
	if (status != OK)
		goto fail;
	int length = snprintf(embedded->socket, sizeof(embedded->socket), "%s/redis.sock", run);
	status = ERR_TOO_LARGE;
	if (length < 0 || (size_t)length >= sizeof(embedded->socket)) {
		log_event(LOG_ERROR, "redis_socket_path_too_long", "directory", run, NULL);
		goto fail;
	}
	*out_embedded = embedded;
	return OK;
fail:
	store_embedded_destroy(embedded);
	return status;
}

static void forget(struct store_embedded *embedded)
{
	if (embedded->end)
		event_free(embedded->end);
	if (embedded->process >= 0)
		close(embedded->process);
	embedded->end = NULL;
	embedded->process = -1;
	embedded->pid = 0;
}

void store_embedded_destroy(struct store_embedded *embedded)
{
	if (!embedded)
		return;
	forget(embedded);
	free(embedded);
}

void store_embedded_url(const struct store_embedded *embedded, struct store_url *out_url)
{
	*out_url = (struct store_url){ 0 };
	(void)text_copy(text_of(embedded->socket), out_url->path, sizeof(out_url->path));
}

int store_embedded_pid(const struct store_embedded *embedded)
{
	return (int)embedded->pid;
}

// Waits for it when it is our child, so that it leaves no zombie.
static void reap(const struct store_embedded *embedded, struct log_value *out_how)
{
	siginfo_t info = { 0 };
	const char *how = "exited";
	if (embedded->is_child &&
	    waitid(P_PIDFD, (id_t)embedded->process, &info, WEXITED | WNOHANG) == 0)
		how = info.si_code == CLD_EXITED ? "exited with status" : "killed by signal";
	(void)snprintf(out_how->room, sizeof(out_how->room), "%s %d", how, info.si_status);
}

static void on_end(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	struct store_embedded *embedded = context;
	struct log_value pid, how;
	uint64_t now = now_ms();
	reap(embedded, &how);
	log_event(LOG_ERROR, "redis_ended", "pid", log_number(&pid, embedded->pid), "how", how.room,
		  "log", embedded->directory, NULL);
	if (now - embedded->started_ms >= STEADY_MS)
		embedded->backoff_ms = BACKOFF_MIN_MS;
	forget(embedded);
}

static enum status watch(struct store_embedded *embedded, pid_t pid, bool is_child)
{
	embedded->pid = pid;
	embedded->is_child = is_child;
	embedded->process = pidfd_open(pid, 0);
	if (embedded->process < 0)
		goto fail;
	embedded->end = event_new(embedded->loop, embedded->process, EV_READ, on_end, embedded);
	if (embedded->end && event_add(embedded->end, NULL) == 0)
		return OK;
fail:
	forget(embedded);
	return ERR_SYSTEM;
}

// Held by the child as long as it lives, whatever becomes of us.
static int take_lock(const struct store_embedded *embedded)
{
	char path[PATH_SIZE + 8];
	(void)snprintf(path, sizeof(path), "%s/lock", embedded->directory);
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0) {
		close(lock);
		lock = -1;
	}
	return lock;
}

// A session of its own: the terminal's signals to us are not for it.
static int spawn(struct store_embedded *embedded, int lock, pid_t *out_pid)
{
	char log[PATH_SIZE + 16];
	(void)snprintf(log, sizeof(log), "%s/redis.log", embedded->directory);
	const char *words[] = { embedded->program,
				"--port",
				"0",
				"--unixsocket",
				embedded->socket,
				"--unixsocketperm",
				"700",
				"--dir",
				embedded->directory,
				"--appendonly",
				"yes",
				"--appendfsync",
				"everysec",
				"--save",
				"",
				"--logfile",
				log,
				"--daemonize",
				"no",
				"--databases",
				"1",
				"--maxmemory-policy",
				"noeviction",
				NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
	int result = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(&files, 0, 1);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(&files, 0, 2);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(&files, lock, LOCK_FD);
	if (result == 0)
		result = posix_spawn_file_actions_addclosefrom_np(&files, LOCK_FD + 1);
	if (result == 0)
		result = posix_spawnp(out_pid, embedded->program, &files, &attributes,
				      (char *const *)words, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return result;
}

enum status store_embedded_ensure(struct store_embedded *embedded)
{
	struct log_value number;
	uint64_t now = now_ms();
	if (embedded->process >= 0)
		return OK;
	if (now < embedded->next_ms)
		return ERR_BUSY;
	embedded->next_ms = now + embedded->backoff_ms;
	embedded->backoff_ms = embedded->backoff_ms * 2 < BACKOFF_MAX_MS ? embedded->backoff_ms * 2
									 : BACKOFF_MAX_MS;
	int lock = take_lock(embedded);
	if (lock < 0) {
		log_event(LOG_ERROR, "redis_locked", "directory", embedded->directory, "problem",
			  "another process uses it, but does not answer at our socket", NULL);
		return ERR_BUSY;
	}
	pid_t pid = 0;
	int result = spawn(embedded, lock, &pid);
	close(lock);
	if (result != 0) {
		log_event(LOG_ERROR, "redis_not_started", "program", embedded->program, "problem",
			  strerror(result), NULL);
		return ERR_SYSTEM;
	}
	embedded->started_ms = now;
	log_event(LOG_INFO, "redis_started", "pid", log_number(&number, pid), "socket",
		  embedded->socket, NULL);
	return watch(embedded, pid, true);
}

// The kernel tells who listens: the credentials are those of listen().
void store_embedded_adopt(struct store_embedded *embedded, int socket)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	struct log_value number;
	if (embedded->process >= 0 ||
	    getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0)
		return;
	embedded->started_ms = now_ms();
	if (watch(embedded, peer.pid, false) == OK)
		log_event(LOG_INFO, "redis_adopted", "pid", log_number(&number, peer.pid), "socket",
			  embedded->socket, NULL);
}

void store_embedded_stop(struct store_embedded *embedded)
{
	struct log_value number, how;
	if (embedded->process < 0)
		return;
	struct pollfd wait = { .fd = embedded->process, .events = POLLIN };
	if (pidfd_send_signal(embedded->process, SIGTERM, NULL, 0) == 0 &&
	    poll(&wait, 1, STOP_MS) != 1) {
		log_event(LOG_WARNING, "redis_stops_slowly", "pid",
			  log_number(&number, embedded->pid), NULL);
	} else {
		reap(embedded, &how);
		log_event(LOG_INFO, "redis_stopped", "pid", log_number(&number, embedded->pid),
			  "how", how.room, NULL);
	}
	forget(embedded);
}
