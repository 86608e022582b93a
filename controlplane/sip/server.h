#pragma once

// Server transactions from the inside: RFC 3261 17.2 and RFC 6026 for INVITE, 17.2.2 for the rest.
// Runs on: control thread. Inside sip/ only.

#include "sip/table.h"

// The transaction a request belongs to, taken as `method` (an ACK or CANCEL belongs to an INVITE). It came
// from the same host; the port may be another one.
struct sip_server *sip_server_find(const struct sip_transactions *transactions,
				   const struct sip_message *request, enum sip_method method);
// Another copy of a live request, on another way (RFC 3261 8.2.2.2).
bool sip_server_is_merged(const struct sip_transactions *transactions,
			  const struct sip_message *request);
// A CANCEL that found no INVITE: does it name one that came from another host (RFC 3261 22.1: the same hop)?
bool sip_server_is_of_another(const struct sip_transactions *transactions,
			      const struct sip_message *cancel);
enum status sip_server_open(struct sip_transactions *transactions,
			    const struct sip_message *request, struct sip_server **out_server);
void sip_server_ask(struct sip_server *server, const struct sip_message *request); // the user
void sip_server_repeat(struct sip_server *server); // the request came again
bool sip_server_take_ack(struct sip_server *server); // false: of a 2xx, the user's
void sip_server_take_cancel(struct sip_server *server, const struct sip_message *cancel);
void sip_server_free_all(struct sip_transactions *transactions);
