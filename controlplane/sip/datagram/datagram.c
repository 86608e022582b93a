// Batches of datagrams and their control messages. Runs on any thread.

#include "sip/datagram/datagram.h"

#include <string.h>
#include <time.h>

#define AGE_MAX_US 60000000

void sip_datagrams_prepare(struct sip_datagrams *datagrams, char *room, size_t size)
{
	for (unsigned i = 0; i < SIP_DATAGRAMS; i++) {
		datagrams->parts[i] = (struct iovec){ room + i * size, size };
		datagrams->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &datagrams->sources[i],
			.msg_namelen = sizeof(datagrams->sources[i]),
			.msg_iov = &datagrams->parts[i],
			.msg_iovlen = 1,
			.msg_control = datagrams->controls[i],
			.msg_controllen = SIP_DATAGRAM_CONTROL_SIZE,
		};
	}
}

static uint64_t ns_of(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

uint64_t sip_datagram_controls(struct msghdr *header, uint32_t *drops)
{
	struct timespec stamp = { 0, 0 };
	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
	     control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level != SOL_SOCKET)
			continue;
		if (control->cmsg_type == SO_RXQ_OVFL)
			memcpy(drops, CMSG_DATA(control), sizeof(*drops));
		else if (control->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&stamp, CMSG_DATA(control), sizeof(stamp));
	}
	return ns_of(&stamp);
}

uint64_t sip_datagram_age_us(uint64_t arrived_ns, uint64_t now_ns)
{
	uint64_t age_us = now_ns > arrived_ns ? (now_ns - arrived_ns) / 1000 : 0;
	return age_us < AGE_MAX_US ? age_us : 0;
}

uint64_t sip_datagram_real_ns(void)
{
	struct timespec now = { 0, 0 };
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return ns_of(&now);
}
