// Our side of a carrier's call: a dialog, media of ours, an INVITE. Runs on the control thread.

#include "call/carrier/offer.h"

#include "call/header/carry.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "config/config.h"
#include "dataplane/suite.h"

void offer_copy_carrier(const struct carrier *carrier, struct carrier_facts *out_facts)
{
	static const enum sip_protocol protocols[] = { [DIRECTORY_TRANSPORT_UDP] = SIP_UDP,
						       [DIRECTORY_TRANSPORT_TCP] = SIP_TCP,
						       [DIRECTORY_TRANSPORT_TLS] = SIP_TLS };
	*out_facts = (struct carrier_facts){ .has_srtp = carrier->has_srtp,
					     .has_aead = carrier->has_aead };
	(void)text_copy(text_of(carrier->sid), out_facts->sid, sizeof out_facts->sid);
	(void)text_copy(text_of(carrier->name), out_facts->name, sizeof out_facts->name);
	struct sip_target *target = &out_facts->target;
	(void)text_copy(text_of(carrier->host), target->host, sizeof target->host);
	target->port = carrier->port;
	target->has_protocol = carrier->transport != DIRECTORY_TRANSPORT_AUTO;
	target->protocol = protocols[carrier->transport];
}

void offer_note_carrier(struct call *call, const struct carrier_facts *carrier)
{
	struct history_call *record = call->record;
	(void)text_copy(text_of(carrier->name), call->carrier_name, sizeof call->carrier_name);
	(void)text_copy(text_of(carrier->sid), record->carrier_sid, sizeof record->carrier_sid);
	(void)text_copy(text_of(carrier->name), record->carrier, sizeof record->carrier);
	record->carrier_address[0] = '\0';
}

bool offer_flow(const struct calls *calls, const struct sip_hop *hop, struct sip_flow *out_flow)
{
	const struct config_addresses *addresses = &calls->config->sip.addresses;
	*out_flow = (struct sip_flow){ .protocol = hop->protocol, .remote = hop->address };
	for (unsigned i = 0; i < addresses->count; i++) {
		if (addresses->items[i].family != hop->address.family)
			continue;
		out_flow->local = addresses->items[i];
		out_flow->local.port = calls->ports[hop->protocol];
		return true;
	}
	return false;
}

void offer_write_uri(const struct sip_target *target, const struct sip_hop *hop, const char *user,
		     bool has_parameters, struct writer *writer)
{
	struct address address;
	writer_string(writer, "sip:");
	if (user != NULL) {
		writer_string(writer, user);
		writer_char(writer, '@');
	}
	if (address_parse(text_of(target->host), &address)) {
		address_write(&hop->address, writer);
	} else { // the name is what DNS and certificates are about
		writer_string(writer, target->host);
		if (target->port != 0)
			writer_format(writer, ":%u", target->port);
	}
	if (has_parameters && hop->protocol != SIP_UDP) {
		writer_string(writer, ";transport=");
		writer_string(writer, sip_protocol_name(hop->protocol));
	}
}

static enum status open_dialog(struct leg *leg, const struct sip_target *target,
			       const struct sip_hop *hop)
{
	char room[3][2 * DNS_NAME_SIZE];
	struct writer local = writer_of(room[0], sizeof room[0]);
	struct writer remote = writer_of(room[1], sizeof room[1]);
	struct writer uri = writer_of(room[2], sizeof room[2]);
	const char *called = leg->call->record->to;
	struct sip_dialog_call call = { 0 };
	if (!offer_flow(leg->calls, hop, &call.flow))
		return ERR_UNSUPPORTED; // no signalling address of that family
	identity_write_from(&leg->call->identity, leg->call->record->from, &call.flow.local,
			    &local);
	offer_write_uri(target, hop, called, true, &uri);
	writer_char(&remote, '<');
	offer_write_uri(target, hop, called, false, &remote);
	writer_char(&remote, '>');
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
static enum status secure(struct call *call, const struct carrier_facts *carrier)
{
	return media_set_security(call->media, MEDIA_CALLED,
				  carrier->has_srtp ? MEDIA_SECURE : MEDIA_PLAIN,
				  carrier->has_aead ? SUITE_BITS_AEAD : SUITE_BITS_AES_CM);
}

enum status offer_send(struct call *call, const struct carrier_facts *carrier,
		       const struct sip_hop *hop)
{
	struct leg *leg = leg_create(call, MEDIA_CALLED);
	if (leg == NULL)
		return ERR_MEMORY;
	leg->peer = hop->address;
	place_note(&call->calls->places, &hop->address, carrier->sid);
	call->called = leg;
	char room[ADDRESS_TEXT_SIZE];
	(void)text_copy(text_of(address_string(&hop->address, room)), call->record->carrier_address,
			sizeof call->record->carrier_address);
	enum status status = media_set_family(call->media, MEDIA_CALLED, hop->address.family);
	if (status == OK)
		status = secure(call, carrier);
	if (status == OK)
		status = open_dialog(leg, &carrier->target, hop);
	if (status != OK)
		return status;
	(void)text_copy(sip_dialog_call_id(leg->dialog), call->record->call_id_out,
			sizeof call->record->call_id_out);
	return send_invite(leg);
}
