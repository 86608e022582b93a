#pragma once

// Client transactions from the inside: RFC 3261 17.1, 9.1, RFC 6026.
// Runs on: control thread. Inside sip/ only.

#include "sip/table.h"

// By branch and method of CSeq (RFC 3261 17.1.3).
struct sip_client *sip_client_find(const struct sip_transactions *transactions,
				   const struct sip_message *response);
// Is the Via ours as it was sent (SIP-011)?
bool sip_client_owns(const struct sip_client *client, const struct sip_message *response);
void sip_client_take(struct sip_client *client, const struct sip_message *response);
// Fails who has sent on that connection and heard nothing; a request that is there for its size alone
// goes by UDP.
void sip_client_lose_connection(struct sip_transactions *transactions, uint64_t connection);
void sip_client_free_all(struct sip_transactions *transactions);
