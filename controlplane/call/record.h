#pragma once

// What a call leaves behind: its row in the history, filled as things happen, its ladder, its alerts.
// Runs on: control thread.

#include "call/state.h"

enum record_direction { RECORD_IN, RECORD_OUT };

// Opens the call's row. False: the spool is full.
bool record_open(struct call *call, const struct sip_message *invite, const char *account_sid,
		 const char *trunk_sid);
// The same for the target of a transfer: it is about the trunk of the call that is transferred.
bool record_open_target(struct call *target, const struct call *call);
// By which carrier it goes, or comes; the address may be NULL.
void record_carrier(struct call *call, const char *sid, const char *name,
		    const struct address *address);
// "312 caller< 180": nothing for a call that is over. What does not fit is left out.
void record_ladder(struct call *call, enum media_side side, enum record_direction direction,
		   const char *what);
void record_ladder_status(struct call *call, enum media_side side, enum record_direction direction,
			  unsigned status);
// How it ended; the first word counts.
void record_end(struct call *call, enum history_end ended_by, unsigned status, const char *reason);
// The same for a record that is no call's own any more (call/transfer/join.h), by side of the record.
void record_finish(const struct calls *calls, struct history_call *record,
		   enum history_end ended_by, unsigned status, const char *reason);
void record_hand_over(struct calls *calls, struct history_call *record);
void record_media(struct call *call); // figures of both directions, now
void record_close(struct call *call); // hands the row over

// One alert record: the table's code and fix, what was seen and what is allowed (DEBUG-001). One per
// call and cause.
void record_alert(struct call *call, const struct refusal *refusal);
void record_alert_again(struct call *call, const struct refusal *refusal); // whatever was alerted
bool record_has_alerted(const struct call *call, enum refusal_cause cause);
// Of no call either, but of whom and from where the alert says already.
void record_alert_of(struct calls *calls, struct history_alert *alert,
		     const struct refusal *refusal);
void record_node_alert(struct calls *calls, const struct refusal *refusal); // of no call's
// The same INVITE again, its refusal not heard yet: nothing of strangers is kept but this trace.
bool record_is_repeat(struct calls *calls, const struct sip_message *invite);
// Whether a refusal tells nothing of who was refused: the address may be forged.
bool record_is_before_authentication(enum refusal_cause cause);
// Keeps an INVITE whose answer is known, for call/replay.
void record_decided(struct calls *calls, const struct sip_message *invite, const char *sid,
		    enum refusal_cause cause);
// The row and the alert of a request that was refused before it became a call.
void record_refused(struct calls *calls, const struct sip_message *invite, const char *account_sid,
		    const char *trunk_sid, const struct refusal *refusal);
