#pragma once

// May this INVITE become a call? Section C of the requirements as a table of checks in its order:
// cheapest and surest first, everything a caller can get wrong before anything that costs a token or a
// port. Each check can be asked by itself, so that an explanation walks the same table as a call.
// Runs on: control thread.

#include "call/state.h"

enum admission {
	ADMITTED,
	ADMISSION_CHALLENGE, // 407
	ADMISSION_CHALLENGE_STALE, // 407 with stale=true (AUTH-021)
	ADMISSION_REFUSED, // see the refusal
};

struct admitted { // valid until the directory changes
	const struct trunk *trunk;
	const struct account *account; // NULL: the trunk's is not there
	const struct carrier *carrier; // that brings it from the PSTN; NULL: it comes from a PBX
	char caller_id[65]; // E.164; of one from the PSTN as the carrier gave it
	char called[17];
};

struct admission_case { // one INVITE on its way through the checks; borrows both
	struct calls *calls;
	const struct sip_message *invite;
	// Asked only: nothing is noted of the source, no nonce is used up and an old one will do.
	bool is_dry;
	bool takes_digest; // asked only: whatever digest it brings is right, if the trunk has its user
	struct admitted admitted; // as far as the checks have come: each leans on those before it
	struct refusal refusal; // of the check that refused
};

struct admission_check {
	const char *name; // "source_address"
	const char *rows; // of the requirements, or the section of an RFC
	const char *text; // what passes, one sentence
	enum admission (*judge)(struct admission_case *admission_case);
	bool is_of_targets; // asked of a number that a call is transferred to as well (XFER-006, D-63)
};

// As call_admit_trunk, asked before the transaction is opened: what call_admit will ask of the directory is
// on its way from memory meanwhile.
const struct trunk *call_admit_expect(const struct calls *calls, const struct sip_message *request);
// Everything up to and without SDP, tokens and ports.
enum admission call_admit(struct calls *calls, const struct sip_message *invite,
			  struct admitted *out_admitted, struct refusal *out_refusal);
// The checks of a number that a call is transferred to; the case knows trunk, account and caller ID.
enum admission admission_judge_target(struct admission_case *admission_case);
// Says what of an INVITE no dialog can be made of.
enum refusal_cause admission_refuse_dialog(const struct sip_message *invite,
					   struct refusal *refusal);
// May it be the account's caller ID: is the number its own, or verified for it?
bool admission_may_show(const struct calls *calls, const struct account *account, const char *e164);
// The nth check in the order in which they are asked; NULL past the last.
const struct admission_check *admission_check(unsigned nth);
void admission_begin(struct admission_case *admission_case, struct calls *calls,
		     const struct sip_message *invite, bool is_dry);
// Is the Request-URI's host a termination host of ours? (TERM-003, TERM-005)
const struct trunk *call_admit_trunk(const struct calls *calls, const struct sip_message *request);
bool call_is_e164(struct text text); // TERM-018
// A number in the user part of a URI, into E.164. Without has_plus its plus sign may be missing.
bool call_read_number(struct text user, bool has_plus, char room[static 17]);
