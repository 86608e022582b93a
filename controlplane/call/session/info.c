// INFO, passed through. Runs on the control thread; bounded in number and size, for a party may send what
// it likes.

#include "call/session/info.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "call/end.h"
#include "call/header/carry.h"
#include "call/header/header.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/body.h"
#include "call/session/digits.h"
#include "config/config.h"

#define WAITING_MAX 5
#define TOLD_MAX 20 // of ours: digits, of which a worker tells so many in a second
#define BODY_MAX 2048
#define HEADERS_MAX (HEADER_ROOM + 256)

struct info {
	struct info *next;
	struct sip_server *server;
	struct text content_type, body, headers;
	char room[];
};

// What says what the body means, word by word.
static const char *const passed[] = { "Info-Package", "Content-Disposition" };

static bool may_tell(const struct leg *leg, const struct sip_message *info, const char *name)
{
	struct text value = sip_message_header(info, name, 0);
	return value.data == NULL ||
	       header_may_tell(info, leg->calls->config->sip.base_domain, value);
}

// A body of these kinds names addresses of the other side, which is nobody's business here; so may what is
// said of any body.
static bool may_pass(const struct leg *leg, const struct sip_message *info)
{
	static const char *const refused[] = { "application/sdp", "message/sip",
					       "message/sipfrag" };
	struct text type = info->content_type;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (text_is_same(type, text_of(refused[i])))
			return false;
	return may_tell(leg, info, "Content-Type") && may_tell(leg, info, "Content-Disposition") &&
	       !text_is_same((struct text){ type.data, type.size < 10 ? type.size : 10 },
			     TEXT("multipart/"));
}

static void write_headers(struct writer *writer, const struct sip_message *info)
{
	for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
		struct text value = sip_message_header(info, passed[i], 0);
		if (value.data != NULL)
			writer_format(writer, "%s: %.*s\r\n", passed[i], TEXT_FORMAT(value));
	}
}

// `info` NULL: one of ours.
static struct info *create(struct leg *other, const struct sip_message *info, struct text type,
			   struct text body)
{
	char room[HEADERS_MAX];
	struct writer lines = writer_of(room, sizeof room);
	if (info != NULL)
		write_headers(&lines, info);
	carry_write(other, &lines);
	struct text headers = writer_done(&lines);
	size_t size = type.size + body.size + headers.size;
	struct info *made = lines.failed ? NULL : malloc(sizeof *made + size);
	if (made == NULL)
		return NULL;
	struct writer writer = writer_of(made->room, size);
	*made = (struct info){ 0 };
	made->content_type = writer_keep(&writer, type);
	made->body = writer_keep(&writer, body);
	made->headers = writer_keep(&writer, headers);
	return made;
}

// Its body may be a digit.
static void destroy(struct info *info)
{
	if (info->body.size > 0)
		secret_wipe((char *)info->body.data, info->body.size);
	free(info);
}

static void answer_with(struct leg *leg, unsigned status, struct text headers)
{
	struct info *info = leg->infos;
	leg->infos = info->next;
	leg->info_count--;
	if (info->server != NULL) {
		record_ladder_status(leg->call, leg->side, RECORD_OUT, status);
		call_reply(info->server, status, NULL, headers);
	}
	destroy(info);
}

static void answer(struct leg *leg, unsigned status)
{
	answer_with(leg, status, TEXT_NONE);
}

static bool ask(struct leg *other, const struct info *info)
{
	struct sip_request request;
	sip_dialog_request(other->dialog, SIP_INFO, 0, &request);
	request.headers = info->headers;
	request.content_type = info->content_type;
	request.body = info->body;
	record_ladder(other->call, other->side, RECORD_OUT, "INFO");
	return sip_client_send(other->calls->transactions, &request,
			       (struct sip_client_limits){ 0 }, other, &other->info_client) == OK;
}

static void ask_next(struct leg *leg)
{
	struct leg *other = leg_other(leg);
	while (leg->infos != NULL && !ask(other, leg->infos))
		answer(leg, 500);
}

static void refuse(struct leg *leg, struct sip_server *server, unsigned status, struct text headers)
{
	record_ladder_status(leg->call, leg->side, RECORD_OUT, status);
	call_reply(server, status, NULL, headers);
}

static bool can_ask(const struct leg *leg, const struct leg *other)
{
	return other != NULL && !other->is_over && leg->call->state != CALL_LEAVING &&
	       sip_dialog_is_confirmed(other->dialog);
}

static void append(struct leg *leg, struct info *made)
{
	struct info **last = &leg->infos;
	while (*last != NULL)
		last = &(*last)->next;
	*last = made;
	if (++leg->info_count == 1)
		ask_next(leg);
}

void info_asked(struct leg *leg, struct sip_server *server, const struct sip_message *info)
{
	struct leg *other = leg_other(leg);
	struct text type = sip_message_header(info, "Content-Type", 0);
	struct info *made;
	record_ladder(leg->call, leg->side, RECORD_IN, "INFO");
	if (!may_pass(leg, info)) {
		refuse(leg, server, 415, TEXT("Accept: application/dtmf-relay\r\n"));
	} else if (!may_tell(leg, info, "Info-Package")) {
		refuse(leg, server, 469, TEXT("Recv-Info:\r\n")); // RFC 6086 4.2.2
	} else if (info->body.size > BODY_MAX) {
		refuse(leg, server, 413, TEXT_NONE);
	} else if (body_is_encoded(info)) {
		refuse(leg, server, 415, TEXT("Accept-Encoding: identity\r\n"));
	} else if (!header_may_tell_body(info, leg->calls->config->sip.base_domain)) {
		counter_add(&leg->calls->counters.infos_hidden, 1);
		refuse(leg, server, 415, TEXT("Accept: application/dtmf-relay\r\n"));
	} else if (!can_ask(leg, other)) {
		refuse(leg, server, 480, TEXT_NONE); // there is nobody yet who could be asked
	} else if (digits_take_info(leg, server, info)) {
		return;
	} else if (leg->info_count >= WAITING_MAX ||
		   (made = create(other, info, type, info->body)) == NULL) {
		refuse(leg, server, 500, TEXT("Retry-After: 1\r\n"));
	} else {
		made->server = server;
		append(leg, made);
	}
}

void info_tell(struct leg *leg, struct text content_type, struct text body)
{
	struct leg *other = leg_other(leg);
	struct info *made = NULL;
	if (can_ask(leg, other) && leg->info_count < TOLD_MAX)
		made = create(other, NULL, content_type, body);
	if (made != NULL)
		append(leg, made);
	else
		counter_add(&leg->calls->counters.infos_dropped, 1);
}

void info_response(struct leg *asked, const struct sip_message *response)
{
	struct leg *leg = leg_other(asked);
	char room[HEADERS_MAX];
	struct writer lines = writer_of(room, sizeof room);
	if (response->status < 200)
		return;
	asked->info_client = NULL;
	if (leg == NULL || leg->infos == NULL)
		return;
	record_ladder_status(asked->call, asked->side, RECORD_IN, response->status);
	carry_write(leg, &lines);
	// Nobody here can answer the other side's challenge.
	bool is_challenge = response->status == 401 || response->status == 407;
	answer_with(leg, is_challenge ? 403 : response->status, writer_done(&lines));
	if (response->status == 481) { // RFC 3261 12.2.1.2
		asked->is_over = true;
		call_lost(asked);
	} else {
		ask_next(leg);
	}
}

// Some ignore what they do not know; the call is none the worse for it.
void info_failed(struct leg *asked)
{
	struct leg *leg = leg_other(asked);
	if (leg == NULL || leg->infos == NULL)
		return;
	record_ladder(asked->call, asked->side, RECORD_IN, "(no answer)");
	answer(leg, 408);
	ask_next(leg);
}

void info_end(struct leg *leg)
{
	while (leg->infos != NULL)
		answer(leg, 487); // RFC 3261 15.1.2
	sip_client_forget(leg->info_client);
	leg->info_client = NULL;
}

void info_clear(struct leg *leg)
{
	while (leg->infos != NULL) {
		struct info *info = leg->infos;
		leg->infos = info->next;
		if (info->server != NULL)
			sip_server_release(info->server);
		destroy(info);
	}
	leg->info_count = 0;
}
