// A classic BPF program for a UDP socket; an unprivileged process may attach one. Runs on the control
// thread. Whatever is no INVITE for a number passes.

#include "sip/guard/sieve.h"

#include <linux/filter.h>
#include <stddef.h>
#include <sys/socket.h>

// The kernel shows the datagram from its UDP header on.
#define METHOD 8
#define SCHEME (METHOD + 7) // "INVITE "
#define NUMBER (SCHEME + 4) // "sip:"
#define INVI 0x494e5649
#define SIP_ 0x7369703a
#define TRUN 0x7472756e // the Contact of our dialogs begins with sip:trunkd@
#define ODD 0x9e3779b1 // Knuth's multiplicative hash
#define MIX(offset)                                                                                \
	BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),               \
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, ODD)

bool sip_guard_sieve_set(int fd, unsigned share, uint32_t salt)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, METHOD),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, INVI, 0, 26),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SCHEME),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIP_, 0, 24),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TRUN, 22, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IMM, salt),
		MIX(NUMBER),
		MIX(NUMBER + 4),
		MIX(NUMBER + 8),
		MIX(NUMBER + 12),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 15),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, share, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	if (share >= SIP_GUARD_SHARE_ALL) {
		int none = 0; // the kernel wants something
		(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
		return true;
	}
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}
