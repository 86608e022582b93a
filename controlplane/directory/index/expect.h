#pragma once

// What a call is about to ask of the directory, fetched while something else is done: it waits once for
// memory and not for one thing after the other. Changes nothing, whatever is asked later.
// Runs on: control thread.

#include "base/text.h"

struct address;
struct directory;
struct trunk;

// A call is to be judged that has these two numbers, as they stand in its URIs.
void directory_expect(const struct directory *directory, struct text caller, struct text called);
// A while later, when its trunk is known: what those have led to, and the trunk's addresses.
void directory_expect_more(const struct directory *directory, const struct trunk *trunk,
			   const struct address *source, struct text caller);
// And when its user is, as digest names it.
void directory_expect_user(const struct directory *directory, const struct trunk *trunk,
			   struct text user);
