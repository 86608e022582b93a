// Session descriptions of strangers: what is taken keeps its promises, and what we write in answer
// to it is a description that we would take ourselves, with every line in its place.
// Runs on: the fuzzer's thread, or the replay's.

#include <assert.h>
#include <string.h>

#include "dataplane/message.h"
#include "media/offer.h"
#include "media/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct media_rules any = { MEDIA_AS_OFFERED, SUITE_BITS_AES_CM | SUITE_BITS_AEAD };

static void check_string(const char *string, size_t room_size)
{
	size_t size = strnlen(string, room_size);
	assert(size < room_size);
	for (size_t i = 0; i < size; i++)
		assert(string[i] >= ' ' && string[i] < 0x7f && string[i] != '"');
}

static void check_offer(const struct media_offer *offer)
{
	assert(offer->line_count > 0 && offer->line_count <= MEDIA_LINES_MAX);
	assert(offer->audio_line < offer->line_count);
	assert(offer->rtp.port != 0 && offer->rtp.family != ADDRESS_NONE);
	assert(offer->rtcp.family == ADDRESS_NONE || offer->rtcp.family == offer->rtp.family);
	assert(offer->audio_type < 128 && offer->direction <= MEDIA_SENDRECV);
	assert(offer->event_type == PAYLOAD_TYPE_NONE ||
	       (offer->event_type < 128 && offer->event_type != offer->audio_type));
	check_string(offer->events, sizeof(offer->events));
	for (unsigned i = 0; i < offer->line_count; i++) {
		check_string(offer->lines[i].kind, sizeof(offer->lines[i].kind));
		check_string(offer->lines[i].profile, sizeof(offer->lines[i].profile));
		check_string(offer->lines[i].format, sizeof(offer->lines[i].format));
	}
}

static void write_and_read_back(const struct media_offer *offer)
{
	char room[4096];
	struct writer writer = writer_of(room, sizeof(room));
	struct media_session session;
	struct media_words words = {
		.local = { .family = ADDRESS_IPV4, .port = 10000, .octets = { 192, 0, 2, 1 } },
		.direction = (enum media_direction)offer->direction,
		.audio_type = offer->audio_type,
		.event_type = offer->event_type,
		.ptime_ms = offer->ptime_ms,
		.events = offer->events,
		.layout = offer,
		.is_muxed = offer->is_muxed,
	};
	struct media_offer back;
	struct media_problem problem;
	media_session_init(&session);
	media_session_secure(&session, (enum suite)offer->crypto.key.suite, offer->crypto.tag);
	media_session_write(&session, &words, &writer);
	struct text written = writer_done(&writer);
	assert(written.size > 0);
	for (size_t i = 0; i < written.size; i++)
		assert((room[i] >= ' ' && room[i] < 0x7f) || room[i] == '\r' || room[i] == '\n');
	enum status status = media_offer_parse(written, &any, &back, &problem);
	assert(status == OK);
	assert(back.line_count == offer->line_count && back.audio_line == offer->audio_line);
	assert(address_is_equal(&back.rtp, &words.local));
	assert(back.is_muxed == offer->is_muxed && back.crypto.tag == offer->crypto.tag);
	assert(media_key_is_equal(&back.crypto.key, &session.own.key));
	assert(back.audio_type == offer->audio_type && back.event_type == offer->event_type);
	assert(back.direction == offer->direction && back.ptime_ms == offer->ptime_ms);
}

// Under every rule a side may have: what is taken keeps it, what is not leaves nothing.
static void check_rules(struct text sdp)
{
	static const unsigned suites[] = { 0, SUITE_BITS_AES_CM, SUITE_BITS_AEAD };
	for (unsigned i = 0; i < 9; i++) {
		const struct media_rules rules = { (enum media_security)(i / 3), suites[i % 3] };
		struct media_problem problem = { 0 };
		struct media_offer offer;
		memset(&offer, 0xa5, sizeof(offer));
		enum status status = media_offer_parse(sdp, &rules, &offer, &problem);
		if (status != OK) {
			assert(problem.objection <= MEDIA_OBJECTION_KEYS &&
			       offer.line_count == 0xa5);
			continue;
		}
		enum suite suite = (enum suite)offer.crypto.key.suite;
		assert(suite == SUITE_NONE ? rules.security != MEDIA_SECURE
					   : rules.security != MEDIA_PLAIN);
		assert(suite == SUITE_NONE || rules.suites & SUITE_BIT(suite));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct media_offer offer;
	struct media_problem problem = { 0 };
	struct text sdp = { (const char *)data, size };
	enum status status = media_offer_parse(sdp, &any, &offer, &problem);
	if (status == OK) {
		check_offer(&offer);
		write_and_read_back(&offer);
	} else {
		assert(problem.header && problem.expected);
		check_string(problem.seen, sizeof(problem.seen));
	}
	check_rules(sdp);
	return 0;
}
