// The choice of what answers a number's calls. Runs on the control thread; reads memory only.

#include "admin/numbers/voice.h"

#include "admin/change.h"
#include "directory/object.h"
#include "directory/value.h"

#define CHOICE_COUNT (sizeof(CHOICES) / sizeof(CHOICES[0]))
#define TRUNKS_TOLD 100 // as many as a message can have room for, and more

static const struct {
	const char *name, *field; // NULL: none of the fields
} CHOICES[] = {
	{ "sip_trunking", "trunk" },
	{ "url", "voice_url" },
	{ "application", "voice_application" },
	{ "none", NULL },
};

const char *admin_voice_choice(unsigned row)
{
	return row < CHOICE_COUNT ? CHOICES[row].name : NULL;
}

const char *admin_voice_of(const struct directory_object *number)
{
	unsigned row = 0;
	while (CHOICES[row].field && directory_object_get(number, CHOICES[row].field).size == 0)
		row++;
	return CHOICES[row].name;
}

bool admin_voice_is_word(struct text word)
{
	return text_find(word, '=') &&
	       text_is_same(text_split(&word, '='), TEXT(ADMIN_VOICE_FIELD));
}

static void list_choices(struct directory_problem *out_problem, struct text seen)
{
	char room[96];
	struct writer writer = writer_of(room, sizeof(room));
	for (unsigned i = 0; i < CHOICE_COUNT; i++)
		writer_format(&writer, "%s%s", i > 0 ? ", " : "", CHOICES[i].name);
	struct text shown = directory_value_shown(seen);
	directory_problem_set(out_problem, ADMIN_VOICE_FIELD,
			      "'%.*s' is not allowed; allowed: %.*s", TEXT_FORMAT(shown),
			      TEXT_FORMAT(writer_done(&writer)));
}

// The trunks that there are to choose from, as many as fit.
static void list_trunks(const struct admin_change *change, const struct directory_object *number,
			struct directory_problem *out_problem)
{
	char room[128];
	struct writer names = writer_of(room, sizeof(room));
	const struct directory_object *trunks[TRUNKS_TOLD];
	char sid[sizeof(number->sid)];
	text_copy_cut(directory_object_get(number, "account"), sid, sizeof(sid));
	unsigned count = sid[0] ? directory_referrers(change->directory, sid, DIRECTORY_TRUNK,
						      trunks, TRUNKS_TOLD)
				: 0;
	for (unsigned i = 0; i < count; i++) {
		struct writer before = names;
		struct text name = directory_object_get(trunks[i], "name");
		writer_string(&names, i > 0 ? ", " : "");
		writer_text(&names, name.size > 0 ? name : text_of(trunks[i]->sid));
		if (names.failed)
			names = before;
	}
	directory_problem_set(out_problem, "trunk", "missing, sip_trunking needs it%s%.*s",
			      count > 0 ? "; allowed: " : ": its account has no trunk yet",
			      TEXT_FORMAT(writer_done(&names)));
}

// True: one of the words gives the number something that answers its calls.
static bool has_answerer(const struct admin_change *change)
{
	bool has = false;
	for (unsigned i = 0; i < change->count; i++) {
		struct text value = change->words[i], field = text_split(&value, '=');
		for (unsigned row = 0; CHOICES[row].field; row++)
			has |= text_is_same(field, text_of(CHOICES[row].field)) &&
			       text_trim(value).size > 0;
	}
	return has;
}

static enum status clear(const struct admin_change *change, struct directory_object *number,
			 struct directory_problem *out_problem)
{
	enum status status = OK;
	if (has_answerer(change)) {
		directory_problem_set(out_problem, ADMIN_VOICE_FIELD,
				      "none has neither a trunk nor a URL nor an application");
		return ERR_CONFLICT;
	}
	for (unsigned row = 0; CHOICES[row].field && status == OK; row++)
		status = directory_object_set(number, text_of(CHOICES[row].field), TEXT_NONE,
					      out_problem);
	return status;
}

static enum status choose(const struct admin_change *change, struct directory_object *number,
			  struct text value, struct directory_problem *out_problem)
{
	unsigned row = 0;
	while (row < CHOICE_COUNT && !text_is_same(value, text_of(CHOICES[row].name)))
		row++;
	if (row == CHOICE_COUNT) {
		list_choices(out_problem, value);
		return ERR_MALFORMED;
	}
	if (!CHOICES[row].field)
		return clear(change, number, out_problem);
	if (directory_object_get(number, CHOICES[row].field).size > 0)
		return OK;
	if (row == 0)
		list_trunks(change, number, out_problem);
	else
		directory_problem_set(out_problem, CHOICES[row].field, "missing, %s needs it",
				      CHOICES[row].name);
	return ERR_MALFORMED;
}

enum status admin_voice_choose(const struct admin_change *change, struct directory_object *number,
			       struct directory_problem *out_problem)
{
	enum status status = OK;
	for (unsigned i = 0; i < change->count && status == OK; i++) {
		struct text value = change->words[i];
		if (!admin_voice_is_word(value))
			continue;
		(void)text_split(&value, '=');
		status = choose(change, number, text_trim(value), out_problem);
	}
	return status;
}
