#pragma once

// Who calls, as carriers are told: the caller ID that was checked, or nobody (RFC 3323, RFC 3325).
// Runs on: control thread; pure.

#include <stdbool.h>

#include "base/address.h"
#include "base/text.h"
#include "cnam/cnam.h"
#include "sip/message.h"

struct identity { // what the caller wants
	bool is_private; // the called party is not to learn the number
	bool hides_history; // nor where the call has been
	char name[CNAM_NAME_SIZE]; // as a database has it (CNAM-002); "": none
	struct cnam_question *question; // asked of it (call/origination/name.h); NULL: nothing
	bool is_owed; // it answered, and that is not charged yet
	bool is_open; // Privacy: none: nobody on the way may hide it
};

void identity_read(const struct sip_message *invite, struct identity *out_identity);
// What the caller wants, without its name: that was asked for one call and charged to it.
void identity_copy_wishes(const struct identity *identity, struct identity *out_identity);
// The caller's name as a display name with a space behind it; nothing where there is none to tell.
void identity_write_name(const struct identity *identity, struct writer *writer);
// The value of From, without tag; host is our address on that leg.
void identity_write_from(const struct identity *identity, const char *number,
			 const struct address *host, struct writer *writer);
// The lines that say the same: P-Asserted-Identity, and Privacy where it is due. Who is not trusted is
// not told the number of somebody who wants to be nobody (RFC 3325 7).
void identity_write_lines(const struct identity *identity, bool is_trusted, const char *number,
			  const struct address *host, struct writer *writer);
