#pragma once

// The control thread: everything it owns hangs on this struct, made at the start in the order of one
// list and taken down backwards.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/gather.h"
#include "base/status.h"
#include "base/wheel.h"

struct event;
struct event_base;

struct control {
	const char *config_path;
	struct config *config;
	struct event_base *loop;
	struct clock clock;
	struct wheel *wheel;
	struct event *tick;
	struct event *signals[3];
	int lock_fd;
	struct launcher *launcher;
	struct attachment *attachment;
	struct directory *directory;
	struct store *store;
	struct history_rates *rates; // NULL: nothing has a price
	struct history *history;
	struct media_engine *media;
	struct unreachable *unreachable; // NULL: ICMP is not heard
	struct names *names;
	struct cnam *cnam;
	struct notify *notify;
	struct metering *metering;
	struct dns *dns;
	struct sip_resolver *resolver;
	struct sip_dialogs *dialogs;
	struct sip_digest *digest;
	struct sip_tls *tls;
	struct sip_guard *guard;
	struct calls *calls;
	struct sip_transactions *transactions;
	struct sip_transport *transport;
	struct admin_context admin_context;
	struct admin *admin;
	struct api *api;
	uint64_t tick_ns; // CLOCK_MONOTONIC of the last tick
	struct gather gather; // of turns: messages
	uint64_t stop_by_ms; // 0: not stopping
};

struct event_base *control_create_loop(void); // NULL: no memory
// Runs until it is told to stop. The exit status of the process.
int control_run(const char *config_path, struct config *config);
