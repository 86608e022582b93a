#pragma once

// An RTP generator and sink for any relay: sends paced G.711 packets through a raw packet socket and
// accounts for every one that comes back: on time, late, lost, twice, altered.
// Runs on: one thread, one core.

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define RTPGEN_PHASES_MAX 8
#define RTPGEN_BURST 32
#define RTPGEN_FRAME_SIZE 214 // Ethernet 14, IPv4 20, UDP 8, RTP 12, 20 ms of G.711 160
#define RTPGEN_BUCKETS 2048 // of the histogram of delays

struct rtpgen_flow {
	uint8_t frame[RTPGEN_FRAME_SIZE]; // sequence, timestamp and stamp are written at sending
	uint16_t arrives_at; // UDP port at which the relay hands it back
	uint32_t arrives_to; // IPv4 address, network order
	uint32_t sent; // packets in all phases
	uint32_t highest; // number of the latest packet that came back
	uint64_t back_ns; // first packet of the last phase came back; 0: none yet
	uint64_t window; // which of the 64 packets up to `highest` came back
};

struct rtpgen_phase {
	uint64_t rate; // packets per second asked for
	double seconds;
	uint64_t sent, on_time, late, duplicates, altered, bad_checksums;
	uint64_t start_ns, end_ns;
	uint64_t stall_ns, stall_longest_ns; // the generator itself was held up
	uint64_t delay_longest_ns, delay_count;
	uint32_t delays[RTPGEN_BUCKETS];
};

struct rtpgen_arrival {
	const uint8_t *frame;
	unsigned size;
	bool has_checksums; // false: its sender left them to a NIC, and a veth pair has none
	uint64_t time_ns;
};

struct rtpgen_ring { // mapped receive ring of a packet socket
	int fd;
	uint8_t *memory;
	uint32_t position;
};

struct rtpgen {
	const char *interface;
	uint8_t own_mac[6], relay_mac[6];
	struct rtpgen_flow *flows;
	uint32_t flow_count, flow_next;
	int32_t *flow_by_port; // 65536 of them; -1: none
	struct rtpgen_phase phases[RTPGEN_PHASES_MAX];
	unsigned phase_count, phase_current;
	double late_ms;
	bool writes_checksums;
	int send_fd;
	struct rtpgen_ring ring;
	uint64_t strange; // packets of no flow
	uint64_t ring_drops;
};

// rtpgen_flow.c: false: said on stderr.
bool rtpgen_load(struct rtpgen *generator, const char *path);
void rtpgen_prepare(struct rtpgen *generator); // frames, once the MACs are known
unsigned rtpgen_next_frame(struct rtpgen *generator, uint64_t now_ns, uint8_t **out_frame);
void rtpgen_account(struct rtpgen *generator, const struct rtpgen_arrival *arrival);

// rtpgen_wire.c
bool rtpgen_open(struct rtpgen *generator);
void rtpgen_close(struct rtpgen *generator);
unsigned rtpgen_receive(struct rtpgen *generator, unsigned max);
uint64_t rtpgen_ring_drops(struct rtpgen *generator);
uint64_t rtpgen_now(void); // CLOCK_REALTIME, the clock of the kernel's packet times
