// Alerts of the guard. Runs on the control thread.

#include "call/watch/attack.h"

#include "call/record.h"
#include "directory/directory.h"
#include "sip/guard/guard.h"

static void fill_source(const struct calls *calls, const struct sip_guard_event *event,
			struct history_alert *alert)
{
	char source[ADDRESS_TEXT_SIZE];
	const struct trunk *trunk =
		event->host.size > 0 ? directory_trunk_by_host(calls->directory, event->host)
				     : directory_trunk_by_address(calls->directory, event->source);
	text_copy_cut(text_of(address_string(event->source, source)), alert->source,
		      sizeof alert->source);
	if (trunk == NULL)
		return;
	text_copy_cut(text_of(trunk->account_sid), alert->account_sid, sizeof alert->account_sid);
	text_copy_cut(text_of(trunk->sid), alert->trunk_sid, sizeof alert->trunk_sid);
}

static void tell_overload(struct calls *calls, const struct sip_guard_event *event)
{
	struct refusal refusal;
	char seen[64];
	struct writer writer = writer_of(seen, sizeof seen);
	writer_format(&writer, "messages wait for %u ms", (unsigned)(event->value / 1000));
	(void)refusal_set(&refusal, REFUSED_OVERLOAD, "queue", writer_done(&writer),
			  "less than guard.queue_ms");
	record_node_alert(calls, &refusal);
}

static void tell_source(struct calls *calls, const struct sip_guard_event *event)
{
	bool is_options = event->kind == SIP_GUARD_EVENT_OPTIONS;
	struct history_alert alert = { 0 };
	struct refusal refusal;
	char seen[160], expected[96];
	struct writer what = writer_of(seen, sizeof seen);
	struct writer rule = writer_of(expected, sizeof expected);
	if (is_options) {
		writer_format(&what, "OPTIONS to %.*s", TEXT_FORMAT(event->host));
		writer_format(&rule, "one each %u s", (unsigned)event->value);
	} else {
		writer_format(&what, "more than %u messages a second", (unsigned)event->value);
		writer_format(&rule, "%u messages a second", (unsigned)event->value);
	}
	(void)refusal_set(&refusal, is_options ? REFUSED_OPTIONS : REFUSED_SOURCE_RATE,
			  is_options ? "OPTIONS" : "source address", writer_done(&what), "");
	text_copy_cut(writer_done(&rule), refusal.expected, sizeof refusal.expected);
	fill_source(calls, event, &alert);
	record_alert_of(calls, &alert, &refusal);
}

void call_tell_attack(struct calls *calls, const struct sip_guard_event *event)
{
	switch (event->kind) {
	case SIP_GUARD_EVENT_OVERLOAD:
		tell_overload(calls, event);
		break;
	case SIP_GUARD_EVENT_OPTIONS:
	case SIP_GUARD_EVENT_LIMITED:
		tell_source(calls, event);
		break;
	case SIP_GUARD_EVENT_RECOVERED: // the log and the metrics tell
		break;
	}
}
