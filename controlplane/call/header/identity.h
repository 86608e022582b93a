#pragma once

// Who calls, as carriers are told: the caller ID that was checked, or nobody (RFC 3323, RFC 3325).
// Runs on: control thread; pure.

#include <stdbool.h>

#include "base/address.h"
#include "base/text.h"
#include "sip/message.h"

struct identity { // what the caller wants
	bool is_private; // the called party is not to learn the number
	bool hides_history; // nor where the call has been
	bool is_open; // Privacy: none: nobody on the way may hide it
};

void identity_read(const struct sip_message *invite, struct identity *out_identity);
// The value of From, without tag; host is our address on that leg.
void identity_write_from(const struct identity *identity, const char *number,
			 const struct address *host, struct writer *writer);
// The lines that say the same: P-Asserted-Identity, and Privacy where it is due. Who is not trusted is
// not told the number of somebody who wants to be nobody (RFC 3325 7).
void identity_write_lines(const struct identity *identity, bool is_trusted, const char *number,
			  const struct address *host, struct writer *writer);
