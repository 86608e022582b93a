#pragma once

// The names of callers (CNAM): asks a database for the name of a number, within a bound, and remembers what
// it said for a while. A call asks, waits no longer than cnam.timeout_ms, and goes on with or without.
// Runs on: control thread; no call waits.

#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/status.h"
#include "cnam/name.h"

struct clock;
struct cnam_config;
struct event_base;
struct wheel;
struct cnam;
struct cnam_question;

enum cnam_outcome {
	CNAM_NAMED, // the database has a name
	CNAM_NAMELESS, // it answered that there is none, which is charged too (CNAM-005, D-39)
	CNAM_FAILED, // no answer in time, or none at all: free (CNAM-007)
	CNAM_PENDING, // done will be called, once
	CNAM_OUTCOME_COUNT
};

// From the loop, never from within cnam_ask. The name is "" unless the outcome is CNAM_NAMED.
typedef void (*cnam_done_fn)(void *context, enum cnam_outcome outcome, const char *name);

struct cnam_counters { // written by the control thread, read by any
	struct counter outcomes[CNAM_OUTCOME_COUNT]; // of lookups; CNAM_PENDING: not used
	struct counter remembered; // of these, from memory
	struct counter timeouts; // of the failed ones
	struct counter waiting, entries; // now
};

struct cnam_options {
	struct event_base *loop;
	const struct clock *clock;
	struct wheel *wheel;
	const struct cnam_config *config;
};

enum status cnam_start(const struct cnam_options *options, struct cnam **out_cnam);
void cnam_stop(struct cnam *cnam); // nobody is called any more
bool cnam_is_on(const struct cnam *cnam);
const struct cnam_counters *cnam_counters(const struct cnam *cnam);
const char *cnam_outcome_label(unsigned outcome); // NULL past the last that ends a lookup

// The number is E.164, and cnam_name_is_public says that it may be asked for. Any outcome but
// CNAM_PENDING is final, and the name is in the room; else *out_question stands until done or cancelled.
enum cnam_outcome cnam_ask(struct cnam *cnam, struct text number, cnam_done_fn done, void *context,
			   char room[static CNAM_NAME_SIZE], struct cnam_question **out_question);
void cnam_cancel(struct cnam_question *question); // harmless when NULL
