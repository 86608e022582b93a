// A transfer from its beginning to its end, good or bad. Runs on the control thread; never waits.

#include "call/transfer/transfer.h"

#include <stdlib.h>

#include "base/log.h"
#include "call/leg.h"
#include "call/record.h"
#include "call/session/change.h"
#include "call/target/attempt.h"
#include "call/transfer/join.h"
#include "call/transfer/subscription.h"

#define STATUS_FAILED 487 // a target that ended without a status of its own

bool transfer_start(struct leg *referrer, struct call *target, struct leg *companion)
{
	struct transfer *transfer = calloc(1, sizeof *transfer);
	if (transfer == NULL)
		return false;
	*transfer = (struct transfer){ .call = referrer->call,
				       .referrer = referrer,
				       .target = target,
				       .companion = companion,
				       .is_answered = companion != NULL };
	referrer->call->transfer = transfer;
	target->serves = transfer;
	log_event(LOG_INFO, "transfer_started", "call", referrer->call->sid, "target", target->sid,
		  "to", target->record->to, NULL);
	return true;
}

// It is neither's any more.
static void release(struct transfer *transfer)
{
	transfer->call->transfer = NULL;
	transfer->target->serves = NULL;
	free(transfer);
}

void transfer_progress(struct call *target, unsigned status)
{
	if (status > 100 && status < 200)
		subscription_tell(target->serves->referrer, status, NULL);
}

void transfer_answered(struct call *target)
{
	struct calls *calls = target->calls;
	attempt_clear(target);
	target->state = CALL_UP;
	target->record->answer_ms = calls->clock->wall_ms;
	target->record->sip_status = 200;
	counter_add(&calls->counters.answered[target->direction], 1);
	log_event(LOG_INFO, "call_answered", "call", target->sid, "carrier", target->carrier_name,
		  NULL);
	target->serves->is_answered = true;
	(void)transfer_settle(target);
}

static void refuse_join(struct leg *referrer, struct call *target, bool is_own)
{
	struct ending ending = { .ended_by = HISTORY_END_TRUNKD,
				 .status = 500,
				 .reason = "no media for the transfer" };
	counter_add(&target->calls->counters.transfers_failed, 1);
	subscription_tell(referrer, 500, NULL);
	if (!is_own) // else it was there before, and goes on as it was
		call_end(target, &ending);
}

bool transfer_settle(struct call *call)
{
	struct transfer *transfer = call->transfer != NULL ? call->transfer : call->serves;
	if (transfer == NULL || !transfer->is_answered || !join_is_possible(transfer->call) ||
	    !join_is_possible(transfer->target))
		return false;
	struct call *joined = transfer->call, *target = transfer->target;
	struct leg *referrer = transfer->referrer, *companion = transfer->companion;
	release(transfer);
	struct leg *coming = companion != NULL        ? leg_other(companion)
			     : target->called != NULL ? target->called
						      : target->caller; // picked up
	if (join_calls(joined, referrer, coming))
		counter_add(&joined->calls->counters.transfers, 1);
	else
		refuse_join(referrer, target, companion != NULL);
	return true;
}

static void fail_target(struct transfer *transfer, const struct ending *ending)
{
	struct call *call = transfer->call;
	struct leg *referrer = transfer->referrer;
	unsigned status = ending->status >= 300 ? ending->status : STATUS_FAILED;
	struct log_value value;
	release(transfer);
	log_event(LOG_INFO, "transfer_failed", "call", call->sid, "status",
		  log_number(&value, status), NULL);
	counter_add(&call->calls->counters.transfers_failed, 1);
	subscription_tell(referrer, status, ending->phrase);
	if (!referrer->is_over)
		return;
	struct ending alone = { .ended_by = HISTORY_END_TRUNKD,
				.status = status,
				.reason = "transfer failed, transferor gone" };
	call_end(call, &alone);
}

static void fail_call(struct transfer *transfer)
{
	struct call *target = transfer->target;
	struct leg *referrer = transfer->referrer;
	struct ending ending = { .ended_by = HISTORY_END_TRUNKD,
				 .status = STATUS_FAILED,
				 .reason = "the call to be transferred is over" };
	bool is_own = transfer->companion != NULL;
	release(transfer);
	counter_add(&target->calls->counters.transfers_failed, 1);
	subscription_tell(referrer, STATUS_FAILED, NULL);
	if (!is_own)
		call_end(target, &ending);
}

void transfer_end(struct call *call, const struct ending *ending)
{
	if (call->serves != NULL)
		fail_target(call->serves, ending);
	else if (call->transfer != NULL)
		fail_call(call->transfer);
}

// What it left open is nobody's to answer.
bool transfer_survives(struct leg *leg)
{
	struct call *call = leg->call;
	if (call->transfer == NULL || call->transfer->referrer != leg)
		return false;
	leg->is_over = true;
	if (call->change.asked == leg || call->change.asker == leg)
		change_abandon(call, 491);
	if (leg->server != NULL) {
		wheel_stop(&call->ack_timer);
		sip_server_set_owner(leg->server, NULL);
		sip_server_release(leg->server);
		leg->server = NULL;
	}
	(void)transfer_settle(call);
	return true;
}

void transfer_told(struct leg *leg)
{
	struct call *call = leg->call;
	struct ending ending = { .ended_by = HISTORY_END_TRUNKD,
				 .status = 200,
				 .reason = "transferred" };
	if (call != NULL && call->state == CALL_LEAVING)
		call_end(call, &ending);
}
