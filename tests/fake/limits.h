#pragma once

// The limits that nodes share (store/limits/limits.h) without Redis: a story says what is answered, and when.
// It counts what the node holds there as Redis does.
// Runs on: the thread of the test.

#include "store/limits/limits.h"

struct store_limits *fake_limits_create(void); // it has left
void fake_limits_destroy(struct store_limits *limits);
void fake_limits_join(struct store_limits *limits, unsigned nodes);
void fake_limits_leave(
	struct store_limits *limits); // questions under way are answered with nothing
// The oldest question; NULL: admitted, else a cause ("trunk_rate"), or "all": every one admitted. False: none.
bool fake_limits_answer(struct store_limits *limits, const char *cause);
unsigned fake_limits_questions(const struct store_limits *limits);
unsigned fake_limits_held(const struct store_limits *limits); // calls, of all trunks
