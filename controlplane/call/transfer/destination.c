// A transfer's target as a call of its own. Runs on the control thread; never waits.

#include "call/transfer/destination.h"

#include <string.h>

#include "call/admission/admission.h"
#include "call/end.h"
#include "call/invite.h"
#include "call/limit/rules.h"
#include "call/record.h"
#include "call/table.h"
#include "call/transfer/join.h"
#include "call/transfer/subscription.h"
#include "call/transfer/transfer.h"
#include "directory/directory.h"
#include "media/join/join.h"

// Our own host is what many write behind a number to be called: they know us by our Contact.
static bool is_our_host(const struct calls *calls, const struct leg *referrer, struct text host)
{
	struct address address;
	const char *trunk_sid = referrer->call->record->trunk_sid;
	const struct trunk *trunk = directory_trunk_by_host(calls->directory, host);
	if (trunk != NULL)
		return strcmp(trunk->sid, trunk_sid) == 0;
	return address_parse(host, &address) &&
	       address_is_same_host(&address, &sip_dialog_flow(referrer->dialog)->local);
}

bool destination_is_number(const struct calls *calls, const struct leg *referrer,
			   const struct refer *refer)
{
	return text_is_same(refer->target.scheme, TEXT("tel")) ||
	       is_our_host(calls, referrer, refer->target.host);
}

// RFC 3966 5.1.1: what only parts the digits for the eye is not dialled.
static void copy_number(const struct sip_uri *uri, char *room, size_t size)
{
	bool is_tel = text_is_same(uri->scheme, TEXT("tel"));
	struct writer writer = writer_of(room, size - 1);
	for (size_t i = 0; i < uri->user.size; i++)
		if (!is_tel || strchr("-.()", uri->user.data[i]) == NULL)
			writer_char(&writer, uri->user.data[i]);
	text_copy_cut((struct text){ room, writer.used }, room, size);
}

// The number the target sees. Of who stays, whoever that is; of who transfers it must be the account's.
static enum refusal_cause choose_caller(const struct leg *referrer, struct call *target,
					struct refusal *refusal)
{
	const struct call *call = referrer->call;
	enum media_side staying = referrer->side == MEDIA_CALLER ? MEDIA_CALLED : MEDIA_CALLER;
	const char *number = join_number(call, staying);
	char *from = target->record->from;
	if (!call->shows_transferor && call_is_e164(text_of(number))) {
		text_copy_cut(text_of(number), from, sizeof target->record->from);
		if (staying == MEDIA_CALLER) // who may have wanted to be nobody
			target->identity = call->identity;
		return REFUSED_NOT;
	}
	number = join_number(call, referrer->side);
	const struct number *owned = directory_number(call->calls->directory, text_of(number));
	text_copy_cut(text_of(number), from, sizeof target->record->from);
	if (owned != NULL && strcmp(owned->account_sid, call->record->account_sid) == 0)
		return REFUSED_NOT;
	return refusal_set(refusal, REFUSED_CALLER_ID, "From", text_of(number),
			   "a number of the trunk's account, or a transferee with a number");
}

// XFER-006, D-63: as if the PBX had called it.
static enum refusal_cause judge(struct call *target, const struct refer *refer,
				struct admitted *out_admitted, struct refusal *refusal)
{
	struct calls *calls = target->calls;
	const struct history_call *record = target->record;
	struct sip_message invite = { .target = refer->target };
	struct admission_case one;
	invite.target.user = text_of(record->to);
	admission_begin(&one, calls, &invite, false);
	one.admitted.trunk = directory_trunk(calls->directory, record->trunk_sid);
	one.admitted.account = directory_account(calls->directory, record->account_sid);
	(void)text_copy(text_of(record->from), one.admitted.caller_id,
			sizeof one.admitted.caller_id);
	if (one.admitted.trunk == NULL)
		return refusal_set(refusal, REFUSED_DISABLED, "trunk", text_of(record->trunk_sid),
				   "a trunk that is still there");
	enum admission admission = admission_judge_target(&one);
	*out_admitted = one.admitted;
	*refusal = one.refusal;
	return admission == ADMITTED ? REFUSED_NOT : refusal->cause;
}

static enum refusal_cause open_media(const struct call *call, struct call *target,
				     struct refusal *refusal)
{
	enum status status = media_open_beside(call->media, target->sid, target, &target->media);
	if (status == OK)
		return REFUSED_NOT;
	target->media = NULL;
	return refusal_set(refusal, refusal_of_media(status, MEDIA_OBJECTION_NONE), "media",
			   text_of(status_text(status)), "a free pair of media ports");
}

static void refuse(struct leg *referrer, enum refusal_cause cause)
{
	const struct refusal_row *row = refusal_row(cause);
	refusal_count(&referrer->calls->counters, cause);
	counter_add(&referrer->calls->counters.transfers_failed, 1);
	subscription_tell(referrer, row->status, row->phrase);
}

static void start(struct leg *referrer, struct call *target, const struct refer *refer)
{
	const struct call *call = referrer->call;
	struct refusal refusal = { 0 };
	struct admitted admitted;
	struct limit_rules rules;
	if (choose_caller(referrer, target, &refusal) != REFUSED_NOT ||
	    judge(target, refer, &admitted, &refusal) != REFUSED_NOT ||
	    open_media(call, target, &refusal) != REFUSED_NOT) {
		call_end_refused(target, &refusal);
		return;
	}
	(void)text_copy(text_of(admitted.called), target->record->to, sizeof target->record->to);
	rules_of_termination(target->calls->config, admitted.trunk, admitted.account, &rules);
	enum limit_cause cause = limits_take(target->calls->limits, &target->limit, &rules);
	if (cause != LIMIT_ASKED)
		call_limits_decided(target, cause, &rules);
}

static void note_referrer(struct history_call *record, const struct leg *referrer)
{
	char room[ADDRESS_TEXT_SIZE];
	text_copy_cut(text_of(address_string(&referrer->peer, room)), record->source,
		      sizeof record->source);
	text_copy_cut(sip_dialog_call_id(referrer->dialog), record->call_id_in,
		      sizeof record->call_id_in);
}

void destination_call(struct leg *referrer, const struct refer *refer)
{
	struct calls *calls = referrer->calls;
	enum refusal_cause cause = REFUSED_REFER_TARGET;
	struct call *target = NULL;
	if (destination_is_number(calls, referrer, refer))
		target = call_create_target(referrer->call, &cause);
	if (target == NULL) {
		refuse(referrer, cause);
		return;
	}
	note_referrer(target->record, referrer);
	copy_number(&refer->target, target->record->to, sizeof target->record->to);
	if (transfer_start(referrer, target, NULL)) {
		start(referrer, target, refer);
		return;
	}
	struct ending ending = { .ended_by = HISTORY_END_TRUNKD, .status = 500 };
	call_end(target, &ending);
	refuse(referrer, REFUSED_INTERNAL);
}
