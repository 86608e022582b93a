// The table of methods and the callbacks of the SIP side. Runs on the control thread.

#include "call/method.h"

#include "base/log.h"
#include "call/admission/admission.h"
#include "call/carrier/health.h"
#include "call/end.h"
#include "call/engine.h"
#include "call/header/carry.h"
#include "call/header/option.h"
#include "call/handshake/handshake.h"
#include "call/invite.h"
#include "call/leg.h"
#include "call/record.h"
#include "call/session/answer.h"
#include "call/session/change.h"
#include "call/session/early.h"
#include "call/session/info.h"
#include "call/session/reliable.h"
#include "call/transfer/subscription.h"
#include "call/transfer/takeover.h"
#include "call/transfer/transfer.h"
#include "call/watch/peer.h"
#include "directory/directory.h"

typedef void (*outside_fn)(struct calls *calls, struct sip_server *server,
			   const struct sip_message *request);
typedef void (*inside_fn)(struct leg *leg, struct sip_server *server,
			  const struct sip_message *request);

#define ALLOW "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO"
// The first is the first to go when the answer is longer than the request.
#define ACCEPT "Accept: application/sdp\r\n"

#define UNSUPPORTED_SIZE 300

// True when something is required that we do not have; of a long list not all is told.
static bool write_unsupported(const struct sip_message *request, struct writer *lines)
{
	char room[UNSUPPORTED_SIZE - sizeof "Unsupported: \r\n"];
	struct writer tags = writer_of(room, sizeof room);
	bool is_missing = option_write_missing(request, &tags);
	if (tags.used > 0)
		writer_format(lines, "Unsupported: %.*s\r\n", TEXT_FORMAT(writer_done(&tags)));
	return is_missing;
}

static struct text abilities(bool has_transfer)
{
	return has_transfer ? TEXT(ACCEPT ALLOW ", REFER\r\n") : TEXT(ACCEPT ALLOW "\r\n");
}

static bool may_transfer(const struct leg *leg)
{
	return leg->is_customer && leg->call != NULL && leg->call->has_transfer;
}

// SIP-023, D-35: no digest; unknown domains never come this far.
static void options(struct calls *calls, struct sip_server *server,
		    const struct sip_message *request)
{
	char room[UNSUPPORTED_SIZE];
	struct writer lines = writer_of(room, sizeof room);
	if (write_unsupported(request, &lines)) { // RFC 3261 8.2.2.3
		call_refuse_stranger(server, 420, NULL, writer_done(&lines));
		return;
	}
	const struct trunk *trunk = call_admit_trunk(calls, request);
	call_refuse_stranger(server, 200, NULL, abilities(trunk != NULL && trunk->has_transfer));
}

static void options_inside(struct leg *leg, struct sip_server *server,
			   const struct sip_message *request)
{
	(void)request;
	call_reply(server, 200, NULL, abilities(may_transfer(leg)));
}

// clang-format off
static const struct {
	outside_fn outside; // NULL: 405
	inside_fn inside;   // NULL: 405
	bool is_ours;       // of the customer's side alone, and nothing of it is for the other party
} methods[SIP_METHOD_COUNT] = {
	[SIP_INVITE]    = { call_invite, change_invite, false },
	[SIP_BYE]       = { NULL,        call_bye, false },
	[SIP_OPTIONS]   = { options,     options_inside, false },
	[SIP_PRACK]     = { NULL,        reliable_acknowledged, false },
	[SIP_UPDATE]    = { NULL,        change_update, false },
	[SIP_INFO]      = { NULL,        info_asked, false },
	[SIP_REFER]     = { NULL,        transfer_asked, true },
	[SIP_SUBSCRIBE] = { NULL,        subscription_asked, true },
};
// clang-format on

struct text call_method_allow(bool has_transfer)
{
	return has_transfer ? TEXT(ALLOW ", REFER\r\n") : TEXT(ALLOW "\r\n");
}

struct text call_allow(const struct leg *leg)
{
	return call_method_allow(may_transfer(leg));
}

struct text call_supported(const struct leg *leg)
{
	return may_transfer(leg) ? TEXT("Supported: replaces\r\n") : TEXT_NONE;
}

// A customer whose trunk has no transfer hears why (XFER-003); a method that nobody has is none.
static bool is_known_to(const struct leg *leg, enum sip_method method)
{
	if (methods[method].inside == NULL)
		return false;
	return !methods[method].is_ours || may_transfer(leg) ||
	       (method == SIP_REFER && leg->is_customer);
}

void call_reply(struct sip_server *server, unsigned status, const char *phrase, struct text headers)
{
	struct sip_answer answer = { .status = status, .reason = phrase, .headers = headers };
	(void)sip_server_reply(server, &answer); // a lost answer is repeated when asked for again
	sip_server_release(server);
}

void call_refuse_stranger(struct sip_server *server, unsigned status, const char *phrase,
			  struct text headers)
{
	struct sip_answer answer = { .status = status, .reason = phrase, .headers = headers };
	sip_server_refuse(server, &answer);
}

// SIP-003, SIP-007: an ACK counts only when its Request-URI names our Contact, and so does a re-INVITE that
// stands for one.
static bool names_our_contact(const struct leg *leg, const struct sip_message *request)
{
	struct address target;
	return address_parse(request->target.host, &target) &&
	       address_is_same_host(&target, &sip_dialog_flow(leg->dialog)->local);
}

// Its headers go with what is said to the other party because of it, or nowhere. A CANCEL to that party
// may have to wait, and they with it.
static void pass_inside(struct leg *leg, struct sip_server *server,
			const struct sip_message *request)
{
	struct leg *other = leg_other(leg);
	if (methods[request->method].is_ours) { // XFER-002
		methods[request->method].inside(leg, server, request);
		return;
	}
	if (request->method == SIP_INVITE && names_our_contact(leg, request))
		call_overtaken(leg);
	carry_over(leg, HEADER_INSIDE, request);
	early_turn_to(leg, request->from.tag);
	methods[request->method].inside(leg, server, request);
	if (request->method != SIP_BYE)
		carry_clear(other);
}

static bool is_required_known(struct sip_server *server, const struct sip_message *request)
{
	char room[UNSUPPORTED_SIZE];
	struct writer lines = writer_of(room, sizeof room);
	if (!write_unsupported(request, &lines))
		return true;
	call_reply(server, 420, NULL, writer_done(&lines));
	return false;
}

void call_dismiss_stranger(struct sip_server *server, unsigned status, const char *phrase)
{
	struct sip_answer answer = { .status = status, .reason = phrase, .is_last = true };
	sip_server_refuse(server, &answer);
}

// SRTP-007: what a secure trunk's PBX asks inside a call may hold keys, and our answer does. That it hangs
// up may be heard from anywhere.
static bool is_secured(struct leg *leg, struct sip_server *server,
		       const struct sip_message *request)
{
	struct refusal refusal = { 0 };
	if (!leg->call->is_secure || !leg->is_customer || request->flow.protocol == SIP_TLS ||
	    request->method == SIP_BYE)
		return true;
	(void)refusal_set(&refusal, REFUSED_INSECURE, "transport",
			  text_of(sip_protocol_via(request->flow.protocol)),
			  "TLS, which the trunk's setting secure demands");
	refusal_count(&leg->calls->counters, refusal.cause);
	record_alert(leg->call, &refusal);
	call_reply(server, 403, NULL, TEXT_NONE);
	return false;
}

static void request_inside(struct calls *calls, struct sip_server *server,
			   const struct sip_message *request)
{
	struct sip_dialog *dialog = sip_dialog_find(calls->dialogs, request);
	struct leg *leg = dialog != NULL ? sip_dialog_owner(dialog) : NULL;
	if (leg != NULL) {
		sip_server_set_peer(server, sip_dialog_flow(dialog)->peer);
		leg_note_way(leg, &request->flow);
	}
	if (leg == NULL)
		call_refuse_stranger(server, 481, NULL, TEXT_NONE);
	else if (leg->call == NULL || (leg->is_over && request->method != SIP_SUBSCRIBE))
		call_reply(server, 481, NULL, TEXT_NONE);
	else if (!is_secured(leg, server, request))
		return;
	else if (!sip_dialog_accepts(dialog, request)) // RFC 3261 12.2.2
		call_reply(server, 500, "CSeq Out Of Order", TEXT("Retry-After: 1\r\n"));
	else if (!is_known_to(leg, request->method))
		call_reply(server, 405, NULL, call_allow(leg));
	else if (!is_required_known(server, request))
		return;
	else
		pass_inside(leg, server, request);
}

void call_request(void *context, struct sip_server *server, const struct sip_message *request)
{
	struct calls *calls = context;
	if (request->to.tag.size > 0)
		request_inside(calls, server, request);
	else if (methods[request->method].inside != NULL &&
		 methods[request->method].outside == NULL && request->method != SIP_SUBSCRIBE)
		call_refuse_stranger(server, 481, NULL, TEXT_NONE); // only ever of a call
	else if (methods[request->method].outside == NULL) // REGISTER too: TRUNK-021
		call_refuse_stranger(server, 405, NULL, call_method_allow(false));
	else if (request->method == SIP_INVITE || call_handshake_passes(calls, server, request))
		methods[request->method].outside(calls, server, request);
}

static bool is_ours(const struct sip_message *request)
{
	struct address target;
	return address_parse(request->target.host, &target) &&
	       address_is_same_host(&target, &request->flow.local);
}

// A trunk's host, or whatever a carrier sends us; inside dialogs our Contact, or whatever a peer makes of
// it that knows the dialog.
static bool is_known(void *context, const struct sip_message *request)
{
	struct calls *calls = context;
	if (call_admit_expect(calls, request) != NULL ||
	    place_find_carrier(calls, &request->flow) != NULL || takeover_is_asked(calls, request))
		return true;
	return request->to.tag.size > 0 &&
	       (is_ours(request) || sip_dialog_find(calls->dialogs, request) != NULL);
}

static void cancelled(void *context, struct sip_server *server, const struct sip_message *cancel)
{
	(void)context;
	struct leg *leg = sip_server_owner(server);
	if (leg == NULL || leg->call == NULL)
		return;
	carry_over(leg, HEADER_INSIDE, cancel);
	call_cancelled(leg, cancel);
}

static void acknowledged(void *context, const struct sip_message *ack)
{
	struct calls *calls = context;
	struct sip_dialog *dialog = sip_dialog_find(calls->dialogs, ack);
	struct leg *leg = dialog != NULL ? sip_dialog_owner(dialog) : NULL;
	if (leg == NULL || leg->call == NULL || leg->server == NULL)
		return; // a repeat, or a stranger's
	if (!sip_server_has_final(leg->server) || sip_server_cseq(leg->server) != ack->cseq)
		return; // of an INVITE before this one (RFC 3261 13.2.2.4)
	if (!names_our_contact(leg, ack)) {
		text_copy_cut(ack->target.whole, leg->wrong_ack, sizeof leg->wrong_ack);
		return;
	}
	call_acknowledged(leg, ack);
}

// What it brings along for the other party, and what it tells of its own. A 2xx that comes again, or from
// another fork, brings nothing.
static void note_response(struct leg *leg, const struct sip_message *message)
{
	bool is_inside = leg->is_reinvite || message->method != SIP_INVITE;
	bool is_repeat = !is_inside && leg->is_answered;
	if (leg->call == NULL || message->status == 100 || is_repeat)
		return;
	carry_over(leg, is_inside ? HEADER_INSIDE : carry_way_back(leg->call), message);
	if (message->method != SIP_INVITE || message->status / 100 != 2)
		return;
	peer_check_answer(leg, message);
	carry_end(leg->call);
}

static void response(void *context, struct sip_client *client, void *owner,
		     const struct sip_message *message)
{
	const struct calls *calls = context;
	(void)client;
	struct leg *leg = owner;
	if (message->method == SIP_OPTIONS && health_response(calls->health, owner, message))
		return;
	if (leg == NULL || (leg->call == NULL && message->method != SIP_INVITE))
		return;
	leg_note_way(leg, &message->flow);
	if (message->method != SIP_NOTIFY)
		note_response(leg, message);
	if (message->method == SIP_INFO)
		info_response(leg, message);
	else if (message->method == SIP_NOTIFY)
		subscription_response(leg, message);
	else if (message->method != SIP_INVITE)
		change_response(leg, message);
	else if (leg->call == NULL)
		leg_late_response(leg, message);
	else if (leg->is_reinvite)
		change_response(leg, message);
	else
		call_answered(leg, message);
}

static void failed(void *context, struct sip_client *client, void *owner, enum sip_failure failure)
{
	const struct calls *calls = context;
	struct leg *leg = owner;
	if (leg == NULL || health_failed(calls->health, owner, failure))
		return;
	if (subscription_has(leg, client)) {
		subscription_failed(leg);
		return;
	}
	bool is_info = client == leg->info_client, is_update = client == leg->update;
	struct sip_client **kept = is_info     ? &leg->info_client
				   : is_update ? &leg->update
					       : &leg->client;
	*kept = NULL;
	if (leg->call == NULL)
		return; // its timer ends it
	carry_clear(leg_other(leg));
	if (is_info)
		info_failed(leg);
	else if (is_update || leg->is_reinvite)
		change_failed(leg);
	else
		call_unanswered(leg, failure);
}

static void wrong_via(void *context, const struct sip_message *message)
{
	peer_note_via(context, message);
}

static struct text cancel_headers(void *context, void *owner)
{
	(void)context;
	const struct leg *leg = owner;
	return leg != NULL ? leg->carried : TEXT_NONE;
}

static void stray_response(void *context, const struct sip_message *message)
{
	struct calls *calls = context;
	struct sip_dialog *dialog = sip_dialog_find(calls->dialogs, message);
	struct leg *leg = dialog != NULL ? sip_dialog_owner(dialog) : NULL;
	if (leg == NULL || message->method != SIP_INVITE || message->status / 100 != 2)
		return;
	if (leg->call == NULL)
		leg_late_response(leg, message);
	else
		leg_repeat_ack(leg, message);
}

void calls_fill_sip_user(struct calls *calls, struct sip_user *out_user)
{
	*out_user = (struct sip_user){
		.context = calls,
		.is_known = is_known,
		.request = call_request,
		.cancelled = cancelled,
		.acknowledged = acknowledged,
		.response = response,
		.failed = failed,
		.stray_response = stray_response,
		.cancel_headers = cancel_headers,
		.wrong_via = wrong_via,
		.allow = call_method_allow(false),
	};
}
