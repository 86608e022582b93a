// What shows the cause of one-way audio, in one line. Runs on the control thread; pure.

#include "call/watch/evidence.h"

#define SEEN_SIZE 512 // longer than what an alert holds: it is cut there

// MEDIA-025, by who does not hear, and by whether the customer speaks.
static const char *const words[CALL_DIRECTIONS][2] = {
	[CALL_TO_PSTN] = { "one party of the PSTN does not hear the other",
			   "PBX hears, PSTN does not" },
	[CALL_TO_PBX] = { "PSTN hears, PBX does not", "one PBX does not hear the other" },
};
static const char *const nobody[CALL_DIRECTIONS][2] = {
	[CALL_TO_PSTN] = { "neither party of the PSTN hears", "neither PBX nor PSTN hears" },
	[CALL_TO_PBX] = { "neither PBX nor PSTN hears", "neither PBX hears" },
};
static const char *const listeners[CALL_DIRECTIONS] = { "PSTN", "PBX" };

// clang-format off
static const char *const expectations[DIAGNOSIS_COUNT] = {
	[DIAGNOSIS_TTL]                 = "TTL 11 or more on arrival",
	[DIAGNOSIS_AUTHENTICATION]      = "SRTP with the key of its own SDP",
	[DIAGNOSIS_PRIVATE_SOURCE]      = "an address that can be reached from here",
	[DIAGNOSIS_WRONG_SOURCE]        = "packets from the address in its SDP",
	[DIAGNOSIS_PAYLOAD_TYPE]        = "PCMU as payload type 0, events with the negotiated number",
	[DIAGNOSIS_NOTHING_ARRIVES]     = "50 packets a second",
	[DIAGNOSIS_STOPPED]             = "50 packets a second until the end",
	[DIAGNOSIS_SILENT]              = "PCMU that is not silence alone",
	[DIAGNOSIS_PRIVATE_DESTINATION] = "an address that can be reached from here",
	[DIAGNOSIS_UNREACHABLE]         = "a party that listens where its SDP says",
	[DIAGNOSIS_NOT_RECEIVED]        = "reports of less than total loss",
};

static const char *const drop_names[STREAM_DROP_COUNT] = {
	[STREAM_DROP_TTL]            = "for their TTL",
	[STREAM_DROP_SOURCE]         = "from a wrong source",
	[STREAM_DROP_MALFORMED]      = "malformed",
	[STREAM_DROP_PAYLOAD_TYPE]   = "of a wrong payload type",
	[STREAM_DROP_NO_NEXT_HOP]    = "without a way on",
	[STREAM_DROP_TX]             = "at the card",
	[STREAM_DROP_AUTHENTICATION] = "not authentic",
	[STREAM_DROP_REPLAY]         = "replayed",
};
// clang-format on

static void write_address(struct writer *writer, const char *what, const struct address *address)
{
	if (address->family == ADDRESS_NONE)
		return;
	writer_string(writer, what);
	address_write(address, writer);
}

static void write_speaker(struct writer *writer, const struct evidence *evidence)
{
	const struct media_figures *speaker = evidence->speaker;
	const struct stream_view *view = &speaker->rtp;
	writer_format(writer, "RTP from the %s: %llu packets",
		      evidence->is_from_customer ? "PBX" : "PSTN",
		      (unsigned long long)view->packets);
	for (unsigned i = 0; i < STREAM_DROP_COUNT; i++) {
		if (view->drops[i] > 0)
			writer_format(writer, ", %u %s", view->drops[i], drop_names[i]);
	}
	if (view->generation != 0 && view->ttl_lowest != 255)
		writer_format(writer, ", TTL %u", view->ttl_lowest);
	write_address(writer, ", refused ", &speaker->refused);
	write_address(writer, ", not authentic ", &speaker->unauthentic);
	write_address(writer, ", SDP ", &speaker->remote);
}

static void write_listener(struct writer *writer, const struct evidence *evidence)
{
	const struct media_figures *listener = evidence->listener;
	writer_format(writer, "; the %s:", listeners[evidence->direction]);
	write_address(writer, " SDP ", &listener->remote);
	if (listener->unreachable > 0)
		writer_format(writer, ", %u ICMP errors", listener->unreachable);
	if (listener->rtcp.reports > 0)
		writer_format(writer, ", reports %u%% lost",
			      listener->rtcp.peer_fraction * 100u / 255u);
}

void evidence_tell(const struct evidence *evidence, struct refusal *out_refusal)
{
	char room[SEEN_SIZE];
	struct writer writer = writer_of(room, sizeof room);
	write_speaker(&writer, evidence);
	if (evidence->diagnosis >= DIAGNOSIS_PRIVATE_DESTINATION)
		write_listener(&writer, evidence);
	(void)refusal_set(out_refusal, refusal_of_audio(evidence->diagnosis),
			  (evidence->is_neither
				   ? nobody
				   : words)[evidence->direction][evidence->is_from_customer],
			  writer_done(&writer), expectations[evidence->diagnosis]);
}
