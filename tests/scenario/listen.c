// "alice < 403 …": the oldest message not yet looked at has to be what the line says.
// Runs on: the thread of the test.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/story.h"

#define TEXTS_MAX 24
#define TIME_TOLERANCE_MS 20 // two ticks of the wheel

struct wish {
	unsigned status; // 0: a request
	enum sip_method method;
	const char *reason, *uri, *from;
	const char *has[TEXTS_MAX], *lacks[TEXTS_MAX];
	const char *lines[TEXTS_MAX]; // whole header lines
	unsigned has_count, lacks_count, line_count;
	int has_sdp; // -1: all the same
	bool is_again, has_time, has_no_ack, has_protocol;
	enum sip_protocol protocol;
	unsigned times;
	uint64_t at_ms;
};

static bool take_texts(struct story *story, const char **texts, unsigned *count)
{
	if (*count == TEXTS_MAX || words_peek(&story->words) == NULL)
		return story_fail(story, "has, line and lacks want a text each, and not so many");
	texts[(*count)++] = words_take(&story->words);
	return true;
}

static bool take_times(struct story *story, struct wish *wish)
{
	const char *next = words_peek(&story->words);
	wish->is_again = true;
	if (next == NULL || next[0] < '0' || next[0] > '9')
		return true;
	wish->times = (unsigned)strtoul(words_take(&story->words), NULL, 10);
	return words_take_if(&story->words, "times") || story_fail(story, "again N times");
}

static bool take_without(struct story *story, struct wish *wish)
{
	if (words_take_if(&story->words, "sdp"))
		wish->has_sdp = 0;
	else if (words_take_if(&story->words, "ACK"))
		wish->has_no_ack = true;
	else
		return story_fail(story, "without sdp, or without ACK");
	return true;
}

static bool take_option(struct story *story, struct wish *wish, const char *word)
{
	struct words *words = &story->words;
	if (strcmp(word, "has") == 0)
		return take_texts(story, wish->has, &wish->has_count);
	if (strcmp(word, "line") == 0)
		return take_texts(story, wish->lines, &wish->line_count);
	if (strcmp(word, "lacks") == 0)
		return take_texts(story, wish->lacks, &wish->lacks_count);
	if (strcmp(word, "without") == 0)
		return take_without(story, wish);
	if (strcmp(word, "with") == 0 && words_take_if(words, "sdp")) {
		wish->has_sdp = 1;
		return true;
	}
	if (strcmp(word, "again") == 0)
		return take_times(story, wish);
	if (strcmp(word, "uri") == 0)
		return (wish->uri = words_take(words)) != NULL;
	if (strcmp(word, "from") == 0)
		return (wish->from = words_take(words)) != NULL;
	if (strcmp(word, "by") == 0)
		return (wish->has_protocol = true) &&
		       sip_protocol_parse(text_of(words_take(words)), &wish->protocol);
	if (strcmp(word, "at") == 0)
		return wish->has_time = words_duration(words_take(words), &wish->at_ms);
	return story_fail(story, "no such expectation: %s", word);
}

static bool take_wish(struct story *story, struct wish *wish)
{
	struct words *words = &story->words;
	bool is_request = words_is_method(words);
	const char *what = words_take(words);
	wish->status = is_request || what == NULL ? 0 : (unsigned)strtoul(what, NULL, 10);
	wish->method = is_request ? sip_method_of(text_of(what)) : SIP_INVITE;
	if (!is_request && wish->status < 100)
		return story_fail(story, "hears what? A method, or a status");
	if (!is_request && words_is_method(words) && strcmp(words_peek(words), "ACK") != 0)
		wish->method = sip_method_of(text_of(words_take(words)));
	if (words_is_quoted(words))
		wish->reason = words_take(words);
	while (words_peek(words) != NULL) {
		if (!take_option(story, wish, words_take(words)))
			return false;
	}
	return true;
}

static bool differs(struct story *story, const struct wire_packet *packet, const char *what,
		    const char *expected)
{
	return story_fail(story, "expected %s %s\ngot:\n%s", what, expected, packet->octets);
}

static bool is_kind(const struct wish *wish, const struct sip_message *message)
{
	if (message->method != wish->method || message->is_request != (wish->status == 0))
		return false;
	return message->is_request || message->status == wish->status;
}

static bool was_heard_before(const struct story *story, const struct wire_packet *packet)
{
	const struct wire *wire = &story->node->wire;
	for (unsigned i = 0; i < wire->count; i++) {
		const struct wire_packet *other = wire->packets[i];
		if (!other->is_inbound && other->is_taken &&
		    address_is_equal(&other->destination, &packet->destination) &&
		    strcmp(other->octets, packet->octets) == 0)
			return true;
	}
	return false;
}

static bool check_texts(struct story *story, const struct wish *wish,
			const struct wire_packet *packet)
{
	for (unsigned i = 0; i < wish->has_count; i++) {
		if (strstr(packet->octets, wish->has[i]) == NULL)
			return differs(story, packet, "it to have", wish->has[i]);
	}
	for (unsigned i = 0; i < wish->line_count; i++) {
		char line[512];
		(void)snprintf(line, sizeof(line), "\r\n%s\r\n", wish->lines[i]);
		if (strstr(packet->octets, line) == NULL)
			return differs(story, packet, "the line", wish->lines[i]);
	}
	for (unsigned i = 0; i < wish->lacks_count; i++) {
		if (strstr(packet->octets, wish->lacks[i]) != NULL)
			return differs(story, packet, "it to lack", wish->lacks[i]);
	}
	return true;
}

static bool check(struct story *story, const struct wish *wish, const struct wire_packet *packet)
{
	const struct sip_message *message = &packet->message;
	if (!is_kind(wish, message))
		return differs(story, packet, "something else, see the line", "");
	if (wish->reason != NULL && !text_is_equal(message->reason, text_of(wish->reason)))
		return differs(story, packet, "the phrase", wish->reason);
	if (wish->uri != NULL && !text_is_equal(message->target.whole, text_of(wish->uri)))
		return differs(story, packet, "the Request-URI", wish->uri);
	if (wish->from != NULL && !text_is_equal(message->from.uri.user, text_of(wish->from)))
		return differs(story, packet, "in From", wish->from);
	if (wish->has_sdp >= 0 && (message->body.size > 0) != wish->has_sdp)
		return differs(story, packet, wish->has_sdp ? "a" : "no", "body");
	if (wish->is_again != was_heard_before(story, packet))
		return differs(story, packet, wish->is_again ? "a repetition" : "no repetition",
			       "of what was heard before");
	if (wish->has_protocol && packet->protocol != wish->protocol)
		return differs(story, packet, "it by", sip_protocol_name(wish->protocol));
	uint64_t at_ms = packet->at_ms - NODE_START_MS;
	if (wish->has_time &&
	    (at_ms + TIME_TOLERANCE_MS < wish->at_ms || at_ms > wish->at_ms + TIME_TOLERANCE_MS))
		return story_fail(story, "expected at %.3f s, came at %.3f s",
				  (double)wish->at_ms / 1000, (double)at_ms / 1000);
	return check_texts(story, wish, packet);
}

// RFC 3261 17.1.1.3: a client's transaction acknowledges refusals by itself.
static bool acknowledge(struct story *story, struct party *party)
{
	struct speech ack = {
		.method = SIP_ACK, .method_text = "ACK", .max_forwards = -1, .cseq = -1
	};
	return agents_say(&story->agents, party, &ack) ||
	       story_fail(story, "%s cannot acknowledge that", party->name);
}

bool story_hear(struct story *story, struct party *party)
{
	struct wish wish = { .has_sdp = -1, .times = 1 };
	if (!take_wish(story, &wish))
		return false;
	for (unsigned i = 0; i < wish.times; i++) {
		struct wire_packet *packet = agents_next(&story->agents, party);
		if (packet == NULL)
			return story_fail(story, "%s heard nothing", party->name);
		if (!check(story, &wish, packet))
			return false;
		agents_hear(party, packet);
	}
	bool is_refusal = wish.status >= 300 && wish.method == SIP_INVITE;
	return !is_refusal || wish.has_no_ack || acknowledge(story, party);
}
