#pragma once

// What Prometheus sees: one row per series. Labels are bounded: method, class, reason, verdict, …
// never a call, a number or an address.
// Runs on: any thread; it reads counters only.

#include <stdio.h>

struct admin_context;

enum admin_metrics_type { ADMIN_METRICS_COUNTER, ADMIN_METRICS_GAUGE };

// The whole exposition (text format 0.0.4), allocated, ending in a zero; NULL: no memory. The other
// form fits api_options.write_metrics.
char *admin_metrics_write(const struct admin_context *context);
char *admin_metrics_write_any(void *context);
void admin_metrics_describe(FILE *out); // the reference page, in Markdown

struct admin_metrics_row { // for the reference page and the tests
	const char *name, *help, *label;
	enum admin_metrics_type type;
};
unsigned admin_metrics_count(void);
struct admin_metrics_row admin_metrics_row(unsigned row);
