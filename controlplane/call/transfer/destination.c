// A transfer's target as a call of its own. Runs on the control thread; never waits.

#include "call/transfer/destination.h"

#include <string.h>

#include "call/admission/admission.h"
#include "call/end.h"
#include "call/invite.h"
#include "call/limit/rules.h"
#include "call/record.h"
#include "call/table.h"
#include "call/target/attempt.h"
#include "call/target/target.h"
#include "call/transfer/join.h"
#include "call/transfer/subscription.h"
#include "call/transfer/transfer.h"
#include "config/own.h"
#include "directory/directory.h"
#include "directory/origination/origination.h"
#include "media/join/join.h"

// Our own host is what many write behind a number to be called: they know us by our Contact.
static bool is_our_host(const struct calls *calls, const struct leg *referrer, struct text host)
{
	struct address address;
	const char *trunk_sid = referrer->call->record->trunk_sid;
	const struct trunk *trunk = directory_trunk_by_host(calls->directory, host);
	if (trunk != NULL)
		return strcmp(trunk->sid, trunk_sid) == 0;
	if (!address_parse(host, &address))
		return false;
	return address_is_same_host(&address, &sip_dialog_flow(referrer->dialog)->local) ||
	       (config_is_own_signalling(calls->config, &address) &&
		!address_is_same_host(&address, &referrer->peer));
}

bool destination_is_number(const struct leg *referrer, const struct refer *refer)
{
	return text_is_same(refer->target.scheme, TEXT("tel")) ||
	       is_our_host(referrer->calls, referrer, refer->target.host);
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
			identity_copy_wishes(&call->identity, &target->identity);
		return REFUSED_NOT;
	}
	number = join_number(call, referrer->side);
	const struct account *account =
		directory_account(call->calls->directory, call->record->account_sid);
	text_copy_cut(text_of(number), from, sizeof target->record->from);
	if (account != NULL && admission_may_show(call->calls, account, number))
		return REFUSED_NOT;
	return refusal_set(refusal, REFUSED_CALLER_ID, "From", text_of(number),
			   "a number of the trunk's account, or verified for it");
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

// To the PSTN, by the same trunk.
static void dial(struct leg *referrer, struct call *target, const struct refer *refer)
{
	struct refusal refusal = { 0 };
	struct admitted admitted;
	struct limit_rules rules;
	if (choose_caller(referrer, target, &refusal) != REFUSED_NOT ||
	    judge(target, refer, &admitted, &refusal) != REFUSED_NOT ||
	    open_media(referrer->call, target, &refusal) != REFUSED_NOT) {
		call_end_refused(target, &refusal);
		return;
	}
	(void)text_copy(text_of(admitted.called), target->record->to, sizeof target->record->to);
	rules_of_termination(target->calls->config, admitted.trunk, admitted.account, &rules);
	enum limit_cause cause = limits_take(target->calls->limits, &target->limit, &rules);
	if (cause != LIMIT_ASKED)
		call_limits_decided(target, cause, &rules);
}

// ---- the customer's own hosts

static bool is_host_of_uris(const struct call *call, struct text host)
{
	const struct origination_uri *uris[DIRECTORY_ORIGINATION_MAX];
	unsigned count =
		directory_origination_uris(call->calls->directory, call->record->trunk_sid, uris);
	bool is_found = false;
	for (unsigned i = 0; i < count; i++)
		is_found |= text_is_same(text_of(uris[i]->uri.host), host);
	return is_found;
}

// It says its name in Contact as it likes: where that leads to is looked at when it is known.
static bool is_name_of_referrer(const struct leg *referrer, struct text host)
{
	struct sip_uri contact;
	return sip_uri_parse(sip_dialog_remote_target(referrer->dialog), &contact) &&
	       text_is_same(contact.host, host);
}

static bool is_address_of_referrer(const struct leg *referrer, struct text host)
{
	struct address address;
	return address_parse(host, &address) && address_is_same_host(&address, &referrer->peer);
}

// Nobody shall make us call whom he likes: a host is one of the trunk's Origination URIs or the PBX that
// asks, or its address stands in an IP ACL of the trunk, which is looked at when it is known.
static bool may_call(const struct leg *referrer, const struct sip_uri *uri, struct target *target)
{
	const struct call *call = referrer->call;
	const struct directory *directory = call->calls->directory;
	const struct trunk *trunk = directory_trunk(directory, call->record->trunk_sid);
	if (directory_trunk_by_host(directory, uri->host) != NULL)
		return false; // of another trunk: our own are numbers
	target->home = referrer->peer;
	target->is_listed =
		!is_host_of_uris(call, uri->host) && !is_address_of_referrer(referrer, uri->host);
	return !target->is_listed || is_name_of_referrer(referrer, uri->host) ||
	       (trunk != NULL && trunk->acl_count > 0);
}

// Who transfers, and which call of the target's own is to be taken over: what the customer says to its own
// hosts (RFC 3892 2.1, RFC 3891 3).
static void write_lines(const struct refer *refer, struct target *target)
{
	struct writer writer = writer_of(target->lines, sizeof target->lines);
	const struct replaces *replaces = &refer->replaces;
	if (refer->referred_by.data != NULL)
		writer_format(&writer, "Referred-By: %.*s\r\n", TEXT_FORMAT(refer->referred_by));
	if (refer->has_replaces)
		writer_format(&writer, "Replaces: %.*s;to-tag=%.*s;from-tag=%.*s%s\r\n",
			      TEXT_FORMAT(replaces->call_id), TEXT_FORMAT(replaces->to_tag),
			      TEXT_FORMAT(replaces->from_tag),
			      replaces->is_early_only ? ";early-only" : "");
	if (writer_string_done(&writer) == NULL)
		target->lines[0] = '\0';
}

static void call_host(struct leg *referrer, struct call *call, const struct refer *refer)
{
	struct refusal refusal = { 0 };
	struct target target = { .kind = TARGET_URI,
				 .header = "Refer-To",
				 .is_public = !address_is_private(&referrer->peer),
				 .security = call->security,
				 .suites = call->suites };
	(void)choose_caller(referrer, call, &refusal); // whoever it is: it is the customer's own
	if (!may_call(referrer, &refer->target, &target))
		(void)refusal_set(&refusal, REFUSED_REFER_TARGET, "Refer-To", refer->target.whole,
				  "a number, or a host of the trunk's");
	else if (!target_of_message(&refer->target, call->is_secure, &target))
		(void)refusal_set(&refusal, REFUSED_REFER_TO, "Refer-To", refer->target.whole,
				  "transport=udp, tcp or tls, and no longer than a name can be");
	else if (open_media(referrer->call, call, &refusal) == REFUSED_NOT)
		refusal.cause = REFUSED_NOT;
	if (refusal.cause != REFUSED_NOT) {
		call_end_refused(call, &refusal);
		return;
	}
	write_lines(refer, &target);
	media_set_symmetric(call->media, MEDIA_CALLED, call->has_symmetric_rtp);
	attempt_start_at(call, &target);
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
	bool is_number = destination_is_number(referrer, refer);
	enum refusal_cause cause;
	struct call *target =
		call_create_target(referrer->call, is_number ? CALL_TO_PSTN : CALL_TO_PBX, &cause);
	if (target == NULL) {
		refuse(referrer, cause);
		return;
	}
	note_referrer(target->record, referrer);
	copy_number(&refer->target, target->record->to, sizeof target->record->to);
	if (!transfer_start(referrer, target, NULL)) {
		struct ending ending = { .ended_by = HISTORY_END_TRUNKD, .status = 500 };
		call_end(target, &ending);
		refuse(referrer, REFUSED_INTERNAL);
	} else if (is_number) {
		dial(referrer, target, refer);
	} else {
		call_host(referrer, target, refer);
	}
}
