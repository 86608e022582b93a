// NOTIFY of a REFER's progress. Runs on the control thread; never waits. What is told is ours: of the
// target's answer nothing but its status goes to who transfers.

#include "call/transfer/subscription.h"

#include <stdlib.h>

#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/transfer/transfer.h"
#include "config/config.h"

#define LIFE_S 3600 // longer than any call rings; shorter when who transfers wants it so
#define SENDING_MAX 64 // octets of a phrase

struct subscription {
	struct sip_client *client; // a NOTIFY to which no answer has come
	uint32_t id; // CSeq of the REFER; 0: the dialog's first, which needs none (RFC 3515 2.4.6)
	uint64_t until_ms;
	bool is_quiet; // nothing is to be told, or no more
	bool is_over; // the final status was told
	bool has_next; // to be told when the NOTIFY on its way has its answer
	unsigned status; // told last, or to be told next
	char phrase[SENDING_MAX];
};

struct subscription *subscription_open(struct leg *leg, const struct sip_message *refer,
				       bool is_quiet)
{
	struct subscription *subscription = calloc(1, sizeof *subscription);
	if (subscription == NULL)
		return NULL;
	subscription->id = leg->refer_count > 1 ? refer->cseq : 0;
	subscription->until_ms = leg->calls->clock->now_ms + LIFE_S * 1000;
	subscription->is_quiet = is_quiet;
	leg->subscription = subscription;
	return subscription;
}

static void write_headers(struct leg *leg, bool is_final, struct writer *lines)
{
	const struct subscription *subscription = leg->subscription;
	uint64_t now_ms = leg->calls->clock->now_ms, until_ms = subscription->until_ms;
	leg_write_contact(leg, lines);
	writer_string(lines, "Event: refer");
	if (subscription->id != 0)
		writer_format(lines, ";id=%u", subscription->id);
	writer_string(lines, "\r\nSubscription-State: ");
	if (is_final)
		writer_string(lines, "terminated;reason=noresource\r\n");
	else if (subscription->is_quiet)
		writer_string(lines, "terminated;reason=timeout\r\n");
	else
		writer_format(lines, "active;expires=%u\r\n",
			      until_ms > now_ms ? (unsigned)((until_ms - now_ms) / 1000) : 0);
	writer_text(lines, call_allow(leg));
}

static enum status send(struct leg *leg)
{
	struct subscription *subscription = leg->subscription;
	const struct calls *calls = leg->calls;
	char headers[CALL_HEADERS_SIZE], body[SENDING_MAX + 32];
	struct writer lines = writer_of(headers, sizeof headers);
	struct writer fragment = writer_of(body, sizeof body);
	struct sip_request request;
	struct sip_client_limits limits = { .no_response_ms =
						    calls->config->sip.no_response_timeout_ms };
	subscription->is_over = subscription->status >= 200;
	write_headers(leg, subscription->is_over, &lines);
	writer_format(&fragment, "SIP/2.0 %u %s\r\n", subscription->status, subscription->phrase);
	sip_dialog_request(leg->dialog, SIP_NOTIFY, 0, &request);
	request.headers = writer_done(&lines);
	request.content_type = TEXT("message/sipfrag;version=2.0");
	request.body = writer_done(&fragment);
	char what[16];
	struct writer said = writer_of(what, sizeof what);
	writer_format(&said, "NOTIFY %u", subscription->status);
	record_ladder(leg->call, leg->side, RECORD_OUT, writer_string_done(&said));
	return sip_client_send(calls->transactions, &request, limits, leg, &subscription->client);
}

static void close(struct leg *leg)
{
	subscription_clear(leg);
	transfer_told(leg);
}

// What could not be sent is as good as told: the transfer does not depend on it.
static void go_on(struct leg *leg)
{
	struct subscription *subscription = leg->subscription;
	subscription->has_next = false;
	bool is_final = subscription->status >= 200;
	bool is_sent = !subscription->is_quiet && send(leg) == OK;
	if (!is_sent && is_final)
		close(leg);
}

void subscription_tell(struct leg *leg, unsigned status, const char *phrase)
{
	struct subscription *subscription = leg->subscription;
	if (subscription == NULL) {
		if (status >= 200)
			transfer_told(leg);
		return;
	}
	if (subscription->is_over || (status == subscription->status && status < 200))
		return;
	subscription->status = status;
	text_copy_cut(text_of(phrase != NULL ? phrase : sip_reason(status)), subscription->phrase,
		      sizeof subscription->phrase);
	subscription->has_next = true;
	if (subscription->client == NULL)
		go_on(leg);
}

static bool is_of(const struct subscription *subscription, const struct sip_message *subscribe)
{
	struct text event = sip_message_header(subscribe, "Event", 0);
	struct text kind = text_trim(text_split(&event, ';'));
	uint64_t id = 0;
	if (!text_is_same(kind, TEXT("refer")))
		return false;
	if (text_has_prefix(text_trim(event), TEXT("id=")) &&
	    !text_to_unsigned(text_cut(text_trim(event), 3), UINT32_MAX, &id))
		return false;
	return id == 0 || subscription->id == 0 || id == subscription->id;
}

static void prolong(struct leg *leg, struct sip_server *server, uint64_t wanted_s)
{
	struct subscription *subscription = leg->subscription;
	char room[CALL_HEADERS_SIZE];
	struct writer lines = writer_of(room, sizeof room);
	leg_write_contact(leg, &lines);
	writer_format(&lines, "Expires: %u\r\n", (unsigned)wanted_s);
	record_ladder(leg->call, leg->side, RECORD_OUT, "200");
	call_reply(server, 200, NULL, writer_done(&lines));
	subscription->until_ms = leg->calls->clock->now_ms + wanted_s * 1000;
	if (subscription->client != NULL || subscription->status == 0)
		return;
	// RFC 6665 4.2.1.2: what holds is told at once. Where nothing is wanted it is the last word.
	subscription->is_quiet = wanted_s == 0;
	if (send(leg) != OK)
		subscription->client = NULL;
}

void subscription_asked(struct leg *leg, struct sip_server *server,
			const struct sip_message *subscribe)
{
	uint64_t wanted_s = LIFE_S;
	struct text expires = sip_message_header(subscribe, "Expires", 0);
	record_ladder(leg->call, leg->side, RECORD_IN, "SUBSCRIBE");
	if (leg->subscription == NULL || leg->subscription->is_over ||
	    !is_of(leg->subscription, subscribe)) {
		record_ladder(leg->call, leg->side, RECORD_OUT, "481");
		call_reply(server, 481, NULL, TEXT_NONE);
		return;
	}
	if (expires.data != NULL && !text_to_unsigned(expires, UINT32_MAX, &wanted_s)) {
		call_reply(server, 400, NULL, TEXT_NONE);
		return;
	}
	prolong(leg, server, wanted_s < LIFE_S ? wanted_s : LIFE_S);
}

// Whoever knows no subscription, or fails at it, hears no more of it (RFC 6665 4.2.2).
void subscription_response(struct leg *leg, const struct sip_message *response)
{
	struct subscription *subscription = leg->subscription;
	if (subscription == NULL || response->status < 200)
		return;
	record_ladder_status(leg->call, leg->side, RECORD_IN, response->status);
	subscription->client = NULL;
	subscription->is_quiet |= response->status >= 300;
	if (subscription->is_over)
		close(leg);
	else if (subscription->has_next)
		go_on(leg);
}

void subscription_failed(struct leg *leg)
{
	struct subscription *subscription = leg->subscription;
	record_ladder(leg->call, leg->side, RECORD_IN, "(no answer)");
	subscription->client = NULL;
	subscription->is_quiet = true;
	if (subscription->is_over)
		close(leg);
	else if (subscription->has_next)
		go_on(leg);
}

bool subscription_has(const struct leg *leg, const struct sip_client *client)
{
	return leg->subscription != NULL && client != NULL && leg->subscription->client == client;
}

void subscription_finish(struct leg *leg)
{
	struct subscription *subscription = leg->subscription;
	if (subscription == NULL)
		return;
	if (subscription->has_next && !subscription->is_quiet) {
		sip_client_forget(subscription->client);
		subscription->client = NULL;
		(void)send(leg);
	}
	subscription_clear(leg);
}

void subscription_clear(struct leg *leg)
{
	if (leg->subscription == NULL)
		return;
	if (leg->subscription->client != NULL)
		sip_client_forget(leg->subscription->client);
	free(leg->subscription);
	leg->subscription = NULL;
}
