#pragma once

// May this INVITE become a call? Section C of the requirements in its order: cheapest and surest
// first, everything a caller can get wrong before anything that costs a token or a port.
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
	const struct account *account;
	char caller_id[17]; // E.164
	char called[17];
};

// Is the Request-URI's host a termination host of ours? (TERM-003, TERM-005)
const struct trunk *call_admit_trunk(const struct calls *calls, const struct sip_message *request);
// Everything up to and without SDP, CPS and ports.
enum admission call_admit(struct calls *calls, const struct sip_message *invite,
			  struct admitted *out_admitted, struct refusal *out_refusal);
bool call_is_e164(struct text text); // TERM-018
