#pragma once

// The names of trunks in DNS (TERM-007): watches the directory, hands the domains of all trunks to the
// publisher, and knows how it goes. Without a server it still knows what the zone would be.
// Runs on: control thread; no call waits.

#include <stdbool.h>

#include "base/counter.h"
#include "names/plan.h"
#include "names/reconcile.h"

struct clock;
struct config;
struct directory;
struct event_base;
struct names;

enum names_state {
	NAMES_OFF, // no server is configured
	NAMES_WAITING, // for the first answer
	NAMES_PUBLISHED,
	NAMES_FAILING
};

struct names_options {
	struct event_base *loop;
	const struct clock *clock;
	const struct config *config;
	const struct directory *directory;
	// Publishing has failed for names.alert_after_s, or goes on again after that.
	void (*alert)(void *context, bool is_failing, const char *why);
	void *context;
};

struct names_counters { // written by the control thread, read by any
	struct counter published; // names that are in the zone now
	struct counter conflicts; // names there that are somebody else's
	struct counter added, replaced, removed;
	struct counter attempts, failures;
	struct counter failing_s; // how long it has failed; 0: it does not
	struct counter last_ms; // wall clock of the last time the zone was right
};

struct names_facts {
	enum names_state state;
	unsigned domains; // published
	uint64_t good_ms, tried_ms, whole_ms, failing_since_ms; // wall clock; 0: never
	uint64_t took_ms; // the last attempt
	char conflict[NAMES_NAME_SIZE]; // one of the names that are not ours; "": none
	char problem[NAMES_PROBLEM_SIZE]; // of the last attempt; "": none
};

enum status names_start(const struct names_options *options, struct names **out_names);
void names_stop(struct names *names);
const struct names_plan *names_plan(const struct names *names);
const struct names_counters *names_counters(const struct names *names);
void names_read(const struct names *names, struct names_facts *out_facts);
const char *names_state_text(enum names_state state);
