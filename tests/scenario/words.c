// Lines as words. Runs on the thread of the test.

#include "scenario/words.h"

#include <stdlib.h>
#include <string.h>

static bool is_space(char character)
{
	return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

// Takes quotes away in place; returns where the line goes on, NULL when a quote has no end.
static const char *take_word(const char *at, char **out)
{
	bool is_inside = false;
	for (; *at && (is_inside || !is_space(*at)); at++) {
		if (*at == '"')
			is_inside = !is_inside;
		else if (*at == '\\' && at[1] == 'n')
			*(*out)++ = '\r', *(*out)++ = '\n', at++;
		else if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
			*(*out)++ = *++at;
		else
			*(*out)++ = *at;
	}
	*(*out)++ = '\0';
	return is_inside ? NULL : at;
}

bool words_split(struct words *words, const char *line)
{
	char *out = words->room;
	words->count = words->next = 0;
	if (strlen(line) * 2 >= sizeof(words->room))
		return false;
	for (;;) {
		while (is_space(*line))
			line++;
		if (*line == '\0' || *line == '#')
			return true;
		if (words->count == WORDS_MAX)
			return false;
		words->is_quoted[words->count] = *line == '"';
		words->words[words->count++] = out;
		line = take_word(line, &out);
		if (line == NULL)
			return false;
	}
}

const char *words_peek(const struct words *words)
{
	return words->next < words->count ? words->words[words->next] : NULL;
}

const char *words_take(struct words *words)
{
	return words->next < words->count ? words->words[words->next++] : NULL;
}

bool words_take_if(struct words *words, const char *wanted)
{
	const char *word = words_peek(words);
	if (word == NULL || strcmp(word, wanted) != 0)
		return false;
	words->next++;
	return true;
}

bool words_is_quoted(const struct words *words)
{
	return words->next < words->count && words->is_quoted[words->next];
}

bool words_is_method(const struct words *words)
{
	const char *word = words_peek(words);
	if (word == NULL || words_is_quoted(words))
		return false;
	return word[0] != '\0' && word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

bool words_duration(const char *word, uint64_t *out_ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	char *end;
	double value = word != NULL ? strtod(word, &end) : -1;
	for (unsigned i = 0; value >= 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		*out_ms = (uint64_t)(value * units[i].ms + 0.5);
		return true;
	}
	return false;
}
