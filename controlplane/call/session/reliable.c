// Provisional responses to the caller. Runs on the control thread; never waits.

#include "call/session/reliable.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/secret.h"
#include "call/end.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/answer.h"
#include "call/session/body.h"
#include "call/session/change.h"
#include "call/watch/audio.h"
#include "config/config.h"

#define LIFE_FACTOR 64 // of T1: then the call is refused (RFC 3262 3)

static void forget_told(struct call *call)
{
	if (call->told.data == NULL)
		return;
	secret_wipe((char *)call->told.data, call->told.size); // our key may be in it
	free((char *)call->told.data);
	call->told = TEXT_NONE;
}

static void missed(struct call *call)
{
	struct refusal refusal = { 0 };
	(void)refusal_set(&refusal, REFUSED_PRACK_MISSING, "PRACK", TEXT("nothing arrived"),
			  "a PRACK for the provisional response with its RSeq in RAck");
	call_end_refused(call, &refusal);
}

static void on_repeat(struct wheel_timer *timer, void *context)
{
	struct call *call = context;
	struct reliable *reliable = &call->reliable;
	uint64_t now_ms = call->calls->clock->now_ms;
	uint64_t end_ms =
		reliable->since_ms + (uint64_t)call->calls->config->sip.t1_ms * LIFE_FACTOR;
	if (now_ms >= end_ms) {
		missed(call);
		return;
	}
	sip_server_resend(call->caller->server);
	reliable->interval_ms *= 2;
	uint64_t next_ms = now_ms + reliable->interval_ms;
	wheel_start(call->calls->wheel, timer, next_ms < end_ms ? next_ms : end_ms);
}

void reliable_init(struct call *call)
{
	wheel_timer_init(&call->reliable.timer, on_repeat, call);
}

void reliable_start(struct call *call, const struct sip_message *invite)
{
	struct reliable *reliable = &call->reliable;
	reliable->is_required = sip_message_has_option(invite, "Require", "100rel");
	reliable->is_possible =
		reliable->is_required || sip_message_has_option(invite, "Supported", "100rel");
}

// ---- saying it

// The caller's answer is kept to be said again word by word; without memory it is not said yet.
static struct text write_early(struct call *call, struct writer *writer)
{
	if (call->exchange == EXCHANGE_TOLD)
		return call->told;
	media_write_early(call->media, MEDIA_CALLER, writer);
	struct text text = writer_done(writer);
	char *copy = text.size > 0 ? malloc(text.size) : NULL;
	if (copy == NULL)
		return TEXT_NONE;
	memcpy(copy, text.data, text.size);
	call->told = (struct text){ copy, text.size };
	call->exchange = call->is_late ? EXCHANGE_OFFERED : EXCHANGE_TOLD;
	return call->told;
}

static struct text early_body(struct call *call, bool has_media, bool is_reliable,
			      struct writer *writer)
{
	bool may_say = call->exchange == EXCHANGE_TOLD ||
		       (call->exchange == EXCHANGE_OPEN && (!call->is_late || is_reliable));
	return has_media && may_say ? write_early(call, writer) : TEXT_NONE;
}

static void await_prack(struct call *call, bool has_body)
{
	struct reliable *reliable = &call->reliable;
	uint64_t now_ms = call->calls->clock->now_ms;
	reliable->is_awaited = true;
	reliable->has_body = has_body;
	reliable->since_ms = now_ms;
	reliable->interval_ms = call->calls->config->sip.t1_ms;
	wheel_start(call->calls->wheel, &reliable->timer, now_ms + reliable->interval_ms);
}

static void say(struct call *call, unsigned status, bool has_media, bool is_reliable)
{
	struct reliable *reliable = &call->reliable;
	char body[CALL_SDP_SIZE];
	char headers[CALL_HEADERS_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	struct writer lines = writer_of(headers, sizeof headers);
	struct sip_answer answer = { .status = status };
	leg_write_contact(call->caller, &lines);
	answer.body = early_body(call, has_media, is_reliable, &sdp);
	if (answer.body.size > 0)
		answer.content_type = TEXT("application/sdp");
	if (has_media)
		media_connect(call->media); // after the answer: it settles what events are called
	if (is_reliable) {
		// The first number is anyone's, then one more each time (RFC 3262 3).
		reliable->rseq =
			reliable->rseq == 0 ? 1 + random_below(INT32_MAX) : reliable->rseq + 1;
		writer_format(&lines, "Require: 100rel\r\nRSeq: %u\r\n", reliable->rseq);
		writer_text(&lines, call_allow(call->caller)); // for UPDATE (RFC 3311 5.1)
	}
	answer.headers = writer_done(&lines);
	enum status sent = sip_server_reply(call->caller->server, &answer);
	record_ladder_status(call, MEDIA_CALLER, RECORD_OUT, status);
	if (sent != OK && answer.body.size > 0) { // never said
		forget_told(call);
		call->exchange = EXCHANGE_OPEN;
	} else if (sent == OK && is_reliable) {
		await_prack(call, answer.body.size > 0);
	}
	secret_wipe(body, sizeof body);
}

// Of many that wait the last ones count.
static void put_off(struct reliable *reliable, unsigned status, bool has_media)
{
	if (reliable->waiting_count == RELIABLE_WAITING_MAX) {
		reliable->waiting_count--;
		reliable->waiting[1].has_body |= reliable->waiting[0].has_body;
		memmove(reliable->waiting, reliable->waiting + 1,
			reliable->waiting_count * sizeof *reliable->waiting);
	}
	reliable->waiting[reliable->waiting_count].status = (uint16_t)status;
	reliable->waiting[reliable->waiting_count].has_body = has_media;
	reliable->waiting_count++;
}

void reliable_tell(struct call *call, unsigned status, bool has_media, bool is_reliable)
{
	struct reliable *reliable = &call->reliable;
	// An offer of ours can be made in no other way before the answer (RFC 3262 5).
	bool is_useful = is_reliable || (call->is_late && has_media);
	bool is_held = reliable->is_awaited || reliable->is_final_held;
	if (has_media && is_held)
		media_connect(call->media); // the other side may have moved
	if (is_held && !reliable->is_final_held)
		put_off(reliable, status, has_media);
	else if (!is_held)
		say(call, status, has_media,
		    reliable->is_required || (reliable->is_possible && is_useful));
}

// ---- the end of it

bool reliable_allows_final(struct call *call)
{
	struct reliable *reliable = &call->reliable;
	reliable->is_final_held = reliable->is_awaited && reliable->has_body;
	return !reliable->is_final_held;
}

// A PRACK that is still on its way finds its number (RFC 3262 3).
void reliable_finish(struct call *call)
{
	wheel_stop(&call->reliable.timer);
	call->reliable.waiting_count = 0;
	call->reliable.is_final_held = false;
	forget_told(call);
}

struct text reliable_final_body(struct call *call, struct writer *writer)
{
	if (call->exchange == EXCHANGE_TOLD) // the same, word by word
		writer_text(writer, call->told);
	else if (call->exchange == EXCHANGE_OPEN && call->is_late)
		media_write_offer(call->media, MEDIA_CALLER, writer);
	else if (call->exchange == EXCHANGE_OPEN)
		media_write_answer(call->media, MEDIA_CALLER, writer);
	call->caller->is_offered = call->exchange == EXCHANGE_OPEN && call->is_late;
	call->exchange = EXCHANGE_DONE;
	return writer_done(writer);
}

// ---- PRACK

static bool is_of(const struct reliable *reliable, const struct sip_message *prack, uint32_t cseq)
{
	struct cursor cursor = cursor_of(sip_message_header(prack, "RAck", 0));
	struct text rseq = cursor_word(&cursor), of = cursor_word(&cursor);
	struct text method = cursor_word(&cursor);
	uint64_t rseq_value, cseq_value;
	return reliable->is_awaited && text_to_unsigned(rseq, UINT32_MAX, &rseq_value) &&
	       text_to_unsigned(of, UINT32_MAX, &cseq_value) && rseq_value == reliable->rseq &&
	       cseq_value == cseq && text_is_equal(method, TEXT("INVITE"));
}

static void objected(struct call *call, const char *part, enum status status,
		     const struct media_problem *problem)
{
	struct refusal refusal = { 0 };
	if (status == OK) // there was nothing
		(void)refusal_set(&refusal, REFUSED_NO_OFFER, part, TEXT("none"),
				  "an SDP answer to our offer");
	else
		(void)refusal_set(&refusal, refusal_of_media(status, problem->objection),
				  problem->header ? problem->header : "SDP", text_of(problem->seen),
				  problem->expected ? problem->expected : "an SDP answer");
	call_end_refused(call, &refusal);
}

bool reliable_take_answer(struct leg *leg, const struct sip_message *message)
{
	struct call *call = leg->call;
	struct leg *other = leg_other(leg);
	struct media_problem problem = { 0 };
	struct media_figures said;
	enum status status = OK;
	const char *part = message->method == SIP_ACK ? "ACK body" : "PRACK body";
	leg->is_offered = false;
	if (message->body.size > 0)
		status = media_receive_answer(call->media, leg->side, message->body, &problem);
	if (message->body.size == 0 || status != OK) {
		objected(call, part, status, &problem);
		return false;
	}
	media_connect(call->media);
	media_read(call->media, leg->side, &said);
	// What we offered for it was of a party that speaks and listens.
	if (other != NULL && !other->is_ack_owed)
		other->is_stale |= said.is_held;
	return true;
}

// An offer in PRACK is answered in its 200, so nobody else can be asked first: what it changes for the
// other side is told afterwards.
static bool take_offer(struct leg *leg, struct sip_server *server, const struct sip_message *prack)
{
	struct call *call = leg->call;
	struct media_problem problem = { 0 };
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	enum status status = media_receive_offer(call->media, MEDIA_CALLER, prack->body, &problem);
	if (status != OK) {
		call_reply(server, 488, NULL, TEXT_NONE);
		objected(call, "PRACK body", status, &problem);
		return false;
	}
	change_accept(leg);
	media_write_early(call->media, MEDIA_CALLER, &sdp);
	media_connect(call->media);
	struct sip_answer answer = { .status = 200,
				     .content_type = TEXT("application/sdp"),
				     .body = writer_done(&sdp) };
	(void)sip_server_reply(server, &answer);
	sip_server_release(server);
	secret_wipe(body, sizeof body);
	return true;
}

// The PRACK has its 200. False: what it said ended the call.
static bool take_body(struct leg *leg, struct sip_server *server, const struct sip_message *prack)
{
	struct call *call = leg->call;
	bool is_offer = prack->body.size > 0 && call->exchange == EXCHANGE_DONE;
	if (is_offer)
		return take_offer(leg, server, prack);
	call_reply(server, 200, NULL, TEXT_NONE);
	if (call->exchange != EXCHANGE_OFFERED || !call->reliable.has_body)
		return true;
	call->exchange = EXCHANGE_DONE;
	return reliable_take_answer(leg, prack);
}

static void go_on(struct call *call)
{
	struct reliable *reliable = &call->reliable;
	if (reliable->is_final_held) {
		reliable->is_final_held = false;
		call_connect(call);
	} else if (reliable->waiting_count > 0) {
		unsigned status = reliable->waiting[0].status;
		bool has_body = reliable->waiting[0].has_body;
		reliable->waiting_count--;
		memmove(reliable->waiting, reliable->waiting + 1,
			reliable->waiting_count * sizeof *reliable->waiting);
		say(call, status, has_body, true);
	}
}

void reliable_acknowledged(struct leg *leg, struct sip_server *server,
			   const struct sip_message *prack)
{
	struct call *call = leg->call;
	struct reliable *reliable = &call->reliable;
	record_ladder(call, leg->side, RECORD_IN, "PRACK");
	if (leg->side != MEDIA_CALLER || !is_of(reliable, prack, call->invite_cseq)) {
		call_reply(server, 481, NULL, TEXT_NONE);
		return;
	}
	const struct body_fault *fault = body_judge(prack);
	if (fault != NULL) { // it may be said again, as what it acknowledges is
		call_reply(server, 415, NULL, text_of(fault->line));
		return;
	}
	reliable->is_awaited = false;
	wheel_stop(&reliable->timer);
	if (call->exchange == EXCHANGE_TOLD && reliable->has_body)
		call->exchange = EXCHANGE_DONE;
	if (!take_body(leg, server, prack))
		return;
	go_on(call);
	change_settle(call);
}
