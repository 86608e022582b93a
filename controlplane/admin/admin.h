#pragma once

// The operator's Unix socket: one request of words per line, one JSON document per answer. What it
// can do is the table in admin/command.c; trunkctl asks for that table, so help is never stale.
// Runs on: control thread.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/status.h"

#define ADMIN_KINDS_MAX 16

struct event_base;
struct admin;

// Everything a command or a metric may look at. Pointers stay valid until admin_stop; `dataplane`
// may be replaced (NULL while there is none).
struct admin_context {
	const struct clock *clock;
	const struct config *config;
	struct directory *directory;
	struct store *store;
	struct history *history;
	struct calls *calls;
	struct media_engine *media;
	const struct unreachable *unreachable; // NULL: ICMP is not heard
	struct sip_guard *guard; // NULL: none
	const struct sip_transactions *transactions;
	const struct sip_transport *transport;
	const struct sip_tls *tls;
	const struct sip_resolver *resolver;
	const struct names *names; // NULL: none
	struct cnam *cnam; // NULL: none
	struct notify *notify; // NULL: none
	struct admin_import *import; // of numbers, going on; NULL: none
	struct dataplane *_Atomic dataplane; // changed with admin_replace_dataplane alone
	uint64_t started_ms; // wall clock
	// Reload of the configuration file: a status and a text with every problem (room of 4096).
	enum status (*reload)(void *reload_context, char *room, unsigned room_size);
	void *reload_context;
	struct counter loop_late; // turns of the control loop that took longer than 20 ms
	struct counter loop_worst_us; // longest turn so far
	// Filled by the control thread each second for readers on other threads, from admin_start on.
	struct counter store_state; // enum store_state
	struct counter objects[ADMIN_KINDS_MAX]; // of the directory, by kind
	atomic_uint dataplane_readers; // threads that look at `dataplane` at this moment
};

// Puts another dataplane (or NULL) in place and returns the former one, which nobody reads any more:
// the caller may detach it. Waits some microseconds when a page of metrics is being written.
struct dataplane *admin_replace_dataplane(struct admin_context *context,
					  struct dataplane *dataplane);
// May this node serve calls? Any thread; *out_reason says why not.
bool admin_is_ready(const struct admin_context *context, const char **out_reason);
// The same in the form of struct api_options; `context` is the struct admin_context.
bool admin_is_ready_any(void *context);
const char *admin_reason_any(void *context);

struct admin_options {
	const char *socket; // path, mode 0660
	struct admin_context *context;
};

enum status admin_start(struct event_base *loop, const struct admin_options *options,
			struct admin **out_admin);
void admin_stop(struct admin *admin);
