#pragma once

// The other side of a dialog (RFC 3261 12): its tag, where it is, by which routes. Before a call is
// answered each fork is one.
// Runs on: control thread. Inside sip/ only.

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "sip/flow.h"
#include "sip/message.h"

#define SIP_ROUTES_MAX 32

struct sip_routes { // borrowed
	struct text values[SIP_ROUTES_MAX];
	unsigned count;
};

struct sip_peer { // behind it, the octets its text borrows; one heap block, for free()
	struct sip_peer *next; // another fork
	struct sip_flow flow; // where requests to it went last
	uint32_t cseq; // of its last request
	bool has_cseq;
	struct text remote; // its header value, tag included
	struct text tag; // empty while there is none
	struct text target; // its Contact
	struct text request_target; // the Request-URI: the target, or a strict router
	struct text routes; // "Route: …\r\n" lines
	char room[];
};

struct sip_peer_facts { // what it is made of
	struct text remote, tag;
	const struct sip_uri *target;
	const struct sip_routes *routes;
};

// out_next_hop: where requests to it go; borrows from the facts.
enum status sip_peer_create(const struct sip_peer_facts *facts, struct sip_uri *out_next_hop,
			    struct sip_peer **out_peer);
// False: malformed, or too many.
bool sip_routes_collect(const struct sip_message *message, bool is_backwards,
			struct sip_routes *routes);
void sip_peer_read_routes(const struct sip_peer *peer, char *room, size_t size,
			  struct sip_routes *routes);

// ---- lists of those that wait, the latest first

#define SIP_PEERS_MAX 8

bool sip_peers_has(const struct sip_peer *peers, struct text tag);
struct sip_peer *sip_peers_take(struct sip_peer **peers,
				struct text tag); // NULL: it is none of them
void sip_peers_put(struct sip_peer **peers,
		   struct sip_peer *peer); // of too many the oldest is freed
void sip_peers_forget(struct sip_peer **peers); // frees all
