// A classic BPF program for a UDP socket; an unprivileged process may attach one. Runs on the control
// thread. Whatever is no INVITE for a number passes.

#include "sip/guard/sieve.h"

#include <linux/filter.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/address.h"

// Offsets in SIP.
#define SCHEME 7 // behind "INVITE "
#define NUMBER (SCHEME + 4) // behind "sip:"
#define ACK_SCHEME 4
#define ACK_NUMBER (ACK_SCHEME + 4)
#define NUMBER_WORDS 4
#define UDP_HEADER 8 // a socket's filter is shown the datagram from there on
#define SOURCE_IPV4 12 // in the header of IP
#define SOURCE_IPV6 20 // the last four octets
#define INVI 0x494e5649
#define ACK_ 0x41434b20
#define SIP_ 0x7369703a
#define TRUN 0x7472756e // the Contact of our dialogs begins with sip:trunkd@
#define ODD 0x9e3779b1 // Knuth's multiplicative hash
#define FOLD 16 // numbers in a row would stand close together without
#define PLACE_MASK (SIP_GUARD_SHARE_ALL - 1)
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define MIX(offset)                                                                                \
	BPF_STMT(BPF_MISC | BPF_TAX, 0), LOAD(offset), BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),     \
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, ODD), BPF_STMT(BPF_MISC | BPF_TAX, 0),         \
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, FOLD), BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0)
#define PLACE(salt, source, number) /* 36 steps */                                                 \
	BPF_STMT(BPF_LD | BPF_W | BPF_IMM, salt), MIX(source), MIX(number), MIX((number) + 4),     \
		MIX((number) + 8), MIX((number) + 12)

static uint32_t source_offset(uint8_t family)
{
	return (uint32_t)SKF_NET_OFF + (family == ADDRESS_IPV6 ? SOURCE_IPV6 : SOURCE_IPV4);
}

bool sip_guard_sieve_set(int fd, uint8_t family, const struct sip_guard_sieve *sieve)
{
	struct sock_filter code[] = {
		LOAD(UDP_HEADER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, INVI, 0, 43),
		LOAD(UDP_HEADER + SCHEME),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIP_, 0, 41),
		LOAD(UDP_HEADER + NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TRUN, 39, 0),
		PLACE(sieve->salt, source_offset(family), UDP_HEADER + NUMBER),
		BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, sieve->start),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PLACE_MASK),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, sieve->share, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	if (sieve->share >= SIP_GUARD_SHARE_ALL) {
		int none = 0; // the kernel wants something
		(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
		return true;
	}
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

// Among sockets of one address a program is shown SIP alone, and says which of them has it.
bool sip_guard_sieve_steer(int fd, uint8_t family, const struct sip_guard_sieve *sieve)
{
	uint32_t source = source_offset(family);
	struct sock_filter code[] = {
		LOAD(0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, INVI, 0, 41),
		LOAD(SCHEME),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIP_, 0, 83),
		LOAD(NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TRUN, 81, 0),
		PLACE(sieve->salt, source, NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JA, 41, 0, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ACK_, 0, 43),
		LOAD(ACK_SCHEME),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIP_, 0, 41),
		LOAD(ACK_NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TRUN, 39, 0),
		PLACE(sieve->salt, source, ACK_NUMBER),
		BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, sieve->start),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PLACE_MASK),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, sieve->share, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
	};
	struct sock_filter first[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	if (sieve->share >= SIP_GUARD_SHARE_ALL) // without a program the two would take turns
		program = (struct sock_fprog){ 1, first };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) == 0;
}

static uint32_t word(const void *octets)
{
	const uint8_t *four = octets;
	return (uint32_t)four[0] << 24 | (uint32_t)four[1] << 16 | (uint32_t)four[2] << 8 | four[3];
}

static uint32_t mix(uint32_t hash, const void *octets)
{
	hash = (hash ^ word(octets)) * ODD;
	return hash ^ hash >> FOLD;
}

// As the programs do it.
uint32_t sip_guard_sieve_place(const struct sip_guard_sieve *sieve, struct text octets,
			       const struct address *source)
{
	const char *sip = octets.data;
	unsigned last = source->family == ADDRESS_IPV6 ? 12 : 0;
	if (octets.size < NUMBER + 4 * NUMBER_WORDS || word(sip) != INVI ||
	    word(sip + SCHEME) != SIP_ || word(sip + NUMBER) == TRUN)
		return 0;
	uint32_t hash = mix(sieve->salt, source->octets + last);
	for (unsigned i = 0; i < NUMBER_WORDS; i++)
		hash = mix(hash, sip + NUMBER + 4 * i);
	return (hash - sieve->start) & PLACE_MASK;
}
