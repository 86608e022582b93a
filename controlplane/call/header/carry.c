// Header lines on their way between the legs of a call. Runs on the control thread. Without memory for
// them a message goes without: a call is worth more than its headers.

#include "call/header/carry.h"

#include <stdlib.h>
#include <string.h>

#include "call/admission/admission.h"
#include "call/header/claims.h"
#include "call/header/header.h"
#include "call/leg.h"
#include "config/config.h"

static struct text copy(struct text text)
{
	char *kept = text.size > 0 ? malloc(text.size) : NULL;
	if (kept == NULL)
		return TEXT_NONE;
	memcpy(kept, text.data, text.size);
	return (struct text){ kept, text.size };
}

static void drop(struct text *text)
{
	free((char *)text->data);
	*text = TEXT_NONE;
}

static bool is_own(const void *context, const struct sip_uri *uri)
{
	const struct call *call = context;
	const struct account *account =
		directory_account(call->calls->directory, call->record->account_sid);
	char e164[17];
	return account != NULL && call_read_number(uri->user, true, e164) &&
	       admission_may_show(call->calls, account, e164);
}

// DIV-005, DIV-010: a number at a host of the platform has to be one of the account's, or verified for it.
static bool is_foreign(const void *context, const struct sip_uri *uri)
{
	const struct call *call = context;
	const char *domain = call->calls->config->sip.platform_domain;
	return directory_is_platform_host(call->calls->directory, uri->host, text_of(domain)) &&
	       !is_own(context, uri);
}

static struct text lines_of(struct call *call, enum header_way way,
			    const struct sip_message *message)
{
	char room[HEADER_ROOM];
	struct writer writer = writer_of(room, sizeof room);
	const struct sip_config *config = &call->calls->config->sip;
	struct header_policy policy = { .domain = config->base_domain,
					.is_private = call->identity.is_private,
					.keeps_timers = config->session_timers ==
							CONFIG_SESSION_TIMERS_PASS };
	struct header_claims claims = { .is_foreign = is_foreign,
					.is_own = is_own,
					.context = call };
	policy.claims = way == HEADER_TO_CARRIER ? &claims : NULL;
	header_write(message, way, &policy, &writer, &call->calls->counters.headers);
	return copy(writer_done(&writer));
}

void carry_start(struct call *call, const struct sip_message *invite)
{
	identity_read(invite, &call->identity);
	call->carried = lines_of(
		call, call->direction == CALL_TO_PBX ? HEADER_TO_PBX : HEADER_TO_CARRIER, invite);
}

enum header_way carry_way_back(const struct call *call)
{
	return call->direction == CALL_TO_PBX ? HEADER_FROM_PBX : HEADER_FROM_CARRIER;
}

// DIV-001, DIV-002, DIV-009: on top of those that say where the call was before.
static void write_diversion(const struct call *call, struct writer *writer)
{
	writer_format(writer, "Diversion: <sip:%s@%s>\r\n", call->record->to,
		      call->calls->config->sip.platform_domain);
}

void carry_write_invite(const struct leg *called, struct writer *writer)
{
	const struct call *call = called->call;
	bool is_trusted = call->direction == CALL_TO_PSTN;
	identity_write_lines(&call->identity, is_trusted, call->record->from,
			     &sip_dialog_flow(called->dialog)->local, writer);
	if (call->direction == CALL_TO_PBX && call->serves == NULL)
		write_diversion(call, writer);
	writer_text(writer, call->carried);
}

void carry_over(struct leg *from, enum header_way way, const struct sip_message *message)
{
	struct leg *to = leg_other(from);
	if (to == NULL)
		return;
	drop(&to->carried);
	to->carried = lines_of(from->call, way, message);
}

void carry_write(struct leg *to, struct writer *writer)
{
	writer_text(writer, to->carried);
	drop(&to->carried);
}

void carry_clear(struct leg *leg)
{
	if (leg != NULL)
		drop(&leg->carried);
}

void carry_end(struct call *call)
{
	drop(&call->carried);
}

void carry_reason(struct leg *to, unsigned status, const char *text)
{
	char room[256];
	struct writer writer = writer_of(room, sizeof room);
	carry_clear(to);
	writer_format(&writer, "Reason: SIP;cause=%u;text=\"%s\"\r\n", status, text);
	to->carried = copy(writer_done(&writer));
}
