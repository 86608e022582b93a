#pragma once

// An INVITE to ask about: as it stood on the wire, or made of a few words.
// Runs on: control thread.

#include "call/state.h"

#define EXPLAIN_INVITE_SIZE 2048

struct explain_words { // empty: what the trunk would see most often
	struct text from, to; // numbers
	struct text source; // address, perhaps with its port
	struct text transport; // "udp", "tcp", "tls"
	struct text trunk; // SID, name or domain
	struct text carrier; // SID or name: it brings the call; else a PBX does
	struct text host; // of the Request-URI; else the trunk's
	struct text sdp; // "rtp", "srtp", "none"
};

struct explain_problem {
	const char *field;
	char text[160];
};

// Writes the INVITE and says where it comes from. False: the problem says which word is wrong.
bool explain_invite_write(const struct calls *calls, const struct explain_words *words,
			  struct writer *octets, struct sip_flow *out_flow,
			  struct explain_problem *out_problem);
// Where a message comes from when only some of it is said.
bool explain_invite_flow(const struct calls *calls, const struct explain_words *words,
			 struct sip_flow *out_flow, struct explain_problem *out_problem);
// Reads it as what arrives is read; the message borrows from the octets, in which folded lines are
// unfolded. False: the problem says what it would hear.
bool explain_invite_read(char *octets, size_t size, struct sip_message *out_message,
			 struct explain_problem *out_problem);
