// Our side of a call to a target: a dialog, media of ours, an INVITE. Runs on the control thread.

#include "call/target/offer.h"

#include "call/header/carry.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/target/edge.h"
#include "config/config.h"

bool offer_flow(const struct calls *calls, const struct target *target, const struct sip_hop *hop,
		const struct address *arrival, struct sip_flow *out_flow)
{
	*out_flow = (struct sip_flow){ .protocol = hop->protocol, .remote = hop->address };
	if (target->kind == TARGET_CARRIER) // who has to show what a carrier shows
		(void)text_copy(text_of(target->sid), out_flow->peer, sizeof out_flow->peer);
	if (!edge_address(calls, target, arrival, hop->address.family, &out_flow->local))
		return false;
	out_flow->local.port = calls->ports[hop->protocol];
	return true;
}

static enum status open_dialog(struct leg *leg, const struct target *target,
			       const struct sip_hop *hop)
{
	char room[3][2 * DNS_NAME_SIZE];
	struct writer local = writer_of(room[0], sizeof room[0]);
	struct writer remote = writer_of(room[1], sizeof room[1]);
	struct writer uri = writer_of(room[2], sizeof room[2]);
	const char *called = leg->call->record->to;
	const struct address *arrival = edge_arrival(leg->call);
	struct sip_dialog_call call = { 0 };
	if (!offer_flow(leg->calls, target, hop, arrival, &call.flow))
		return ERR_UNSUPPORTED; // no signalling address of that family
	identity_write_from(&leg->call->identity, leg->call->record->from, &call.flow.local,
			    &local);
	target_write_uri(target, hop, called, true, &uri);
	writer_char(&remote, '<');
	target_write_uri(target, hop, called, false, &remote);
	writer_char(&remote, '>');
	call.local = writer_done(&local);
	call.remote = writer_done(&remote);
	call.target = writer_done(&uri);
	return sip_dialog_open_client(leg->calls->dialogs, &call, leg, &leg->dialog);
}

static enum status send_invite(struct leg *leg, const struct target *target)
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
	writer_string(&lines, target->lines);
	writer_text(&lines, call_allow(leg));
	if (!target->lacks_prack)
		writer_string(&lines, "Supported: 100rel\r\n");
	writer_text(&lines, call_supported(leg));
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

static void note_address(struct history_call *record, const struct target *target,
			 const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];
	bool is_carrier = target->kind == TARGET_CARRIER;
	char *room = is_carrier ? record->carrier_address : record->uri_address;
	size_t size = is_carrier ? sizeof record->carrier_address : sizeof record->uri_address;
	(void)text_copy(text_of(address_string(address, text)), room, size);
}

enum status offer_send(struct call *call, const struct target *target, const struct sip_hop *hop)
{
	struct leg *leg = leg_create(call, MEDIA_CALLED);
	if (leg == NULL)
		return ERR_MEMORY;
	leg->peer = hop->address;
	leg->is_outgoing = true;
	leg->is_customer = target->kind == TARGET_URI;
	if (target->kind == TARGET_CARRIER)
		place_note(&call->calls->places, &hop->address, target->sid);
	call->called = leg;
	note_address(call->record, target, &hop->address);
	enum status status = edge_set_media(call, target, hop->address.family);
	if (status == OK)
		status = media_set_security(call->media, MEDIA_CALLED, target->security,
					    target->suites);
	if (status == OK)
		status = open_dialog(leg, target, hop);
	if (status != OK)
		return status;
	(void)text_copy(sip_dialog_call_id(leg->dialog), call->record->call_id_out,
			sizeof call->record->call_id_out);
	return send_invite(leg, target);
}
