// The sockets: frames go out past the queueing discipline, frames come in through a mapped ring that
// sees them before any firewall rule of the host.
// Runs on: the generator's thread.

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "rtpgen.h"

#define RING_FRAME 512u
#define RING_FRAMES (1u << 17)
#define RING_BLOCK (1u << 20)
#define IGNORE_OUTGOING 23 // PACKET_IGNORE_OUTGOING, Linux 4.20

uint64_t rtpgen_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool set(int fd, int level, int name, const void *value, socklen_t size)
{
	return setsockopt(fd, level, name, value, size) == 0;
}

static bool open_ring(struct rtpgen_ring *ring)
{
	struct sock_filter code[] = {
		// IPv4 and UDP
		{ BPF_LD | BPF_H | BPF_ABS, 0, 0, 12 }, { BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0x0800 },
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 23 }, { BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 17 },
		{ BPF_RET | BPF_K, 0, 0, 0xffff },      { BPF_RET | BPF_K, 0, 0, 0 },
	};
	struct sock_fprog filter = { 6, code };
	struct tpacket_req request = {
		.tp_block_size = RING_BLOCK,
		.tp_frame_size = RING_FRAME,
		.tp_block_nr = RING_FRAMES / (RING_BLOCK / RING_FRAME),
		.tp_frame_nr = RING_FRAMES,
	};
	int version = TPACKET_V2, yes = 1;
	if (!set(ring->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ||
	    !set(ring->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    !set(ring->fd, SOL_PACKET, IGNORE_OUTGOING, &yes, sizeof(yes)) ||
	    !set(ring->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)))
		return false;
	ring->memory = mmap(NULL, (size_t)RING_FRAME * RING_FRAMES, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, ring->fd, 0);
	return ring->memory != MAP_FAILED;
}

bool rtpgen_open(struct rtpgen *generator)
{
	int yes = 1, megabytes = 64 << 20;
	struct ifreq request = { 0 };
	struct sockaddr_ll link = { .sll_family = AF_PACKET,
				    .sll_ifindex = (int)if_nametoindex(generator->interface) };
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", generator->interface);
	generator->send_fd = socket(AF_PACKET, SOCK_RAW, 0);
	generator->ring.fd = socket(AF_PACKET, SOCK_RAW, 0);
	bool is_good =
		generator->send_fd >= 0 && generator->ring.fd >= 0 &&
		ioctl(generator->send_fd, SIOCGIFHWADDR, &request) == 0 &&
		set(generator->send_fd, SOL_SOCKET, SO_SNDBUFFORCE, &megabytes, sizeof(int)) &&
		set(generator->send_fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes)) &&
		bind(generator->send_fd, (struct sockaddr *)&link, sizeof(link)) == 0 &&
		open_ring(&generator->ring);
	link.sll_protocol = htons(ETH_P_ALL);
	is_good = is_good && bind(generator->ring.fd, (struct sockaddr *)&link, sizeof(link)) == 0;
	if (!is_good)
		perror(generator->interface);
	memcpy(generator->own_mac, request.ifr_hwaddr.sa_data, 6);
	return is_good;
}

void rtpgen_close(struct rtpgen *generator)
{
	if (generator->ring.memory && generator->ring.memory != MAP_FAILED)
		munmap(generator->ring.memory, (size_t)RING_FRAME * RING_FRAMES);
	close(generator->ring.fd);
	close(generator->send_fd);
}

// Nothing is given back to the kernel before its packet has been looked at.
static unsigned receive_burst(struct rtpgen *generator)
{
	struct rtpgen_ring *ring = &generator->ring;
	struct rtpgen_arrival arrivals[RTPGEN_BURST];
	struct tpacket2_hdr *headers[RTPGEN_BURST];
	unsigned count = 0;
	while (count < RTPGEN_BURST) {
		uint8_t *slot = ring->memory +
				(size_t)((ring->position + count) % RING_FRAMES) * RING_FRAME;
		struct tpacket2_hdr *header = (struct tpacket2_hdr *)slot;
		uint32_t status = __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE);
		if (!(status & TP_STATUS_USER))
			break;
		arrivals[count] = (struct rtpgen_arrival){
			.frame = slot + header->tp_mac,
			.size = header->tp_snaplen,
			.has_checksums = !(status & TP_STATUS_CSUMNOTREADY),
			.time_ns = (uint64_t)header->tp_sec * 1000000000 + header->tp_nsec,
		};
		rtpgen_find_flow(generator, &arrivals[count]);
		headers[count++] = header;
	}
	rtpgen_unseal(generator, arrivals, count);
	for (unsigned i = 0; i < count; i++) {
		rtpgen_account(generator, &arrivals[i]);
		__atomic_store_n(&headers[i]->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	}
	ring->position = (ring->position + count) % RING_FRAMES;
	return count;
}

unsigned rtpgen_receive(struct rtpgen *generator, unsigned max)
{
	unsigned count = 0, taken = RTPGEN_BURST;
	while (count < max && taken == RTPGEN_BURST)
		count += taken = receive_burst(generator);
	return count;
}

uint64_t rtpgen_ring_drops(struct rtpgen *generator)
{
	struct tpacket_stats stats = { 0 };
	socklen_t size = sizeof(stats);
	if (getsockopt(generator->ring.fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0)
		return 0;
	return stats.tp_drops;
}
