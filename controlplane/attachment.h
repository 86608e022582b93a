#pragma once

// The control process's hold on a dataplane: found running or started, lost when it dies, found
// again. Calls go on being refused or answered meanwhile; nothing waits for it once the loop runs.
// Runs on: control thread.

#include <stdbool.h>

#include "base/clock.h"
#include "base/status.h"

struct attachment;
struct config;
struct dataplane;
struct event_base;
struct launcher;

// `dataplane` is NULL when it was lost.
typedef void (*attachment_changed_fn)(void *context, struct dataplane *dataplane);

struct attachment_options {
	struct event_base *loop;
	const struct clock *clock;
	const struct config *config;
	struct launcher *launcher;
	attachment_changed_fn changed;
	void *context;
};

// Waits for the first one, 20 s at most: before the loop runs nobody else is kept waiting.
enum status attachment_start(const struct attachment_options *options,
			     struct attachment **out_attachment);
void attachment_tick(struct attachment *attachment);
struct dataplane *attachment_dataplane(const struct attachment *attachment); // NULL: none now
bool attachment_has_ordered(const struct attachment *attachment); // it was started here, not found
// Lets go; media flows on unless `ends_dataplane`.
void attachment_stop(struct attachment *attachment, bool ends_dataplane);
