#pragma once

// What would become of an INVITE, step by step, by the same checks that admit calls: nothing is sent,
// no token, nonce or port is used, nothing is counted or noted of its source.
// Runs on: control thread. One answer is large: keep it on the heap.

#include "call/state.h"
#include "call/target/target.h"

#define EXPLAIN_STEPS_MAX 48
#define EXPLAIN_TARGETS_MAX DIRECTORY_CARRIERS_MAX // no fewer than Origination URIs of a trunk
#define EXPLAIN_DETAIL_SIZE 200

enum explain_fate {
	EXPLAIN_PASSED,
	EXPLAIN_CHALLENGED, // hears 407; what follows goes on as if it came again with the right digest
	EXPLAIN_REFUSED,
	EXPLAIN_SILENT, // dropped without an answer
	EXPLAIN_FATES,
};

struct explain_question {
	const struct sip_message *invite;
	bool takes_digest; // whatever digest it brings is right, if the user is one of the trunk's
	bool is_past; // when it came, limits and bans were others: they are not asked
	const struct limit_usage
		*shared; // of trunk and account, what all nodes use; NULL: not known
	struct limits *limits; // a token is taken of these; NULL: of none, the node's are looked at
};

struct explain_step {
	const char *name, *rows, *text; // constant
	enum explain_fate fate;
	char detail[EXPLAIN_DETAIL_SIZE]; // what was seen; may be empty
};

struct explain_target {
	struct target target;
	unsigned priority, weight;
	const char *state; // of a carrier, what pings say of it; constant
};

struct explanation {
	struct explain_step steps[EXPLAIN_STEPS_MAX];
	unsigned step_count;
	enum explain_fate fate; // of the last step
	bool is_challenged; // before that
	struct refusal refusal; // when it is refused
	// Whose limits hold; "": it did not come to that.
	char account_sid[DIRECTORY_SID_SIZE], trunk_sid[DIRECTORY_SID_SIZE];
	char account[DIRECTORY_NAME_SIZE], trunk[DIRECTORY_NAME_SIZE]; // "": none was found
	enum call_direction direction;
	char caller_id[65], called[17]; // of one that is admitted
	struct explain_target
		targets[EXPLAIN_TARGETS_MAX]; // in their order; equal priority: by weight
	unsigned target_count;
	char sdp[CALL_SDP_SIZE]; // what a target is offered; "": it never comes to that
};

void explain_call(struct calls *calls, const struct explain_question *question,
		  struct explanation *out_explanation);
const char *explain_fate_text(enum explain_fate fate); // "passed"
// "admitted", "403 Forbidden", "no answer"; status and phrase of the refusal's row.
void explain_write_outcome(const struct explanation *explanation, struct writer *writer);
