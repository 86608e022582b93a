#pragma once

// What a call is about to ask of the directory, fetched while something else is done: it waits once for
// memory and not for one thing after the other. Changes nothing, whatever is asked later.
// Runs on: control thread.

#include "base/text.h"

struct directory;

// A call is to be judged that has these two numbers, as they stand in its URIs.
void directory_expect(const struct directory *directory, struct text caller, struct text called);
// A while later: of the caller's number what that has led to.
void directory_expect_more(const struct directory *directory, struct text caller);
