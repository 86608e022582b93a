#pragma once

// The script's refusals in words.
// Runs on: control thread; pure.

#include "base/status.h"
#include "directory/object.h"

struct directory;
struct redisReply;

// Never OK. Also for an error of Redis itself.
enum status store_answer_explain(const struct directory *directory,
				 const struct directory_object *object,
				 const struct redisReply *reply,
				 struct directory_problem *out_problem);
