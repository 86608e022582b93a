// The row and the alerts of a call. Runs on the control thread; memory only, no disk, no waiting.

#include "call/record.h"

#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "call/catalogue/catalogue.h"
#include "call/limit/limits.h"
#include "call/replay/ring.h"
#include "call/watch/trigger.h"
#include "config/config.h"
#include "dataplane/suite.h"

// Strangers must not be able to fill the disk: what they cause beyond this is counted, not recorded.
#define STRANGER_RECORDS_PER_S 20

static void copy_address(const struct address *address, char *room, size_t size)
{
	char text[ADDRESS_TEXT_SIZE];
	if (address->family != ADDRESS_NONE)
		text_copy_cut(text_of(address_string(address, text)), room, size);
}

static void fill_request(struct history_call *record, const struct sip_message *invite,
			 enum call_direction direction, uint64_t wall_ms)
{
	text_copy_cut(text_of(call_direction_text(direction)), record->direction,
		      sizeof record->direction);
	text_copy_cut(invite->from.uri.user, record->from, sizeof record->from);
	text_copy_cut(invite->target.user, record->to, sizeof record->to);
	copy_address(&invite->flow.remote, record->source, sizeof record->source);
	text_copy_cut(invite->call_id, record->call_id_in, sizeof record->call_id_in);
	record->start_ms = wall_ms;
	record->caller.ttl_lowest = record->called.ttl_lowest = 255;
}

bool record_open(struct call *call, const struct sip_message *invite, const char *account_sid,
		 const char *trunk_sid)
{
	call->record = history_call_open(call->calls->history);
	if (call->record == NULL)
		return false;
	text_copy_cut(text_of(call->sid), call->record->sid, sizeof call->record->sid);
	text_copy_cut(text_of(account_sid), call->record->account_sid,
		      sizeof call->record->account_sid);
	text_copy_cut(text_of(trunk_sid), call->record->trunk_sid, sizeof call->record->trunk_sid);
	fill_request(call->record, invite, call->direction, call->calls->clock->wall_ms);
	call->record->is_secure = call->is_secure;
	return true;
}

bool record_open_target(struct call *target, const struct call *call)
{
	const struct history_call *from = call->record;
	struct history_call *record = history_call_open(target->calls->history);
	target->record = record;
	if (record == NULL)
		return false;
	text_copy_cut(text_of(target->sid), record->sid, sizeof record->sid);
	text_copy_cut(text_of(call->sid), record->parent_sid, sizeof record->parent_sid);
	text_copy_cut(text_of(from->account_sid), record->account_sid, sizeof record->account_sid);
	text_copy_cut(text_of(from->trunk_sid), record->trunk_sid, sizeof record->trunk_sid);
	// A leg to a customer's own host is of no category of usage.
	text_copy_cut(target->direction == CALL_TO_PSTN ? TEXT("termination") : TEXT("transfer"),
		      record->direction, sizeof record->direction);
	record->start_ms = target->calls->clock->wall_ms;
	record->caller.ttl_lowest = record->called.ttl_lowest = 255;
	record->is_secure = target->is_secure;
	return true;
}

void record_carrier(struct call *call, const char *sid, const char *name,
		    const struct address *address)
{
	struct history_call *record = call->record;
	text_copy_cut(text_of(name), call->carrier_name, sizeof call->carrier_name);
	text_copy_cut(text_of(sid), record->carrier_sid, sizeof record->carrier_sid);
	text_copy_cut(text_of(name), record->carrier, sizeof record->carrier);
	record->carrier_address[0] = '\0';
	if (address != NULL)
		copy_address(address, record->carrier_address, sizeof record->carrier_address);
}

void record_ladder(struct call *call, enum media_side side, enum record_direction direction,
		   const char *what)
{
	if (call == NULL || call->record == NULL)
		return;
	char *ladder = call->record->ladder;
	size_t used = strlen(ladder);
	struct writer line = writer_of(ladder + used, sizeof call->record->ladder - used);
	writer_unsigned(&line, call->calls->clock->now_ms - call->started_ms);
	writer_text(&line, side == MEDIA_CALLER ? TEXT(" caller") : TEXT(" called"));
	writer_text(&line, direction == RECORD_IN ? TEXT("> ") : TEXT("< "));
	writer_string(&line, what);
	writer_char(&line, '\n');
	if (writer_string_done(&line) == NULL)
		ladder[used] = '\0';
}

void record_ladder_status(struct call *call, enum media_side side, enum record_direction direction,
			  unsigned status)
{
	char what[8];
	struct writer writer = writer_of(what, sizeof what);
	writer_unsigned(&writer, status);
	record_ladder(call, side, direction, writer_string_done(&writer));
}

void record_end(struct call *call, enum history_end ended_by, unsigned status, const char *reason)
{
	if (call->record != NULL)
		record_finish(call->calls, call->record, ended_by, status, reason);
}

void record_finish(const struct calls *calls, struct history_call *record,
		   enum history_end ended_by, unsigned status, const char *reason)
{
	if (record->end_ms != 0)
		return;
	record->end_ms = calls->clock->wall_ms;
	record->ended_by = (uint8_t)ended_by;
	record->sip_status = (uint16_t)status;
	text_copy_cut(text_of(reason), record->reason, sizeof record->reason);
}

static void fill_media(struct history_media *row, const struct media_figures *figures)
{
	const struct stream_view *view = &figures->rtp;
	row->packets = view->packets;
	row->octets = view->octets;
	row->lost = figures->lost;
	row->jitter_us = figures->jitter_us;
	row->ttl_lowest = view->generation != 0 ? view->ttl_lowest : 255;
	row->payload_type = figures->payload_type;
	row->events = view->events;
	row->drops_ttl = view->drops[STREAM_DROP_TTL];
	row->drops_source = view->drops[STREAM_DROP_SOURCE];
	row->drops_other = view->drops[STREAM_DROP_MALFORMED] +
			   view->drops[STREAM_DROP_NO_NEXT_HOP] + view->drops[STREAM_DROP_TX];
	row->drops_authentication = view->drops[STREAM_DROP_AUTHENTICATION];
	row->drops_replay = view->drops[STREAM_DROP_REPLAY];
	row->drops_payload_type = view->drops[STREAM_DROP_PAYLOAD_TYPE];
	row->payload_changes = view->payload_changes;
	row->reordered = view->reordered;
	row->duplicates = view->duplicates;
	row->ssrc_changes = view->ssrc_changes;
	row->silent = view->silent;
	row->mos = figures->mos;
	row->unreachable = figures->unreachable;
	copy_address(&figures->local, row->local, sizeof row->local);
	copy_address(&figures->remote, row->remote, sizeof row->remote);
	copy_address(&view->source, row->source, sizeof row->source);
	copy_address(&figures->refused, row->refused, sizeof row->refused);
	if (figures->suite != SUITE_NONE)
		text_copy_cut(text_of(suite_facts(figures->suite)->name), row->suite,
			      sizeof row->suite);
}

static void fill_reports(struct history_media *row, const struct stream_view *rtcp)
{
	row->reports = rtcp->reports;
	row->generated = rtcp->generated;
	row->peer_lost = rtcp->peer_lost;
	row->peer_jitter_us = rtcp->peer_jitter * 125; // from 1/8000 s
	row->round_trip_us = rtcp->round_trip_us;
}

static void fill_side(struct call *call, enum media_side side, struct history_media *row)
{
	struct media_figures figures;
	enum diagnosis cause = (enum diagnosis)call->audio.causes[side];
	media_read(call->media, side, &figures);
	fill_media(row, &figures);
	fill_reports(row, &figures.rtcp);
	if (cause == DIAGNOSIS_NONE)
		return;
	text_copy_cut(text_of(diagnosis_facts(cause)->name), row->verdict, sizeof row->verdict);
	row->is_recovered = call->audio.verdicts[side] == DIAGNOSIS_NONE;
}

// A party that came by transfer has its figures in the record it brought along.
void record_media(struct call *call)
{
	if (call->media == NULL)
		return;
	for (unsigned i = 0; i < MEDIA_SIDES; i++) {
		const struct joined *joined = &call->joined[i];
		bool has_come = joined->record != NULL;
		struct history_call *record = has_come ? joined->record : call->record;
		enum media_side side = has_come ? joined->side : (enum media_side)i;
		if (record != NULL)
			fill_side(call, (enum media_side)i,
				  side == MEDIA_CALLER ? &record->caller : &record->called);
	}
}

void record_close(struct call *call)
{
	if (call->record != NULL && call->is_unlisted)
		history_call_drop(call->calls->history, call->record);
	else if (call->record != NULL)
		record_hand_over(call->calls, call->record);
	call->record = NULL;
}

void record_hand_over(struct calls *calls, struct history_call *record)
{
	struct log_value status;
	struct log_value duration;
	uint64_t talk_ms = record->answer_ms ? record->end_ms - record->answer_ms : 0;
	log_event(LOG_INFO, "call_ended", "call", record->sid, "trunk", record->trunk_sid, "from",
		  record->from, "to", record->to, "status", log_number(&status, record->sip_status),
		  "reason", record->reason, "talk_ms", log_number(&duration, (int64_t)talk_ms),
		  NULL);
	history_call_close(calls->history, record);
}

// What nobody has brought on is rare, and is not held back: that of no trunk.
static bool is_held_back(struct calls *calls, const struct history_alert *alert,
			 const struct refusal_row *row, unsigned *out_held_back)
{
	uint64_t key = map_hash_pair(text_of(alert->trunk_sid), text_of(row->label));
	*out_held_back = 0;
	return alert->trunk_sid[0] != '\0' &&
	       !damper_pass(calls->dampers, key, calls->clock->now_ms,
			    calls->config->alerts.max_per_s, out_held_back);
}

static void write_fix(struct history_alert *alert, const char *fix, unsigned held_back)
{
	struct writer text = writer_of(alert->text, sizeof alert->text);
	writer_string(&text, fix);
	if (held_back == 1)
		writer_string(&text, " (1 more like this was not written)");
	else if (held_back > 1)
		writer_format(&text, " (%u more like this were not written)", held_back);
	if (writer_string_done(&text) == NULL)
		text_copy_cut(text_of(fix), alert->text, sizeof alert->text);
}

static void write_alert(struct calls *calls, struct history_alert *alert,
			const struct refusal *refusal)
{
	const struct refusal_row *row = refusal_row(refusal->cause);
	struct log_value code;
	unsigned held_back;
	if (is_held_back(calls, alert, row, &held_back)) {
		counter_add(&calls->counters.alerts_held_back, 1);
		return;
	}
	alert->at_ms = calls->clock->wall_ms;
	alert->code = row->alert_code;
	alert->severity = (uint8_t)catalogue_severity(row->alert_code);
	text_copy_cut(text_of(row->label), alert->cause, sizeof alert->cause);
	text_copy_cut(text_of(refusal->header), alert->header, sizeof alert->header);
	text_copy_cut(text_of(refusal->seen), alert->seen, sizeof alert->seen);
	text_copy_cut(text_of(refusal->expected), alert->expected, sizeof alert->expected);
	write_fix(alert, row->fix, held_back);
	(void)history_alert_write(calls->history, alert); // counted there when the spool is full
	trigger_hear(calls, alert);
	log_event(LOG_WARNING, "alert", "code", log_number(&code, row->alert_code), "cause",
		  row->label, "call", alert->call_sid, "trunk", alert->trunk_sid, "source",
		  alert->source, "header", alert->header, "seen", alert->seen, "expected",
		  alert->expected, NULL);
}

bool record_has_alerted(const struct call *call, enum refusal_cause cause)
{
	return (call->alerted[cause / 64] >> (cause % 64) & 1) != 0;
}

void record_alert(struct call *call, const struct refusal *refusal)
{
	const struct refusal_row *row = refusal_row(refusal->cause);
	if (row->alert_code == 0 || record_has_alerted(call, refusal->cause) ||
	    call->record == NULL)
		return;
	if (row->status == 0) // a refusal is counted by who refuses
		refusal_count(&call->calls->counters, refusal->cause);
	call->alerted[refusal->cause / 64] |= 1ull << (refusal->cause % 64);
	struct history_alert alert = { 0 };
	text_copy_cut(text_of(call->sid), alert.call_sid, sizeof alert.call_sid);
	text_copy_cut(text_of(call->record->account_sid), alert.account_sid,
		      sizeof alert.account_sid);
	text_copy_cut(text_of(call->record->trunk_sid), alert.trunk_sid, sizeof alert.trunk_sid);
	text_copy_cut(text_of(call->record->source), alert.source, sizeof alert.source);
	call->record->alert_code = row->alert_code;
	write_alert(call->calls, &alert, refusal);
}

void record_alert_again(struct call *call, const struct refusal *refusal)
{
	call->alerted[refusal->cause / 64] &= ~(1ull << (refusal->cause % 64));
	record_alert(call, refusal);
}

void record_alert_of(struct calls *calls, struct history_alert *alert,
		     const struct refusal *refusal)
{
	refusal_count(&calls->counters, refusal->cause);
	write_alert(calls, alert, refusal);
}

void record_node_alert(struct calls *calls, const struct refusal *refusal)
{
	struct history_alert alert = { 0 };
	record_alert_of(calls, &alert, refusal);
}

bool record_is_repeat(struct calls *calls, const struct sip_message *invite)
{
	uint64_t hash = map_hash_pair(invite->via.whole, invite->call_id);
	const size_t remembered = sizeof calls->strangers / sizeof calls->strangers[0];
	uint64_t *slot = &calls->strangers[hash % remembered];
	bool is_repeat = *slot == hash;
	*slot = hash;
	return is_repeat;
}

bool record_is_before_authentication(enum refusal_cause cause)
{
	return cause == REFUSED_INSECURE || cause == REFUSED_TLS_VERSION ||
	       cause == REFUSED_NO_AUTHENTICATION || cause == REFUSED_DISABLED ||
	       cause == REFUSED_SOURCE || cause == REFUSED_CREDENTIALS || cause == REFUSED_LOOP;
}

void record_decided(struct calls *calls, const struct sip_message *invite, const char *sid,
		    enum refusal_cause cause)
{
	replay_ring_add(calls->ring, invite,
			&(struct replay_fate){ calls->clock->now_ms, calls->clock->wall_ms, sid,
					       cause, record_is_before_authentication(cause) });
}

void record_refused(struct calls *calls, const struct sip_message *invite, const char *account_sid,
		    const char *trunk_sid, const struct refusal *refusal)
{
	const struct refusal_row *row = refusal_row(refusal->cause);
	if (record_is_before_authentication(refusal->cause) &&
	    !limits_pass(calls->limits, "strangers", STRANGER_RECORDS_PER_S))
		return; // counted by its cause all the same
	struct history_call *record = history_call_open(calls->history);
	char sid[RANDOM_SID_SIZE];
	random_sid("CA", sid);
	record_decided(calls, invite, sid, refusal->cause);
	struct history_alert alert = { 0 };
	text_copy_cut(text_of(sid), alert.call_sid, sizeof alert.call_sid);
	text_copy_cut(text_of(account_sid), alert.account_sid, sizeof alert.account_sid);
	text_copy_cut(text_of(trunk_sid), alert.trunk_sid, sizeof alert.trunk_sid);
	char source[ADDRESS_TEXT_SIZE];
	text_copy_cut(text_of(address_string(&invite->flow.remote, source)), alert.source,
		      sizeof alert.source);
	if (row->alert_code != 0)
		write_alert(calls, &alert, refusal);
	if (record == NULL)
		return; // the spool is full: the alert and the counter still tell
	fill_request(record, invite, CALL_TO_PSTN, calls->clock->wall_ms);
	text_copy_cut(text_of(sid), record->sid, sizeof record->sid);
	text_copy_cut(text_of(account_sid), record->account_sid, sizeof record->account_sid);
	text_copy_cut(text_of(trunk_sid), record->trunk_sid, sizeof record->trunk_sid);
	record->end_ms = record->start_ms;
	record->ended_by = HISTORY_END_TRUNKD;
	record->sip_status = (uint16_t)row->status;
	record->alert_code = row->alert_code;
	text_copy_cut(text_of(row->phrase), record->reason, sizeof record->reason);
	history_call_close(calls->history, record);
}
