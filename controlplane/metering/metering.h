#pragma once

// What numbers cost each month, from purchase to release (NUM-013). A month of a number is claimed in the
// number's own record, by one node in one transaction; that node then writes the item of usage, whose key
// makes it count once however often it is written. So a restart writes again what may be missing, and no
// two nodes charge one month.
// Runs on: control thread; walks in slices, never waits.

#include "base/status.h"
#include "base/text.h"

struct clock;
struct directory;
struct event_base;
struct history;
struct metering;
struct store;

struct metering_options {
	struct event_base *loop;
	const struct clock *clock;
	const struct directory *directory;
	struct store *store;
	struct history *history;
	struct text node; // its name, of no other node
	unsigned spool_records; // of the history: a quarter of them at most is filled from here
};

enum status metering_start(const struct metering_options *options, struct metering **out_metering);
void metering_stop(struct metering *metering);
void metering_turn(struct metering *metering); // one slice; the loop does it, and tests
