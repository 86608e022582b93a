#pragma once

// What the server and client transactions share: their tables, the user, the way out.
// Runs on: control thread. Inside sip/ only.

#include "base/index/index.h"
#include "sip/dialog.h"
#include "sip/message.h"
#include "sip/flow/oversize.h"
#include "sip/flow/waiter.h"
#include "sip/transaction.h"

#define SIP_TIMEOUT_FACTOR 64 // Timers B, F, H, J, L, M are 64 x T1

#define SIP_WAITING_LISTS 1024 // by connection

struct sip_write_echo;

struct sip_transactions {
	struct sip_transaction_options options;
	struct sip_transaction_counters counters;
	struct index servers; // by top Via branch, sent-by, method
	struct index merges; // the same, by Call-ID, From tag, CSeq (RFC 3261 8.2.2.2)
	struct index clients; // by our branch and method
	struct sip_waiter *waiting[SIP_WAITING_LISTS]; // sent on connections, nothing heard yet
	struct sip_oversize oversize;
	uint64_t unknown_log_ms; // no more than one line a second each
	uint64_t wrong_via_log_ms;
	char scratch[SIP_MESSAGE_MAX]; // a message being written; sent or copied at once
};

// Is the only Via of the response as we write it for that flow (SIP-011)?
bool sip_transaction_is_sent_by(const struct sip_message *response, const struct sip_flow *flow);
uint64_t sip_transaction_now(const struct sip_transactions *transactions);
enum status sip_transaction_put(struct sip_transactions *transactions, struct text octets,
				struct sip_flow *flow);
// (Re)starts a timer to fire after_ms from now.
void sip_transaction_time(struct sip_transactions *transactions, struct wheel_timer *timer,
			  uint64_t after_ms);
// A heap copy; data NULL: no memory.
struct text sip_transaction_copy(struct text text);
// A tag that is the same for each copy of a request, which nobody remembers (RFC 3261 8.2.7).
void sip_transaction_tag(struct text via, struct text call_id, char room[static SIP_TAG_SIZE]);
// Sends what sip_transaction_write_once wrote, or withholds it (NONE).
void sip_transaction_put_once(struct sip_transactions *transactions, unsigned status,
			      struct text octets, const struct sip_flow *flow);
struct sip_asked { // how a request came, and of how many octets
	const struct sip_flow *flow;
	size_t size;
};
// Writes an answer of which nothing is kept. A datagram's source may be forged, a connection's cannot: a
// stranger's datagram gets no more octets than it has, or NONE; a known peer's the fewest there can be then.
struct text sip_transaction_write_once(const struct sip_transactions *transactions,
				       const struct sip_asked *asked, struct writer *writer,
				       const struct sip_write_echo *echo,
				       const struct sip_answer *answer, const char *to_tag);
struct text sip_transaction_rebase(struct text text, const char *from, const char *to);
