// A REFER from its arrival to its 202: who may ask, what is asked, and whether it can be done now.
// Runs on the control thread.

#include <string.h>

#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/reliable.h"
#include "call/transfer/destination.h"
#include "call/transfer/pickup.h"
#include "call/transfer/refer.h"
#include "call/transfer/subscription.h"
#include "call/transfer/transfer.h"
#include "config/config.h"
#include "directory/directory.h"

// Who asks may spend its account's money: from elsewhere a dialog's tags, read on the way, are not enough.
static bool comes_from_home(const struct leg *leg, const struct address *source)
{
	const struct calls *calls = leg->calls;
	const struct trunk *trunk = directory_trunk(calls->directory, leg->call->record->trunk_sid);
	return address_is_same_host(source, &leg->peer) ||
	       (trunk != NULL && trunk->acl_count > 0 &&
		directory_trunk_allows(calls->directory, trunk, source));
}

static enum refusal_cause judge(const struct leg *leg, const struct sip_message *request,
				struct refer *refer, struct refusal *refusal)
{
	char seen[ADDRESS_TEXT_SIZE];
	struct text to = sip_message_header(request, "Refer-To", 0);
	if (!leg->call->has_transfer)
		return refusal_set(refusal, REFUSED_TRANSFER, "Refer-To", to,
				   "the trunk's setting transfer, which is off");
	if (!comes_from_home(leg, &request->flow.remote))
		return refusal_set(refusal, REFUSED_REFER_SOURCE, "source address",
				   text_of(address_string(&request->flow.remote, seen)),
				   "the address the call's messages come from");
	if (leg->call->refer_count >= leg->calls->config->sip.max_transfers)
		return refusal_set(refusal, REFUSED_REFERS, "Refer-To", to,
				   "no more transfers of a call than sip.max_transfers");
	return refer_parse(request, refer, refusal);
}

// One at a time, and not while something else is being agreed on (RFC 3261 14.1 says so of offers).
static bool is_busy(const struct leg *leg)
{
	const struct call *call = leg->call;
	return call->state != CALL_UP || call->transfer != NULL || call->serves != NULL ||
	       call->change.asked != NULL || leg->server != NULL || leg->subscription != NULL ||
	       leg_other(leg) == NULL || leg_other(leg)->is_over;
}

static void reply(struct leg *leg, struct sip_server *server, unsigned status, struct text headers)
{
	record_ladder_status(leg->call, leg->side, RECORD_OUT, status);
	call_reply(server, status, NULL, headers);
}

static void accept(struct leg *leg, struct sip_server *server, bool is_quiet)
{
	char room[CALL_HEADERS_SIZE];
	struct writer lines = writer_of(room, sizeof room);
	leg_write_contact(leg, &lines);
	writer_string(&lines, is_quiet ? "Refer-Sub: false\r\n" : ""); // RFC 4488 4
	reply(leg, server, 202, writer_done(&lines));
}

static void fail(struct leg *leg, enum refusal_cause cause, const struct refer *refer,
		 const char *expected)
{
	const struct refusal_row *row = refusal_row(cause);
	struct refusal refusal = { 0 };
	(void)refusal_set(&refusal, cause, "Refer-To", refer->target.whole, expected);
	refusal_count(&leg->calls->counters, cause);
	record_alert(leg->call, &refusal);
	counter_add(&leg->calls->counters.transfers_failed, 1);
	subscription_tell(leg, row->status, row->phrase);
}

// A dialog of the same customer's with us, in a call that is up, still rings somebody it called, or rings
// there.
static struct leg *find_companion(const struct leg *leg, const struct refer *refer)
{
	struct leg *found = replaces_find(leg->calls, &refer->replaces);
	const struct call *call = found != NULL ? found->call : NULL;
	if (call == NULL || call == leg->call || !found->is_customer || call->record == NULL ||
	    strcmp(call->record->account_sid, leg->call->record->account_sid) != 0)
		return NULL;
	bool is_free = call->transfer == NULL && call->serves == NULL;
	bool is_there = call->state < CALL_ANSWERED ? found == call->caller || found->is_answered ||
							      pickup_is_possible(found)
						    : call->state <= CALL_UP;
	return is_free && is_there ? found : NULL;
}

static bool is_early(const struct leg *companion)
{
	return companion->call->state < CALL_ANSWERED && !companion->is_answered;
}

// It rings for who transfers; from now on for who is transferred (RFC 5589 7.6).
static void take_over(struct leg *companion)
{
	struct call *target = companion->call;
	if (companion->side == MEDIA_CALLED) {
		pickup_by_transfer(companion);
		return;
	}
	reliable_finish(target);
	struct sip_answer answer = { .status = 487 };
	(void)sip_server_reply(companion->server, &answer);
	record_ladder_status(target, companion->side, RECORD_OUT, 487);
	target->caller = NULL;
	leg_give_up(companion);
	media_forget(target->media, MEDIA_CALLER);
	if (target->state == CALL_RINGING)
		transfer_progress(target, 180);
}

static void join_companion(struct leg *leg, const struct refer *refer, struct leg *companion)
{
	struct call *target = companion->call;
	bool is_ringing = is_early(companion);
	if (!transfer_start(leg, target, is_ringing ? NULL : companion)) {
		fail(leg, REFUSED_INTERNAL, refer, "memory for the transfer");
		return;
	}
	if (is_ringing)
		take_over(companion);
	else
		(void)transfer_settle(target);
}

static void begin(struct leg *leg, const struct refer *refer)
{
	struct leg *companion = refer->has_replaces ? find_companion(leg, refer) : NULL;
	if (companion != NULL && refer->replaces.is_early_only && !is_early(companion))
		fail(leg, REFUSED_REPLACES_EARLY, refer, "no early-only: the call is answered");
	else if (companion != NULL)
		join_companion(leg, refer, companion);
	else if (refer->has_replaces && destination_is_number(leg, refer))
		fail(leg, REFUSED_REPLACES, refer, "Replaces with a dialog of this account's");
	else
		destination_call(leg, refer);
}

void transfer_asked(struct leg *leg, struct sip_server *server, const struct sip_message *request)
{
	struct refusal refusal = { 0 };
	struct refer refer;
	record_ladder(leg->call, leg->side, RECORD_IN, "REFER");
	if (leg->call->state >= CALL_LEAVING) { // its record went along with who was transferred
		reply(leg, server, 491, TEXT_NONE);
		return;
	}
	enum refusal_cause cause = judge(leg, request, &refer, &refusal);
	if (cause != REFUSED_NOT) {
		refusal_count(&leg->calls->counters, cause);
		record_alert(leg->call, &refusal);
		reply(leg, server, refusal_row(cause)->status, TEXT_NONE);
		return;
	}
	if (is_busy(leg)) {
		reply(leg, server, 491, TEXT_NONE);
		return;
	}
	leg->refer_count++;
	leg->call->refer_count++;
	if (subscription_open(leg, request, refer.is_quiet) == NULL) {
		reply(leg, server, 500, TEXT_NONE);
		return;
	}
	accept(leg, server, refer.is_quiet);
	subscription_tell(leg, 100, NULL);
	begin(leg, &refer);
}
