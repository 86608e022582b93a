// Answers as tables and as labelled values. What a key ends in says its unit (format.c), so that an
// answer this program does not know yet reads well too.

#include "show.h"

#include <ctype.h>
#include <string.h>

#include "explain.h"
#include "format.h"
#include "story.h"
#include "table.h"
#include "terminal.h"

#define LABEL_WIDTH 18

// Lists with columns of their own; a key that the rows lack is left out.
struct view {
	const char *key;
	const char *columns;
};

static const struct view VIEWS[] = {
	{ "calls", "sid state started_at from to trunk carrier duration_s talk_s sip_status "
		   "ended_by reason" },
	{ "streams", "call from verdict codec suite local source packets octets lost loss_percent "
		     "jitter_ms mos "
		     "ttl_lowest" },
	{ "changed_calls", "call at source trunk was would_be header seen why" },
	{ "pairs", "local state call since age_s worker leaked why" },
	{ "workers",
	  "worker core streams busy_percent polls idle_polls messages messages_stale outbox_full" },
	{ "certificates", "certificate names key not_after days_left default issuer file" },
	{ "connections",
	  "peer protocol opened_by state rank age_s heard_s received sent waiting_bytes tls "
	  "cipher" },
	{ "answers", "name type state ttl_left_s outcome records alias failures failure" },
	{ "bans", "address cause host since until left_s times dropped holds_for" },
	{ "usage",
	  "month account_name category count quantity unit minutes price currency unpriced" },
	{ "origination_uris", "uri priority weight enabled goes_to name sid" },
	{ "numbers",
	  "number valid problem country_name blocked voice sms mms why_not trunk account "
	  "sid" },
	{ "numbers",
	  "e164 name voice sms mms trunk_name voice_handler country type account_name sid" },
	{ "alerts", "at code cause severity source header seen expected text call" },
	{ "notifications", "at trigger code seen told held_back call sid" },
};

static bool has_first(const json_t *row, const char *columns)
{
	return json_object_getn(row, columns, strcspn(columns, " ")) != NULL;
}

// Of several views of one key it is the one whose first column the rows have; any, where there is no row.
static const char *columns_of(const char *key, const json_t *row)
{
	for (unsigned i = 0; i < sizeof(VIEWS) / sizeof(VIEWS[0]); i++)
		if (strcmp(VIEWS[i].key, key) == 0 && (!row || has_first(row, VIEWS[i].columns)))
			return VIEWS[i].columns;
	return NULL;
}

// The same value is there by name as well: "account" beside "account_name".
static bool is_named(const json_t *object, const char *key)
{
	char name[FORMAT_SIZE];
	snprintf(name, sizeof(name), "%s_name", key);
	if (json_object_get(object, name))
		return true;
	snprintf(name, sizeof(name), "%s_names", key);
	return json_object_get(object, name) != NULL;
}

static void add_heading(struct table *table, const char *key)
{
	char room[FORMAT_SIZE];
	(void)format_label(key, room);
	for (char *letter = room; *letter; letter++)
		*letter = (char)toupper((unsigned char)*letter);
	table_add(table, room);
}

// The keys of the columns, borrowed from `wanted` (copied into room) or from the row itself.
static unsigned choose_columns(const json_t *row, const char *wanted, char *room, size_t size,
			       const char *out_keys[TABLE_COLUMNS_MAX])
{
	unsigned count = 0;
	const char *key;
	json_t *value;
	if (wanted) {
		(void)text_copy(text_of(wanted), room, size);
		char *rest = room;
		while ((key = strsep(&rest, " ")) && count < TABLE_COLUMNS_MAX)
			if (json_object_get(row, key))
				out_keys[count++] = key;
		return count;
	}
	json_object_foreach((json_t *)row, key,
			    value) if (count < TABLE_COLUMNS_MAX && !json_is_object(value) &&
				       !is_named(row, key)) out_keys[count++] = key;
	return count;
}

// NUM-014: what a number can do, by name; text messages by a sign that is found in a long list.
static const char *number_cell(const char *key, const json_t *value, FILE *out,
			       char room[static FORMAT_SIZE])
{
	static const struct {
		const char *key, *name, *symbol;
	} ABILITIES[] = { { "voice", "Voice", "Voice" },
			  { "sms", "SMS", "\xe2\x9c\x89 SMS" }, // U+2709, an envelope
			  { "mms", "MMS", "MMS" } };
	for (unsigned i = 0; i < sizeof(ABILITIES) / sizeof(ABILITIES[0]); i++)
		if (json_is_boolean(value) && strcmp(key, ABILITIES[i].key) == 0)
			return json_is_false(value)        ? "-"
			       : terminal_has_symbols(out) ? ABILITIES[i].symbol
							   : ABILITIES[i].name;
	return format_value(key, value, room);
}

static void show_rows_at(const char *name, const json_t *array, const char *indent, FILE *out)
{
	char room[FORMAT_SIZE], value[FORMAT_SIZE];
	const char *keys[TABLE_COLUMNS_MAX];
	const json_t *first = json_array_get(array, 0);
	if (!first) {
		fprintf(out, "%sno %s\n", indent, format_label(name, value));
		return;
	}
	unsigned count = choose_columns(first, columns_of(name, first), room, sizeof(room), keys);
	struct table table;
	table_init(&table, count);
	for (unsigned i = 0; i < count; i++) {
		add_heading(&table, keys[i]);
		table.is_right[i] = json_is_number(json_object_get(first, keys[i]));
	}
	bool is_of_numbers = strcmp(name, "numbers") == 0;
	for (size_t row = 0; row < json_array_size(array); row++)
		for (unsigned i = 0; i < count; i++) {
			const json_t *cell = json_object_get(json_array_get(array, row), keys[i]);
			table_add(&table, is_of_numbers ? number_cell(keys[i], cell, out, value)
							: format_value(keys[i], cell, value));
		}
	table_print(&table, out, indent);
	table_clear(&table);
}

static void show_rows(const char *name, const json_t *array, FILE *out)
{
	show_rows_at(name, array, "", out);
}

// What became of the packets, for each worker, without the rows that are all zero.
static void show_verdicts(const json_t *workers, FILE *out)
{
	char value[FORMAT_SIZE];
	size_t count = json_array_size(workers);
	const char *key;
	json_t *ignored;
	struct table table;
	table_init(&table, (unsigned)count + 1);
	json_object_foreach(json_object_get(json_array_get(workers, 0), "verdicts"), key, ignored)
	{
		json_int_t sum = 0;
		for (size_t i = 0; i < count; i++)
			sum += json_integer_value(json_object_get(
				json_object_get(json_array_get(workers, i), "verdicts"), key));
		if (sum == 0)
			continue;
		table_add(&table, format_label(key, value));
		for (size_t i = 0; i < count && i + 1 < TABLE_COLUMNS_MAX; i++) {
			table.is_right[i + 1] = true;
			table_add(&table,
				  format_value(key,
					       json_object_get(
						       json_object_get(json_array_get(workers, i),
								       "verdicts"),
						       key),
					       value));
		}
	}
	fputc('\n', out);
	table_print(&table, out, "");
	table_clear(&table);
}

// A table, not a value: an empty one is known by its key.
static bool is_table(const char *key, const json_t *value)
{
	return json_is_array(value) &&
	       (json_array_size(value) > 0 ? json_is_object(json_array_get(value, 0))
					   : columns_of(key, NULL) != NULL);
}

static bool is_pair(const json_t *object, const char *key, const json_t *value)
{
	return !json_is_object(value) && !is_named(object, key) && !is_table(key, value) &&
	       strcmp(key, "warnings") != 0;
}

static int label_width(const json_t *object)
{
	const char *key;
	json_t *value;
	size_t width = LABEL_WIDTH;
	json_object_foreach((json_t *)object, key, value)
	{
		if (is_pair(object, key, value) && strlen(key) > width)
			width = strlen(key);
	}
	return (int)width;
}

// A switch that costs money when it is on is seen at once (CNAM-008).
static void print_value(const char *key, const json_t *value, FILE *out)
{
	char room[FORMAT_SIZE];
	bool is_switch = strcmp(key, "cnam") == 0 && json_is_boolean(value);
	if (!is_switch)
		fputs(format_value(key, value, room), out);
	else if (json_is_true(value))
		terminal_print_blue(out, "ENABLED");
	else
		fputs("disabled", out);
}

static void show_pairs(const json_t *object, const char *indent, FILE *out)
{
	char label[FORMAT_SIZE];
	const char *key;
	json_t *value;
	int width = label_width(object);
	json_object_foreach((json_t *)object, key, value)
	{
		if (!is_pair(object, key, value))
			continue;
		fprintf(out, "%s%-*s ", indent, width, format_label(key, label));
		print_value(key, value, out);
		fputc('\n', out);
	}
	json_object_foreach((json_t *)object, key, value)
	{
		if (!json_is_object(value))
			continue;
		fprintf(out, "%s%s\n", indent, format_label(key, label));
		show_pairs(value, "  ", out); // answers are two levels deep at most
	}
}

// TRUNK-002: a trunk's settings, group by group.
static void show_groups(const json_t *trunk, FILE *out)
{
	char room[FORMAT_SIZE];
	const char *key, *name;
	json_t *group, *value;
	bool is_first = true;
	json_object_foreach((json_t *)trunk, key, group)
	{
		(void)format_label(key, room);
		room[0] = (char)toupper((unsigned char)room[0]);
		fprintf(out, "%s%s\n", is_first ? "" : "\n", room);
		is_first = false;
		show_pairs(group, "  ", out);
		json_object_foreach(group, name, value) if (is_table(name, value))
			show_rows_at(name, value, "  ", out);
	}
}

// NUM-007: as radio buttons, the one that holds is marked; without choices only that one is told.
static void show_handler(const char *handler, const json_t *choices, FILE *out)
{
	static const struct {
		const char *word, *label;
	} LABELS[] = { { "sip_trunking", "SIP Trunking" },
		       { "url", "URL" },
		       { "application", "Application" },
		       { "none", "None" } };
	for (unsigned i = 0; i < sizeof(LABELS) / sizeof(LABELS[0]); i++) {
		bool is_chosen = strcmp(handler, LABELS[i].word) == 0;
		if (json_array_size(choices) > 0)
			fprintf(out, "%s(%c) %s", i > 0 ? "  " : "", is_chosen ? '*' : ' ',
				LABELS[i].label);
		else if (is_chosen)
			fputs(LABELS[i].label, out);
	}
	fputc('\n', out);
}

// A number's settings, and in a section of their own what becomes of its calls.
static void show_number(const json_t *number, const json_t *choices, FILE *out)
{
	static const char *const VOICE[] = { "trunk", "trunk_name", "voice_url",
					     "voice_application", "voice_handler" };
	json_t *rest = json_copy((json_t *)number), *voice = json_object();
	for (unsigned i = 0; i < sizeof(VOICE) / sizeof(VOICE[0]); i++) {
		if (i < 4)
			(void)json_object_set(voice, VOICE[i], json_object_get(number, VOICE[i]));
		(void)json_object_del(rest, VOICE[i]);
	}
	show_pairs(rest, "", out);
	fprintf(out, "\nVoice\n  %-*s ", LABEL_WIDTH, "voice handler");
	show_handler(json_string_value(json_object_get(number, "voice_handler")), choices, out);
	show_pairs(voice, "  ", out);
	json_decref(rest);
	json_decref(voice);
}

static bool is_number(const json_t *object)
{
	return json_is_string(json_object_get(object, "voice_handler"));
}

static void show_commands(const json_t *commands, FILE *out)
{
	struct table table;
	table_init(&table, 2);
	for (size_t i = 0; i < json_array_size(commands); i++) {
		const json_t *command = json_array_get(commands, i);
		char room[FORMAT_SIZE];
		snprintf(room, sizeof(room), "%s %s",
			 json_string_value(json_object_get(command, "command")),
			 json_string_value(json_object_get(command, "arguments")));
		table_add(&table, room);
		table_add(&table, json_string_value(json_object_get(command, "text")));
	}
	table_print(&table, out, "  ");
	table_clear(&table);
}

static void show_help(const json_t *answer, FILE *out)
{
	char room[FORMAT_SIZE];
	const json_t *fields = json_object_get(answer, "fields");
	const json_t *kinds = json_object_get(answer, "kinds");
	show_commands(json_object_get(answer, "commands"), out);
	if (fields) {
		fputs("\nfields\n", out);
		show_rows("fields", fields, out);
	}
	if (json_is_string(json_array_get(kinds, 0)))
		fprintf(out, "\nKIND is one of: %s\n", format_value("kinds", kinds, room));
	else if (kinds)
		show_rows("kinds", kinds, out);
}

static void show_texts(const char *heading, const json_t *texts, FILE *out)
{
	if (json_array_size(texts) > 0)
		fprintf(out, "\n%s\n", heading);
	for (size_t i = 0; i < json_array_size(texts); i++)
		fprintf(out, "  - %s\n", json_string_value(json_array_get(texts, i)));
}

static const char *text_in(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "-";
}

// The texts are trunkd's own: nothing in them is from the network.
static void show_code(const json_t *code, FILE *out)
{
	const json_t *example = json_object_get(code, "example");
	fprintf(out, "%lld  %s  (%s)\n\n%s\n",
		(long long)json_integer_value(json_object_get(code, "code")),
		text_in(code, "title"), text_in(code, "severity"), text_in(code, "means"));
	show_texts("on the wire", json_object_get(code, "answers"), out);
	fprintf(out, "\nexample\n  %s: seen %s, expected %s\n", text_in(example, "header"),
		text_in(example, "seen"), text_in(example, "expected"));
	const json_t *labels = json_object_get(code, "labels");
	if (json_array_size(labels) > 1) { // what shares a code is told apart by its cause
		fputc('\n', out);
		show_rows_at("labels", labels, "  ", out);
	}
	show_texts("possible causes", json_object_get(code, "causes"), out);
	show_texts("remedies", json_object_get(code, "remedies"), out);
	show_texts("in general", json_object_get(code, "guides"), out);
	if (json_is_string(json_object_get(code, "more_info")))
		fprintf(out, "\nmore: %s\n", text_in(code, "more_info"));
}

static void show_lists(const json_t *answer, FILE *out)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)answer, key,
			    value) if (json_is_array(value) && strcmp(key, "warnings") != 0)
		show_rows(key, value, out);
}

// What stands beside totals comes after them.
static void show_tables(const json_t *answer, FILE *out)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)answer, key, value) if (is_table(key, value))
		show_rows(key, value, out);
}

static void show_warnings(const json_t *answer, FILE *out)
{
	const json_t *warnings = json_object_get(answer, "warnings");
	for (size_t i = 0; i < json_array_size(warnings); i++) {
		char room[FORMAT_SIZE];
		fprintf(out, "warning: %s\n",
			format_value("warning", json_array_get(warnings, i), room));
	}
}

static bool has_lists_only(const json_t *answer)
{
	const char *key;
	json_t *value;
	unsigned lists = 0;
	json_object_foreach((json_t *)answer, key, value)
	{
		if (!json_is_array(value))
			return false;
		lists += json_is_array(value);
	}
	return lists > 0;
}

// A change answers with the SID and the object as it is now: the object says it all.
static const json_t *changed_object(const json_t *answer)
{
	const char *key, *sid = json_string_value(json_object_get(answer, "sid"));
	json_t *value;
	json_object_foreach((json_t *)answer, key, value)
	{
		const char *own = json_string_value(json_object_get(value, "sid"));
		if (sid && own && strcmp(sid, own) == 0)
			return value;
	}
	return NULL;
}

static void show_content(const json_t *answer, FILE *out)
{
	const json_t *call = json_object_get(answer, "call"), *changed = changed_object(answer);
	if (json_is_object(call))
		story_print(call, out);
	else if (json_is_object(json_object_get(json_object_get(answer, "trunk"), "general")))
		show_groups(json_object_get(answer, "trunk"), out);
	else if (is_number(json_object_get(answer, "number")))
		show_number(json_object_get(answer, "number"),
			    json_object_get(answer, "voice_handlers"), out);
	else if (json_is_object(json_object_get(answer, "bundle"))) { // fit for a file
		(void)json_dumpf(json_object_get(answer, "bundle"), out, JSON_INDENT(2));
		fputc('\n', out);
	} else if (json_is_object(json_object_get(answer, "alert_code")))
		show_code(json_object_get(answer, "alert_code"), out);
	else if (json_object_get(answer, "explanation"))
		explain_print(json_object_get(answer, "explanation"), out);
	else if (json_is_string(json_object_get(answer, "pem"))) // fit for a file
		fputs(json_string_value(json_object_get(answer, "pem")), out);
	else if (json_is_string(json_object_get(answer, "text"))) // so is this
		fputs(json_string_value(json_object_get(answer, "text")), out);
	else if (json_object_get(answer, "commands"))
		show_help(answer, out);
	else if (has_lists_only(answer))
		show_lists(answer, out);
	else {
		show_pairs(changed ? changed : answer, "", out);
		show_tables(answer, out);
	}
	if (json_array_size(json_object_get(answer, "workers")) > 0)
		show_verdicts(json_object_get(answer, "workers"), out);
	show_warnings(answer, out);
}

void show_answer(const json_t *answer, FILE *out)
{
	json_t *content = json_copy((json_t *)answer);
	(void)json_object_del(content, "status"); // of the command; an object's own is shown
	show_content(content, out);
	json_decref(content);
}

void show_refusal(const json_t *answer, FILE *out)
{
	char room[FORMAT_SIZE];
	const json_t *field = json_object_get(answer, "field");
	const json_t *hint = json_object_get(answer, "hint");
	fprintf(out, "trunkctl: %s", field ? format_value("field", field, room) : "");
	fputs(field ? ": " : "", out);
	// Several lines in one message: one of each problem of a configuration file.
	const char *message = json_string_value(json_object_get(answer, "message"));
	struct cursor lines = cursor_of(text_of(message ? message : "refused"));
	while (!cursor_is_done(&lines)) {
		struct writer writer = writer_of(room, sizeof(room));
		format_safe(&writer, cursor_line(&lines));
		const char *line = writer_string_done(&writer);
		fprintf(out, "%s\n", line ? line : "(too long, see --json)");
	}
	if (hint)
		fprintf(out, "  %s\n", format_value("hint", hint, room));
}
