#pragma once

// The rules of telephone numbers: what excludes what, and what a number in stock cannot have.
// Runs on: control thread.

#include "base/status.h"
#include "base/text.h"

struct directory_object;
struct directory_problem;

// After a field was set by somebody: what answers its calls is one thing alone (NUM-008, NUM-009).
void directory_number_settle(struct directory_object *object, struct text field);
enum status directory_number_check(const struct directory_object *object,
				   struct directory_problem *out_problem);
