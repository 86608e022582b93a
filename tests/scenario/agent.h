#pragma once

// The user agents of a story: who is where, and what each knows of its dialogs. They are honest and
// simple: they say exactly what a line tells them to, by RFC 3261 where the line leaves it open.
// Runs on: the thread of the test.

#include "fake/wire.h"
#include "scenario/node.h"

#define AGENT_PARTIES_MAX 64
#define AGENT_TEXT_SIZE 512
#define SPEECH_HEADERS_MAX 24

struct agent {
	const char *name;
	const char *host, *address; // of its signalling; address has the port
	const char *media_host;
	const char *inner; // behind its NAT: nobody but itself may ever hear of it
};

// How an agent reaches trunkd: "alice by tls".
struct way {
	enum sip_protocol protocol;
	uint16_t tls_version;
	uint64_t connection; // of a stream; a new one each time it connects
};

// One dialog of an agent: "alice", or "alice/2" for another one of hers.
struct party {
	const struct agent *agent;
	const struct way *way; // its agent's
	struct address address;
	char name[24];
	char call_id[AGENT_TEXT_SIZE];
	char local[AGENT_TEXT_SIZE], remote[AGENT_TEXT_SIZE]; // From and To of its requests
	char local_tag[64];
	char target[AGENT_TEXT_SIZE]; // the peer's Contact
	char routes[AGENT_TEXT_SIZE]; // "Route: …" lines
	char invite_uri[AGENT_TEXT_SIZE],
		invite_to[AGENT_TEXT_SIZE]; // of its last INVITE, for CANCEL
	char invite_branch[64];
	uint32_t cseq, invite_cseq;
	unsigned branches;
	unsigned sdp_version;
	const struct wire_packet *asked[SIP_METHOD_COUNT]; // last request heard, by method
	const struct wire_packet *answered; // last response to INVITE heard
	const struct wire_packet *challenge; // last 407 heard
	const struct wire_packet *reliable; // last response with RSeq heard, for PRACK
	struct text said[SIP_METHOD_COUNT]; // last request sent, by method; owned
	struct text replied[SIP_METHOD_COUNT]; // last response sent, by method; owned
	char nonce[256]; // of the last challenge taken up
	unsigned nonce_count;
};

#define AGENT_COUNT 8

struct agents {
	struct node *node;
	struct way ways[AGENT_COUNT]; // by agent; UDP at first
	uint64_t connections; // made so far
	struct party parties[AGENT_PARTIES_MAX];
	unsigned count;
	unsigned round; // of what is told again and again; "alice/each" is another one in each
};

// What one line tells an agent to say. NULL and 0: as usual.
struct speech {
	enum sip_method method; // of a response: what it answers
	unsigned status; // 0: a request
	const char *method_text; // of a request, also of a method trunkd does not know
	const char *reason, *uri, *from, *sdp, *to_tag, *from_tag, *via, *branch, *contact;
	const char *content_type, *content; // a body that is no description
	const char *user, *password; // proves it is that user
	bool is_sha256;
	bool has_old_nonce; // the one of the last proof, whatever was heard since
	const struct party *nonce_of; // the nonce and count of another party
	const struct party *dialog_of; // a request in the dialog of another party
	const struct party *refers_to; // Refer-To with the peer of that one's dialog, and Replaces
	const struct party *replaces; // Replaces with that one's dialog
	bool is_early_only; // only as long as it rings (RFC 3891 6.1)
	bool has_same_count; // the nonce count of the last proof again
	const char *headers[SPEECH_HEADERS_MAX];
	unsigned header_count;
	const char *without[8]; // names of parts left out
	unsigned without_count;
	int max_forwards, cseq; // -1: as usual
	bool is_unchanged; // the description has the version of the last one
	bool is_echo; // the last INVITE heard, as a proxy would send it on: its From, Call-ID, CSeq
	bool is_again; // the last of its kind, octet by octet
};

bool agent_is_carrier(const struct agent *agent); // else it stands on the customer's side
const struct agent *agent_find(struct text name);
const struct agent *agent_at(unsigned index); // NULL past the last
void agents_clear(struct agents *agents);
void agents_next_round(struct agents *agents); // "alice/each" is nobody yet again
struct way *agents_way(struct agents *agents, const struct agent *agent);
// By name, "alice" or "alice/2"; made when it is new. NULL: no such agent.
struct party *agents_party(struct agents *agents, const char *word);
// The oldest message not yet looked at that is for this party; NULL: none. A request that opens a
// dialog goes to the first party of the agent that has none.
struct wire_packet *agents_next(struct agents *agents, const struct party *party);
// The party has heard this: it remembers what its next messages need.
void agents_hear(struct party *party, struct wire_packet *packet);
// What the speech says of other dialogs than its own, as header lines; false: they are none yet.
bool reference_write(const struct speech *speech, struct writer *writer);
// False: it cannot (nothing to answer, nothing to repeat).
bool agents_say(struct agents *agents, struct party *party, const struct speech *speech);
// Does the message tell its receiver something of the other side of a call? (topology hiding)
const char *agents_leak(const struct agents *agents, const struct wire_packet *packet);
