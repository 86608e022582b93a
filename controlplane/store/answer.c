// What the script's refusals mean to whoever asked for the change, one row per word it answers.
// Runs on: control thread; pure.

#include "store/answer.h"

#include <limits.h>

#include "directory/room.h"
#include "directory/value.h"
#include "store/redis.h"
#include "store/store.h"

static const char *name_of(const struct store_answer *answer)
{
	return directory_schema(answer->object->kind)->name;
}

// "trunk:domain::acme": the second part.
static struct text field_of(struct text key)
{
	(void)text_split(&key, ':');
	return text_split(&key, ':');
}

typedef enum status (*explain_fn)(const struct store_answer *answer, struct text first,
				  struct text second);

static enum status explain_taken(const struct store_answer *answer, struct text first,
				 struct text second)
{
	(void)first, (void)second;
	directory_problem_set(answer->problem, "sid", "%s is taken", answer->object->sid);
	return ERR_CONFLICT;
}

static enum status explain_gone(const struct store_answer *answer, struct text first,
				struct text second)
{
	(void)first, (void)second;
	directory_problem_set(answer->problem, "sid", "the %s was removed meanwhile",
			      name_of(answer));
	return ERR_NOT_FOUND;
}

static enum status explain_version(const struct store_answer *answer, struct text first,
				   struct text second)
{
	(void)second;
	directory_problem_set(answer->problem, "version",
			      "the %s was changed meanwhile (version %.*s, yours is based on %lu): "
			      "look at it again, then repeat",
			      name_of(answer), TEXT_FORMAT(directory_value_shown(first)),
			      answer->object->version);
	return ERR_CONFLICT;
}

static enum status explain_missing(const struct store_answer *answer, struct text first,
				   struct text second)
{
	(void)second;
	directory_problem_set(answer->problem, "",
			      "%.*s, which it refers to, was removed meanwhile",
			      TEXT_FORMAT(directory_value_shown(first)));
	return ERR_CONFLICT;
}

static enum status explain_unique(const struct store_answer *answer, struct text first,
				  struct text second)
{
	char field[32];
	(void)text_copy(field_of(first), field, sizeof(field));
	struct text value = directory_object_get(answer->object, field);
	directory_problem_set(answer->problem, field, "'%.*s' is taken by %.*s",
			      TEXT_FORMAT(directory_value_shown(value)),
			      TEXT_FORMAT(directory_value_shown(second)));
	return ERR_CONFLICT;
}

static enum status explain_parent(const struct store_answer *answer, struct text first,
				  struct text second)
{
	(void)first, (void)second;
	directory_problem_set(answer->problem, "domain",
			      "its parent domain was renamed or removed meanwhile");
	return ERR_CONFLICT;
}

// By then the mirror may know of those that came first; its own check says the same.
static enum status explain_full(const struct store_answer *answer, struct text first,
				struct text second)
{
	(void)second;
	struct directory_room room;
	uint64_t used = 0;
	if (text_to_unsigned(first, UINT_MAX, &used) &&
	    directory_room_of(answer->directory, answer->object, &room))
		return directory_room_refuse(answer->directory, &room, (unsigned)used,
					     answer->problem);
	directory_problem_set(answer->problem, "",
			      "%.*s there were already when it came: try again",
			      TEXT_FORMAT(directory_value_shown(first)));
	return ERR_LIMIT;
}

static enum status explain_used(const struct store_answer *answer, struct text first,
				struct text second)
{
	directory_problem_set(answer->problem, "sid", "still used by %.*s: %.*s%s",
			      TEXT_FORMAT(directory_value_shown(first)),
			      TEXT_FORMAT(directory_value_shown(second)),
			      text_is_equal(first, TEXT("1")) ? "" : ", and more");
	return ERR_CONFLICT;
}

static enum status explain_often(const struct store_answer *answer, struct text first,
				 struct text second)
{
	uint64_t nth = 0;
	if (!text_to_unsigned(first, STORE_TALLIES_MAX, &nth) || nth == 0)
		return ERR_LIMIT;
	const struct store_tally *tally = &answer->tallies[nth - 1];
	directory_problem_set(answer->problem, tally->field, "%s; allowed: another in %.*s s",
			      tally->text, TEXT_FORMAT(directory_value_shown(second)));
	return ERR_LIMIT;
}

static const struct {
	const char *word;
	explain_fn explain;
} answers[] = {
	{ "taken", explain_taken },     { "gone", explain_gone },
	{ "version", explain_version }, { "missing", explain_missing },
	{ "unique", explain_unique },   { "parent", explain_parent },
	{ "full", explain_full },       { "used", explain_used },
	{ "often", explain_often },
};

enum status store_answer_explain(const struct store_answer *answer, const struct redisReply *reply)
{
	struct text word = store_redis_text(store_redis_at(reply, 0));
	struct text error = store_redis_error(reply);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (text_is_equal(word, text_of(answers[i].word)))
			return answers[i].explain(answer,
						  store_redis_text(store_redis_at(reply, 2)),
						  store_redis_text(store_redis_at(reply, 3)));
	}
	directory_problem_set(answer->problem, "", "Redis refused the change: %.*s",
			      TEXT_FORMAT(error));
	return ERR_UNAVAILABLE; // out of memory, read-only, disk full: nothing the caller can mend
}
