#pragma once

// The script's refusals in words.
// Runs on: control thread; pure.

#include "base/status.h"
#include "directory/object.h"

struct directory;
struct redisReply;

struct store_tally;

struct store_answer { // what was asked for
	const struct directory *directory;
	const struct directory_object *object; // that the refusal is about
	const struct store_tally *tallies; // STORE_TALLIES_MAX of them
	struct directory_problem *problem; // filled
};

// Never OK. Also for an error of Redis itself.
enum status store_answer_explain(const struct store_answer *answer, const struct redisReply *reply);
