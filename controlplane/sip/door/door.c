// Second sockets of our addresses, read in batches, answered in batches. Runs on a thread of its own, of low
// priority; never allocates there, and shares nothing but atomics and the queue with the control thread.

#include "sip/door/door.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread/thread.h"
#include "sip/datagram/datagram.h"
#include "sip/door/answer.h"
#include "sip/transport.h"

#define BATCH SIP_DATAGRAMS
#define ROOM SIP_DOOR_ROOM
#define RECEIVE_BUFFER                                                                             \
	(4 << 20) // octets: some 1,600 INVITEs, the kernel counts what lies around them too
#define NICE 10
#define NAP_NS 2000000 // more come meanwhile: to be woken for each costs more than to answer it

struct batch {
	struct sip_datagrams datagrams;
	char room[BATCH][ROOM];
};

struct door_socket {
	int fd;
	uint32_t kernel_drops; // as last told
	struct address local;
};

struct sip_door {
	struct sip_door_keeper keeper;
	uint64_t real_ns; // of CLOCK_REALTIME, as stamps are
	struct sip_transport_counters *counters;
	struct sip_door_queue *queue;
	struct door_socket sockets[SIP_DOOR_SOCKETS_MAX];
	struct pollfd polled[SIP_DOOR_SOCKETS_MAX + 1]; // the last one is `wake`
	unsigned socket_count;
	int wake; // eventfd
	_Atomic bool is_stopping;
	bool is_started;
	pthread_t thread;
	struct batch in, out;
};

// ---- batches

static void prepare(struct batch *batch)
{
	sip_datagrams_prepare(&batch->datagrams, batch->room[0], ROOM);
}

// Returns when it arrived; counts what found no room before it.
static uint64_t read_controls(struct sip_door *door, struct door_socket *socket,
			      struct msghdr *header)
{
	uint32_t drops = socket->kernel_drops;
	uint64_t arrived_ns = sip_datagram_controls(header, &drops);
	counter_add(&door->counters->door_lost, (uint32_t)(drops - socket->kernel_drops));
	socket->kernel_drops = drops;
	return arrived_ns;
}

static void put_answer(struct batch *out, struct text answer, const struct msghdr *header,
		       unsigned nth)
{
	struct sip_datagrams *datagrams = &out->datagrams;
	memcpy(out->room[nth], answer.data, answer.size);
	datagrams->parts[nth].iov_len = answer.size;
	memcpy(&datagrams->sources[nth], header->msg_name, header->msg_namelen);
	datagrams->headers[nth].msg_hdr.msg_namelen = header->msg_namelen;
	datagrams->headers[nth].msg_hdr.msg_controllen = 0;
}

// Counted before it can be taken.
static void let_in(struct sip_door *door, const struct sip_door_datagram *datagram)
{
	_Atomic uint32_t *waiting = sip_door_waiting_of(&door->keeper, &datagram->remote);
	atomic_fetch_add_explicit(waiting, 1, memory_order_relaxed);
	if (sip_door_queue_put(door->queue, datagram))
		counter_add(&door->counters->door_let_in, 1);
	else
		atomic_fetch_sub_explicit(waiting, 1, memory_order_relaxed);
}

// A door without time enough reads what is old, and all that it let in would be dropped as such, were the old
// not left where it is read.
static bool is_stale(const struct sip_door *door, const struct sip_door_datagram *datagram)
{
	uint64_t stale_us =
		atomic_load_explicit(&door->keeper.apart->stale_us, memory_order_relaxed);
	return stale_us > 0 && text_has_prefix(datagram->octets, TEXT("INV")) &&
	       sip_datagram_age_us(datagram->arrived_ns, door->real_ns) > stale_us;
}

// True: it is answered, as the nth of this batch.
static bool take_one(struct sip_door *door, struct door_socket *socket, struct mmsghdr *received,
		     unsigned nth)
{
	// The echo is written in front of the answer, which borrows from it.
	char room[4 * ROOM];
	struct writer writer = writer_of(room, sizeof(room));
	struct text answer = TEXT_NONE;
	struct msghdr *header = &received->msg_hdr;
	struct sip_flow flow = { .protocol = SIP_UDP, .local = socket->local };
	struct sip_door_datagram datagram = {
		.octets = { header->msg_iov->iov_base, received->msg_len },
		.local = socket->local,
		.arrived_ns = read_controls(door, socket, header),
		.queued_us = door->keeper.now_us,
	};
	if ((header->msg_flags & MSG_TRUNC) != 0 ||
	    !address_from_sockaddr(header->msg_name, &flow.remote))
		return false;
	datagram.remote = flow.remote;
	if (is_stale(door, &datagram)) {
		counter_add(&door->counters->door_lost, 1);
		return false;
	}
	enum sip_door_fate fate =
		sip_door_judge(&door->keeper, datagram.octets, &flow,
			       sip_door_queue_length(door->queue), &writer, &answer);
	if (fate == SIP_DOOR_LET_IN)
		let_in(door, &datagram);
	if (fate != SIP_DOOR_REFUSED || answer.size > ROOM)
		return false;
	put_answer(&door->out, answer, header, nth);
	return true;
}

// Where there is no way to one of them, the others have their answers all the same.
static void send_answers(struct sip_door *door, const struct door_socket *socket, unsigned count)
{
	unsigned done = 0;
	while (done < count) {
		int sent = sendmmsg(socket->fd, &door->out.datagrams.headers[done], count - done,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			return;
		counter_add(&door->counters->door_refused, sent > 0 ? (unsigned)sent : 0);
		done += sent > 0 ? (unsigned)sent : 1;
	}
}

static void take_batch(struct sip_door *door, struct door_socket *socket, unsigned count)
{
	unsigned answers = 0;
	door->real_ns = sip_datagram_real_ns();
	door->keeper.now_us = clock_monotonic_ns() / 1000;
	counter_add(&door->counters->door_received, count);
	prepare(&door->out);
	for (unsigned i = 0; i < count; i++)
		answers += take_one(door, socket, &door->in.datagrams.headers[i], answers);
	if (answers == 0)
		return;
	send_answers(door, socket, answers);
}

// ---- the thread

static void *run(void *context)
{
	static const struct timespec nap = { .tv_nsec = NAP_NS };
	struct sip_door *door = context;
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	while (!atomic_load(&door->is_stopping)) {
		bool has_more = false;
		(void)poll(door->polled, door->socket_count + 1, -1);
		for (unsigned i = 0; i < door->socket_count; i++) {
			if (door->polled[i].revents == 0)
				continue;
			prepare(&door->in);
			int count = recvmmsg(door->sockets[i].fd, door->in.datagrams.headers, BATCH,
					     MSG_DONTWAIT, NULL);
			if (count > 0)
				take_batch(door, &door->sockets[i], (unsigned)count);
			has_more |= count == BATCH;
		}
		if (!has_more)
			(void)nanosleep(&nap, NULL);
	}
	return NULL;
}

// ---- life

enum status sip_door_create(struct sip_guard_apart *apart, struct sip_transport_counters *counters,
			    struct sip_door **out_door)
{
	struct sip_door *door = calloc(1, sizeof(*door));
	if (door == NULL)
		return ERR_MEMORY;
	memory_touch(door, sizeof(*door));
	door->keeper.apart = apart;
	door->counters = counters;
	door->queue = sip_door_queue_create();
	door->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (door->queue == NULL || door->wake < 0) {
		enum status status = door->queue == NULL ? ERR_MEMORY : ERR_SYSTEM;
		sip_door_destroy(door);
		return status;
	}
	apart->at_door = &door->keeper.taken;
	*out_door = door;
	return OK;
}

static bool share_address(int first, int second, const struct address *local)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(local, &kernel);
	int on = 1, buffer = RECEIVE_BUFFER;
	if (local->family == ADDRESS_IPV6)
		(void)setsockopt(second, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (setsockopt(second, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) != 0)
		(void)setsockopt(second, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	(void)setsockopt(second, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(second, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	// Not before the first was bound: an address that is another's is no second one of ours.
	return setsockopt(first, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
	       setsockopt(second, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
	       bind(second, (struct sockaddr *)&kernel, size) == 0;
}

bool sip_door_add(struct sip_door *door, int fd, const struct address *local)
{
	int family = local->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
	if (door->socket_count == SIP_DOOR_SOCKETS_MAX)
		return false;
	int second = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (second < 0)
		return false;
	if (!share_address(fd, second, local) || !sip_guard_steer(fd, false)) {
		close(second);
		return false;
	}
	door->sockets[door->socket_count] = (struct door_socket){ .fd = second, .local = *local };
	door->polled[door->socket_count++] = (struct pollfd){ second, POLLIN, 0 };
	return true;
}

enum status sip_door_start(struct sip_door *door)
{
	door->polled[door->socket_count] = (struct pollfd){ door->wake, POLLIN, 0 };
	enum status status = thread_start(&door->thread, "door", run, door);
	door->is_started = status == OK;
	atomic_store(&door->keeper.apart->is_served, status == OK && door->socket_count > 0);
	return status;
}

struct sip_door_queue *sip_door_queue_of(struct sip_door *door)
{
	return door->queue;
}

bool sip_door_take(struct sip_door *door, struct sip_door_datagram *out_datagram)
{
	if (!sip_door_queue_take(door->queue, out_datagram))
		return false;
	atomic_fetch_sub_explicit(sip_door_waiting_of(&door->keeper, &out_datagram->remote), 1,
				  memory_order_relaxed);
	return true;
}

void sip_door_destroy(struct sip_door *door)
{
	static const uint64_t one = 1;
	if (door == NULL)
		return;
	atomic_store(&door->is_stopping, true);
	atomic_store(&door->keeper.apart->is_served, false);
	door->keeper.apart->at_door = NULL;
	if (door->is_started && write(door->wake, &one, sizeof(one)) > 0)
		pthread_join(door->thread, NULL);
	for (unsigned i = 0; i < door->socket_count; i++)
		close(door->sockets[i].fd);
	if (door->wake >= 0)
		close(door->wake);
	sip_door_queue_destroy(door->queue);
	free(door);
}
