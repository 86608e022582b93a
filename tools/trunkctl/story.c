// `show call` for people. Plain ASCII, 80 columns and a bit; everything from the network goes through
// format_value, which lets no control character pass.

#include "story.h"

#include <string.h>

#include "format.h"
#include "table.h"

#define LANE 27 // columns between two of the ladder's lines
#define LADDER_INDENT 16 // columns before the first of them

struct story {
	const json_t *call;
	FILE *out;
};

struct cell {
	char room[FORMAT_SIZE];
};

static const char *get(const json_t *object, const char *key, struct cell *cell)
{
	return format_value(key, json_object_get(object, key), cell->room);
}

static bool has(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return value && !json_is_null(value) &&
	       !(json_is_string(value) && json_string_length(value) == 0);
}

static bool is_text(const json_t *object, const char *key, const char *wanted)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text && strcmp(text, wanted) == 0;
}

// "caller by tls 1.3 TLS_AES_128_GCM_SHA256", of a call that is up.
static void print_way(const struct story *story, const char *party, const char *name)
{
	struct cell cell;
	char key[32];
	snprintf(key, sizeof(key), "%s_transport", party);
	if (!has(story->call, key))
		return;
	fprintf(story->out, "%s by %s", name, get(story->call, key, &cell));
	static const char *const FURTHER[] = { "tls", "cipher" };
	for (unsigned i = 0; i < 2; i++) {
		snprintf(key, sizeof(key), "%s_%s", party, FURTHER[i]);
		if (has(story->call, key))
			fprintf(story->out, " %s", get(story->call, key, &cell));
	}
}

// A call from the PSTN: the carrier calls, and the PBX is called.
static bool is_origination(const struct story *story)
{
	return is_text(story->call, "direction", "origination");
}

static void print_head(const struct story *story)
{
	struct cell a, b, c;
	const json_t *call = story->call;
	fprintf(story->out, "call %s  %s\n", get(call, "sid", &a), get(call, "state", &b));
	fprintf(story->out, "  %s calls %s\n", get(call, "from", &a), get(call, "to", &b));
	fprintf(story->out, "  trunk %s", get(call, "trunk", &a));
	if (has(call, "carrier"))
		fprintf(story->out, is_origination(story) ? ", from carrier %s" : ", carrier %s",
			get(call, "carrier", &b));
	if (has(call, "uri"))
		fprintf(story->out, ", to %s", get(call, "uri", &b));
	if (json_integer_value(json_object_get(call, "attempts")) > 1)
		fprintf(story->out, " (%s tried: %s)", is_origination(story) ? "URIs" : "carriers",
			get(call, "attempts", &b));
	fputc('\n', story->out);
	fprintf(story->out, "  began %s, lasted %s", get(call, "started_at", &a),
		get(call, "duration_s", &b));
	fprintf(story->out, has(call, "talk_s") ? ", talked %s\n" : ", was not answered\n",
		get(call, "talk_s", &c));
	if (!has(call, "caller_transport"))
		return;
	print_way(story, "caller", "  caller");
	print_way(story, "called", ", carrier");
	fputc('\n', story->out);
}

static const char *enders(const struct story *story)
{
	const json_t *call = story->call;
	static const char *const WHO[][2] = { { "caller", "the caller" },
					      { "called", "the carrier's side" },
					      { "trunkd", "trunkd" },
					      { "operator", "the operator" },
					      { "lost", "nobody" } };
	for (unsigned i = 0; i < sizeof(WHO) / sizeof(WHO[0]); i++)
		if (is_text(call, "ended_by", WHO[i][0]))
			return i == 1 && is_origination(story) ? "the PBX" : WHO[i][1];
	return "nobody we know of";
}

static void print_end(const struct story *story)
{
	struct cell cell;
	const json_t *call = story->call;
	if (!is_text(call, "state", "ended"))
		return;
	fprintf(story->out, "  ended by %s", enders(story));
	if (has(call, "reason"))
		fprintf(story->out, ": %s", get(call, "reason", &cell));
	if (json_integer_value(json_object_get(call, "sip_status")) > 0)
		fprintf(story->out, " (SIP %s)", get(call, "sip_status", &cell));
	fputc('\n', story->out);
}

// A word in the middle of an arrow, in room of LANE columns and a zero.
static void draw_arrow(char room[static LANE + 1], const char *word, bool is_right)
{
	size_t size = strlen(word);
	size = size > LANE - 8 ? LANE - 8 : size;
	size_t from = (LANE - size) / 2;
	memset(room, '-', LANE);
	room[LANE] = 0;
	room[0] = room[LANE - 1] = ' ';
	room[is_right ? LANE - 2 : 1] = is_right ? '>' : '<';
	room[from - 1] = room[from + size] = ' ';
	memcpy(room + from, word, size);
}

static void print_step(const struct story *story, const json_t *step)
{
	char left[LANE + 1], right[LANE + 1];
	struct cell what;
	bool is_caller = is_text(step, "leg", "caller");
	bool is_in = is_text(step, "direction", "in");
	double ms = json_number_value(json_object_get(step, "ms"));
	memset(left, ' ', LANE);
	memset(right, ' ', LANE);
	left[LANE] = right[LANE] = 0;
	// In from the caller goes right, in from the carrier goes left.
	draw_arrow(is_caller ? left : right, get(step, "what", &what), is_caller == is_in);
	fprintf(story->out, "  %9.3f s   |%s|%s|\n", ms / 1000, left, right);
}

// Three texts, each in the middle above its line.
static void print_parties(const struct story *story, const char *const texts[3])
{
	char room[LADDER_INDENT + 4 * LANE];
	memset(room, ' ', sizeof(room));
	size_t end = 0;
	for (unsigned i = 0; i < 3; i++) {
		size_t size = strlen(texts[i]), middle = LADDER_INDENT + i * (LANE + 1);
		size_t from = size / 2 < middle ? middle - size / 2 : 0;
		from = end > 0 && from <= end ? end + 1 : from;
		from = from > sizeof(room) ? sizeof(room) : from;
		size = from + size <= sizeof(room) ? size : sizeof(room) - from;
		memcpy(room + from, texts[i], size);
		end = from + size;
	}
	while (end > 0 && room[end - 1] == ' ')
		end--;
	fprintf(story->out, "%.*s\n", (int)end, room);
}

static void print_ladder(const struct story *story)
{
	struct cell a, b;
	const json_t *call = story->call, *ladder = json_object_get(call, "ladder");
	if (json_array_size(ladder) == 0)
		return;
	bool is_routed = has(call, "called_address");
	fputc('\n', story->out);
	print_parties(story, (const char *const[]){ "caller", "trunkd",
						    is_origination(story) ? "PBX" : "carrier" });
	print_parties(story,
		      (const char *const[]){ get(call, "caller_address", &a), "",
					     is_routed ? get(call, "called_address", &b) : "" });
	for (size_t i = 0; i < json_array_size(ladder); i++)
		print_step(story, json_array_get(ladder, i));
}

static const char *party(const struct story *story, const json_t *media, bool is_other)
{
	bool is_caller = is_text(media, "from", "caller") != is_other;
	return is_caller ? "caller" : is_origination(story) ? "PBX" : "carrier";
}

static void add_leg(const struct story *story, struct table *table, const json_t *leg)
{
	struct cell cell;
	bool is_learned = json_is_true(json_object_get(leg, "source_is_learned"));
	table_add(table, party(story, leg, false));
	table_add(table, get(leg, is_learned ? "source" : "remote", &cell));
	table_add(table, is_learned ? "(learned) ->" : "->");
	table_add(table, get(leg, "local", &cell));
	table_add(table, get(leg, "codec", &cell));
	if (!has(leg, "suite") || is_text(leg, "suite", "none")) {
		table_add(table, "RTP");
		return;
	}
	struct cell suite, rollover;
	char room[sizeof(suite) + sizeof(rollover)];
	const char *name = get(leg, "suite", &suite);
	if (has(leg, "rollover")) // of a call that is up
		snprintf(room, sizeof(room), "SRTP %s, rollover counter %s", name,
			 get(leg, "rollover", &rollover));
	else
		snprintf(room, sizeof(room), "SRTP %s", name);
	table_add(table, room);
}

static void print_legs(const struct story *story)
{
	struct table table;
	const json_t *legs = json_object_get(story->call, "media");
	table_init(&table, 6);
	for (size_t i = 0; i < json_array_size(legs); i++)
		if (has(json_array_get(legs, i), "local")) // records of failed calls have none
			add_leg(story, &table, json_array_get(legs, i));
	if (table.count > 0)
		fputs("\n  legs\n", story->out);
	table_print(&table, story->out, "    ");
	table_clear(&table);
}

static json_int_t sum_of(const json_t *object)
{
	json_int_t sum = 0;
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)object, key, value) sum += json_integer_value(value);
	return sum;
}

static void add_media_row(const struct story *story, struct table *table, const json_t *media)
{
	static const char *const KEYS[] = { "packets",      "octets",    "lost",
					    "loss_percent", "jitter_ms", "ttl_lowest" };
	struct cell cell;
	char room[64];
	snprintf(room, sizeof(room), "%s -> %s", party(story, media, false),
		 party(story, media, true));
	table_add(table, room);
	for (unsigned i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		table_add(table, get(media, KEYS[i], &cell));
	snprintf(room, sizeof(room), "%.1f", json_number_value(json_object_get(media, "mos")));
	table_add(table, has(media, "mos") ? room : "-");
	snprintf(room, sizeof(room), "%lld", (long long)sum_of(json_object_get(media, "drops")));
	table_add(table, room);
}

static void print_drops(const struct story *story, const json_t *media)
{
	const json_t *drops = json_object_get(media, "drops");
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)drops, key, value)
	{
		char room[FORMAT_SIZE];
		if (json_integer_value(value) > 0)
			fprintf(story->out, "    dropped from the %s for %s: %lld packets\n",
				party(story, media, false), format_label(key, room),
				(long long)json_integer_value(value));
	}
}

static void print_verdict(const struct story *story, const json_t *media)
{
	struct cell cell;
	if (!has(media, "last_verdict") || is_text(media, "last_verdict", "none"))
		return;
	bool is_over = is_text(media, "verdict", "none");
	fprintf(story->out, "    the %s %s not hear the %s: %s\n", party(story, media, true),
		is_over ? "for a while did" : "does", party(story, media, false),
		get(media, "last_verdict", &cell));
}

static void print_media(const struct story *story)
{
	static const char *const HEADINGS[] = { "direction",  "packets", "octets",
						"lost",       "loss",    "jitter",
						"lowest TTL", "MOS",     "dropped" };
	enum { COLUMNS = sizeof(HEADINGS) / sizeof(HEADINGS[0]) };
	struct table table;
	const json_t *media = json_object_get(story->call, "media");
	if (json_array_size(media) == 0)
		return;
	table_init(&table, COLUMNS);
	for (unsigned i = 0; i < COLUMNS; i++) {
		table.is_right[i] = i > 0;
		table_add(&table, HEADINGS[i]);
	}
	for (size_t i = 0; i < json_array_size(media); i++)
		add_media_row(story, &table, json_array_get(media, i));
	fputs("\n  media\n", story->out);
	table_print(&table, story->out, "    ");
	table_clear(&table);
	for (size_t i = 0; i < json_array_size(media); i++)
		print_drops(story, json_array_get(media, i));
	for (size_t i = 0; i < json_array_size(media); i++)
		print_verdict(story, json_array_get(media, i));
}

static void print_alerts(const struct story *story)
{
	const json_t *alerts = json_object_get(story->call, "alerts");
	if (json_array_size(alerts) > 0)
		fputs("\n  alerts\n", story->out);
	for (size_t i = 0; i < json_array_size(alerts); i++) {
		const json_t *alert = json_array_get(alerts, i);
		struct cell code, text;
		fprintf(story->out, "    %s  %s\n", get(alert, "code", &code),
			get(alert, "text", &text));
		if (has(alert, "header"))
			fprintf(story->out, "           in %s", get(alert, "header", &text));
		if (has(alert, "header"))
			fprintf(story->out, ": seen %s", get(alert, "seen", &text));
		if (has(alert, "header"))
			fprintf(story->out, ", expected %s\n", get(alert, "expected", &text));
	}
}

void story_print(const json_t *call, FILE *out)
{
	const struct story story = { call, out };
	print_head(&story);
	print_end(&story);
	print_ladder(&story);
	print_legs(&story);
	print_media(&story);
	print_alerts(&story);
}
