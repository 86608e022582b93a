// sipflood: SIP messages of many kinds from made-up addresses, at a constant rate, inside the lab's
// namespaces alone; says in one line of JSON what it sent and what came back for it.
// Runs on: one thread.

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/filter.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/address.h"
#include "base/text.h"

#define PACKET_MAX 2048
#define BATCH 64
#define TURN_NS 1000000
#define WAIT_AFTER_NS 500000000 // for the last answers

enum kind { INVITE, REGISTER, OPTIONS, SCAN, STRAY, GARBAGE, KINDS };
static const char *const kind_names[KINDS] = { "invite", "register", "options",
					       "scan",   "stray",    "garbage" };

struct flood {
	struct sockaddr_in target;
	const char *domain;
	uint32_t sources, source_mask; // of the prefix; host order
	double rate, seconds;
	bool has_kind[KINDS];
	uint64_t random;
	uint64_t sent, sent_octets, failed;
	uint64_t answers, answer_octets;
	int out, in;
	char packets[BATCH][PACKET_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t next_random(struct flood *flood) // xorshift: nothing secret
{
	flood->random ^= flood->random << 13;
	flood->random ^= flood->random >> 7;
	flood->random ^= flood->random << 17;
	return flood->random;
}

static enum kind choose_kind(struct flood *flood)
{
	enum kind kind;
	do
		kind = (enum kind)(next_random(flood) % KINDS);
	while (!flood->has_kind[kind]);
	return kind;
}

// What every request of the flood carries; STRAY claims a dialog, SCAN says who it is.
static void write_request(struct flood *flood, enum kind kind, const char *source,
			  struct writer *writer)
{
	static const char *const methods[KINDS] = { "INVITE",  "REGISTER", "OPTIONS",
						    "OPTIONS", "BYE",      "" };
	unsigned long long number = next_random(flood);
	const char *method = methods[kind];
	writer_format(writer, "%s sip:%s%s SIP/2.0\r\n", method,
		      kind == INVITE ? "+14155550100@" : "", flood->domain);
	writer_format(writer, "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bK%llx;rport\r\n", source,
		      number);
	writer_format(writer, "Max-Forwards: 70\r\nFrom: <sip:100@%s>;tag=%llx\r\n", source,
		      number & 0xffffffff);
	writer_format(writer, "To: <sip:100@%s>%s\r\nCall-ID: %llx@%s\r\nCSeq: 1 %s\r\n",
		      flood->domain, kind == STRAY ? ";tag=gone" : "", number, source, method);
	writer_format(writer, "Contact: <sip:100@%s:5060>\r\nUser-Agent: %s\r\n", source,
		      kind == SCAN ? "friendly-scanner" : "PBX 1.0");
	writer_string(writer, "Content-Length: 0\r\n\r\n");
}

static void write_garbage(struct flood *flood, struct writer *writer)
{
	writer_string(writer, "INVITE "); // something to look at
	for (unsigned i = 0; i < 300; i++)
		writer_char(writer, (char)(32 + next_random(flood) % 95));
	writer_string(writer, "\r\n\r\n");
}

// IP header, UDP header, message; the kernel fills in length and checksum of IP.
static size_t build(struct flood *flood, char *packet)
{
	uint64_t random = next_random(flood);
	uint32_t source = flood->sources | ((uint32_t)random & ~flood->source_mask);
	struct iphdr *ip = (struct iphdr *)packet;
	struct udphdr *udp = (struct udphdr *)(ip + 1);
	size_t head = sizeof(*ip) + sizeof(*udp);
	struct writer writer = writer_of(packet + head, PACKET_MAX - head);
	char name[INET_ADDRSTRLEN];
	struct in_addr address = { htonl(source) };
	enum kind kind = choose_kind(flood);
	inet_ntop(AF_INET, &address, name, sizeof(name));
	if (kind == GARBAGE)
		write_garbage(flood, &writer);
	else
		write_request(flood, kind, name, &writer);
	memset(packet, 0, head);
	*ip = (struct iphdr){ .ihl = 5,
			      .version = 4,
			      .ttl = 64,
			      .protocol = IPPROTO_UDP,
			      .saddr = htonl(source),
			      .daddr = flood->target.sin_addr.s_addr };
	udp->source = htons(5060);
	udp->dest = flood->target.sin_port;
	udp->len = htons((uint16_t)(sizeof(*udp) + writer.used));
	flood->sent_octets += writer.used;
	return head + writer.used; // no checksum of UDP: 0 says so
}

static void send_some(struct flood *flood, unsigned count)
{
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	for (unsigned i = 0; i < count; i++) {
		parts[i] = (struct iovec){ flood->packets[i], build(flood, flood->packets[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &flood->target,
						       .msg_namelen = sizeof(flood->target),
						       .msg_iov = &parts[i],
						       .msg_iovlen = 1 };
	}
	int sent = sendmmsg(flood->out, messages, count, 0);
	flood->sent += sent > 0 ? (unsigned)sent : 0;
	flood->failed += count - (sent > 0 ? (unsigned)sent : 0);
}

static void read_answers(struct flood *flood)
{
	char packet[PACKET_MAX];
	ssize_t size;
	size_t head = sizeof(struct iphdr) + sizeof(struct udphdr);
	while ((size = recv(flood->in, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC)) > 0) {
		flood->answers++;
		flood->answer_octets += (size_t)size > head ? (size_t)size - head : 0;
	}
}

static void run(struct flood *flood)
{
	uint64_t start = now_ns(), end = start + (uint64_t)(flood->seconds * 1e9);
	uint64_t done = 0;
	for (uint64_t now = start; now < end; now = now_ns()) {
		uint64_t due = (uint64_t)((double)(now - start) / 1e9 * flood->rate);
		for (; done < due; done += BATCH) {
			uint64_t left = due - done;
			send_some(flood, left < BATCH ? (unsigned)left : BATCH);
			if (left < BATCH) {
				done = due;
				break;
			}
		}
		read_answers(flood);
		struct timespec pause = { 0, TURN_NS };
		nanosleep(&pause, NULL);
	}
	struct timespec last = { 0, WAIT_AFTER_NS };
	nanosleep(&last, NULL);
	read_answers(flood);
}

// What is sent to a made-up source alone: by the destination in the IP header.
static bool listen_for_answers(struct flood *flood)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, flood->source_mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, flood->sources, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	flood->in = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	return flood->in >= 0 &&
	       setsockopt(flood->in, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

static bool open_sockets(struct flood *flood)
{
	int size = 4 << 20;
	flood->out = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (flood->out < 0 || !listen_for_answers(flood))
		return false;
	(void)setsockopt(flood->out, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)setsockopt(flood->in, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return true;
}

// Forged packets must never meet a real network: where a default route leads out nothing is sent.
static bool is_in_a_lab(void)
{
	char line[256];
	bool has_way_out = false;
	FILE *routes = fopen("/proc/net/route", "re");
	while (routes && fgets(line, sizeof(line), routes)) {
		struct text rest = text_of(line);
		(void)text_split(&rest, '\t');
		has_way_out |= text_is_equal(text_split(&rest, '\t'), TEXT("00000000"));
	}
	if (routes)
		fclose(routes);
	return routes && !has_way_out;
}

static bool take_sources(struct flood *flood, const char *text)
{
	struct prefix prefix;
	if (!prefix_parse(text_of(text), &prefix) || prefix.address.family != ADDRESS_IPV4 ||
	    prefix.bits == 0)
		return false;
	memcpy(&flood->sources, prefix.address.octets, 4);
	flood->source_mask = UINT32_MAX << (32 - prefix.bits);
	flood->sources = ntohl(flood->sources) & flood->source_mask;
	return true;
}

static bool take_target(struct flood *flood, const char *text)
{
	struct address address;
	if (!address_parse(text_of(text), &address) || address.family != ADDRESS_IPV4)
		return false;
	flood->target.sin_family = AF_INET;
	memcpy(&flood->target.sin_addr, address.octets, 4);
	flood->target.sin_port = htons(address.port ? address.port : 5060);
	return true;
}

static bool take_kinds(struct flood *flood, const char *text)
{
	struct text rest = text_of(text);
	bool is_known = true;
	while (rest.size > 0 && is_known) {
		struct text word = text_split(&rest, ',');
		is_known = false;
		for (unsigned kind = 0; kind < KINDS; kind++) {
			if (!text_is_equal(word, TEXT("all")) &&
			    !text_is_equal(word, text_of(kind_names[kind])))
				continue;
			flood->has_kind[kind] = is_known = true;
		}
	}
	return is_known;
}

// None named: all of them.
static bool has_any_kind(struct flood *flood)
{
	for (unsigned kind = 0; kind < KINDS; kind++)
		if (flood->has_kind[kind])
			return true;
	return take_kinds(flood, "all");
}

static bool take_option(struct flood *flood, int option, const char *value)
{
	switch (option) {
	case 't':
		return take_target(flood, value);
	case 's':
		return take_sources(flood, value);
	case 'k':
		return take_kinds(flood, value);
	case 'd':
		flood->domain = value;
		return true;
	case 'r':
		return (flood->rate = atof(value)) > 0;
	case 'n':
		return (flood->seconds = atof(value)) > 0;
	default:
		return false;
	}
}

int main(int count, char **words)
{
	static const struct option options[] = {
		{ "target", 1, NULL, 't' }, { "sources", 1, NULL, 's' },
		{ "kinds", 1, NULL, 'k' },  { "domain", 1, NULL, 'd' },
		{ "rate", 1, NULL, 'r' },   { "seconds", 1, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	struct flood flood = { .rate = 1000, .seconds = 5, .random = now_ns() | 1 };
	int option;
	bool is_right = true;
	while (is_right && (option = getopt_long(count, words, "", options, NULL)) != -1)
		is_right = take_option(&flood, option, optarg);
	if (!is_right || flood.target.sin_family == 0 || flood.source_mask == 0 || !flood.domain ||
	    !has_any_kind(&flood)) {
		fprintf(stderr, "sipflood --target IP[:PORT] --sources PREFIX --domain NAME "
				"[--rate 1000] [--seconds 5]\n         [--kinds "
				"all|invite,register,options,scan,stray,garbage]\n");
		return 2;
	}
	if (!is_in_a_lab()) {
		fprintf(stderr, "sipflood: only in a network namespace without a default route\n");
		return 2;
	}
	if (!open_sockets(&flood)) {
		fprintf(stderr, "sipflood: %s (it needs CAP_NET_RAW)\n", strerror(errno));
		return 1;
	}
	run(&flood);
	printf("{\"sent\":%lu,\"failed\":%lu,\"rate\":%.0f,\"sent_octets\":%lu,\"answers\":%lu,"
	       "\"answer_octets\":%lu}\n",
	       flood.sent, flood.failed, (double)flood.sent / flood.seconds, flood.sent_octets,
	       flood.answers, flood.answer_octets);
	return 0;
}
