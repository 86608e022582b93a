#pragma once

// What an operator can ask for: one row per command. trunkctl, its help and its completion, and the
// reference page all follow from the table.
// Runs on: control thread; the table is constant.

#include <stdio.h>

#include "admin/request.h"

enum admin_right { ADMIN_READ, ADMIN_CHANGE, ADMIN_SECRET };

struct admin_command {
	const char *words; // "show call"; KIND stands for a kind of the directory, one or many
	const char *arguments; // "CALL", "[N]", "KIND", "field=value..."
	unsigned min, max; // arguments
	enum admin_right right;
	const char *text; // one sentence
	void (*run)(
		struct admin_request *request); // answers or refuses, now or later, exactly once
};

struct admin_command_match {
	const struct admin_command *command; // NULL: none
	enum directory_kind kind; // what KIND was, DIRECTORY_KIND_COUNT when there is none
	unsigned words; // how many the command itself took
	char problem[256]; // empty: it can run
	char hint[1024];
};

unsigned admin_command_count(void);
const struct admin_command *admin_command_row(unsigned row);
const char *admin_command_right_text(enum admin_right right);
struct admin_command_match admin_command_find(const struct text *words, unsigned count);
// Does the row begin with these words? A KIND matches any kind's name.
bool admin_command_begins(const struct admin_command *command, const struct text *words,
			  unsigned count);
// The row's word at that place; empty when it has no more.
struct text admin_command_word(const struct admin_command *command, unsigned place);
void admin_command_describe(FILE *out); // the reference page, in Markdown
