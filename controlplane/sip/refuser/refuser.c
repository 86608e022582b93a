// Second sockets of our addresses, read in batches, answered in batches. Runs on a thread of its own, of low
// priority; never allocates there, and shares nothing but atomics with the control thread.

#include "sip/refuser/refuser.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash/hash.h"
#include "base/memory.h"
#include "sip/guard/peek.h"
#include "sip/guard/rate.h"
#include "sip/refuser/recent.h"
#include "sip/scan.h"
#include "sip/table.h"
#include "sip/transport.h"
#include "sip/write.h"

#define BATCH 32
#define ROOM 8192 // of a datagram: larger INVITEs are left without an answer
#define RECEIVE_BUFFER                                                                             \
	(1 << 20) // octets: some 400 INVITEs, the kernel counts what lies around them too
#define NICE 10
#define NAP_NS 2000000 // more come meanwhile: to be woken for each costs more than to answer it
#define SHARES 1024 // rates of sources, by a hash

struct batch {
	struct mmsghdr headers[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage sources[BATCH];
	char room[BATCH][ROOM];
};

struct refuser_socket {
	int fd;
	struct address local;
};

struct sip_refuser {
	struct sip_guard_apart *apart;
	struct sip_transport_counters *counters;
	struct sip_refuser_recent recent;
	struct sip_guard_rate shares[SHARES];
	struct refuser_socket sockets[SIP_REFUSER_SOCKETS_MAX];
	struct pollfd polled[SIP_REFUSER_SOCKETS_MAX + 1]; // the last one is `wake`
	unsigned socket_count;
	int wake; // eventfd
	_Atomic bool is_stopping;
	bool is_started;
	pthread_t thread;
	uint64_t now_us;
	struct batch in, out;
};

// ---- one INVITE

static bool has_share(struct sip_refuser *refuser, const struct address *source)
{
	struct hash hash = hash_start();
	hash_text(&hash, (struct text){ (const char *)source->octets, sizeof(source->octets) });
	unsigned rate = atomic_load_explicit(&refuser->apart->peer_rate, memory_order_relaxed);
	return sip_guard_rate_take(&refuser->shares[hash_finish(&hash) % SHARES], refuser->now_us,
				   sip_guard_rate_interval(rate), rate);
}

static bool may_be_another(struct sip_refuser *refuser, struct text octets,
			   const struct address *source)
{
	struct sip_guard_sieve sieve = refuser->recent.windows[refuser->recent.newest];
	sieve.start = 0;
	uint32_t place = sip_guard_sieve_place(&sieve, octets, source);
	return sip_refuser_recent_has(&refuser->recent, place, refuser->now_us / 1000);
}

static struct text write_answer(const struct sip_message *invite, struct writer *writer)
{
	struct sip_write_echo echo;
	char tag[SIP_TAG_SIZE], room[SIP_RETRY_AFTER_SIZE];
	struct hash hash = hash_start();
	hash_text(&hash, invite->call_id);
	const struct sip_answer answer = {
		.status = 503, .headers = sip_write_retry_after((uint32_t)hash_finish(&hash), room)
	};
	sip_transaction_tag(invite->via.whole, invite->call_id, tag);
	sip_write_echo(writer, invite, &echo);
	return sip_write_bounded(writer, &echo, &answer, tag, invite->raw.size);
}

// NONE: it is left without.
static struct text answer_to(struct sip_refuser *refuser, struct text octets,
			     const struct sip_flow *flow, struct writer *writer)
{
	struct sip_guard_peek peek;
	struct sip_message message;
	struct sip_scan_refusal refusal;
	if (!text_has_prefix(octets, TEXT("INVITE sip:")) || flow->remote.port == 0 ||
	    may_be_another(refuser, octets, &flow->remote) || !has_share(refuser, &flow->remote) ||
	    sip_scan_message(octets, &message, &refusal) != SIP_SCAN_OK ||
	    message.method != SIP_INVITE ||
	    !sip_guard_apart_knows(refuser->apart, &flow->remote, message.target.host))
		return TEXT_NONE;
	sip_guard_peek(octets, &peek); // libosip2, which takes To apart, is the control thread's
	if (peek.has_to_tag)
		return TEXT_NONE;
	message.flow = *flow;
	return write_answer(&message, writer);
}

// ---- batches

static void prepare(struct batch *batch)
{
	for (unsigned i = 0; i < BATCH; i++) {
		batch->parts[i] = (struct iovec){ batch->room[i], ROOM };
		batch->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->sources[i],
			.msg_namelen = sizeof(batch->sources[i]),
			.msg_iov = &batch->parts[i],
			.msg_iovlen = 1,
		};
	}
}

static bool answer_one(struct sip_refuser *refuser, const struct refuser_socket *socket,
		       const struct mmsghdr *datagram, unsigned nth)
{
	struct batch *out = &refuser->out;
	// The echo is written in front of the answer, which borrows from it.
	char room[2 * ROOM];
	struct writer writer = writer_of(room, sizeof(room));
	struct sip_flow flow = { .protocol = SIP_UDP, .local = socket->local };
	const struct msghdr *header = &datagram->msg_hdr;
	struct text octets = { header->msg_iov->iov_base, datagram->msg_len };
	if ((header->msg_flags & MSG_TRUNC) != 0 ||
	    !address_from_sockaddr(header->msg_name, &flow.remote))
		return false;
	struct text answer = answer_to(refuser, octets, &flow, &writer);
	if (answer.size == 0 || answer.size > ROOM)
		return false;
	memcpy(out->room[nth], answer.data, answer.size);
	out->parts[nth].iov_len = answer.size;
	memcpy(&out->sources[nth], header->msg_name, header->msg_namelen);
	out->headers[nth].msg_hdr.msg_namelen = header->msg_namelen;
	return true;
}

static void take_batch(struct sip_refuser *refuser, const struct refuser_socket *socket,
		       unsigned count)
{
	unsigned answers = 0;
	struct sip_guard_sieve sieve = sip_guard_apart_sieve(refuser->apart);
	refuser->now_us = clock_monotonic_ns() / 1000;
	sip_refuser_recent_follow(&refuser->recent, &sieve, refuser->now_us / 1000);
	counter_add(&refuser->counters->refuser_received, count);
	prepare(&refuser->out);
	for (unsigned i = 0; i < count; i++)
		answers += answer_one(refuser, socket, &refuser->in.headers[i], answers);
	if (answers == 0)
		return;
	int sent = sendmmsg(socket->fd, refuser->out.headers, answers, MSG_DONTWAIT | MSG_NOSIGNAL);
	counter_add(&refuser->counters->refuser_refused, sent > 0 ? (unsigned)sent : 0);
}

// ---- the thread

static void *run(void *context)
{
	static const struct timespec nap = { .tv_nsec = NAP_NS };
	struct sip_refuser *refuser = context;
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	while (!atomic_load(&refuser->is_stopping)) {
		bool has_more = false;
		(void)poll(refuser->polled, refuser->socket_count + 1, -1);
		for (unsigned i = 0; i < refuser->socket_count; i++) {
			if (refuser->polled[i].revents == 0)
				continue;
			prepare(&refuser->in);
			int count = recvmmsg(refuser->sockets[i].fd, refuser->in.headers, BATCH,
					     MSG_DONTWAIT, NULL);
			if (count > 0)
				take_batch(refuser, &refuser->sockets[i], (unsigned)count);
			has_more |= count == BATCH;
		}
		if (!has_more)
			(void)nanosleep(&nap, NULL);
	}
	return NULL;
}

// ---- life

enum status sip_refuser_create(struct sip_guard_apart *apart,
			       struct sip_transport_counters *counters,
			       struct sip_refuser **out_refuser)
{
	struct sip_refuser *refuser = calloc(1, sizeof(*refuser));
	if (refuser == NULL)
		return ERR_MEMORY;
	memory_touch(refuser, sizeof(*refuser));
	refuser->apart = apart;
	refuser->counters = counters;
	sip_refuser_recent_init(&refuser->recent);
	refuser->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (refuser->wake < 0) {
		free(refuser);
		return ERR_SYSTEM;
	}
	*out_refuser = refuser;
	return OK;
}

static bool share_address(int first, int second, const struct address *local)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(local, &kernel);
	int on = 1, buffer = RECEIVE_BUFFER;
	if (local->family == ADDRESS_IPV6)
		(void)setsockopt(second, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	(void)setsockopt(second, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	// Not before the first was bound: an address that is another's is no second one of ours.
	return setsockopt(first, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
	       setsockopt(second, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
	       bind(second, (struct sockaddr *)&kernel, size) == 0;
}

bool sip_refuser_add(struct sip_refuser *refuser, int fd, const struct address *local)
{
	static const struct sip_guard_sieve none = { .share = SIP_GUARD_SHARE_ALL };
	int family = local->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
	if (refuser->socket_count == SIP_REFUSER_SOCKETS_MAX)
		return false;
	int second = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (second < 0)
		return false;
	if (!share_address(fd, second, local) || !sip_guard_sieve_steer(fd, local->family, &none)) {
		close(second);
		return false;
	}
	refuser->sockets[refuser->socket_count] = (struct refuser_socket){ second, *local };
	refuser->polled[refuser->socket_count++] = (struct pollfd){ second, POLLIN, 0 };
	return true;
}

enum status sip_refuser_start(struct sip_refuser *refuser)
{
	sigset_t all, before;
	refuser->polled[refuser->socket_count] = (struct pollfd){ refuser->wake, POLLIN, 0 };
	sigfillset(&all); // signals are the control thread's
	pthread_sigmask(SIG_SETMASK, &all, &before);
	refuser->is_started = pthread_create(&refuser->thread, NULL, run, refuser) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	atomic_store(&refuser->apart->is_served, refuser->is_started && refuser->socket_count > 0);
	return refuser->is_started ? OK : ERR_SYSTEM;
}

void sip_refuser_destroy(struct sip_refuser *refuser)
{
	static const uint64_t one = 1;
	if (refuser == NULL)
		return;
	atomic_store(&refuser->is_stopping, true);
	atomic_store(&refuser->apart->is_served, false);
	if (refuser->is_started && write(refuser->wake, &one, sizeof(one)) > 0)
		pthread_join(refuser->thread, NULL);
	for (unsigned i = 0; i < refuser->socket_count; i++)
		close(refuser->sockets[i].fd);
	close(refuser->wake);
	free(refuser);
}
