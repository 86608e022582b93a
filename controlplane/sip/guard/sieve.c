// A classic BPF program for a UDP socket; an unprivileged process may attach one. Runs on the control
// thread. Whatever is no INVITE for a number passes.

#include "sip/guard/sieve.h"

#include <linux/filter.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/address.h"

// The kernel shows the datagram from its UDP header on.
#define METHOD 8
#define SCHEME (METHOD + 7) // "INVITE "
#define NUMBER (SCHEME + 4) // "sip:"
#define NUMBER_WORDS 4
#define SOURCE_IPV4 12 // in the header of IP
#define SOURCE_IPV6 20 // the last four octets
#define INVI 0x494e5649
#define SIP_ 0x7369703a
#define TRUN 0x7472756e // the Contact of our dialogs begins with sip:trunkd@
#define ODD 0x9e3779b1 // Knuth's multiplicative hash
#define FOLD 16 // numbers in a row would stand close together without
#define PLACE_MASK (SIP_GUARD_SHARE_ALL - 1)
#define MIX(offset)                                                                                \
	BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),               \
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, ODD),  \
		BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, FOLD),        \
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0)

bool sip_guard_sieve_set(int fd, uint8_t family, const struct sip_guard_sieve *sieve)
{
	uint32_t source =
		(uint32_t)SKF_NET_OFF + (family == ADDRESS_IPV6 ? SOURCE_IPV6 : SOURCE_IPV4);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, METHOD),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, INVI, 0, 43),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SCHEME),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIP_, 0, 41),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TRUN, 39, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IMM, sieve->salt),
		MIX(source),
		MIX(NUMBER),
		MIX(NUMBER + 4),
		MIX(NUMBER + 8),
		MIX(NUMBER + 12),
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

// As the program does it, but from the first octet of SIP on.
uint32_t sip_guard_sieve_place(const struct sip_guard_sieve *sieve, struct text octets,
			       const struct address *source)
{
	const char *sip = octets.data;
	unsigned last = source->family == ADDRESS_IPV6 ? 12 : 0;
	if (octets.size < NUMBER - METHOD + 4 * NUMBER_WORDS || word(sip) != INVI ||
	    word(sip + SCHEME - METHOD) != SIP_ || word(sip + NUMBER - METHOD) == TRUN)
		return 0;
	uint32_t hash = mix(sieve->salt, source->octets + last);
	for (unsigned i = 0; i < NUMBER_WORDS; i++)
		hash = mix(hash, sip + NUMBER - METHOD + 4 * i);
	return (hash - sieve->start) & PLACE_MASK;
}
