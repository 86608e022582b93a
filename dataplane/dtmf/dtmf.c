// The slots of telephone events, and the ring of keys to tell. Runs on: worker; never allocates. What
// was told is wiped: keys may be a card's number.

#include "dataplane/dtmf/dtmf.h"

#include <string.h>

#include "base/secret.h"

#define PORTS ((MEDIA_PORT_COUNT + 1) / 2) // even ones of a media address

uint32_t dtmf_slot_count(uint32_t stream_count)
{
	return (stream_count + MEDIA_PORT_COUNT - 1) / MEDIA_PORT_COUNT * PORTS;
}

void dtmf_init(struct dtmf *dtmf, struct dtmf_slot *slots, struct worker_view *view)
{
	*dtmf = (struct dtmf){
		.slots = slots, .view = view, .first_open = DTMF_NONE, .first_speaking = DTMF_NONE
	};
}

uint32_t dtmf_slot_of(uint32_t stream_index)
{
	return stream_index / MEDIA_PORT_COUNT * PORTS + stream_index % MEDIA_PORT_COUNT / 2;
}

uint32_t dtmf_stream_of(uint32_t slot)
{
	return slot / PORTS * MEDIA_PORT_COUNT + slot % PORTS * 2;
}

// Lists find out by themselves that there is nothing more to do here.
void dtmf_forget(struct dtmf *dtmf, uint32_t stream_index)
{
	if (stream_index % MEDIA_PORT_COUNT % 2)
		return;
	struct dtmf_slot *slot = &dtmf->slots[dtmf_slot_of(stream_index)];
	secret_wipe(&slot->listener, sizeof(slot->listener));
	secret_wipe(&slot->speaker, sizeof(slot->speaker));
}

bool dtmf_report(struct dtmf *dtmf, const struct dtmf_report *report)
{
	if (dtmf->report_count == DTMF_REPORTS_MAX)
		return false;
	uint32_t place = (dtmf->report_first + dtmf->report_count++) % DTMF_REPORTS_MAX;
	dtmf->reports[place] = *report;
	return true;
}

bool dtmf_next_report(const struct dtmf *dtmf, struct message *out_message)
{
	const struct dtmf_report *report = &dtmf->reports[dtmf->report_first];
	if (dtmf->report_count == 0)
		return false;
	*out_message = (struct message){
		.kind = MESSAGE_STREAM_DIGIT,
		.stream = report->stream,
		.digits = { .count = 1,
			    .duration_ms = report->duration_ms,
			    .text = { report->key } },
	};
	return true;
}

void dtmf_report_told(struct dtmf *dtmf)
{
	struct dtmf_report *report = &dtmf->reports[dtmf->report_first];
	secret_wipe(report, sizeof(*report));
	dtmf->report_first = (dtmf->report_first + 1) % DTMF_REPORTS_MAX;
	dtmf->report_count--;
}
