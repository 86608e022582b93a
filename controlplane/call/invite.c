// A new call up to the INVITE a carrier gets. Runs on the control thread; never waits.

#include "call/invite.h"

#include "base/log.h"
#include "call/admit.h"
#include "call/end.h"
#include "call/header/carry.h"
#include "call/leg.h"
#include "call/limit.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/change.h"
#include "call/table.h"
#include "call/watch/peer.h"
#include "config/config.h"
#include "dataplane/suite.h"
#include "directory/directory.h"

#define MAX_FORWARDS_LOW 20 // the least a PBX should send (D-36)

static void challenge(struct calls *calls, struct sip_server *server,
		      const struct sip_message *invite, bool is_stale)
{
	char room[1024];
	struct writer lines = writer_of(room, sizeof room);
	sip_digest_challenge(calls->digest, &invite->flow.remote, is_stale, &lines);
	call_refuse_stranger(server, 407, NULL, writer_done(&lines));
}

// Of several parts the description was taken already (sip/multipart); what is left has none.
static bool is_description(struct text type)
{
	return type.size == 0 || text_is_same(type, TEXT("application/sdp"));
}

static enum refusal_cause describe(struct call *call, const struct sip_message *invite,
				   struct refusal *refusal)
{
	struct media_problem problem = { 0 };
	if (!call->is_late && !is_description(invite->content_type))
		return refusal_set(refusal, REFUSED_BODY, "Content-Type", invite->content_type,
				   "application/sdp");
	enum status status = media_open(call->calls->media, call->sid, call, &call->media);
	if (status != OK) {
		call->media = NULL;
		return refusal_set(refusal, refusal_of_media(status, MEDIA_OBJECTION_NONE), "media",
				   text_of(status_text(status)),
				   "a free pair of media ports for each leg");
	}
	media_set_symmetric(call->media, MEDIA_CALLER, call->has_symmetric_rtp);
	status = media_set_security(call->media, MEDIA_CALLER, call->security, call->suites);
	if (status == OK &&
	    call->is_late) // the carrier gets an offer of ours, the caller one later
		status = media_set_family(call->media, MEDIA_CALLER, call->caller->peer.family);
	else if (status == OK)
		status = media_receive_offer(call->media, MEDIA_CALLER, invite->body, &problem);
	if (status == OK)
		return REFUSED_NOT;
	return refusal_set(refusal, refusal_of_media(status, problem.objection),
			   problem.header ? problem.header : "SDP", text_of(problem.seen),
			   problem.expected ? problem.expected : "");
}

// LIMIT-005: after everything that can be wrong, one token for the call.
static enum refusal_cause take_token(struct call *call, const struct trunk *trunk,
				     struct refusal *refusal)
{
	char seen[48];
	struct writer writer = writer_of(seen, sizeof seen);
	uint32_t cps = trunk->cps != 0 ? trunk->cps : call->calls->config->limits.default_cps;
	if (limits_take(call->calls->limits, trunk->sid, cps, call->calls->clock->now_ms))
		return REFUSED_NOT;
	writer_format(&writer, "limit of %u calls per second reached", cps);
	return refusal_set(refusal, REFUSED_CPS, "calls per second", writer_done(&writer),
			   "no more calls a second than the trunk's limit");
}

static void start(struct call *call, const struct sip_message *invite, const struct trunk *trunk)
{
	struct refusal refusal = { 0 };
	struct log_value source, value;
	(void)sip_server_reply(call->caller->server, &(struct sip_answer){ .status = 100 });
	if (describe(call, invite, &refusal) != REFUSED_NOT ||
	    take_token(call, trunk, &refusal) != REFUSED_NOT) {
		call_end_refused(call, &refusal);
		return;
	}
	if (invite->max_forwards < MAX_FORWARDS_LOW)
		log_event(LOG_WARNING, "max_forwards_low", "call", call->sid, "value",
			  log_number(&value, invite->max_forwards), "source", call->record->source,
			  NULL);
	if (route_choose(&call->route, call->calls->directory) != OK) {
		(void)refusal_set(&refusal, REFUSED_INTERNAL, "carriers", TEXT("no memory"),
				  "memory for the carriers to try");
		call_end_refused(call, &refusal);
		return;
	}
	log_event(LOG_INFO, "call_started", "call", call->sid, "trunk", call->trunk_name, "from",
		  call->record->from, "to", call->record->to, "source", call->record->source,
		  "call_id", log_text(&source, invite->call_id), NULL);
	(void)refusal_set(&call->failure, REFUSED_NO_CARRIER, "carriers", TEXT("none enabled"),
			  "at least one enabled carrier");
	call_try_next(call);
}

// Why no call could be made of an admitted INVITE.
static void explain(struct refusal *refusal, enum refusal_cause cause,
		    const struct sip_message *invite)
{
	switch (cause) {
	case REFUSED_CONTACT:
		(void)refusal_set(refusal, cause, "Contact", invite->contact.uri.whole,
				  "one Contact with a SIP URI, and a tag in From");
		break;
	case REFUSED_HISTORY:
		(void)refusal_set(refusal, cause, "records", TEXT("spool full"),
				  "room for the record of one more call");
		break;
	default:
		(void)refusal_set(refusal, cause, "calls", TEXT("as many as allowed"),
				  "room for one more call");
		break;
	}
}

void call_invite(struct calls *calls, struct sip_server *server, const struct sip_message *invite)
{
	struct admitted admitted;
	struct refusal refusal;
	enum admission admission = call_admit(calls, invite, &admitted, &refusal);
	if (admitted.trunk != NULL && peer_is_loop(calls, invite)) { // whoever brings it back
		(void)refusal_set(&refusal, REFUSED_LOOP, "Call-ID", invite->call_id,
				  "a call of the PBX, not one of ours");
		admission = ADMISSION_REFUSED;
	}
	const char *trunk_sid = admitted.trunk != NULL ? admitted.trunk->sid : "";
	const char *account_sid = admitted.trunk != NULL ? admitted.trunk->account_sid : "";
	switch (admission) {
	case ADMISSION_CHALLENGE:
	case ADMISSION_CHALLENGE_STALE:
		challenge(calls, server, invite, admission == ADMISSION_CHALLENGE_STALE);
		return;
	case ADMISSION_REFUSED:
		call_refuse(calls, server, invite, account_sid, trunk_sid, &refusal);
		return;
	case ADMITTED:
		break;
	}
	enum refusal_cause cause = REFUSED_NOT;
	struct call *call = call_create(calls, server, invite, &admitted, &cause);
	if (call != NULL) {
		start(call, invite, admitted.trunk);
		return;
	}
	explain(&refusal, cause, invite);
	call_refuse(calls, server, invite, account_sid, trunk_sid, &refusal);
}

static bool local_address(const struct calls *calls, const struct address *destination,
			  struct address *out_local)
{
	const struct config_addresses *addresses = &calls->config->sip.addresses;
	for (unsigned i = 0; i < addresses->count; i++) {
		if (addresses->items[i].family != destination->family)
			continue;
		*out_local = addresses->items[i];
		out_local->port = (uint16_t)calls->config->sip.port;
		return true;
	}
	return false;
}

static void write_uri(struct writer *writer, const char *user, const struct address *host)
{
	writer_format(writer, "sip:%s@", user);
	address_write(host, writer);
}

static enum status open_dialog(struct leg *leg, const struct route_target *target)
{
	char room[3][160];
	struct writer local = writer_of(room[0], sizeof room[0]);
	struct writer remote = writer_of(room[1], sizeof room[1]);
	struct writer uri = writer_of(room[2], sizeof room[2]);
	struct sip_dialog_call call = { .flow.remote = target->address };
	if (!local_address(leg->calls, &target->address, &call.flow.local))
		return ERR_UNSUPPORTED; // no signalling address of that family
	identity_write_from(&leg->call->identity, leg->call->record->from, &call.flow.local,
			    &local);
	write_uri(&uri, leg->call->record->to, &target->address);
	writer_format(&remote, "<%.*s>", TEXT_FORMAT(writer_done(&uri)));
	call.local = writer_done(&local);
	call.remote = writer_done(&remote);
	call.target = writer_done(&uri);
	return sip_dialog_open_client(leg->calls->dialogs, &call, leg, &leg->dialog);
}

static enum status send_invite(struct leg *leg)
{
	struct call *call = leg->call;
	const struct sip_config *config = &call->calls->config->sip;
	char body[CALL_SDP_SIZE];
	char headers[CALL_HEADERS_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	struct writer lines = writer_of(headers, sizeof headers);
	struct sip_request request = { 0 };
	media_write_offer(call->media, MEDIA_CALLED, &sdp);
	leg_write_contact(leg, &lines);
	carry_write_invite(leg, &lines);
	writer_text(&lines, call_method_allow());
	writer_string(&lines, "Supported: 100rel\r\n");
	sip_dialog_request(leg->dialog, SIP_INVITE, 0, &request);
	request.headers = writer_done(&lines);
	request.content_type = TEXT("application/sdp");
	request.body = writer_done(&sdp);
	request.max_forwards = call->max_forwards;
	struct sip_client_limits limits = { .no_response_ms = config->no_response_timeout_ms,
					    .ring_ms = config->ring_timeout_s * 1000 };
	enum status status =
		sip_client_send(call->calls->transactions, &request, limits, leg, &leg->client);
	if (status != OK)
		return status;
	leg->invite_cseq = sip_dialog_local_cseq(leg->dialog);
	leg->is_invited = true;
	record_ladder(call, MEDIA_CALLED, RECORD_OUT, "INVITE");
	return OK;
}

// SRTP-004: a carrier with SRTP is offered nothing else.
static enum status secure(struct call *call, const struct route_target *target)
{
	return media_set_security(call->media, MEDIA_CALLED,
				  target->has_srtp ? MEDIA_SECURE : MEDIA_PLAIN,
				  target->has_aead ? SUITE_BITS_AEAD : SUITE_BITS_AES_CM);
}

static enum status try_target(struct call *call, const struct route_target *target)
{
	struct leg *leg = leg_create(call, MEDIA_CALLED);
	if (leg == NULL)
		return ERR_MEMORY;
	leg->peer = target->address;
	call->called = leg;
	call->record->attempts++;
	(void)text_copy(text_of(target->name), call->carrier_name, sizeof call->carrier_name);
	(void)text_copy(text_of(target->sid), call->record->carrier_sid,
			sizeof call->record->carrier_sid);
	(void)text_copy(text_of(target->name), call->record->carrier, sizeof call->record->carrier);
	char room[ADDRESS_TEXT_SIZE];
	(void)text_copy(text_of(address_string(&target->address, room)),
			call->record->carrier_address, sizeof call->record->carrier_address);
	enum status status = media_set_family(call->media, MEDIA_CALLED, target->address.family);
	if (status == OK)
		status = secure(call, target);
	if (status == OK)
		status = open_dialog(leg, target);
	if (status != OK)
		return status;
	(void)text_copy(sip_dialog_call_id(leg->dialog), call->record->call_id_out,
			sizeof call->record->call_id_out);
	return send_invite(leg);
}

void call_try_next(struct call *call)
{
	const struct route_target *target;
	while ((target = route_next(&call->route)) != NULL) {
		if (call->called != NULL) {
			change_abandon(call, 504);
			leg_give_up(call->called);
			call->called = NULL;
			media_forget(call->media, MEDIA_CALLED);
			counter_add(&call->calls->counters.carrier_moves, 1);
		}
		enum status status = try_target(call, target);
		if (status == OK)
			return;
		(void)refusal_set(&call->failure, REFUSED_CARRIER_FAILED, target->name,
				  text_of(status_text(status)), "a carrier that can be reached");
		record_alert(call, &call->failure);
	}
	call_end_refused(call, &call->failure);
}
