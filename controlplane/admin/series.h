#pragma once

// What Prometheus sees, one row per series: its name, where its figure lives, and which labels it has.
// Runs on: any thread; what a row names is counters, which their owners write with relaxed atomics.

#include <stdbool.h>
#include <stddef.h>

#include "admin/metrics.h"
#include "dataplane/dataplane.h"

struct admin_context;

#define ADMIN_SERIES_WORKERS_MAX 64

// Where a row's figure lives: a struct of counters and an offset into it, or a function.
enum admin_series_part {
	PART_NONE,
	PART_CONTEXT,
	PART_TRANSPORT,
	PART_TRANSACTIONS,
	PART_TLS,
	PART_GUARD,
	PART_RESOLVER,
	PART_DNS,
	PART_NAMES,
	PART_CNAM,
	PART_NOTIFY,
	PART_CALLS,
	PART_MEDIA,
	PART_ICMP,
	PART_STORE,
	PART_HISTORY,
	PART_WORKER, // of struct worker_view: a plain uint64_t, one per worker
};

enum admin_series_label {
	LABEL_NONE,
	LABEL_METHOD, // an array of SIP_METHOD_COUNT counters
	LABEL_CLASS, // an array of counters, index 1 is "1xx"
	LABEL_WAY, // an array by direction: termination, origination
	LABEL_REASON, // an array by row of refusals
	LABEL_KIND, // an array by kind of the directory
	LABEL_VERDICT, // an array by verdict, beside the worker
	LABEL_VERSION,
	LABEL_ONE_WAY, // an array by cause and by direction
	LABEL_FATE, // an array by what became of a header
	LABEL_TLS_VERSION, // an array by version, from 1.0 on
	LABEL_TLS_REASON, // an array by reason of failure
	LABEL_CERTIFICATE, // of sip_tls_expiries
	LABEL_CARRIER, // one for each carrier that is pinged
	LABEL_OUTCOME, // an array by enum dns_outcome
	LABEL_CLOSE, // an array by enum sip_close
	LABEL_SOURCE, // an array by enum sip_guard_class
	LABEL_DROP, // an array by enum sip_guard_drop
	LABEL_CNAM, // an array by enum cnam_outcome
	LABEL_NOTIFY, // an array by enum notify_outcome
	LABEL_CAUSE, // an array by enum sip_guard_cause
	LABEL_CATEGORY, // an array by enum history_category
};

struct admin_snapshot { // what a page is made of: taken once, so that its series agree
	const struct admin_context *context;
	unsigned workers;
	bool has_dataplane;
	struct worker_view views[ADMIN_SERIES_WORKERS_MAX];
};

struct admin_series {
	const char *name;
	enum admin_metrics_type type;
	enum admin_series_part part;
	enum admin_series_label label;
	size_t offset;
	double scale; // 0: 1
	double (*read)(const struct admin_snapshot *snapshot); // when part is PART_NONE
	const char *help;
};

unsigned admin_series_count(void);
const struct admin_series *admin_series_at(unsigned row); // below the count
