// Lines about no agent: time, what the operator and the machine do.
// Runs on: the thread of the test.

#include <stdlib.h>
#include <string.h>

#include "fake/dataplane.h"
#include "fake/history.h"
#include "scenario/story.h"

bool story_take_number(struct story *story, unsigned long *out_number)
{
	const char *word = words_take(&story->words);
	char *end = NULL;
	*out_number = word != NULL ? strtoul(word, &end, 10) : 0;
	if (word == NULL || end == word || (*end != '\0' && strcmp(end, ",") != 0))
		return story_fail(story, "a number is wanted, not %s", word ? word : "nothing");
	return true;
}

static bool take_time(struct story *story)
{
	uint64_t ms;
	if (!words_duration(words_take(&story->words), &ms))
		return story_fail(story, "a time is wanted, such as 20s or 500ms");
	node_wait(story->node, ms);
	return true;
}

bool story_is_silent(struct story *story, const struct agent *agent)
{
	const struct wire *wire = &story->node->wire;
	for (unsigned i = 0; i < wire->count; i++) {
		const struct wire_packet *packet = wire->packets[i];
		char room[ADDRESS_TEXT_SIZE];
		if (!packet->is_taken &&
		    strcmp(address_string(&packet->destination, room), agent->address) == 0)
			return story_fail(story, "expected silence for %s\ngot:\n%s", agent->name,
					  packet->octets);
	}
	return true;
}

// "alice waits 4s": until she hears something, no longer than that.
static bool wait_for(struct story *story, const struct agent *agent)
{
	uint64_t ms;
	if (!words_duration(words_take(&story->words), &ms))
		return story_fail(story, "a time is wanted, such as 20s or 500ms");
	for (uint64_t passed = 0; story_is_silent(story, agent); passed += WHEEL_TICK_MS) {
		if (passed >= ms)
			return story_fail(story, "%s heard nothing in that time", agent->name);
		node_wait(story->node, WHEEL_TICK_MS);
	}
	story->problem[0] = '\0';
	return true;
}

// ---- media

static bool is_sent_to(const struct node *node, const struct address *destination)
{
	for (uint32_t index = 0; index < dataplane_stream_count(node->dataplane); index++) {
		struct stream_view view;
		if (dataplane_stream_read(node->dataplane, index, &view) != OK || !view.is_open)
			continue;
		const struct message *open = fake_dataplane_last_open(node->dataplane, index);
		if (open != NULL && !(open->flags & (STREAM_IS_RTCP | STREAM_NO_NEXT_HOP)) &&
		    address_is_equal(&open->open.destination, destination))
			return true;
	}
	return false;
}

static bool check_media(struct story *story)
{
	struct address destination;
	bool is_wanted = strcmp(story->words.words[0], "media") == 0;
	if (!is_wanted)
		(void)words_take_if(&story->words, "media");
	if (!words_take_if(&story->words, "to") || words_peek(&story->words) == NULL ||
	    !address_parse(text_of(words_take(&story->words)), &destination))
		return story_fail(story, "media to ADDRESS:PORT, or no media to ADDRESS:PORT");
	node_wait(story->node, WHEEL_TICK_MS);
	return is_sent_to(story->node, &destination) == is_wanted ||
	       story_fail(story, is_wanted ? "no open stream leaves for it"
					   : "an open stream leaves for it");
}

// What a worker tells of the stream that arrives from a side of the oldest call.
static bool tell_event(struct story *story, enum message_kind kind)
{
	const struct call *call = calls_next(story->node->calls, NULL);
	enum media_side side = words_take_if(&story->words, "called") ? MEDIA_CALLED : MEDIA_CALLER;
	struct call_facts facts;
	(void)words_take_if(&story->words, "caller");
	if (call == NULL)
		return story_fail(story, "there is no call");
	call_read(call, &facts);
	uint32_t index = facts.media[side].stream_index;
	if (kind == MESSAGE_STREAM_TTL)
		fake_dataplane_view(story->node->dataplane, index)->ttl_lowest = 9;
	fake_dataplane_tell(story->node->dataplane, kind, index, NULL);
	node_wait(story->node, WHEEL_TICK_MS);
	return true;
}

static bool take_held(struct story *story, unsigned long *out_ms)
{
	return words_take_if(&story->words, "held") && story_take_number(story, out_ms);
}

// "presses 5 held 160": what a worker tells of the stream that arrives from that side.
static bool press(struct story *story, enum media_side side)
{
	unsigned long held_ms = 0;
	const char *digit = words_take(&story->words);
	return digit != NULL && take_held(story, &held_ms) &&
	       talk_press(story->node, side, digit[0], (unsigned)held_ms);
}

// "hears 5# held 100", "hears nothing": what a worker was told to send that side.
static bool check_heard(struct story *story, enum media_side side)
{
	char heard[256];
	unsigned long held_ms = 0;
	const char *wanted = words_take(&story->words);
	unsigned was_ms = talk_heard(story->node, side, heard, sizeof heard);
	if (wanted == NULL)
		return story_fail(story, "SIDE hears DIGITS held MS, or nothing");
	if (strcmp(wanted, "nothing") == 0)
		return heard[0] == 0 || story_fail(story, "it hears %s", heard);
	if (!take_held(story, &held_ms))
		return story_fail(story, "held MS");
	return (strcmp(heard, wanted) == 0 && held_ms == was_ms) ||
	       story_fail(story, "it hears \"%s\", held %u", heard, was_ms);
}

// "caller mute", "called talks", "caller dropped ttl": from now on, in every call. "called reports 255",
// "called unreachable 3 times", "caller stranger 203.0.113.99:4000": of the oldest call, now.
static bool do_party(struct story *story)
{
	struct talks *talks = &story->node->talks;
	enum media_side side =
		strcmp(story->words.words[0], "called") == 0 ? MEDIA_CALLED : MEDIA_CALLER;
	unsigned long number = 0;
	struct address stranger;
	if (words_take_if(&story->words, "talks"))
		talks->kind[side] = TALK_SPEECH;
	else if (words_take_if(&story->words, "silent"))
		talks->kind[side] = TALK_SILENCE;
	else if (words_take_if(&story->words, "mute"))
		talks->kind[side] = TALK_NOTHING;
	else if (words_take_if(&story->words, "dropped")) {
		talks->kind[side] = TALK_DROPPED;
		talks->drop[side] = talk_drop_of(words_take(&story->words));
		return talks->drop[side] < STREAM_DROP_COUNT;
	} else if (words_take_if(&story->words, "reports")) {
		return story_take_number(story, &number) &&
		       talk_report(story->node, side, (uint8_t)number);
	} else if (words_take_if(&story->words, "unreachable")) {
		bool is_told =
			story_take_number(story, &number) && words_take_if(&story->words, "times");
		for (; is_told && number > 0; number--)
			is_told = talk_unreachable(story->node, side);
		return is_told;
	} else if (words_take_if(&story->words, "stranger")) {
		return address_parse(text_of(words_take(&story->words)), &stranger) &&
		       talk_from(story->node, side, MESSAGE_STREAM_REFUSED, &stranger);
	} else if (words_take_if(&story->words, "presses")) {
		return press(story, side);
	} else if (words_take_if(&story->words, "hears")) {
		return check_heard(story, side);
	} else if (words_take_if(&story->words, "moves")) {
		return address_parse(text_of(words_take(&story->words)), &stranger) &&
		       talk_from(story->node, side, MESSAGE_STREAM_LEARNED, &stranger);
	} else {
		return story_fail(story, "a party talks, is silent, mute, dropped CAUSE, reports, "
					 "unreachable, moves or has a stranger");
	}
	return true;
}

// "verdict caller ttl": why what the caller of the oldest call says is not heard now; "none".
static bool check_verdict(struct story *story)
{
	const struct call *call = calls_next(story->node->calls, NULL);
	enum media_side side = words_take_if(&story->words, "called") ? MEDIA_CALLED : MEDIA_CALLER;
	struct call_facts facts;
	(void)words_take_if(&story->words, "caller");
	const char *expected = words_take(&story->words);
	if (call == NULL || expected == NULL)
		return story_fail(story, "verdict SIDE CAUSE, of a call");
	call_read(call, &facts);
	const char *name = diagnosis_facts(facts.verdicts[side])->name;
	return strcmp(name, expected) == 0 || story_fail(story, "the verdict is %s", name);
}

static bool do_dataplane(struct story *story)
{
	if (words_take_if(&story->words, "away"))
		node_lose_dataplane(story->node);
	else if (words_take_if(&story->words, "back"))
		node_regain_dataplane(story->node);
	else if (words_take_if(&story->words, "ttl"))
		return tell_event(story, MESSAGE_STREAM_TTL);
	else if (words_take_if(&story->words, "started"))
		return tell_event(story, MESSAGE_STREAM_STARTED);
	else
		return story_fail(story, "dataplane away, back, ttl SIDE or started SIDE");
	return true;
}

// "ports all taken", "ports given back"; otherwise a count.
static bool do_ports(struct story *story)
{
	if (words_take_if(&story->words, "all")) {
		node_take_all_ports(story->node);
		return words_take_if(&story->words, "taken");
	}
	if (words_take_if(&story->words, "given")) {
		node_give_all_ports(story->node);
		return words_take_if(&story->words, "back");
	}
	return story_check_gauges(story);
}

// ---- the operator and the machine

static bool take_pairs(struct story *story, const char *kind, const char *word)
{
	struct directory_problem problem = { .text = "no such object" };
	char *const *pairs = &story->words.words[story->words.next];
	unsigned count = story->words.count - story->words.next;
	story->words.next = story->words.count;
	bool did = word == NULL ? node_add(story->node, kind, pairs, count, &problem)
				: node_set(story->node, kind, word, pairs, count, &problem);
	return did || story_fail(story, "%s: %s", problem.field, problem.text);
}

static bool do_add(struct story *story)
{
	const char *kind = words_take(&story->words);
	return kind != NULL ? take_pairs(story, kind, NULL) : story_fail(story, "add KIND …");
}

static bool do_set(struct story *story)
{
	const char *kind = words_take(&story->words), *word = words_take(&story->words);
	return word != NULL ? take_pairs(story, kind, word) : story_fail(story, "set KIND WORD …");
}

static bool do_remove(struct story *story)
{
	const char *kind = words_take(&story->words), *word = words_take(&story->words);
	return (word != NULL && node_remove(story->node, kind, word)) ||
	       story_fail(story, "there is no such object");
}

static bool do_hang(struct story *story)
{
	const struct call *call = calls_next(story->node->calls, NULL);
	struct call_facts facts;
	if (!words_take_if(&story->words, "up") || call == NULL)
		return story_fail(story, "hang up: there is no call");
	if (words_take_if(&story->words, "all")) {
		calls_hang_up(story->node->calls);
		return true;
	}
	call_read(call, &facts);
	call_hang_up(calls_find(story->node->calls, text_of(facts.sid)));
	return true;
}

static bool do_history(struct story *story)
{
	bool is_full = words_take_if(&story->words, "full");
	fake_history_set_full(story->node->history, is_full);
	return is_full ||
	       (words_take_if(&story->words, "has") && words_take_if(&story->words, "room"));
}

static bool do_unreachable(struct story *story)
{
	const char *name = words_take(&story->words);
	const struct agent *agent = name != NULL ? agent_find(text_of(name)) : NULL;
	struct wire *wire = &story->node->wire;
	wire->unreachable = (struct address){ 0 };
	return agent == NULL ? story_fail(story, "nobody is called that")
			     : address_parse(text_of(agent->address), &wire->unreachable);
}

static bool do_stop(struct story *story)
{
	return story->is_stopped = true;
}

// "alice by tls", "alice by tls 1.0": from now on, on a connection of its own.
static bool do_way(struct story *story, const struct agent *agent)
{
	struct way *way = agents_way(&story->agents, agent);
	const char *word = words_take(&story->words);
	if (word == NULL || !sip_protocol_parse(text_of(word), &way->protocol))
		return story_fail(story, "by udp, tcp or tls [1.0]");
	bool is_tls = way->protocol == SIP_TLS;
	way->tls_version = !is_tls ? 0 : words_take_if(&story->words, "1.0") ? 0x0301 : 0x0303;
	way->connection = way->protocol == SIP_UDP ? 0 : ++story->agents.connections;
	return true;
}

static bool do_disconnect(struct story *story, const struct agent *agent)
{
	struct way *way = agents_way(&story->agents, agent);
	sip_transactions_broken(story->node->transactions, way->connection);
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct story *story);
} deeds[] = {
	{ "repeat", story_repeat },
	{ "end", story_end_round },
	{ "wait", take_time },
	{ "media", check_media },
	{ "no", check_media },
	{ "counter", story_check_counter },
	{ "alert", story_check_alert },
	{ "trigger", story_check_trigger },
	{ "row", story_check_row },
	{ "add", do_add },
	{ "set", do_set },
	{ "remove", do_remove },
	{ "config", story_config },
	{ "limits", story_limits },
	{ "hang", do_hang },
	{ "dataplane", do_dataplane },
	{ "dns", story_zone },
	{ "carrier", story_carrier },
	{ "caller", do_party },
	{ "called", do_party },
	{ "verdict", check_verdict },
	{ "ports", do_ports },
	{ "history", do_history },
	{ "ban", story_ban },
	{ "unban", story_unban },
	{ "loop", story_loop },
	{ "explain", story_explain },
	{ "replay", story_replay },
	{ "unreachable", do_unreachable },
	{ "stop", do_stop },
};

bool story_do(struct story *story)
{
	struct words *words = &story->words;
	const struct agent *agent = agent_find(text_of(words->words[0]));
	words->next = 1;
	if (agent != NULL) {
		if (words_take_if(words, "by"))
			return do_way(story, agent);
		if (words_take_if(words, "disconnects"))
			return do_disconnect(story, agent);
		if (words_take_if(words, "waits"))
			return wait_for(story, agent);
		if (!words_take_if(words, "silent"))
			return story_fail(story, "%s does what?", agent->name);
		if (words_peek(words) != NULL && !take_time(story))
			return false;
		return story_is_silent(story, agent);
	}
	for (unsigned i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		if (strcmp(words->words[0], deeds[i].name) != 0)
			continue;
		if (!deeds[i].run(story)) {
			if (story->problem[0] == '\0')
				(void)story_fail(story, "not understood");
			return false;
		}
		return words_peek(words) == NULL ||
		       story_fail(story, "what does \"%s\" mean?", words_peek(words));
	}
	return story_check_gauges(story);
}
