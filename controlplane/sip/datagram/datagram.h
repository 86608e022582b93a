#pragma once

// Datagrams as the kernel gives and takes them, a batch at once, and what it says beside each. One place for
// the control thread's sockets and for those of the door.
// Runs on: any thread; pure, but for real_ns.

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SIP_DATAGRAMS 32 // of a batch
#define SIP_DATAGRAM_CONTROL_SIZE 64

struct sip_datagrams { // what recvmmsg fills, and sendmmsg sends
	struct mmsghdr headers[SIP_DATAGRAMS];
	struct iovec parts[SIP_DATAGRAMS];
	struct sockaddr_storage sources[SIP_DATAGRAMS];
	_Alignas(struct cmsghdr) char controls[SIP_DATAGRAMS][SIP_DATAGRAM_CONTROL_SIZE];
};

// room: for all of them, `size` octets each.
void sip_datagrams_prepare(struct sip_datagrams *datagrams, char *room, size_t size);
// Returns when it arrived, of CLOCK_REALTIME; 0: not told. drops: the kernel's count for its socket, which is
// of the socket's whole life and wraps at 32 bits; left alone when not told.
uint64_t sip_datagram_controls(struct msghdr *header, uint32_t *drops);
// A clock that was set meanwhile must not make anything look old: more than a minute is none of it.
uint64_t sip_datagram_age_us(uint64_t arrived_ns, uint64_t now_ns);
uint64_t sip_datagram_real_ns(void); // as arrivals are told
