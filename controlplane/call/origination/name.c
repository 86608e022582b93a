// CNAM between admission and the first target. Runs on the control thread; the name comes from the loop.

#include "call/origination/name.h"

#include <stdio.h>

#include "base/log.h"
#include "call/record.h"
#include "call/target/attempt.h"
#include "directory/directory.h"

// What the caller hides is not looked up, and what nobody may be told is not charged.
static bool is_wanted(const struct call *call)
{
	const struct calls *calls = call->calls;
	const struct trunk *trunk = directory_trunk(calls->directory, call->record->trunk_sid);
	return call->direction == CALL_TO_PBX && trunk != NULL && trunk->wants_cnam &&
	       cnam_is_on(calls->cnam) && !call->identity.is_private &&
	       cnam_name_is_public(text_of(call->record->from));
}

// CNAM-005, CNAM-006: once, whatever becomes of the call.
static void charge(struct call *call)
{
	const struct history_call *record = call->record;
	struct history_usage item = { .at_ms = call->calls->clock->wall_ms,
				      .quantity = 1,
				      .category = HISTORY_USAGE_CNAM };
	(void)snprintf(item.key, sizeof item.key, "cnam/%s", call->sid);
	text_copy_cut(text_of(record->account_sid), item.account_sid, sizeof item.account_sid);
	text_copy_cut(text_of(record->trunk_sid), item.trunk_sid, sizeof item.trunk_sid);
	text_copy_cut(text_of(record->from), item.subject, sizeof item.subject);
	call->identity.is_owed = history_usage_write(call->calls->history, &item) == ERR_BUSY;
}

static void take(struct call *call, enum cnam_outcome outcome, const char *name)
{
	if (outcome == CNAM_NAMED)
		text_copy_cut(text_of(name), call->identity.name, sizeof call->identity.name);
	if (outcome == CNAM_NAMED || outcome == CNAM_NAMELESS) // D-39
		charge(call);
	log_event(LOG_DEBUG, "cnam", "call", call->sid, "outcome", cnam_outcome_label(outcome),
		  NULL);
}

static void on_named(void *context, enum cnam_outcome outcome, const char *name)
{
	struct call *call = context;
	call->identity.question = NULL;
	take(call, outcome, name);
	attempt_start(call);
}

void name_start(struct call *call)
{
	char name[CNAM_NAME_SIZE];
	if (is_wanted(call)) {
		enum cnam_outcome outcome =
			cnam_ask(call->calls->cnam, text_of(call->record->from), on_named, call,
				 name, &call->identity.question);
		if (outcome == CNAM_PENDING)
			return;
		take(call, outcome, name);
	}
	attempt_start(call);
}

void name_end(struct call *call)
{
	cnam_cancel(call->identity.question);
	call->identity.question = NULL;
	if (!call->identity.is_owed)
		return;
	charge(call);
	if (call->identity.is_owed)
		log_event(LOG_ERROR, "cnam_not_charged", "call", call->sid, "problem",
			  "the spool is full", NULL);
	call->identity.is_owed = false;
}
