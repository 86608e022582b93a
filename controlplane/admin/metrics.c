// The page that Prometheus reads, of the table of series. Runs on the api thread. Must never touch a
// call, a trunk or the directory: only counters, which their owners write with relaxed atomics.

#include "admin/metrics.h"

#include <stddef.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/series.h"
#include "call/call.h"
#include "cnam/cnam.h"
#include "dataplane/dataplane.h"
#include "directory/schema.h"
#include "history/history.h"
#include "media/media.h"
#include "media/quality/unreachable.h"
#include "names/names.h"
#include "notify/notify.h"
#include "sip/guard/guard.h"
#include "sip/resolve/resolve.h"
#include "sip/tls/tls.h"
#include "sip/transaction.h"
#include "sip/transport.h"
#include "store/store.h"

static const void *part_of(const struct admin_context *context, enum admin_series_part part)
{
	switch (part) {
	case PART_CONTEXT:
		return context;
	case PART_TRANSPORT:
		return context->transport ? sip_transport_counters(context->transport) : NULL;
	case PART_TRANSACTIONS:
		return context->transactions ? sip_transaction_counters(context->transactions)
					     : NULL;
	case PART_TLS:
		return context->tls ? sip_tls_counters(context->tls) : NULL;
	case PART_RESOLVER:
		return context->resolver ? sip_resolver_counters(context->resolver) : NULL;
	case PART_DNS:
		return context->resolver ? dns_cache_counters(sip_resolver_cache(context->resolver))
					 : NULL;
	case PART_GUARD:
		return context->guard ? sip_guard_counters(context->guard) : NULL;
	case PART_CNAM:
		return context->cnam ? cnam_counters(context->cnam) : NULL;
	case PART_NOTIFY:
		return context->notify ? notify_counters(context->notify) : NULL;
	case PART_NAMES:
		return context->names ? names_counters(context->names) : NULL;
	case PART_CALLS:
		return context->calls ? calls_counters(context->calls) : NULL;
	case PART_MEDIA:
		return context->media ? media_engine_counters(context->media) : NULL;
	case PART_ICMP:
		return context->unreachable ? unreachable_counters(context->unreachable) : NULL;
	case PART_STORE:
		return context->store ? store_counters(context->store) : NULL;
	case PART_HISTORY:
		return context->history ? history_counters(context->history) : NULL;
	case PART_NONE:
	case PART_WORKER:
		break;
	}
	return NULL;
}

static const char *label_name(const struct admin_series *series)
{
	static const char *const NAMES[] = { [LABEL_NONE] = "",
					     [LABEL_TLS_VERSION] = "version",
					     [LABEL_TLS_REASON] = "reason",
					     [LABEL_CERTIFICATE] = "certificate",
					     [LABEL_METHOD] = "method",
					     [LABEL_CLASS] = "class",
					     [LABEL_WAY] = "direction",
					     [LABEL_REASON] = "reason",
					     [LABEL_KIND] = "kind",
					     [LABEL_VERDICT] = "worker, verdict",
					     [LABEL_VERSION] = "version",
					     [LABEL_ONE_WAY] = "cause, direction",
					     [LABEL_FATE] = "fate",
					     [LABEL_OUTCOME] = "outcome",
					     [LABEL_CNAM] = "outcome",
					     [LABEL_NOTIFY] = "outcome",
					     [LABEL_CARRIER] = "carrier",
					     [LABEL_CLOSE] = "cause",
					     [LABEL_SOURCE] = "source",
					     [LABEL_DROP] = "cause",
					     [LABEL_CAUSE] = "cause",
					     [LABEL_CATEGORY] = "category" };
	if (series->part == PART_WORKER && series->label == LABEL_NONE)
		return "worker";
	return NAMES[series->label];
}

// The value of an array's label into room; false past its end.
static bool label_value(enum admin_series_label label, unsigned index, char *room, size_t size)
{
	struct text value = TEXT_NONE;
	if (label == LABEL_METHOD && index < SIP_METHOD_COUNT)
		value = index == SIP_UNKNOWN ? TEXT("other")
					     : sip_method_text((enum sip_method)index);
	if (label == LABEL_WAY && index < CALL_DIRECTIONS)
		value = text_of(call_direction_text((enum call_direction)index));
	if (label == LABEL_REASON)
		value = text_of(call_refusal_label(index));
	if (label == LABEL_FATE)
		value = text_of(header_fate_label(index));
	if (label == LABEL_TLS_VERSION && index < 4)
		value = text_of(sip_tls_version_text((uint16_t)(SIP_TLS_1_0 + index)));
	if (label == LABEL_TLS_REASON)
		value = text_of(sip_tls_reason_label(index));
	if (label == LABEL_CNAM)
		value = text_of(cnam_outcome_label(index));
	if (label == LABEL_NOTIFY)
		value = text_of(notify_outcome_label(index));
	if (label == LABEL_OUTCOME && index < DNS_OUTCOMES)
		value = text_of(dns_outcome_name((enum dns_outcome)index));
	if (label == LABEL_KIND && index < DIRECTORY_KIND_COUNT)
		value = text_of(directory_schema((enum directory_kind)index)->name);
	if (label == LABEL_CLOSE)
		value = text_of(sip_close_label(index));
	if (label == LABEL_SOURCE)
		value = text_of(sip_guard_class_label(index));
	if (label == LABEL_DROP)
		value = text_of(sip_guard_drop_label(index));
	if (label == LABEL_CAUSE)
		value = text_of(sip_guard_cause_label(index));
	if (label == LABEL_CATEGORY && index < HISTORY_CATEGORY_COUNT)
		value = text_of(history_category_facts((enum history_category)index)->word);
	if (label == LABEL_CLASS && index >= 1 && index <= 6) {
		snprintf(room, size, "%uxx", index);
		return true;
	}
	return value.size > 0 && text_copy(value, room, size);
}

static void write_number(FILE *out, const struct admin_series *series, uint64_t value)
{
	if (series->scale > 0)
		fprintf(out, " %.6f\n", (double)value / series->scale);
	else
		fprintf(out, " %llu\n", (unsigned long long)value);
}

static void write_array(FILE *out, const struct admin_series *series,
			const struct counter *counters)
{
	char room[64];
	unsigned first = series->label == LABEL_CLASS ? 1 : 0;
	for (unsigned i = first; label_value(series->label, i, room, sizeof(room)); i++) {
		fprintf(out, "%s{%s=\"%s\"}", series->name, label_name(series), room);
		write_number(out, series, counter_get(&counters[i]));
	}
}

static void write_one_way(FILE *out, const struct admin_series *series,
			  const struct counter *counters)
{
	for (unsigned cause = DIAGNOSIS_NONE + 1; cause < DIAGNOSIS_COUNT; cause++)
		for (unsigned way = 0; way < CALL_DIRECTIONS; way++) {
			fprintf(out, "%s{cause=\"%s\",direction=\"%s\"}", series->name,
				diagnosis_facts((enum diagnosis)cause)->name,
				call_direction_label((enum call_direction)way));
			write_number(out, series,
				     counter_get(&counters[cause * CALL_DIRECTIONS + way]));
		}
}

static void write_certificates(FILE *out, const struct admin_series *series,
			       const struct sip_tls *tls)
{
	struct sip_tls_expiry expiries[SIP_TLS_CERTIFICATES_MAX];
	unsigned count = sip_tls_expiries(tls, expiries, SIP_TLS_CERTIFICATES_MAX);
	for (unsigned i = 0; i < count; i++) {
		for (char *at = expiries[i].label; *at; at++)
			if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ')
				*at = '_';
		fprintf(out, "%s{certificate=\"%s\"} %lld\n", series->name, expiries[i].label,
			(long long)expiries[i].not_after_s);
	}
}

static void write_escaped(FILE *out, const char *text) // in a label
{
	for (; *text; text++)
		fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void write_carriers(FILE *out, const struct admin_series *series, const struct calls *calls)
{
	char name[DIRECTORY_NAME_SIZE];
	enum call_carrier_state state;
	for (unsigned place = 0; call_carrier_metric(calls, place, name, &state); place++) {
		if (state != CALL_CARRIER_UP && state != CALL_CARRIER_DOWN)
			continue;
		fprintf(out, "%s{carrier=\"", series->name);
		write_escaped(out, name);
		fprintf(out, "\"} %d\n", state == CALL_CARRIER_UP);
	}
}

static void write_workers(FILE *out, const struct admin_series *series,
			  const struct admin_snapshot *snapshot)
{
	for (unsigned worker = 0; worker < snapshot->workers; worker++) {
		const char *view = (const char *)&snapshot->views[worker];
		const uint64_t *values = (const void *)(view + series->offset);
		if (series->label != LABEL_VERDICT) {
			fprintf(out, "%s{worker=\"%u\"}", series->name, worker);
			write_number(out, series, values[0]);
			continue;
		}
		for (unsigned i = 0; i < VERDICT_COUNT; i++)
			fprintf(out, "%s{worker=\"%u\",verdict=\"%s\"} %llu\n", series->name,
				worker, verdict_label((enum verdict)i),
				(unsigned long long)values[i]);
	}
}

static void write_values(FILE *out, const struct admin_series *series,
			 const struct admin_snapshot *snapshot)
{
	const char *part = part_of(snapshot->context, series->part);
	if (series->part == PART_WORKER) {
		write_workers(out, series, snapshot);
	} else if (series->label == LABEL_VERSION) {
		fprintf(out, "%s{version=\"%s\"} 1\n", series->name, TRUNKD_VERSION);
	} else if (series->read) {
		fprintf(out, "%s %.15g\n", series->name, series->read(snapshot));
	} else if (part && series->label == LABEL_CERTIFICATE) {
		write_certificates(out, series, snapshot->context->tls);
	} else if (series->label == LABEL_CARRIER) {
		if (snapshot->context->calls)
			write_carriers(out, series, snapshot->context->calls);
	} else if (part && series->label == LABEL_ONE_WAY) {
		write_one_way(out, series, (const void *)(part + series->offset));
	} else if (part && series->label != LABEL_NONE) {
		write_array(out, series, (const void *)(part + series->offset));
	} else if (part) {
		fputs(series->name, out);
		write_number(out, series, counter_get((const void *)(part + series->offset)));
	}
}

// While this copies, admin_replace_dataplane waits.
static void take_snapshot(const struct admin_context *context, struct admin_snapshot *out_snapshot)
{
	struct admin_context *counted = (struct admin_context *)context; // its reader count alone
	atomic_fetch_add(&counted->dataplane_readers, 1);
	const struct dataplane *dataplane = atomic_load(&counted->dataplane);
	out_snapshot->context = context;
	out_snapshot->has_dataplane = dataplane != NULL;
	out_snapshot->workers = dataplane ? dataplane_facts(dataplane)->worker_count : 0;
	if (out_snapshot->workers > ADMIN_SERIES_WORKERS_MAX)
		out_snapshot->workers = ADMIN_SERIES_WORKERS_MAX;
	for (unsigned i = 0; i < out_snapshot->workers; i++)
		dataplane_worker_read(dataplane, i, &out_snapshot->views[i]);
	atomic_fetch_sub(&counted->dataplane_readers, 1);
}

static const char *type_text(enum admin_metrics_type type)
{
	return type == ADMIN_METRICS_COUNTER ? "counter" : "gauge";
}

char *admin_metrics_write(const struct admin_context *context)
{
	char *text = NULL;
	size_t size = 0;
	struct admin_snapshot *snapshot = malloc(sizeof(*snapshot));
	FILE *out = snapshot ? open_memstream(&text, &size) : NULL;
	if (!out) {
		free(snapshot);
		return NULL;
	}
	take_snapshot(context, snapshot);
	for (unsigned i = 0; i < admin_series_count(); i++) {
		const struct admin_series *series = admin_series_at(i);
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", series->name, series->help,
			series->name, type_text(series->type));
		write_values(out, series, snapshot);
	}
	free(snapshot);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *admin_metrics_write_any(void *context)
{
	return admin_metrics_write(context);
}

void admin_metrics_describe(FILE *out)
{
	fputs("# Metrics\n\n"
	      "Served at `/metrics` of `admin.metrics_address`, in the text format of "
	      "Prometheus.\n\n"
	      "| series | type | labels | meaning |\n|---|---|---|---|\n",
	      out);
	for (unsigned i = 0; i < admin_series_count(); i++) {
		const struct admin_series *series = admin_series_at(i);
		fprintf(out, "| `%s` | %s | %s | %s |\n", series->name, type_text(series->type),
			label_name(series), series->help);
	}
}

unsigned admin_metrics_count(void)
{
	return admin_series_count();
}

struct admin_metrics_row admin_metrics_row(unsigned row)
{
	const struct admin_series *series = admin_series_at(row);
	return (struct admin_metrics_row){ series->name, series->help, label_name(series),
					   series->type };
}
