#pragma once

// What a worker knows of its streams' telephone events: a slot for each RTP port, and the keys that
// control is still to be told of.
// Runs on: main creates and destroys; the rest on the worker.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dtmf/listener.h"
#include "dataplane/dtmf/speaker.h"
#include "dataplane/message.h"

#define DTMF_REPORTS_MAX 256 // waiting to be told, of all streams of a worker; a power of two
#define DTMF_NONE UINT32_MAX

struct dtmf_slot {
	struct listener listener;
	struct speaker speaker;
	// Behind it in the list of those with an event at hand, of those with digits to send.
	uint32_t next_open, next_speaking;
	bool is_listed, is_speaking; // in the one, in the other
};

struct dtmf_report {
	struct stream_id stream;
	uint16_t duration_ms;
	char key;
};

struct dtmf {
	struct dtmf_slot *slots; // of all workers' RTP ports; only the own streams' are touched
	struct worker_view *view; // its counters of digits
	uint32_t first_open; // slot; DTMF_NONE: no event is at hand
	uint32_t first_speaking; // slot; DTMF_NONE: no digits are to be sent
	uint64_t listen_ns, speak_ns; // when those are looked at next
	uint32_t report_first, report_count; // a ring; what finds it full is not told
	struct dtmf_report reports[DTMF_REPORTS_MAX];
};

uint32_t dtmf_slot_count(uint32_t stream_count);
void dtmf_init(struct dtmf *dtmf, struct dtmf_slot *slots, struct worker_view *view);
// The slot of an RTP stream's port; the other way round, that port's stream.
uint32_t dtmf_slot_of(uint32_t stream_index);
uint32_t dtmf_stream_of(uint32_t slot);
// A stream was opened on that port, or closed.
void dtmf_forget(struct dtmf *dtmf, uint32_t stream_index);

// false: too many wait already.
bool dtmf_report(struct dtmf *dtmf, const struct dtmf_report *report);
// The next one to tell, left in place until dtmf_report_told. false: none.
bool dtmf_next_report(const struct dtmf *dtmf, struct message *out_message);
void dtmf_report_told(struct dtmf *dtmf);
