#pragma once

// HTTP: today /metrics (Prometheus text exposition), /healthz and /readyz. A thread of its own with a
// loop of its own; it reads counters and never touches a call or a trunk.
// Runs on: started and stopped by the control thread.

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"

struct api;

struct api_options {
	const char *metrics_address; // "127.0.0.1:9464"
	// Writes the exposition; called on the api thread. Returns an allocated, zero-terminated text.
	char *(*write_metrics)(void *context);
	bool (*is_ready)(void *context); // called on the api thread
	const char *(*reason)(void *context); // why it is not ready; same thread; may be NULL
	void *context;
};

// ERR_MALFORMED: no address with a port; ERR_SYSTEM: it can't be listened on. Both are logged.
enum status api_start(const struct api_options *options, struct api **out_api);
void api_stop(struct api *api);
