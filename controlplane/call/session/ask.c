// How a party is asked for a change, and how the one who wanted it hears what came of it.
// Runs on the control thread; never waits.

#include "call/session/ask.h"

#include "base/random.h"
#include "base/secret.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/answer.h"
#include "call/session/early.h"
#include "call/watch/audio.h"

// A party that was asked for a change answers by itself or not at all: nobody rings.
#define ANSWER_MS 30000
#define RETRY_AFTER_S 10 // at most (RFC 3261 14.2, RFC 3311 5.2)

bool ask_is_early(const struct call *call)
{
	return call->state < CALL_ANSWERED;
}

void ask_refuse(struct sip_server *server, struct leg *leg, unsigned status)
{
	char room[40];
	struct writer lines = writer_of(room, sizeof room);
	if (status == 500) // it asks again too soon
		writer_format(&lines, "Retry-After: %u\r\n", random_below(RETRY_AFTER_S + 1));
	record_ladder_status(leg->call, leg->side, RECORD_OUT, status);
	call_reply(server, status, NULL, writer_done(&lines));
}

// ---- asking

static void write_headers(struct leg *leg, struct writer *lines)
{
	leg_write_contact(leg, lines);
	writer_text(lines, call_allow(leg));
}

static enum status send(struct leg *asked, bool is_update, struct text description)
{
	char headers[CALL_HEADERS_SIZE];
	struct writer lines = writer_of(headers, sizeof headers);
	struct sip_request request = { 0 };
	struct sip_client **client = is_update ? &asked->update : &asked->client;
	struct sip_client_limits limits = { .ring_ms = is_update ? 0 : ANSWER_MS };
	write_headers(asked, &lines);
	sip_dialog_request(asked->dialog, is_update ? SIP_UPDATE : SIP_INVITE, 0, &request);
	request.headers = writer_done(&lines);
	request.content_type = description.size > 0 ? TEXT("application/sdp") : TEXT_NONE;
	request.body = description;
	if (*client != NULL)
		sip_client_forget(*client);
	*client = NULL;
	return sip_client_send(asked->calls->transactions, &request, limits, asked, client);
}

// Without a description the asked party makes the offer, in its 2xx.
bool ask_party(struct leg *asked, bool is_update, bool is_late)
{
	struct call *call = asked->call;
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	if (!is_late)
		media_write_offer(call->media, asked->side, &sdp);
	enum status status = send(asked, is_update, writer_done(&sdp));
	secret_wipe(body, sizeof body);
	if (status != OK)
		return false;
	if (!is_update) {
		asked->invite_cseq = sip_dialog_local_cseq(asked->dialog);
		asked->is_reinvite = true;
		leg_keep_ack_body(asked, TEXT_NONE);
	}
	call->change.asked = asked;
	call->change.is_update = is_update;
	call->change.is_late = is_late;
	record_ladder(call, asked->side, RECORD_OUT, is_update ? "UPDATE" : "INVITE");
	return true;
}

void ask_finish(struct call *call)
{
	struct change *change = &call->change;
	if (change->asked != NULL)
		change->asked->is_reinvite = false;
	if (change->asker != NULL)
		change->asker->is_reinvite = false;
	change->asker = change->asked = NULL;
	change->update = NULL;
}

// ---- what the asker hears

void ask_refuse_asker(struct call *call, unsigned status)
{
	struct leg *asker = call->change.asker;
	struct sip_server *update = call->change.update;
	if (asker == NULL)
		return;
	if (update != NULL) {
		ask_refuse(update, asker, status);
	} else if (asker->server != NULL) {
		ask_refuse(asker->server, asker, status);
		asker->server = NULL;
	}
}

void ask_reply_update(struct leg *leg, struct sip_server *server, struct text description)
{
	char headers[CALL_HEADERS_SIZE];
	struct writer lines = writer_of(headers, sizeof headers);
	write_headers(leg, &lines);
	struct sip_answer answer = { .status = 200,
				     .headers = writer_done(&lines),
				     .content_type = description.size > 0 ? TEXT("application/sdp")
									  : TEXT_NONE,
				     .body = description };
	(void)sip_server_reply(server, &answer);
	sip_server_release(server);
	record_ladder(leg->call, leg->side, RECORD_OUT, "200");
}

void ask_connect(struct call *call)
{
	media_connect(call->media); // after the answer: it settles what events are called
	if (!ask_is_early(call))
		audio_change(call);
}

void ask_give_answer(struct call *call, struct leg *asker, struct sip_server *update)
{
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	media_write_answer(call->media, asker->side, &sdp);
	ask_connect(call);
	if (update != NULL)
		ask_reply_update(asker, update, writer_done(&sdp));
	else
		call_send_200(asker, writer_done(&sdp));
	secret_wipe(body, sizeof body);
}

// Can the other party be asked by UPDATE now, or by re-INVITE?
bool ask_may_update(const struct leg *leg)
{
	const struct call *call = leg->call;
	if (!ask_is_early(call))
		return leg->allows_update;
	return leg->side == MEDIA_CALLER ? leg->allows_update && call->exchange == EXCHANGE_DONE
					 : early_is_settled(leg) && leg->allows_update;
}
