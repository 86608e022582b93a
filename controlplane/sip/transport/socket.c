// Options of connections' sockets, and connecting.
// Runs on the control thread. Never blocks.

#include "sip/transport/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROBE_AFTER_S 60 // of silence, and so often again: also keeps middleboxes awake
#define PROBES 4
#define LOST_AFTER_MS 32000 // nothing we sent was acknowledged for so long
#define UNSENT_MAX 131072 // octets the kernel keeps for a slow reader beside those under way

static void set(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

void socket_set_options(int fd)
{
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, LOST_AFTER_MS);
	set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER_S);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_AFTER_S);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

static bool begin(int fd, const struct sip_flow *flow)
{
	struct sockaddr_storage kernel;
	struct address from = flow->local;
	from.port = 0; // any: what the peer is told is in Via and Contact
	set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	socklen_t size = address_to_sockaddr(&from, &kernel);
	if (bind(fd, (struct sockaddr *)&kernel, size) != 0)
		return false;
	size = address_to_sockaddr(&flow->remote, &kernel);
	return connect(fd, (struct sockaddr *)&kernel, size) == 0 || errno == EINPROGRESS;
}

enum status socket_connect(const struct sip_flow *flow, int *out_fd)
{
	int family = flow->local.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_SYSTEM;
	socket_set_options(fd);
	if (!begin(fd, flow)) {
		close(fd);
		return ERR_SYSTEM;
	}
	*out_fd = fd;
	return OK;
}

int socket_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

void socket_abort(int fd)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}
