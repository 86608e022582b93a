// The client side of the operator's socket. Must never wait for ever: trunkd answers within 10 s.

#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 20
#define ANSWER_MAX (256u << 20)

static const char *advice(int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		return "is trunkd running, and is this its admin.socket? (--socket PATH, or "
		       "TRUNKD_SOCKET)";
	case EACCES:
	case EPERM:
		return "run it as root, or as a member of the socket's group";
	case EAGAIN:
		return "trunkd is there but does not answer: see its log";
	default:
		return "see the log of trunkd";
	}
}

static int connect_to(const char *path)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (!text_copy(text_of(path), address.sun_path, sizeof(address.sun_path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static bool send_all(int fd, struct text text)
{
	while (text.size > 0) {
		ssize_t size = send(fd, text.data, text.size, MSG_NOSIGNAL);
		if (size < 0 && errno != EINTR)
			return false;
		text = text_cut(text, size > 0 ? (size_t)size : 0);
	}
	return true;
}

// Up to the newline that ends the document.
static char *receive_line(int fd)
{
	size_t used = 0, room = 65536;
	char *line = malloc(room);
	while (line) {
		ssize_t size = recv(fd, line + used, room - used - 1, 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			break;
		used += (size_t)size;
		line[used] = 0;
		if (line[used - 1] == '\n')
			return line;
		if (room - used < 2 && room < ANSWER_MAX) {
			char *larger = realloc(line, room *= 2);
			if (!larger)
				break;
			line = larger;
		}
	}
	free(line);
	return NULL;
}

char *wire_ask(const char *path, struct text line, char *out_problem, unsigned problem_size)
{
	int fd = connect_to(path);
	if (fd < 0) {
		snprintf(out_problem, problem_size, "cannot connect to %s: %s\n%s", path,
			 strerror(errno), advice(errno));
		return NULL;
	}
	errno = 0;
	char *answer = send_all(fd, line) && send_all(fd, TEXT("\n")) ? receive_line(fd) : NULL;
	if (!answer)
		snprintf(out_problem, problem_size, "no answer from %s: %s\n%s", path,
			 errno ? strerror(errno) : "the connection was closed", advice(errno));
	close(fd);
	return answer;
}
