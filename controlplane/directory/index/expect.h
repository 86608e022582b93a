#pragma once

// What a call is about to ask of the directory, fetched while something else is done: it waits once for
// memory and not for one thing after the other. Changes nothing, whatever is asked later.
// Runs on: control thread.

#include "base/text.h"

struct address;
struct directory;
struct trunk;

// A call to this number, as it stands in the URI, is to be judged.
void directory_expect(const struct directory *directory, struct text called);
// A while later, when its trunk is known: the trunk's addresses and its account's number.
void directory_expect_more(const struct directory *directory, const struct trunk *trunk,
			   const struct address *source, struct text caller);
// And when its user is, as digest names it.
void directory_expect_user(const struct directory *directory, const struct trunk *trunk,
			   struct text user);
