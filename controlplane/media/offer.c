// Reads a session description. Two walks over the lines of each m= section: one collects what stands
// in any order, one finds what belongs to the payload types found by the first.
// Runs on: any thread; pure. Never allocates, never resolves a name, never reads what it has not bounded.

#include "media/offer.h"

#include <string.h>

#include "base/secret.h"
#include "dataplane/message.h"

#define PAYLOAD_TYPES 128
#define PTIME_MAX_MS 200
#define PORT_MAX 65535

enum connection { CONNECTION_NONE, CONNECTION_READ, CONNECTION_UNUSABLE };

struct level { // what may stand at session level and in a section alike
	enum connection connection;
	struct address address;
	bool has_direction;
	enum media_direction direction;
};

struct section { // of one m= line
	struct text lines; // that follow the m= line
	struct text kind, profile, formats;
	uint16_t port;
	struct level level;
	bool is_secure; // its profile is SRTP's
	enum media_sdes_fate skipped; // why its first crypto line was; TAKEN: none was
};

// In order: the later one says more about why nothing was taken.
enum fate {
	TAKEN,
	NOT_AUDIO,
	SWITCHED_OFF,
	OTHER_PROFILE,
	SECURE,
	PLAIN,
	NO_ADDRESS,
	NO_KEYS,
	NO_PCMU
};

static bool is_token(struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
			return false;
	}
	return text.size > 0;
}

// "IN IP4 192.0.2.1", "IN IP6 2001:db8::1". Names and multicast are nothing we can send to.
static bool parse_connection(struct text value, struct address *out_address)
{
	struct cursor cursor = cursor_of(value);
	struct text network = cursor_word(&cursor), family = cursor_word(&cursor),
		    host = cursor_word(&cursor);
	bool is_v4 = text_is_same(family, TEXT("IP4")), is_v6 = text_is_same(family, TEXT("IP6"));
	struct address address;
	if (!text_is_same(network, TEXT("IN")) || (!is_v4 && !is_v6) || text_find(host, '[') ||
	    (is_v4 && text_find(host, ':')) || !address_parse(host, &address))
		return false;
	if (address.family != (is_v4 ? ADDRESS_IPV4 : ADDRESS_IPV6))
		return false;
	if (address.octets[0] >= (is_v4 ? 224 : 0xff)) // multicast, class E, broadcast
		return false;
	*out_address = address;
	return true;
}

// "a=name" and "a=name:value"
static bool is_attribute(struct text line, struct text name, struct text *out_value)
{
	struct cursor cursor = cursor_of(line);
	if (!cursor_take_text(&cursor, TEXT("a=")) || !cursor_take_text(&cursor, name))
		return false;
	bool is_whole = cursor_is_done(&cursor) || cursor_take(&cursor, ':');
	*out_value = text_trim(cursor.rest);
	return is_whole;
}

static void read_level(struct level *level, struct text line)
{
	static const struct {
		struct text name;
		enum media_direction direction;
	} directions[] = {
		{ TEXT("sendrecv"), MEDIA_SENDRECV },
		{ TEXT("sendonly"), MEDIA_SENDONLY },
		{ TEXT("recvonly"), MEDIA_RECVONLY },
		{ TEXT("inactive"), MEDIA_INACTIVE },
	};
	struct cursor cursor = cursor_of(line);
	if (level->connection == CONNECTION_NONE && cursor_take_text(&cursor, TEXT("c="))) {
		bool is_read = parse_connection(cursor.rest, &level->address);
		level->connection = is_read ? CONNECTION_READ : CONNECTION_UNUSABLE;
	}
	for (size_t i = 0; i < sizeof(directions) / sizeof(*directions); i++) {
		struct text value;
		if (!is_attribute(line, directions[i].name, &value))
			continue;
		level->has_direction = true;
		level->direction = directions[i].direction;
	}
}

// One step of a walk over a section's attributes; false at their end or limit.
static bool next_attribute(struct cursor *cursor, unsigned *seen, struct text *out_line)
{
	while (!cursor_is_done(cursor) && *seen < MEDIA_ATTRIBUTES_MAX) {
		struct text line = text_trim(cursor_line(cursor));
		if (!text_has_prefix(line, TEXT("a=")))
			continue;
		(*seen)++;
		*out_line = line;
		return true;
	}
	return false;
}

static bool parse_payload_type(struct text word, uint8_t *out_type)
{
	uint64_t value;
	if (!text_to_unsigned(word, PAYLOAD_TYPES - 1, &value))
		return false;
	*out_type = (uint8_t)value;
	return true;
}

static void read_formats(struct text formats, bool out_listed[static PAYLOAD_TYPES])
{
	memset(out_listed, 0, PAYLOAD_TYPES);
	struct cursor cursor = cursor_of(formats);
	cursor_skip_space(&cursor);
	while (!cursor_is_done(&cursor)) {
		uint8_t type;
		if (parse_payload_type(cursor_word(&cursor), &type))
			out_listed[type] = true;
		cursor_skip_space(&cursor);
	}
}

// "96 PCMU/8000" or "101 telephone-event/8000", one channel.
static void read_rtpmap(struct text value, const bool listed[static PAYLOAD_TYPES],
			struct media_offer *offer)
{
	struct cursor cursor = cursor_of(value);
	uint8_t type;
	if (!parse_payload_type(cursor_word(&cursor), &type) || !listed[type])
		return;
	struct text encoding = cursor_word(&cursor);
	if (text_has_suffix_same(encoding, TEXT("/8000/1")))
		encoding.size -= 2;
	if (text_is_same(encoding, TEXT("PCMU/8000"))) {
		if (offer->audio_type == PAYLOAD_TYPE_NONE && type != offer->event_type)
			offer->audio_type = type;
	} else if (text_is_same(encoding, TEXT("telephone-event/8000"))) {
		if (offer->event_type == PAYLOAD_TYPE_NONE && type != offer->audio_type &&
		    type != 0)
			offer->event_type = type;
	}
}

// "101 0-16": digits, commas and dashes only, so that it may be repeated to the other side.
static void read_fmtp(struct text value, struct media_offer *offer)
{
	struct cursor cursor = cursor_of(value);
	uint8_t type;
	if (!parse_payload_type(cursor_word(&cursor), &type) || type != offer->event_type)
		return;
	struct text events = cursor_word(&cursor);
	if (events.size >= sizeof(offer->events))
		return;
	for (size_t i = 0; i < events.size; i++) {
		char c = events.data[i];
		if ((c < '0' || c > '9') && c != ',' && c != '-')
			return;
	}
	(void)text_copy(events, offer->events, sizeof(offer->events));
}

// RFC 3605: "53020" or "53020 IN IP4 192.0.2.1". Port 0 and another family are ignored.
static void read_rtcp(struct text value, struct media_offer *offer)
{
	struct cursor cursor = cursor_of(value);
	uint64_t port;
	if (!text_to_unsigned(cursor_word(&cursor), PORT_MAX, &port) || port == 0)
		return;
	struct address address = offer->rtp;
	cursor_skip_space(&cursor);
	if (!cursor_is_done(&cursor) &&
	    (!parse_connection(cursor.rest, &address) || address.family != offer->rtp.family))
		return;
	offer->rtcp = address;
	offer->rtcp.port = (uint16_t)port;
}

// The first line we may take, in the order of its sender (SRTP-005); the others are passed over.
static void read_crypto(struct text value, unsigned suites, struct section *section,
			struct media_offer *offer)
{
	if (!section->is_secure || offer->crypto.key.suite != SUITE_NONE)
		return;
	enum media_sdes_fate fate = media_sdes_parse(value, suites, &offer->crypto);
	if (section->skipped == MEDIA_SDES_TAKEN)
		section->skipped = fate;
}

static void read_attributes(struct section *section, unsigned suites, struct media_offer *offer)
{
	bool listed[PAYLOAD_TYPES];
	struct text line, value;
	read_formats(section->formats, listed);
	if (listed[0])
		offer->audio_type = 0;
	struct cursor cursor = cursor_of(section->lines);
	for (unsigned seen = 0; next_attribute(&cursor, &seen, &line);) {
		if (is_attribute(line, TEXT("rtpmap"), &value))
			read_rtpmap(value, listed, offer);
		else if (is_attribute(line, TEXT("rtcp"), &value))
			read_rtcp(value, offer);
		else if (is_attribute(line, TEXT("crypto"), &value))
			read_crypto(value, suites, section, offer);
		else if (is_attribute(line, TEXT("rtcp-mux"), &value))
			offer->is_muxed = true;
	}
	cursor = cursor_of(section->lines);
	for (unsigned seen = 0; next_attribute(&cursor, &seen, &line);) {
		uint64_t ptime;
		if (is_attribute(line, TEXT("fmtp"), &value))
			read_fmtp(value, offer);
		else if (is_attribute(line, TEXT("ptime"), &value) &&
			 text_to_unsigned(value, PTIME_MAX_MS, &ptime))
			offer->ptime_ms = (uint16_t)ptime;
	}
}

// RFC 4568 alone: keys of DTLS (UDP/TLS/RTP/SAVP) are another profile.
static enum fate read_profile(struct section *section, const struct media_rules *rules)
{
	bool is_plain = text_is_same(section->profile, TEXT("RTP/AVP")) ||
			text_is_same(section->profile, TEXT("RTP/AVPF"));
	section->is_secure = text_is_same(section->profile, TEXT("RTP/SAVP")) ||
			     text_is_same(section->profile, TEXT("RTP/SAVPF"));
	if (section->is_secure)
		return rules->security == MEDIA_PLAIN ? SECURE : TAKEN;
	if (is_plain)
		return rules->security == MEDIA_SECURE ? PLAIN : TAKEN;
	return OTHER_PROFILE;
}

static void read_addresses(const struct section *section, const struct level *where,
			   struct media_offer *offer)
{
	offer->rtp = where->address;
	offer->rtp.port = section->port;
	offer->rtcp = (struct address){ 0 };
	if (section->port < PORT_MAX) {
		offer->rtcp = offer->rtp;
		offer->rtcp.port++;
	}
}

// The stream of one section, on top of what the session level said.
static enum fate read_stream(struct section *section, const struct level *session,
			     const struct media_rules *rules, struct media_offer *offer)
{
	const struct level *own = &section->level;
	const struct level *where = own->connection != CONNECTION_NONE ? own : session;
	if (!text_is_same(section->kind, TEXT("audio")))
		return NOT_AUDIO;
	if (section->port == 0)
		return SWITCHED_OFF;
	enum fate fate = read_profile(section, rules);
	if (fate != TAKEN)
		return fate;
	if (where->connection != CONNECTION_READ)
		return NO_ADDRESS;
	read_addresses(section, where, offer);
	offer->audio_type = offer->event_type = PAYLOAD_TYPE_NONE;
	read_attributes(section, rules->suites, offer);
	const struct level *which = own->has_direction ? own : session;
	offer->direction = which->has_direction ? (uint8_t)which->direction : MEDIA_SENDRECV;
	if (address_is_unspecified(&offer->rtp)) // it can receive nothing (RFC 3264 8.4)
		offer->direction &= MEDIA_SENDONLY;
	if (offer->audio_type == PAYLOAD_TYPE_NONE)
		return NO_PCMU;
	return section->is_secure && offer->crypto.key.suite == SUITE_NONE ? NO_KEYS : TAKEN;
}

// What the caller hears; of several audio lines none of which can be taken, the worst fate decides,
// and that is a plain one without our codec (MEDIA-003).
static enum status fate_status(enum fate fate, struct media_problem *problem)
{
	switch (fate) {
	case TAKEN:
		return OK;
	case NO_PCMU:
		problem->expected = "PCMU/8000";
		return ERR_UNSUPPORTED;
	case SECURE:
		problem->objection = MEDIA_OBJECTION_SECURE;
		problem->expected = "RTP/AVP: no SRTP is taken here";
		return ERR_NOT_ACCEPTABLE;
	case PLAIN:
		problem->objection = MEDIA_OBJECTION_PLAIN;
		problem->expected = "RTP/SAVP: SRTP alone is taken here";
		return ERR_NOT_ACCEPTABLE;
	case NO_KEYS:
		problem->objection = MEDIA_OBJECTION_KEYS;
		problem->header = "SDP a=crypto";
		problem->expected = "a line with a suite we take, one inline key and no MKI";
		return ERR_NOT_ACCEPTABLE;
	case OTHER_PROFILE:
		problem->expected = "RTP/AVP, or RTP/SAVP with keys in a=crypto";
		return ERR_NOT_ACCEPTABLE;
	case NO_ADDRESS:
		problem->header = "SDP c=";
		problem->expected = "IN IP4 or IN IP6 and a unicast address";
		return ERR_NOT_ACCEPTABLE;
	case SWITCHED_OFF:
		problem->expected = "an audio port";
		return ERR_NOT_ACCEPTABLE;
	case NOT_AUDIO:
		break;
	}
	problem->expected = "m=audio";
	return ERR_NOT_ACCEPTABLE;
}

static bool read_media_line(struct text line, struct section *section, struct media_line *out_line)
{
	struct cursor cursor = cursor_of(text_cut(line, 2));
	section->kind = cursor_word(&cursor);
	struct text port = cursor_word(&cursor);
	section->profile = cursor_word(&cursor);
	cursor_skip_space(&cursor);
	section->formats = cursor.rest;
	struct text format = cursor_word(&cursor);
	uint64_t number;
	if (!text_to_unsigned(text_split(&port, '/'), PORT_MAX, &number) ||
	    !is_token(section->kind) || !is_token(section->profile) || !is_token(format) ||
	    !text_copy(section->kind, out_line->kind, sizeof(out_line->kind)) ||
	    !text_copy(section->profile, out_line->profile, sizeof(out_line->profile)))
		return false;
	section->port = (uint16_t)number;
	// The format of a stream we refuse says nothing (RFC 3264 6), but one must be there.
	if (!text_copy(format, out_line->format, sizeof(out_line->format)))
		(void)text_copy(TEXT("0"), out_line->format, sizeof(out_line->format));
	return true;
}

// Takes the lines up to the next m= line; they may come in any order, unknown ones are passed over.
static void read_lines(struct cursor *cursor, struct level *level, struct text *out_lines)
{
	struct text all = cursor->rest;
	unsigned seen = 0;
	while (!cursor_is_done(cursor) && !text_has_prefix(cursor->rest, TEXT("m="))) {
		struct text line = text_trim(cursor_line(cursor));
		seen += text_has_prefix(line, TEXT("a="));
		if (seen <= MEDIA_ATTRIBUTES_MAX)
			read_level(level, line);
	}
	all.size -= cursor->rest.size;
	*out_lines = all;
}

// What is shown ends where a key begins: a description that cannot be read may have one anywhere.
static void note_seen(struct media_problem *problem, struct text line)
{
	size_t size = line.size < sizeof(problem->seen) - 1 ? line.size : sizeof(problem->seen) - 1;
	for (size_t i = 0; i < size; i++) {
		if (text_has_prefix(text_cut(line, i), TEXT("inline:")))
			size = i;
	}
	for (size_t i = 0; i < size; i++) {
		char c = line.data[i];
		problem->seen[i] = c >= ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '.';
	}
	problem->seen[size] = 0;
}

static enum status malformed(struct media_problem *problem, struct text line, const char *expected)
{
	problem->header = "SDP";
	problem->expected = expected;
	note_seen(problem, line);
	return ERR_MALFORMED;
}

// What stands in the way is the m= line, or what is wrong with its crypto lines: never those
// themselves, for they hold keys.
static void note_fate(struct media_problem *problem, struct text line,
		      const struct section *section, enum fate fate)
{
	if (fate != NO_KEYS)
		note_seen(problem, line);
	else if (section->skipped == MEDIA_SDES_TAKEN)
		note_seen(problem, TEXT("no crypto line"));
	else
		note_seen(problem, text_of(media_sdes_fate_text(section->skipped)));
}

// The next section; its stream is taken if none is yet and it can be.
static enum fate read_section(struct section *section, const struct level *session,
			      const struct media_rules *rules, struct media_offer *offer)
{
	struct media_offer stream = { .line_count = offer->line_count };
	enum fate fate = read_stream(section, session, rules, &stream);
	if (fate == TAKEN) {
		memcpy(stream.lines, offer->lines, sizeof(stream.lines));
		stream.audio_line = offer->line_count;
		*offer = stream;
	}
	secret_wipe(&stream.crypto, sizeof(stream.crypto));
	return fate;
}

// Reads sections until none is left; the first audio stream that can be taken is taken.
static enum status read_sections(struct cursor *cursor, const struct level *session,
				 const struct media_rules *rules, struct media_offer *offer,
				 struct media_problem *problem)
{
	enum fate worst = NOT_AUDIO;
	while (!cursor_is_done(cursor)) {
		struct text line = text_trim(cursor_line(cursor));
		struct section section = { .port = 0 };
		if (offer->line_count == MEDIA_LINES_MAX)
			return malformed(problem, line, "at most 16 m= lines");
		if (!read_media_line(line, &section, &offer->lines[offer->line_count]))
			return malformed(problem, line, "m=kind port profile formats");
		read_lines(cursor, &section.level, &section.lines);
		if (worst != TAKEN) {
			enum fate fate = read_section(&section, session, rules, offer);
			if (fate == TAKEN || fate > worst || offer->line_count == 0) {
				note_fate(problem, line, &section, fate);
				worst = fate;
			}
		}
		offer->line_count++;
	}
	problem->header = "SDP m=";
	return fate_status(worst, problem);
}

enum status media_offer_parse(struct text sdp, const struct media_rules *rules,
			      struct media_offer *out_offer, struct media_problem *out_problem)
{
	struct media_offer offer = { .line_count = 0 };
	struct media_problem problem = { .header = "SDP" };
	struct level session = { .connection = CONNECTION_NONE };
	struct cursor cursor = cursor_of(sdp);
	struct text lines;
	enum status status;
	read_lines(&cursor, &session, &lines);
	if (sdp.size > MEDIA_OFFER_SIZE_MAX)
		status = malformed(&problem, TEXT("too long"), "at most 8192 octets");
	else if (cursor_is_done(&cursor))
		status = malformed(&problem, sdp, "a session description with an m= line");
	else
		status = read_sections(&cursor, &session, rules, &offer, &problem);
	if (status == OK)
		*out_offer = offer;
	else
		*out_problem = problem;
	secret_wipe(&offer.crypto, sizeof(offer.crypto));
	return status;
}
