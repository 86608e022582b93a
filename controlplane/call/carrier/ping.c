// A ping of a carrier. Runs on the control thread; never waits.

#include "call/carrier/ping.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "sip/shard/shard.h"

#define ADDRESSES_TRIED 3
#define TAG_OCTETS 10
#define CALL_ID_OCTETS 16

static void try_next(struct ping *ping);

static void end(struct ping *ping, bool is_up)
{
	ping_stop(ping);
	ping->done(ping->context, is_up, ping->seen);
}

static void note_silence(struct ping *ping, const char *what)
{
	const struct sip_hop *hop = &ping->hops.items[ping->next_hop - 1];
	char address[ADDRESS_TEXT_SIZE];
	(void)snprintf(ping->seen, sizeof ping->seen, "%s %s", what,
		       address_string(&hop->address, address));
	sip_resolver_note_silent(ping->calls->resolver, hop);
}

static void on_time(struct wheel_timer *timer, void *context)
{
	struct ping *ping = context;
	(void)timer;
	try_next(ping);
}

static void on_resolved(void *context, const struct sip_hops *hops)
{
	struct ping *ping = context;
	ping->hops = *hops;
	try_next(ping);
}

void ping_init(struct ping *ping, struct calls *calls, ping_done_fn done, void *context)
{
	*ping = (struct ping){ .calls = calls, .done = done, .context = context };
	sip_lookup_init(&ping->lookup, on_resolved, ping);
	wheel_timer_init(&ping->timer, on_time, ping);
}

static enum status send_options(struct ping *ping, const struct sip_hop *hop)
{
	char room[3][2 * DNS_NAME_SIZE], call_id[48];
	struct writer uri = writer_of(room[0], sizeof room[0]);
	struct writer from = writer_of(room[1], sizeof room[1]);
	struct writer to = writer_of(room[2], sizeof room[2]);
	struct writer id = writer_of(call_id, sizeof call_id);
	struct sip_request request = { .method = SIP_OPTIONS,
				       .cseq = 1,
				       .headers = TEXT("Accept: application/sdp\r\n"),
				       .max_forwards = 70 };
	if (!offer_flow(ping->calls, &ping->target, hop, NULL, &request.flow))
		return ERR_UNSUPPORTED;
	place_note(&ping->calls->places, &hop->address, ping->target.sid);
	target_write_uri(&ping->target, hop, NULL, true, &uri);
	writer_string(&from, "<sip:");
	address_write(&request.flow.local, &from);
	writer_string(&from, ">;tag=");
	sip_shard_write(0, TAG_OCTETS, &from);
	sip_shard_write(0, CALL_ID_OCTETS, &id);
	writer_char(&to, '<');
	target_write_uri(&ping->target, hop, NULL, false, &to);
	writer_char(&to, '>');
	request.target = writer_done(&uri);
	request.from = writer_done(&from);
	request.to = writer_done(&to);
	request.call_id = writer_done(&id);
	struct sip_client_limits limits = {
		.no_response_ms = ping->calls->config->sip.no_response_timeout_ms
	};
	return sip_client_send(ping->calls->transactions, &request, limits, ping, &ping->client);
}

static void try_next(struct ping *ping)
{
	while (ping->next_hop < ping->hops.count && ping->next_hop < ADDRESSES_TRIED) {
		const struct sip_hop *hop = &ping->hops.items[ping->next_hop++];
		enum status status = send_options(ping, hop);
		if (status == OK)
			return;
		ping->client = NULL;
		note_silence(ping, "nothing can be sent to");
	}
	if (ping->hops.count == 0)
		text_copy_cut(text_of(ping->hops.problem), ping->seen, sizeof ping->seen);
	end(ping, false);
}

void ping_start(struct ping *ping, const struct carrier *carrier)
{
	const struct calls *calls = ping->calls;
	ping->is_running = true;
	ping->next_hop = 0;
	ping->seen[0] = '\0';
	target_of_carrier(carrier, &ping->target);
	// What is known at once goes on from the wheel: nobody is told inside this call.
	if (sip_resolve(calls->resolver, &ping->lookup, &ping->target.place, &ping->hops))
		wheel_start(calls->wheel, &ping->timer, calls->clock->now_ms);
}

void ping_stop(struct ping *ping)
{
	if (!ping->is_running)
		return;
	ping->is_running = false;
	sip_lookup_cancel(&ping->lookup);
	wheel_stop(&ping->timer);
	if (ping->client != NULL)
		sip_client_forget(ping->client);
	ping->client = NULL;
}

// 408 and 503 are what a proxy says when nothing is behind it; whatever else answers, lives.
void ping_response(struct ping *ping, const struct sip_message *response)
{
	if (response->status < 200)
		return;
	ping->client = NULL; // it ended with this response
	(void)snprintf(ping->seen, sizeof ping->seen, "%u %.60s", response->status,
		       sip_reason(response->status));
	if (response->status == 408 || response->status == 503) {
		try_next(ping);
		return;
	}
	sip_resolver_note_heard(ping->calls->resolver, &ping->hops.items[ping->next_hop - 1]);
	end(ping, true);
}

void ping_failed(struct ping *ping, enum sip_failure failure)
{
	ping->client = NULL;
	note_silence(ping,
		     failure == SIP_FAILURE_TIMEOUT ? "no response from" : "no connection to");
	try_next(ping);
}
