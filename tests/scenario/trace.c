// What calls leave behind: records, alerts, and, at the end of a story, nothing else.
// Runs on: the thread of the test.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fake/history.h"
#include "scenario/story.h"

struct field {
	const char *name;
	char value[1100];
};

static void set(struct field *field, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void set(struct field *field, const char *name, const char *format, ...)
{
	va_list arguments;
	field->name = name;
	va_start(arguments, format);
	(void)vsnprintf(field->value, sizeof(field->value), format, arguments);
	va_end(arguments);
}

#define LEAK_CODE 32927
#define DOWN_CODE 32982 // of no call, like that
#define UP_CODE 32983
#define OVERLOAD_CODE 32963
#define UNKNOWN_CODE 32995 // a number that is nobody's
#define TRUNKLESS_CODE 32996 // one that is on no trunk
#define ROW_FIELDS 24

static void read_row(const struct history_call *row, struct field fields[static ROW_FIELDS])
{
	uint64_t talk_ms = row->answer_ms != 0 ? row->end_ms - row->answer_ms : 0;
	unsigned i = 0;
	set(&fields[i++], "status", "%u", row->sip_status);
	set(&fields[i++], "ended_by", "%s", history_end_text((enum history_end)row->ended_by));
	set(&fields[i++], "reason", "%s", row->reason);
	set(&fields[i++], "from", "%s", row->from);
	set(&fields[i++], "to", "%s", row->to);
	set(&fields[i++], "source", "%s", row->source);
	set(&fields[i++], "carrier", "%s", row->carrier);
	set(&fields[i++], "attempts", "%u", row->attempts);
	set(&fields[i++], "alert", "%" PRIu32, row->alert_code);
	set(&fields[i++], "answered", "%s", row->answer_ms != 0 ? "yes" : "no");
	set(&fields[i++], "rang", "%s", row->ringing_ms != 0 ? "yes" : "no");
	set(&fields[i++], "talk_s", "%" PRIu64, (talk_ms + 500) / 1000);
	set(&fields[i++], "account", "%.2s", row->account_sid);
	set(&fields[i++], "trunk", "%.2s", row->trunk_sid);
	set(&fields[i++], "ladder", "%s", row->ladder);
	set(&fields[i++], "caller_verdict", "%s", row->caller.verdict);
	set(&fields[i++], "called_verdict", "%s", row->called.verdict);
	set(&fields[i++], "recovered", "%u", row->caller.is_recovered + row->called.is_recovered);
	set(&fields[i++], "caller_suite", "%s", row->caller.suite);
	set(&fields[i++], "direction", "%s", row->direction);
	set(&fields[i++], "uri", "%s", row->uri);
	set(&fields[i++], "uri_address", "%s", row->uri_address);
	set(&fields[i++], "called_suite", "%s", row->called.suite);
	set(&fields[i++], "parent", "%.2s", row->parent_sid);
}

static const char *find(const struct field *fields, unsigned count, struct text name)
{
	for (unsigned i = 0; i < count; i++) {
		if (text_is_equal(name, text_of(fields[i].name)))
			return fields[i].value;
	}
	return NULL;
}

static bool is_whole(const struct history_call *row)
{
	return strlen(row->sid) == 34 && row->start_ms != 0 && row->end_ms >= row->start_ms &&
	       row->ended_by != HISTORY_END_NONE && row->sip_status >= 200 &&
	       row->direction[0] != '\0' && row->call_id_in[0] != '\0';
}

bool story_check_row(struct story *story)
{
	node_wait(story->node, 2 * WHEEL_TICK_MS); // the row goes out when the figures are in
	const struct history_call *row = fake_history_take_row(story->node->history);
	struct field fields[ROW_FIELDS];
	if (row == NULL)
		return story_fail(story, "no record was left");
	if (!is_whole(row))
		return story_fail(story,
				  "the record is not whole: sid \"%s\", status %u, "
				  "ended by %u, start %" PRIu64 ", end %" PRIu64,
				  row->sid, row->sip_status, row->ended_by, row->start_ms,
				  row->end_ms);
	read_row(row, fields);
	const char *word;
	while ((word = words_take(&story->words)) != NULL) {
		struct text expected = text_of(word);
		struct text name = text_split(&expected, '=');
		const char *value = find(fields, ROW_FIELDS, name);
		if (value == NULL)
			return story_fail(story, "a record has no field %.*s", TEXT_FORMAT(name));
		bool is_ladder = text_is_equal(name, TEXT("ladder"));
		if (is_ladder ? strstr(value, expected.data) == NULL
			      : strcmp(value, expected.data) != 0)
			return story_fail(story, "expected %s\ngot %.*s=%s", word,
					  TEXT_FORMAT(name), value);
	}
	return true;
}

// seen and expected: a part of what stands there is enough.
static bool check_part(struct story *story, const char *name, const char *value)
{
	const char *part = words_take(&story->words);
	return (part != NULL && strstr(value, part) != NULL) ||
	       story_fail(story, "expected %s \"%s\", got \"%s\"", name, part ? part : "", value);
}

bool story_check_alert(struct story *story)
{
	const struct history_alert *alert = fake_history_take_alert(story->node->history);
	unsigned long code;
	if (!story_take_number(story, &code))
		return false;
	if (alert == NULL)
		return story_fail(story, "no alert was raised");
	if (alert->code != code)
		return story_fail(story, "alert %" PRIu32 " (%s: %s) came first", alert->code,
				  alert->header, alert->seen);
	bool is_of_node = code == LEAK_CODE || code == DOWN_CODE || code == UP_CODE ||
			  code == OVERLOAD_CODE || code == UNKNOWN_CODE; // of no call's
	size_t size = is_of_node ? 0 : 34;
	size_t call_size = words_take_if(&story->words, "callless") ? 0 : size;
	if (strlen(alert->call_sid) != call_size || strlen(alert->account_sid) != size ||
	    strlen(alert->trunk_sid) != (code == TRUNKLESS_CODE ? 0 : size) || alert->at_ms == 0 ||
	    alert->text[0] == '\0')
		return story_fail(story, "the alert names no call, account, trunk, time or fix");
	const char *word;
	while ((word = words_take(&story->words)) != NULL) {
		const char *value = strcmp(word, "header") == 0     ? alert->header
				    : strcmp(word, "seen") == 0     ? alert->seen
				    : strcmp(word, "expected") == 0 ? alert->expected
				    : strcmp(word, "source") == 0   ? alert->source
				    : strcmp(word, "fix") == 0      ? alert->text
				    : strcmp(word, "cause") == 0    ? alert->cause
				    : strcmp(word, "severity") == 0
					    ? history_severity_text(alert->severity)
					    : NULL;
		if (value == NULL)
			return story_fail(story, "an alert has no %s", word);
		if (!check_part(story, word, value))
			return false;
	}
	return true;
}

// "trigger fired CODE held N", "trigger silent": since the last time this was asked.
bool story_check_trigger(struct story *story)
{
	const struct history_notification *fired =
		fake_history_take_notification(story->node->history);
	unsigned long code, held = 0;
	if (words_take_if(&story->words, "silent"))
		return fired == NULL ||
		       story_fail(story, "a trigger fired for %" PRIu32, fired->alert.code);
	if (!words_take_if(&story->words, "fired") || !story_take_number(story, &code))
		return story_fail(story, "trigger fired CODE [held N] | trigger silent");
	if (words_take_if(&story->words, "held") && !story_take_number(story, &held))
		return false;
	if (fired == NULL)
		return story_fail(story, "no trigger fired");
	return (fired->alert.code == code && fired->held_back == held &&
		strlen(fired->trigger_sid) == 34 && fired->alert.call_sid[0] != '\0') ||
	       story_fail(story, "a trigger fired for %" PRIu32 ", %" PRIu32 " held back",
			  fired->alert.code, fired->held_back);
}

// ---- the end

static bool check_messages(struct story *story)
{
	for (unsigned i = 0; agent_at(i) != NULL; i++) {
		if (!story_is_silent(story, agent_at(i)))
			return false;
	}
	const struct wire *wire = &story->node->wire;
	for (unsigned i = 0; i < wire->count; i++) {
		const struct wire_packet *packet = wire->packets[i];
		const char *leak = packet->is_inbound ? NULL : agents_leak(&story->agents, packet);
		if (leak != NULL)
			return story_fail(story, "\"%s\" has no business in\n%s", leak,
					  packet->octets);
	}
	return true;
}

static bool check_traces(struct story *story)
{
	const struct history_alert *alert = fake_history_take_alert(story->node->history);
	const struct history_call *row = fake_history_take_row(story->node->history);
	if (alert != NULL)
		return story_fail(story, "nobody named alert %" PRIu32 ": %s \"%s\", expected %s",
				  alert->code, alert->header, alert->seen, alert->expected);
	return row == NULL || story_fail(story, "nobody named the record of a call: %u %s\n%s",
					 row->sip_status, row->reason, row->ladder);
}

bool story_is_clear(struct story *story)
{
	static const char line[] =
		"calls 0, dialogs 0, transactions 0, streams 0, ports 0, records 0";
	return words_split(&story->words, line) && story_do(story);
}

static const struct wire_packet *find_request(const struct wire *wire, unsigned before,
					      const struct wire_packet *answer)
{
	for (unsigned i = before; i-- > 0;) {
		const struct wire_packet *packet = wire->packets[i];
		if (packet->is_inbound && packet->message.is_request &&
		    address_is_equal(&packet->source, &answer->destination) &&
		    text_is_equal(packet->message.via.branch, answer->message.via.branch) &&
		    text_is_equal(packet->message.method_text, answer->message.method_text))
			return packet;
	}
	return NULL;
}

// Whoever has proved nothing must not be able to send somebody else more than it sends itself: no
// answer to mallory, whose address may be forged, is longer than its request.
static bool check_answers(struct story *story)
{
	const struct wire *wire = &story->node->wire;
	const struct agent *stranger = agent_find(TEXT("mallory"));
	struct address address;
	if (stranger == NULL || !address_parse(text_of(stranger->address), &address))
		return story_fail(story, "nobody is a stranger");
	for (unsigned i = 0; i < wire->count; i++) {
		const struct wire_packet *answer = wire->packets[i];
		if (answer->is_inbound || answer->message.is_request ||
		    !address_is_equal(&answer->destination, &address))
			continue;
		const struct wire_packet *request = find_request(wire, i, answer);
		if (request != NULL && answer->size > request->size)
			return story_fail(story, "a stranger heard more than it said:\n%s",
					  answer->octets);
	}
	return true;
}

bool story_end(struct story *story)
{
	if (!check_answers(story))
		return false;
	if (!check_messages(story))
		return false;
	node_outlive(story->node);
	return check_messages(story) && check_traces(story) && story_is_clear(story);
}
