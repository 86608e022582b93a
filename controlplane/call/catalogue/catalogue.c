// Looking up and printing the texts of alerts. Runs on any thread; reads constants only.

#include "call/catalogue/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "call/refusal.h"

static int compare(const void *key, const void *entry)
{
	uint32_t code = *(const uint32_t *)key,
		 other = ((const struct catalogue_entry *)entry)->code;
	return code < other ? -1 : code > other;
}

const struct catalogue_entry *catalogue_find(uint32_t code)
{
	return bsearch(&code, catalogue_entries, catalogue_entry_count,
		       sizeof(struct catalogue_entry), compare);
}

enum history_severity catalogue_severity(uint32_t code)
{
	const struct catalogue_entry *entry = catalogue_find(code);
	return entry ? entry->severity : HISTORY_SEVERITY_WARNING;
}

enum catalogue_language catalogue_language_of(struct text word)
{
	if (text_is_equal(word, TEXT("en")))
		return CATALOGUE_ENGLISH;
	return text_is_equal(word, TEXT("ja")) ? CATALOGUE_JAPANESE : CATALOGUE_LANGUAGES;
}

static bool is_told_before(unsigned cause)
{
	const struct refusal_row *row = refusal_row((enum refusal_cause)cause);
	for (unsigned i = REFUSED_NOT + 1; i < cause; i++) {
		const struct refusal_row *other = refusal_row((enum refusal_cause)i);
		if (other->alert_code == row->alert_code && other->status == row->status &&
		    strcmp(other->phrase, row->phrase) == 0)
			return true;
	}
	return false;
}

const char *catalogue_answer(uint32_t code, unsigned place, char room[static 64])
{
	for (unsigned i = REFUSED_NOT + 1; i < REFUSAL_COUNT; i++) {
		const struct refusal_row *row = refusal_row((enum refusal_cause)i);
		if (row->alert_code != code || row->status == 0 || is_told_before(i))
			continue;
		if (place-- > 0)
			continue;
		(void)snprintf(room, 64, "%u %s", row->status, row->phrase);
		return room;
	}
	return NULL;
}

const struct refusal_row *catalogue_cause(uint32_t code, unsigned place)
{
	for (unsigned i = REFUSED_NOT + 1; i < REFUSAL_COUNT; i++) {
		const struct refusal_row *row = refusal_row((enum refusal_cause)i);
		if (row->alert_code == code && place-- == 0)
			return row;
	}
	return NULL;
}

void catalogue_link(const char *base, uint32_t code, struct writer *writer)
{
	static const char MARK[] = "{code}";
	const char *mark = strstr(base, MARK);
	if (base[0] == 0)
		return;
	writer_text(writer, (struct text){ base, mark ? (size_t)(mark - base) : strlen(base) });
	writer_unsigned(writer, code);
	writer_string(writer, mark ? mark + sizeof(MARK) - 1 : "");
}

struct words { // of a page
	const char *title, *head, *severity, *severities[HISTORY_SEVERITY_COUNT], *answer, *none,
		*example, *seen, *expected, *causes, *fixes, *guides, *labels, *fix;
};

static const struct words WORDS[CATALOGUE_LANGUAGES] = {
	{ "Alert codes",
	  "What each alert means, why it comes about and what to do. `trunkctl show alert-code "
	  "CODE` "
	  "tells the same; the texts are made from `controlplane/call/catalogue/alerts.txt`. "
	  "[日本語](alerts-ja.md)",
	  "Severity",
	  { "", "notice", "warning", "error" },
	  "On the wire",
	  "nothing: no request is refused with it",
	  "Example",
	  "seen",
	  "expected",
	  "Possible causes",
	  "Remedies",
	  "In general",
	  "Told apart by the field `cause` of the alert",
	  "Fix" },
	{ "アラートコード",
	  "各アラートの意味、原因、対処です。`trunkctl show alert-code CODE ja` "
	  "でも同じ内容を表示できます。"
	  "回線上で送られるステータスと理由句は常に英語です。[English](alerts.md)",
	  "重大度",
	  { "", "通知", "警告", "エラー" },
	  "SIP 応答",
	  "なし(このコードで拒否されるリクエストはありません)",
	  "例",
	  "受信した値",
	  "期待される値",
	  "考えられる原因",
	  "対処",
	  "一般的な注意",
	  "アラートの `cause` フィールドによる区別",
	  "対処(アラートの文面)" },
};

static void write_list(FILE *out, const char *heading, const char *const *texts)
{
	fprintf(out, "\n**%s**\n\n", heading);
	for (; *texts; texts++)
		fprintf(out, "- %s\n", *texts);
}

static void write_answers(FILE *out, const struct words *words, uint32_t code)
{
	char room[64];
	fprintf(out, "| %s | ", words->answer);
	if (!catalogue_answer(code, 0, room))
		fputs(words->none, out);
	for (unsigned i = 0; catalogue_answer(code, i, room); i++)
		fprintf(out, "%s`%s`", i > 0 ? ", " : "", room);
	fputs(" |\n", out);
}

// What shares a code with others has a name of its own (DEBUG-022 to -025).
static void write_labels(FILE *out, const struct words *words, uint32_t code)
{
	const struct refusal_row *row;
	if (!catalogue_cause(code, 1))
		return;
	fprintf(out, "\n**%s**\n\n| cause | %s | %s |\n| --- | --- | --- |\n", words->labels,
		words->answer, words->fix);
	for (unsigned i = 0; (row = catalogue_cause(code, i)) != NULL; i++)
		fprintf(out, "| `%s` | %u %s | %s |\n", row->label, row->status, row->phrase,
			row->fix);
}

static void write_entry(FILE *out, enum catalogue_language language,
			const struct catalogue_entry *entry)
{
	const struct words *words = &WORDS[language];
	const struct catalogue_text *text = &entry->texts[language];
	fprintf(out, "\n<a id=\"%u\"></a>\n\n## %u: %s\n\n%s\n\n| | |\n| --- | --- |\n",
		(unsigned)entry->code, (unsigned)entry->code, text->title, text->means);
	fprintf(out, "| %s | %s |\n", words->severity, words->severities[entry->severity]);
	write_answers(out, words, entry->code);
	fprintf(out, "| %s | `%s`; %s: `%s`; %s: `%s` |\n", words->example, entry->header,
		words->seen, entry->seen, words->expected, entry->expected);
	write_labels(out, words, entry->code);
	write_list(out, words->causes, text->causes);
	write_list(out, words->fixes, text->fixes);
	if (entry->guides)
		fprintf(out, "\n**%s**\n\n", words->guides);
	for (unsigned i = 0; i < catalogue_guide_count; i++)
		if (entry->guides >> i & 1)
			fprintf(out, "- %s\n", catalogue_guides[i][language]);
}

static void describe(FILE *out, enum catalogue_language language)
{
	fprintf(out, "# %s\n\n%s\n\n| | |\n| --- | --- |\n", WORDS[language].title,
		WORDS[language].head);
	for (unsigned i = 0; i < catalogue_entry_count; i++) {
		const struct catalogue_entry *entry = &catalogue_entries[i];
		fprintf(out, "| [%u](#%u) | %s |\n", (unsigned)entry->code, (unsigned)entry->code,
			entry->texts[language].title);
	}
	for (unsigned i = 0; i < catalogue_entry_count; i++)
		write_entry(out, language, &catalogue_entries[i]);
}

void catalogue_describe(FILE *out)
{
	describe(out, CATALOGUE_ENGLISH);
}

void catalogue_describe_japanese(FILE *out)
{
	describe(out, CATALOGUE_JAPANESE);
}
