#pragma once

// The thread that sends. Each job it is given ends in one result.
// Runs on: started and stopped by the control thread; everything else is a thread of its own (fetch/fetch.h).

#include "base/ring.h"
#include "base/status.h"
#include "fetch/fetch.h"
#include "notify/content.h"

struct notify_config;
struct notify_sender;

#define NOTIFY_TARGET_SIZE 256

struct notify_job { // unchanged and in place until its result was taken
	enum notify_way way;
	bool is_trusted;
	char target[NOTIFY_TARGET_SIZE];
	char signature[NOTIFY_SIGNATURE_SIZE], idempotency[NOTIFY_IDEMPOTENCY_SIZE];
	struct text body;
};

struct notify_result {
	const struct notify_job *job;
	enum fetch_outcome outcome;
	enum fetch_cause cause;
	unsigned status;
	char problem[96];
};

// `jobs` of const struct notify_job *, `results` of struct notify_result, both with room for all that
// are under way. The configuration outlives it. ERR_SYSTEM: a file cannot be read, which is logged.
enum status notify_sender_start(const struct notify_config *config, struct ring *jobs,
				struct ring *results, struct notify_sender **out_sender);
void notify_sender_stop(struct notify_sender *sender); // what is under way is given up
void notify_sender_wake(struct notify_sender *sender); // after a job was put
