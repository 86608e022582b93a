#pragma once

// What the transactions count, for metrics and for whoever asks why a message had no answer.
// Runs on: control thread writes, any thread reads.

#include "base/counter.h"
#include "sip/message.h"

struct sip_transaction_counters {
	struct counter requests_in[SIP_METHOD_COUNT];
	struct counter responses_out[7]; // by class: 1xx is [1]
	struct counter requests_out[SIP_METHOD_COUNT];
	struct counter responses_in[7];
	struct counter retransmissions_in; // absorbed
	struct counter retransmissions_out;
	struct counter timeouts;
	struct counter unknown_domain; // silent discards (TERM-006)
	struct counter rejected_malformed; // answered 400, 416, 501, 505 by the scan
	struct counter dropped_malformed; // responses, ACKs, and what no answer can be built for
	struct counter keepalives; // CRLF pings that came this far
	struct counter stray_responses;
	struct counter wrong_via; // responses whose Vias are not ours as sent (SIP-011, SIP-013)
	struct counter merged; // answered 482
	struct counter early_cancels; // whose INVITE waits at the door: not answered
	struct counter foreign_cancels; // from another host than the INVITE: answered 481
	struct counter withheld; // answers to strangers, longer than what asked for them
	struct counter overload; // new requests refused or dropped: transactions_max
	struct counter send_failures;
	struct counter server_count, client_count; // live now
};
