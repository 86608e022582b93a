// Flows: what is sent, and what is known of each packet that comes back. The packet itself carries its
// number, its phase and its time of sending, so nothing is kept per packet.
// Runs on: the generator's thread. Never allocates after rtpgen_load.

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtpgen.h"

#define IP 14
#define UDP 34
#define RTP 42
#define PAYLOAD 54
#define STAMP_SIZE 16 // time of sending 8, number 4, phase 1, flow 3
#define LOST_AFTER 64 // packets of one flow

static void put_u16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, value >> 16);
	put_u16(at + 2, value & 0xffff);
}

static uint16_t get_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t sum_of(const uint8_t *at, unsigned size, uint32_t sum)
{
	for (unsigned i = 0; i + 1 < size; i += 2)
		sum += get_u16(at + i);
	return size & 1 ? sum + (uint32_t)(at[size - 1] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static uint16_t udp_sum(const uint8_t *frame, unsigned udp_size)
{
	return fold(sum_of(frame + UDP, udp_size, sum_of(frame + IP + 12, 8, 17 + udp_size)));
}

// "192.0.2.1:5004 192.0.2.2:10000 192.0.2.1:5006": from, to the relay, where the relay must bring it. Two
// more words are keys: of what is sent, of what comes back.
static bool parse_line(struct rtpgen *generator, struct rtpgen_flow *flow, const char *line)
{
	char from[32], to[32], back[32], leaves[64] = "-", arrives[64] = "-";
	unsigned from_port, to_port, back_port;
	struct in_addr from_ip, to_ip, back_ip;
	int words = sscanf(line, "%31[0-9.]:%u %31[0-9.]:%u %31[0-9.]:%u %63s %63s", from,
			   &from_port, to, &to_port, back, &back_port, leaves, arrives);
	if ((words != 6 && words != 8) || from_port > 65535 || to_port > 65535 ||
	    back_port > 65535 || !inet_aton(from, &from_ip) || !inet_aton(to, &to_ip) ||
	    !inet_aton(back, &back_ip))
		return false;
	memcpy(flow->frame + IP + 12, &from_ip, 4);
	memcpy(flow->frame + IP + 16, &to_ip, 4);
	put_u16(flow->frame + UDP, from_port);
	put_u16(flow->frame + UDP + 2, to_port);
	flow->arrives_to = back_ip.s_addr;
	flow->arrives_at = (uint16_t)back_port;
	return rtpgen_set_keys(generator, flow, leaves, arrives);
}

static bool read_lines(struct rtpgen *generator, FILE *file, const char *path)
{
	char line[256];
	unsigned number = 0;
	while (fgets(line, sizeof(line), file)) {
		number++;
		struct rtpgen_flow *grown =
			realloc(generator->flows, (generator->flow_count + 1) * sizeof(*grown));
		if (!grown)
			return false;
		generator->flows = grown;
		struct rtpgen_flow *flow = &grown[generator->flow_count];
		memset(flow, 0, sizeof(*flow));
		flow->sent = generator->first_number;
		flow->highest = generator->first_number - (generator->first_number > 0);
		if (!parse_line(generator, flow, line) ||
		    generator->flow_by_port[flow->arrives_at] >= 0) {
			fprintf(stderr,
				"rtpgen: %s:%u: takes IP:PORT IP:PORT IP:PORT, the last port "
				"used once, and two keys of 30 octets in hex or '-'\n",
				path, number);
			return false;
		}
		generator->flow_by_port[flow->arrives_at] = (int32_t)generator->flow_count++;
	}
	return generator->flow_count > 0;
}

bool rtpgen_load(struct rtpgen *generator, const char *path)
{
	FILE *file = fopen(path, "r");
	generator->flow_by_port = malloc(65536 * sizeof(int32_t));
	bool is_good = file && generator->flow_by_port;
	if (generator->flow_by_port)
		memset(generator->flow_by_port, 0xff, 65536 * sizeof(int32_t));
	if (!is_good)
		perror(path);
	is_good = is_good && read_lines(generator, file, path);
	if (file)
		fclose(file);
	return is_good;
}

void rtpgen_prepare(struct rtpgen *generator)
{
	for (uint32_t i = 0; i < generator->flow_count; i++) {
		uint8_t *frame = generator->flows[i].frame;
		uint32_t noise = i * 2654435761u + 1;
		memcpy(frame, generator->relay_mac, 6);
		memcpy(frame + 6, generator->own_mac, 6);
		put_u16(frame + 12, 0x0800);
		put_u32(frame + IP, 0x45000000 + RTPGEN_FRAME_SIZE - IP);
		put_u32(frame + IP + 4, 0x00004000); // don't fragment
		put_u32(frame + IP + 8, 0x40110000); // TTL 64, UDP
		put_u16(frame + IP + 10, (uint16_t)~fold(sum_of(frame + IP, 20, 0)));
		put_u16(frame + UDP + 4, RTPGEN_FRAME_SIZE - UDP);
		frame[RTP] = 0x80; // version 2; payload type 0, PCMU
		put_u32(frame + RTP + 8, 0x5eed0000 + i);
		for (unsigned k = PAYLOAD + STAMP_SIZE; k < RTPGEN_FRAME_SIZE; k++) {
			noise = noise * 1664525 + 1013904223;
			frame[k] = (uint8_t)(noise >> 24);
		}
	}
}

void rtpgen_write_lengths(uint8_t *frame, unsigned size)
{
	put_u16(frame + IP + 2, size - IP);
	put_u16(frame + IP + 10, 0);
	put_u16(frame + IP + 10, (uint16_t)~fold(sum_of(frame + IP, 20, 0)));
	put_u16(frame + UDP + 4, size - UDP);
	put_u16(frame + UDP + 6, 0);
}

static void write_udp_checksum(uint8_t *frame, unsigned size)
{
	put_u16(frame + UDP + 6, 0);
	uint16_t sum = (uint16_t)~udp_sum(frame, size - UDP);
	put_u16(frame + UDP + 6, sum ? sum : 0xffff);
}

struct rtpgen_flow *rtpgen_next(struct rtpgen *generator, uint64_t now_ns)
{
	struct rtpgen_flow *flow = &generator->flows[generator->flow_next];
	uint8_t *frame = flow->frame;
	put_u16(frame + RTP + 2, flow->sent & 0xffff);
	put_u32(frame + RTP + 4, flow->sent * 160);
	memcpy(frame + PAYLOAD, &now_ns, 8);
	put_u32(frame + PAYLOAD + 8, flow->sent);
	put_u32(frame + PAYLOAD + 12, generator->phase_current << 24 | generator->flow_next);
	if (generator->writes_checksums)
		write_udp_checksum(frame, RTPGEN_FRAME_SIZE);
	flow->sent++;
	generator->flow_next = (generator->flow_next + 1) % generator->flow_count;
	return flow;
}

// True when this number came before. One older than the window is taken for new: it is late anyway.
static bool is_repeated(struct rtpgen_flow *flow, uint32_t number)
{
	int64_t ahead = (int64_t)number - flow->highest;
	if (ahead > 0) {
		flow->window = ahead >= LOST_AFTER ? 0 : flow->window << ahead;
		flow->highest = number;
		ahead = 0;
	}
	if (-ahead >= LOST_AFTER)
		return false;
	uint64_t bit = 1ull << -ahead;
	bool is_seen = flow->window & bit;
	flow->window |= bit;
	return is_seen;
}

static void account_delay(struct rtpgen *generator, struct rtpgen_phase *phase, uint64_t delay_ns)
{
	if ((double)delay_ns > generator->late_ms * 1e6)
		phase->late++;
	else
		phase->on_time++;
	histogram_add(&phase->delays, delay_ns);
}

// SRTP's length is the relay's: the checksum covers what the UDP header says.
static bool is_checksum_bad(const uint8_t *frame, unsigned frame_size)
{
	bool is_ip_bad = fold(sum_of(frame + IP, 20, 0)) != 0xffff;
	bool has_none = get_u16(frame + UDP + 6) == 0;
	unsigned size = get_u16(frame + UDP + 4);
	return is_ip_bad || size > frame_size - UDP ||
	       (!has_none && udp_sum(frame, size) != 0xffff);
}

void rtpgen_find_flow(const struct rtpgen *generator, struct rtpgen_arrival *arrival)
{
	const uint8_t *frame = arrival->frame;
	int32_t index = arrival->size < RTPGEN_FRAME_SIZE
				? -1
				: generator->flow_by_port[get_u16(frame + UDP + 2)];
	if (index >= 0 && memcmp(frame + IP + 16, &generator->flows[index].arrives_to, 4) != 0)
		index = -1;
	arrival->flow = index;
	if (index >= 0 && arrival->has_checksums && frame[RTP + 3] % 16 == 0)
		arrival->is_checksum_bad = is_checksum_bad(frame, arrival->size);
}

void rtpgen_account(struct rtpgen *generator, const struct rtpgen_arrival *arrival)
{
	const uint8_t *frame = arrival->frame;
	unsigned phase_index = arrival->flow < 0 ? 0 : frame[PAYLOAD + 12];
	bool is_secure = arrival->flow >= 0 && generator->flows[arrival->flow].arrives;
	if (is_secure && !arrival->is_opened) {
		generator->unauthentic++;
		return;
	}
	if (arrival->flow < 0 || phase_index >= generator->phase_count ||
	    (frame[RTP] & 0xc0) != 0x80) {
		generator->strange++;
		return;
	}
	struct rtpgen_flow *flow = &generator->flows[arrival->flow];
	struct rtpgen_phase *phase = &generator->phases[phase_index];
	uint64_t sent_ns;
	memcpy(&sent_ns, frame + PAYLOAD, 8);
	uint32_t number =
		(uint32_t)get_u16(frame + PAYLOAD + 8) << 16 | get_u16(frame + PAYLOAD + 10);
	bool is_altered = memcmp(frame + PAYLOAD + STAMP_SIZE, flow->frame + PAYLOAD + STAMP_SIZE,
				 RTPGEN_FRAME_SIZE - PAYLOAD - STAMP_SIZE) != 0 ||
			  get_u16(frame + RTP + 2) != (number & 0xffff);
	phase->verified++;
	if (is_altered || number >= flow->sent) {
		phase->altered++;
		return;
	}
	phase->bad_checksums += arrival->is_checksum_bad;
	if (is_repeated(flow, number)) {
		phase->duplicates++;
		return;
	}
	account_delay(generator, phase,
		      arrival->time_ns > sent_ns ? arrival->time_ns - sent_ns : 0);
	if (phase_index + 1 == generator->phase_count && flow->back_ns == 0)
		flow->back_ns = arrival->time_ns;
}
