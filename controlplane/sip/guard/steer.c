// A classic BPF program for sockets that share an address; an unprivileged process may attach one. It is
// shown SIP alone, and says which of them has it. Runs on the control thread.

#include "sip/guard/steer.h"

#include <linux/filter.h>
#include <stdint.h>
#include <sys/socket.h>

// Offsets in SIP.
#define SCHEME 7 // behind "INVITE "
#define NUMBER (SCHEME + 4) // behind "sip:"
#define ACK_SCHEME 4
#define ACK_NUMBER (ACK_SCHEME + 4)
#define LEAST (NUMBER + 4) // octets
#define INVI 0x494e5649
#define ACK_ 0x41434b20
#define SIP_ 0x7369703a
#define TRUN 0x7472756e // the Contact of our dialogs begins with sip:trunkd@
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define IS(word, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word, yes, no)

bool sip_guard_steer(int fd, bool is_to_door)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SIP_GUARD_STEER_MAX, 11, 0),
		LOAD(0),
		IS(INVI, 0, 4),
		LOAD(SCHEME),
		IS(SIP_, 0, 7),
		LOAD(NUMBER),
		IS(TRUN, 5, 6),
		IS(ACK_, 0, 4),
		LOAD(ACK_SCHEME),
		IS(SIP_, 0, 2),
		LOAD(ACK_NUMBER),
		IS(TRUN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
	};
	struct sock_filter first[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	if (!is_to_door) // without a program the two would take turns
		program = (struct sock_fprog){ 1, first };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) == 0;
}

// As the program does it.
bool sip_guard_steer_takes(struct text octets)
{
	return octets.size >= LEAST && octets.size <= SIP_GUARD_STEER_MAX &&
	       text_has_prefix(octets, TEXT("INVITE sip:")) &&
	       !text_has_prefix(text_cut(octets, NUMBER), TEXT("trun"));
}
