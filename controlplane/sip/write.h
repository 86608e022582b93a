#pragma once

// Messages going out, through the bounded writer. Nothing of a request is echoed but what RFC 3261
// 8.2.6.2 asks for, so that an answer to a forged source stays smaller than what asked for it.
// Runs on: any thread; pure.

#include "base/text.h"
#include "sip/message.h"
#include "sip/transaction.h"

// What every response repeats of its request; borrows from where it was written.
struct sip_write_echo {
	struct text lines; // Vias (the topmost with received and rport), From, Call-ID, CSeq
	struct text to; // value; ends in a tag when the request had one
	struct text record_routes; // lines, may be empty
	bool has_to_tag;
};

void sip_write_echo(struct writer *writer, const struct sip_message *request,
		    struct sip_write_echo *out_echo);
void sip_write_response(struct writer *writer, const struct sip_write_echo *echo,
			const struct sip_answer *answer, const char *to_tag, const char *server);
// The same without Server, cut until it has no more than `max` octets: the phrase goes first, then the
// header lines one by one. NONE: it cannot be, or it would be a challenge without a challenge.
struct text sip_write_bounded(struct writer *writer, const struct sip_write_echo *echo,
			      const struct sip_answer *answer, const char *to_tag, size_t max);
// The shortest of these: what RFC 3261 8.2.6.2 asks for, and of a challenge the last one.
struct text sip_write_least(struct writer *writer, const struct sip_write_echo *echo,
			    const struct sip_answer *answer, const char *to_tag);
// out_kept: the same request with its text borrowed from what was written; may be NULL.
void sip_write_request(struct writer *writer, const struct sip_request *request, struct text branch,
		       const char *user_agent, struct sip_request *out_kept);

#define SIP_BRANCH_SIZE 34 // with its zero
// A new one: the magic cookie (RFC 3261 8.1.1.7), the shard, then chance that nobody can guess.
void sip_write_branch(unsigned shard, char room[static SIP_BRANCH_SIZE]);

#define SIP_RETRY_AFTER_SIZE 32
// A header line. It differs, by chance or a hash, so that those who were refused together do not come back
// together.
struct text sip_write_retry_after(uint32_t chance, char room[static SIP_RETRY_AFTER_SIZE]);
