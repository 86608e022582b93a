#pragma once

// Every way a call ends comes through one function, so nothing is left behind by any of them.
// Runs on: control thread.

#include "call/state.h"

struct ending {
	enum history_end ended_by;
	unsigned status; // for a caller who has no final answer yet, and for the record
	const char *phrase; // NULL: the RFC's
	const char *reason; // for the record; NULL: the phrase
	struct text headers; // of that final answer
};

// Answers, cancels and hangs up what is open, closes the media; the row is written and the call
// freed when the last figures are in.
void call_end(struct call *call, const struct ending *ending);
// Ends it with a row of the refusal table, its alert, its counter.
void call_end_refused(struct call *call, const struct refusal *refusal);
// Answers a request that never became a call.
void call_refuse(struct calls *calls, struct sip_server *server, const struct sip_message *invite,
		 const char *account_sid, const char *trunk_sid, const struct refusal *refusal);
// All is closed: the row goes out, the call goes away with the next turn of the wheel.
void call_reap_soon(struct call *call);

void call_bye(struct leg *leg, struct sip_server *server, const struct sip_message *bye);
void call_cancelled(struct leg *leg, const struct sip_message *cancel);
void call_lost(struct leg *leg); // its dialog is gone on the other end
