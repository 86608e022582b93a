#pragma once

// The limits that nodes share: Redis is asked about each call, and what it is told when it comes back.
// Runs on: control thread.

#include "call/limit/limits.h"

struct limit_ask;

// Of a slot that counts already. LIMIT_ASKED, or decided here and now.
enum limit_cause ask_start(struct limits *limits, struct limit_slot *slot,
			   struct limit_rules *rules);
void ask_drop(struct limit_ask *ask); // its call has ended; what the answer brings is given back
// Where limits are shared: from its creation on, until its end.
void ask_open(struct limits *limits);
void ask_close(struct limits *limits);
// After Redis was away it does not know what nodes that are not back yet let pass in this second. Until
// they all are, and a second more, or are taken for dead, the share holds besides.
bool ask_is_careful(struct limits *limits);
