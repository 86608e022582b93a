#pragma once

// One line of a story as words. Quotes keep spaces together, "#" starts a comment.
// Runs on: the thread of the test.

#include <stdbool.h>
#include <stdint.h>

#define WORDS_MAX 96
#define WORDS_SIZE 4096

struct words {
	char room[WORDS_SIZE];
	char *words[WORDS_MAX];
	bool is_quoted[WORDS_MAX]; // stood in quotes from its first character on
	unsigned count, next;
};

// False: a quote without its end, too long, too many.
bool words_split(struct words *words, const char *line);
const char *words_peek(const struct words *words); // NULL: none left
const char *words_take(struct words *words); // NULL: none left
bool words_take_if(struct words *words, const char *wanted);
bool words_is_quoted(const struct words *words); // the next one
bool words_is_method(const struct words *words); // the next one: capitals, not in quotes
// "20s", "500ms", "24h", "3m" or "4.5s" as milliseconds.
bool words_duration(const char *word, uint64_t *out_ms);
