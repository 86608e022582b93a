#pragma once

// What an operator asks the history for: "account=acme status=4xx since=2h 100". A word without "=" is
// how many rows are wanted.
// Runs on: control thread.

#include <stdbool.h>

#include "history/find.h"

struct admin_refusal;
struct admin_request;

struct admin_filter_problem { // outlives the refusal that points to it
	char field[32], message[96];
	const char *hint;
};

// `allowed`: the names that the command takes, a space between. False: out_problem says why.
bool admin_filter_parse(const struct admin_request *request, const char *allowed,
			struct history_filter *out_filter,
			struct admin_filter_problem *out_problem);
void admin_filter_refuse(struct admin_request *request, const struct admin_filter_problem *problem);
