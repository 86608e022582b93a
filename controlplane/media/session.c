// Writes our session description. Every octet of it is ours, but for the kinds and profiles of the
// m= lines that side sent itself: nothing of the other leg's addresses can leak.
// Runs on: control thread. Never allocates.

#include "media/session.h"

#include "base/map.h"
#include "base/random.h"
#include "base/secret.h"
#include "dataplane/message.h"
#include "media/keys.h"

#define BODY_SIZE 2048 // 16 m= lines of at most 60 octets, and our own
#define EVENTS_DEFAULT "0-16" // RFC 4733 3.2: digits, *, #, A to D, flash

static const char *direction_text(enum media_direction direction)
{
	static const char *const texts[] = {
		[MEDIA_INACTIVE] = "inactive",
		[MEDIA_SENDONLY] = "sendonly",
		[MEDIA_RECVONLY] = "recvonly",
		[MEDIA_SENDRECV] = "sendrecv",
	};
	return texts[direction & MEDIA_SENDRECV];
}

static void write_audio(const struct media_words *words, const struct media_sdes *own,
			const char *profile, struct writer *writer)
{
	bool has_events = words->event_type != PAYLOAD_TYPE_NONE;
	const char *events = words->events && words->events[0] ? words->events : EVENTS_DEFAULT;
	writer_format(writer, "m=audio %u %s %u", words->local.port, profile, words->audio_type);
	if (has_events)
		writer_format(writer, " %u", words->event_type);
	writer_format(writer, "\r\na=rtpmap:%u PCMU/8000\r\n", words->audio_type);
	if (has_events)
		writer_format(writer, "a=rtpmap:%u telephone-event/8000\r\na=fmtp:%u %s\r\n",
			      words->event_type, words->event_type, events);
	if (words->ptime_ms > 0)
		writer_format(writer, "a=ptime:%u\r\n", words->ptime_ms);
	if (own->key.suite != SUITE_NONE) { // exactly one line (SRTP-004)
		writer_string(writer, "a=crypto:");
		media_sdes_write(own, writer);
		writer_string(writer, "\r\n");
	}
	if (words->is_muxed)
		writer_string(writer, "a=rtcp-mux\r\n");
	writer_format(writer, "a=%s\r\n", direction_text(words->direction));
}

// Everything but the o= line, whose version depends on it. Returns where the o= line belongs.
static size_t write_body(const struct media_words *words, const struct media_sdes *own,
			 const char *host, struct writer *writer)
{
	unsigned count = words->layout ? words->layout->line_count : 0;
	writer_string(writer, "v=0\r\n");
	size_t origin = writer->used;
	writer_format(writer, "s=-\r\nc=IN %s\r\nt=0 0\r\n", host);
	if (count == 0)
		write_audio(words, own, own->key.suite != SUITE_NONE ? "RTP/SAVP" : "RTP/AVP",
			    writer);
	for (unsigned i = 0; i < count; i++) {
		const struct media_line *line = &words->layout->lines[i];
		if (i == words->layout->audio_line)
			write_audio(words, own, line->profile, writer);
		else
			writer_format(writer, "m=%s 0 %s %s\r\n", line->kind, line->profile,
				      line->format);
	}
	return origin;
}

void media_session_init(struct media_session *session)
{
	// A number that fits the signed 64 bits some peers read it into.
	*session = (struct media_session){ .id = random_number() >> 2,
					   .event_type = PAYLOAD_TYPE_NONE };
	session->version = session->id;
}

void media_session_secure(struct media_session *session, enum suite suite, uint32_t tag)
{
	if (session->own.key.suite != suite)
		media_keys_make(suite, &session->own.key);
	session->own.tag = tag;
}

void media_session_write(struct media_session *session, const struct media_words *words,
			 struct writer *writer)
{
	char body_room[BODY_SIZE], host_room[ADDRESS_TEXT_SIZE];
	struct writer host_writer = writer_of(host_room, sizeof(host_room));
	writer_string(&host_writer, words->local.family == ADDRESS_IPV6 ? "IP6 " : "IP4 ");
	address_write_host(&words->local, &host_writer);
	const char *host = writer_string_done(&host_writer);

	struct writer body_writer = writer_of(body_room, sizeof(body_room));
	size_t origin = write_body(words, &session->own, host ? host : "", &body_writer);
	struct text body = writer_done(&body_writer);
	if (!host || body.size == 0) {
		writer->failed = true;
		goto done;
	}
	uint64_t digest = map_hash(body);
	if (session->is_written && session->digest != digest)
		session->version++;
	session->is_written = true;
	session->digest = digest;
	session->audio_type = words->audio_type;
	session->event_type = words->event_type;
	session->is_muxed = words->is_muxed;
	session->direction = words->direction;
	session->local = words->local;
	writer_text(writer, (struct text){ body.data, origin });
	writer_format(writer, "o=- %llu %llu IN %s\r\n", (unsigned long long)session->id,
		      (unsigned long long)session->version, host);
	writer_text(writer, text_cut(body, origin));
done:
	secret_wipe(body_room, body_writer.used); // our key is in it
}
