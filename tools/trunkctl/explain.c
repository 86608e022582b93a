// What becomes of an INVITE, line by line, in the order in which trunkd asks. Prints nothing a terminal
// would obey.

#include "explain.h"

#include <stdbool.h>
#include <string.h>

#include "format.h"

#define RESULT_WIDTH 10
#define CHECK_WIDTH 15

static const char *text_at(const json_t *object, const char *key, char room[static FORMAT_SIZE])
{
	const json_t *value = json_object_get(object, key);
	return value && !json_is_null(value) ? format_value(key, value, room) : "";
}

static bool is_set(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text && text[0];
}

static void print_head(const json_t *explanation, FILE *out)
{
	char room[FORMAT_SIZE];
	fprintf(out, "INVITE %s", text_at(explanation, "request_uri", room));
	fprintf(out, " from %s", text_at(explanation, "source", room));
	fprintf(out, " by %s\n", text_at(explanation, "transport", room));
	if (is_set(explanation, "trunk"))
		fprintf(out, "trunk %s", text_at(explanation, "trunk", room));
	if (is_set(explanation, "account"))
		fprintf(out, " of account %s\n", text_at(explanation, "account", room));
	fputc('\n', out);
}

static void print_step(const json_t *step, FILE *out)
{
	char result[FORMAT_SIZE], check[FORMAT_SIZE], room[FORMAT_SIZE];
	fprintf(out, "  %-*s  %-*s  %s\n", RESULT_WIDTH, text_at(step, "result", result),
		CHECK_WIDTH, text_at(step, "check", check), text_at(step, "text", room));
	if (is_set(step, "detail"))
		fprintf(out, "  %-*s  %-*s    %s\n", RESULT_WIDTH, "", CHECK_WIDTH, "",
			text_at(step, "detail", room));
}

static void print_line(const json_t *object, const char *label, const char *key, FILE *out)
{
	char room[FORMAT_SIZE];
	if (is_set(object, key))
		fprintf(out, "  %-9s %s\n", label, text_at(object, key, room));
}

static void print_outcome(const json_t *explanation, FILE *out)
{
	char room[FORMAT_SIZE];
	fprintf(out, "\n%s%s", text_at(explanation, "outcome", room),
		json_is_true(json_object_get(explanation, "challenged"))
			? ", after a challenge (407) that is answered with the right password"
			: "");
	if (json_is_integer(json_object_get(explanation, "alert_code")))
		fprintf(out, ", alert %lld",
			json_integer_value(json_object_get(explanation, "alert_code")));
	fputc('\n', out);
	print_line(explanation, "header", "header", out);
	print_line(explanation, "seen", "seen", out);
	print_line(explanation, "expected", "expected", out);
	print_line(explanation, "fix", "fix", out);
}

static void print_target(const json_t *target, size_t nth, FILE *out)
{
	char name[FORMAT_SIZE], host[FORMAT_SIZE], transport[FORMAT_SIZE], media[FORMAT_SIZE];
	char priority[FORMAT_SIZE], weight[FORMAT_SIZE], state[FORMAT_SIZE];
	fprintf(out, "  %zu. %s at %s by %s, %s, priority %s weight %s, %s\n", nth + 1,
		text_at(target, "name", name), text_at(target, "host", host),
		text_at(target, "transport", transport), text_at(target, "media", media),
		text_at(target, "priority", priority), text_at(target, "weight", weight),
		text_at(target, "state", state));
}

static void print_sdp(const char *sdp, FILE *out)
{
	char room[FORMAT_SIZE];
	struct cursor lines = cursor_of(text_of(sdp));
	fputs("\nwould be offered (port and keys are examples)\n", out);
	while (!cursor_is_done(&lines)) {
		struct writer writer = writer_of(room, sizeof(room));
		format_safe(&writer, cursor_line(&lines));
		const char *line = writer_string_done(&writer);
		fprintf(out, "  %s\n", line ? line : "(too long, see --json)");
	}
}

void explain_print(const json_t *explanation, FILE *out)
{
	const json_t *steps = json_object_get(explanation, "steps");
	const json_t *targets = json_object_get(explanation, "targets");
	const char *sdp = json_string_value(json_object_get(explanation, "sdp"));
	print_head(explanation, out);
	for (size_t i = 0; i < json_array_size(steps); i++)
		print_step(json_array_get(steps, i), out);
	print_outcome(explanation, out);
	if (json_array_size(targets) > 0)
		fputs("\nwould be tried, equals by a draw of their weights\n", out);
	for (size_t i = 0; i < json_array_size(targets); i++)
		print_target(json_array_get(targets, i), i, out);
	if (sdp)
		print_sdp(sdp, out);
}
