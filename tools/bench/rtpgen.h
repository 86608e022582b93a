#pragma once

// An RTP generator and sink for any relay: sends paced G.711 packets through a raw packet socket and
// accounts for every one that comes back: on time, late, lost, twice, altered. Flows may be SRTP on their
// way to the relay, back from it, or both; every packet that comes back is then opened and compared.
// Runs on: one thread, one core.

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "histogram.h"
#include "protector.h"

#define RTPGEN_PHASES_MAX 8
#define RTPGEN_BURST 32
#define RTPGEN_FRAME_SIZE 214 // Ethernet 14, IPv4 20, UDP 8, RTP 12, 20 ms of G.711 160
#define RTPGEN_FRAME_ROOM 256 // SRTP is longer
#define RTPGEN_TAG 10
#define RTPGEN_MEDIA 42 // where the UDP payload begins

struct rtpgen_flow {
	uint8_t frame[RTPGEN_FRAME_SIZE]; // sequence, timestamp and stamp are written at sending
	uint16_t arrives_at; // UDP port at which the relay hands it back
	uint32_t arrives_to; // IPv4 address, network order
	uint32_t sent; // packets in all phases, and those of runs before
	uint32_t highest; // number of the latest packet that came back
	uint64_t back_ns; // first packet of the last phase came back; 0: none yet
	uint64_t window; // which of the 64 packets up to `highest` came back
	struct protector_key *leaves, *arrives; // NULL: plain RTP; owned
};

struct rtpgen_phase {
	uint64_t rate; // packets per second asked for
	double seconds;
	uint64_t sent, on_time, late, duplicates, altered, bad_checksums;
	uint64_t
		verified; // compared with what was sent, octet by octet; `altered` were not the same
	uint64_t start_ns, end_ns;
	uint64_t stall_ns, stall_longest_ns; // the generator itself was held up
	struct histogram delays;
};

struct rtpgen_arrival {
	uint8_t *frame; // in the ring
	unsigned size;
	bool has_checksums; // false: its sender left them to a NIC, and a veth pair has none
	uint64_t time_ns;
	int32_t flow; // whose port it came to; -1: nobody's
	bool is_opened; // SRTP was taken off, its tag was right
	bool is_checksum_bad;
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
	uint32_t first_number; // of every flow: SRTP that goes on must not begin again
	bool writes_checksums;
	int send_fd;
	struct rtpgen_ring ring;
	uint64_t strange; // packets of no flow
	uint64_t ring_drops;
	struct protector *protector;
	uint64_t unauthentic; // SRTP that came back with a wrong tag
};

// rtpgen_flow.c: false: said on stderr.
bool rtpgen_load(struct rtpgen *generator, const char *path);
void rtpgen_prepare(struct rtpgen *generator); // frames, once the MACs are known
// The next flow's packet, in the clear, in the flow itself.
struct rtpgen_flow *rtpgen_next(struct rtpgen *generator, uint64_t now_ns);
void rtpgen_find_flow(const struct rtpgen *generator, struct rtpgen_arrival *arrival);
void rtpgen_account(struct rtpgen *generator, const struct rtpgen_arrival *arrival);

// rtpgen_secure.c
// Two words of a line of the flow file: "-", or master key and salt of AES_CM_128_HMAC_SHA1_80 in hex.
bool rtpgen_set_keys(struct rtpgen *generator, struct rtpgen_flow *flow, const char *leaves,
		     const char *arrives);
void rtpgen_clear_keys(struct rtpgen_flow *flow);
// Frames of flows that leave as SRTP are written to `room` in that form, the others left where they are.
void rtpgen_seal(struct rtpgen *generator, struct rtpgen_flow *const *flows, unsigned count,
		 uint8_t (*room)[RTPGEN_FRAME_ROOM]);
// Takes SRTP off what came back, in place: at most RTPGEN_BURST.
void rtpgen_unseal(struct rtpgen *generator, struct rtpgen_arrival *arrivals, unsigned count);
void rtpgen_write_lengths(uint8_t *frame, unsigned size); // of IPv4 and UDP, with their checksums

// rtpgen_wire.c
bool rtpgen_open(struct rtpgen *generator);
void rtpgen_close(struct rtpgen *generator);
unsigned rtpgen_receive(struct rtpgen *generator, unsigned max);
uint64_t rtpgen_ring_drops(struct rtpgen *generator);
uint64_t rtpgen_now(void); // CLOCK_REALTIME, the clock of the kernel's packet times
