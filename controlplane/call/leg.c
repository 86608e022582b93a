// One party's side of a call. Runs on the control thread; never waits.

#include "call/leg.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "call/header/carry.h"
#include "call/record.h"
#include "call/session/digits.h"
#include "call/session/early.h"
#include "call/session/info.h"
#include "call/transfer/subscription.h"
#include "config/config.h"

// After Timer D and the 2xx repeats of a peer nothing can arrive any more (RFC 3261 17.1.1.2).
#define GIVEN_UP_MS 40000

static void end_of_life(struct wheel_timer *timer, void *context)
{
	(void)timer;
	leg_destroy(context);
}

void leg_note_way(struct leg *leg, const struct sip_flow *flow)
{
	leg->way = (struct call_way){ .transport = sip_protocol_name(flow->protocol),
				      .tls_version = flow->tls_version,
				      .connection = flow->connection };
}

struct leg *leg_create(struct call *call, enum media_side side)
{
	struct leg *leg = calloc(1, sizeof *leg);
	if (leg == NULL)
		return NULL;
	leg->calls = call->calls;
	leg->call = call;
	leg->side = side;
	wheel_timer_init(&leg->timer, end_of_life, leg);
	return leg;
}

static void link_given_up(struct leg *leg)
{
	leg->next = leg->calls->given_up;
	if (leg->next != NULL)
		leg->next->previous = leg;
	leg->calls->given_up = leg;
}

static void unlink_given_up(struct leg *leg)
{
	if (leg->previous != NULL)
		leg->previous->next = leg->next;
	else
		leg->calls->given_up = leg->next;
	if (leg->next != NULL)
		leg->next->previous = leg->previous;
}

void leg_detach(struct leg *leg)
{
	if (leg == NULL)
		return;
	if (leg->server != NULL) {
		sip_server_set_owner(leg->server, NULL);
		sip_server_release(leg->server);
	}
	sip_client_forget(leg->client);
	sip_client_forget(leg->update);
	sip_client_forget(leg->info_client);
	subscription_clear(leg);
	leg->server = NULL;
	leg->client = leg->update = leg->info_client = NULL;
	info_clear(leg);
}

void leg_destroy(struct leg *leg)
{
	if (leg == NULL)
		return;
	wheel_stop(&leg->timer);
	leg_detach(leg);
	if (leg->call == NULL)
		unlink_given_up(leg);
	carry_clear(leg);
	sip_dialog_close(leg->dialog);
	leg_keep_ack_body(leg, TEXT_NONE);
	early_clear(leg);
	free(leg);
}

struct leg *leg_of_customer(const struct call *call)
{
	return call_customer_side(call) == MEDIA_CALLER ? call->caller : call->called;
}

struct leg *leg_other(const struct leg *leg)
{
	if (leg->call == NULL)
		return NULL;
	return leg->side == MEDIA_CALLER ? leg->call->called : leg->call->caller;
}

void leg_write_contact(struct leg *leg, struct writer *writer)
{
	writer_string(writer, "Contact: ");
	if (leg->call != NULL && leg->call->direction == CALL_TO_PBX && leg->side == MEDIA_CALLED)
		identity_write_name(&leg->call->identity, writer);
	writer_char(writer, '<');
	sip_flow_write_uri(sip_dialog_flow(leg->dialog), "trunkd", writer);
	writer_string(writer, ">\r\n");
	carry_write(leg, writer);
}

void leg_note_allow(struct leg *leg, const struct sip_message *message)
{
	if (sip_message_header(message, "Allow", 0).data == NULL)
		return;
	leg->allows_update = sip_message_has_option(message, "Allow", "UPDATE");
	leg->allows_info = sip_message_has_option(message, "Allow", "INFO");
	digits_note_leg(leg);
}

void leg_keep_ack_body(struct leg *leg, struct text description)
{
	char *copy = description.size > 0 ? malloc(description.size) : NULL;
	if (leg->ack_body.data != NULL)
		secret_wipe((char *)leg->ack_body.data, leg->ack_body.size); // our key
	free((char *)leg->ack_body.data);
	leg->ack_body = TEXT_NONE;
	if (copy == NULL)
		return;
	memcpy(copy, description.data, description.size);
	leg->ack_body = (struct text){ copy, description.size };
}

void leg_send_owed_ack(struct leg *leg)
{
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	leg->is_ack_owed = false;
	media_write_answer(leg->call->media, leg->side, &sdp);
	media_connect(leg->call->media); // before it hears that it may speak
	leg_keep_ack_body(leg, writer_done(&sdp));
	leg_send_ack(leg);
	secret_wipe(body, sizeof body);
}

static void send_ack(struct leg *leg, uint32_t cseq, struct text body)
{
	struct sip_request request = { 0 };
	sip_dialog_request(leg->dialog, SIP_ACK, cseq, &request);
	request.content_type = body.size > 0 ? TEXT("application/sdp") : TEXT_NONE;
	request.body = body;
	(void)sip_client_send_ack(leg->calls->transactions, &request);
	record_ladder(leg->call, leg->side, RECORD_OUT, "ACK");
}

void leg_send_ack(struct leg *leg)
{
	send_ack(leg, leg->invite_cseq, leg->ack_body);
}

// Our ACK was lost, and meanwhile it was asked for something else. What that ACK may have said is no longer
// true.
void leg_repeat_ack(struct leg *leg, const struct sip_message *response)
{
	if (leg->is_answered && response->cseq < leg->invite_cseq)
		send_ack(leg, response->cseq, TEXT_NONE);
}

static void send_bye(struct leg *leg)
{
	struct sip_request request = { 0 };
	struct sip_client *client = NULL;
	sip_dialog_request(leg->dialog, SIP_BYE, 0, &request);
	request.headers = leg->carried;
	record_ladder(leg->call, leg->side, RECORD_OUT, "BYE");
	enum status status = sip_client_send(leg->calls->transactions, &request,
					     (struct sip_client_limits){ 0 }, NULL, &client);
	carry_clear(leg);
	if (status == OK)
		sip_client_forget(client); // whatever the answer, the call is over
}

static bool has_target(const struct sip_message *response)
{
	return response->contact.uri.host.size > 0; // "*" has none, nor has tel:
}

// A request to who sent that response, in a dialog of its own that lives no longer than this.
static void aim_at(struct leg *leg, const struct sip_message *response, enum sip_method method,
		   uint32_t cseq, struct sip_request *out_request)
{
	*out_request = (struct sip_request){ 0 };
	sip_dialog_request(leg->dialog, method, cseq, out_request);
	out_request->to = response->to_value;
	out_request->flow = response->flow;
	if (has_target(response))
		out_request->target = sip_uri_target(&response->contact.uri);
}

void leg_hang_up(struct leg *leg, const struct sip_message *response)
{
	const struct calls *calls = leg->calls;
	struct sip_request request;
	struct sip_client *client = NULL;
	aim_at(leg, response, SIP_ACK, leg->invite_cseq, &request);
	(void)sip_client_send_ack(calls->transactions, &request);
	aim_at(leg, response, SIP_BYE, 0, &request);
	if (sip_client_send(calls->transactions, &request, (struct sip_client_limits){ 0 }, NULL,
			    &client) == OK)
		sip_client_forget(client);
}

bool leg_end_fork(struct leg *leg, const struct sip_message *response)
{
	if (sip_dialog_find(leg->calls->dialogs, response) == leg->dialog)
		return false;
	if (!has_target(response) || response->to.tag.size == 0)
		return true;
	record_ladder(leg->call, leg->side, RECORD_IN, "200 (fork)");
	leg_hang_up(leg, response);
	return true;
}

void leg_give_up(struct leg *leg)
{
	struct calls *calls = leg->calls;
	info_end(leg);
	subscription_finish(leg);
	if (leg->is_ack_owed && leg->call->media != NULL)
		leg_send_owed_ack(leg);
	if (leg->is_answered && !leg->is_over)
		send_bye(leg);
	if (leg->is_invited && leg->client != NULL && !leg->is_cancelled) {
		record_ladder(leg->call, leg->side, RECORD_OUT, "CANCEL");
		sip_client_cancel(leg->client);
		leg->is_cancelled = true;
	}
	leg->call = NULL;
	link_given_up(leg);
	uint64_t wait_ms = leg->is_invited ? GIVEN_UP_MS : 0;
	wheel_start(calls->wheel, &leg->timer, calls->clock->now_ms + wait_ms);
}

// An answer to the INVITE of a leg that was given up: a 2xx that crossed our CANCEL, or came after we
// had moved on, is acknowledged and hung up at once (ORIG-031).
void leg_late_response(struct leg *leg, const struct sip_message *response)
{
	struct calls *calls = leg->calls;
	if (response->status < 200)
		return;
	if (response->status >= 300) {
		leg->client = NULL; // it ended with this response
		leg->is_invited = false;
		wheel_start(calls->wheel, &leg->timer, calls->clock->now_ms);
		return;
	}
	if (leg->is_answered) { // its repeat: our ACK was lost
		if (!leg_end_fork(leg, response))
			leg_send_ack(leg);
		return;
	}
	if (sip_dialog_update(leg->dialog, response) != OK) {
		leg_hang_up(leg, response);
		return;
	}
	leg->is_answered = true;
	leg->is_invited = false;
	counter_add(&calls->counters.late_answers, 1);
	leg_send_ack(leg);
	send_bye(leg);
}
