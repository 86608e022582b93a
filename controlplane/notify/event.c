// An alert that fired a trigger, as a form and as a mail. Runs on any thread.

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "notify/content.h"

#define VALUE_MAX 1024

// Texts from the network need not be UTF-8, JSON must be.
static json_t *string_of(const char *string)
{
	char room[VALUE_MAX];
	json_t *value = json_string(string);
	if (value)
		return value;
	text_copy_cut(text_of(string), room, sizeof(room));
	for (char *at = room; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return json_string(room);
}

static void set(json_t *object, const char *name, const char *value)
{
	(void)json_object_set_new(object, name, string_of(value));
}

static char *payload_of(const struct notify_event *event, const char *code)
{
	json_t *payload = json_object(), *more = json_object();
	json_t *resource = event->resource_sid[0] ? string_of(event->resource_sid) : json_null();
	set(more, "Msg", event->title);
	set(more, "ErrorCode", code);
	set(more, "LogLevel", event->is_error ? "ERROR" : "WARNING");
	set(more, "cause", event->cause);
	set(more, "text", event->text);
	set(more, "header", event->header);
	set(more, "seen", event->seen);
	set(more, "expected", event->expected);
	set(more, "source", event->source);
	set(more, "more_info", event->more_info);
	set(more, "trigger_sid", event->trigger_sid);
	(void)json_object_set_new(more, "held_back", json_integer(event->held_back));
	(void)json_object_set_new(payload, "resource_sid", resource);
	(void)json_object_set_new(payload, "service_sid", json_null());
	set(payload, "error_code", code);
	(void)json_object_set_new(payload, "more_info", more);
	(void)json_object_set_new(payload, "webhook", json_null());
	char *text = json_dumps(payload, JSON_COMPACT);
	json_decref(payload);
	return text;
}

static void write_time(char room[static 32], uint64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm time;
	if (!gmtime_r(&seconds, &time) || strftime(room, 32, "%Y-%m-%dT%H:%M:%SZ", &time) == 0)
		room[0] = 0;
}

bool notify_content_event_form(struct notify_content *content, const char *url, const char *token,
			       const struct notify_event *event)
{
	char code[16], time[32];
	struct writer writer = writer_of(code, sizeof(code));
	content->signature[0] = content->idempotency[0] = 0;
	writer_unsigned(&writer, event->code);
	char *payload = payload_of(event, writer_string_done(&writer));
	if (!payload)
		return false;
	write_time(time, event->wall_ms);
	const struct notify_pair pairs[] = {
		{ "Sid", text_of(event->sid) },
		{ "AccountSid", text_of(event->account_sid) },
		{ "ParentAccountSid", text_of(event->parent_sid) },
		{ "Timestamp", text_of(time) },
		{ "Level", event->is_error ? TEXT("Error") : TEXT("Warning") },
		{ "PayloadType", TEXT("application/json") },
		{ "Payload", text_of(payload) },
	};
	text_copy_cut(text_of(event->sid), content->idempotency, sizeof(content->idempotency));
	bool is_good =
		notify_content_form(content, url, token, pairs, sizeof(pairs) / sizeof(pairs[0]));
	free(payload);
	return is_good;
}

static void write_row(struct writer *text, const char *name, const char *value)
{
	if (value[0] == 0)
		return;
	writer_format(text, "%s: ", name);
	for (const char *at = value; *at; at++) // a line of the mail is one of ours
		writer_char(text, *at == '\n' || *at == '\r' ? ' ' : *at);
	writer_char(text, '\n');
}

bool notify_content_event_mail(struct notify_content *content, const char *sender,
			       const char *recipient, const struct notify_event *event)
{
	char subject[160], room[4096], time[32];
	struct writer title = writer_of(subject, sizeof(subject));
	struct writer text = writer_of(room, sizeof(room));
	write_time(time, event->wall_ms);
	writer_format(&title, "trunkd %s %u: %.100s", event->is_error ? "error" : "warning",
		      event->code, event->title);
	write_row(&text, "What", event->title);
	write_row(&text, "Fix", event->text);
	write_row(&text, "When", time);
	write_row(&text, "Where", event->header);
	write_row(&text, "Seen", event->seen);
	write_row(&text, "Expected", event->expected);
	write_row(&text, "From", event->source);
	write_row(&text, "Call", event->resource_sid);
	write_row(&text, "Account", event->account_sid);
	write_row(&text, "More", event->more_info);
	if (event->held_back > 0)
		writer_format(&text,
			      "\nIt would have been sent %u times more since the last time.\n",
			      event->held_back);
	writer_format(&text, "\nYou get this because the trigger %.64s (%s) says so.\n",
		      event->trigger_name, event->trigger_sid);
	const char *subject_text = writer_string_done(&title);
	struct notify_letter letter = { .sender = sender,
					.recipient = recipient,
					.subject = subject_text ? subject_text : "trunkd alert",
					.text = writer_done(&text),
					.sid = event->sid,
					.wall_ms = event->wall_ms };
	return !text.failed && notify_content_mail(content, &letter);
}
