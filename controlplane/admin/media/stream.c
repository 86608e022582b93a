// A live stream's figures as JSON. Runs on the control thread; reads what was read of the workers.

#include "admin/media/stream.h"

#include "admin/admin.h"
#include "admin/json.h"
#include "admin/history/past.h"
#include "base/clock.h"
#include "call/call.h"
#include "dataplane/suite.h"

#define DROP_NAME(name, text) text,
static const char *const drop_names[STREAM_DROP_COUNT] = { STREAM_DROP_LIST(DROP_NAME) };

static json_t *drops_to_json(const struct stream_view *view)
{
	json_t *drops = json_object();
	for (unsigned i = 0; i < STREAM_DROP_COUNT; i++)
		admin_json_set(drops, drop_names[i], admin_json_number(view->drops[i]));
	return drops;
}

static json_t *idle_ms(const struct admin_context *context, const struct stream_view *view)
{
	uint64_t last_ms = view->last_ns / 1000000, now_ms = context->clock->now_ms;
	if (view->last_ns == 0)
		return json_null();
	return admin_json_number(now_ms > last_ms ? now_ms - last_ms : 0);
}

static void set_addresses(json_t *object, const struct call_facts *facts, enum media_side side)
{
	const struct media_figures *figures = &facts->media[side];
	admin_json_set(object, "local", admin_json_address(&figures->local));
	admin_json_set(object, "remote", admin_json_address(&figures->remote));
	admin_json_set(object, "source", admin_json_address(&figures->rtp.source));
	admin_json_set(object, "source_is_learned", json_boolean(figures->rtp.source_is_learned));
	admin_json_set(object, "learned_at", admin_json_time(facts->learned_ms[side]));
	admin_json_set(object, "refused", admin_json_address(&figures->refused));
	admin_json_set(object, "refused_at", admin_json_time(facts->refused_ms[side]));
	admin_json_set(object, "remote_is_private", json_boolean(figures->is_private));
	admin_json_set(object, "icmp_errors", admin_json_number(figures->unreachable));
}

static void set_figures(json_t *object, const struct media_figures *figures)
{
	const struct stream_view *view = &figures->rtp;
	admin_json_set(object, "packets", admin_json_number(view->packets));
	admin_json_set(object, "octets", admin_json_number(view->octets));
	admin_json_set(object, "lost", admin_json_number(figures->lost));
	admin_json_set(object, "loss_percent",
		       admin_past_loss_percent(view->packets, figures->lost));
	admin_json_set(object, "jitter_ms", json_real((double)figures->jitter_us / 1000));
	admin_json_set(object, "mos",
		       figures->mos ? json_real((double)figures->mos / 100) : json_null());
	admin_json_set(object, "ttl_lowest",
		       view->ttl_lowest == 255 || view->generation == 0
			       ? json_null()
			       : json_integer(view->ttl_lowest));
	admin_json_set(object, "events", admin_json_number(view->events));
	admin_json_set(object, "reordered", admin_json_number(view->reordered));
	admin_json_set(object, "duplicates", admin_json_number(view->duplicates));
	admin_json_set(object, "ssrc_changes", admin_json_number(view->ssrc_changes));
	admin_json_set(object, "payload_changes", admin_json_number(view->payload_changes));
	admin_json_set(object, "silent_packets", admin_json_number(view->silent));
	admin_json_set(object, "silence_percent",
		       json_real(view->packets > 0
					 ? 100.0 * (double)view->silent / (double)view->packets
					 : 0));
}

// What that side says about what we send to it (RFC 3550 6.4.1).
static json_t *rtcp_to_json(const struct stream_view *rtcp)
{
	json_t *reports = json_object();
	admin_json_set(reports, "packets", admin_json_number(rtcp->packets));
	admin_json_set(reports, "reports", admin_json_number(rtcp->reports));
	admin_json_set(reports, "generated", admin_json_number(rtcp->generated));
	admin_json_set(reports, "peer_lost", json_integer(rtcp->peer_lost));
	admin_json_set(reports, "peer_loss_percent",
		       json_real(100.0 * (double)rtcp->peer_fraction / 256));
	admin_json_set(reports, "peer_jitter_ms", json_real((double)rtcp->peer_jitter / 8));
	admin_json_set(reports, "round_trip_ms", json_real((double)rtcp->round_trip_us / 1000));
	return reports;
}

// Of a leg: what it sends to us and what we send to it; null when it is RTP.
static json_t *srtp_to_json(const struct media_figures *leg, const struct media_figures *other)
{
	if (leg->suite == SUITE_NONE)
		return json_null();
	json_t *srtp = json_object();
	admin_json_set(srtp, "rollover_in", admin_json_number(leg->rtp.arrives_rollover));
	admin_json_set(srtp, "rollover_out", admin_json_number(other->rtp.leaves_rollover));
	admin_json_set(srtp, "rtcp_index_in", admin_json_number(leg->rtcp.arrives_index));
	admin_json_set(srtp, "rtcp_index_out", admin_json_number(other->rtcp.leaves_index));
	admin_json_set(srtp, "not_authentic",
		       admin_json_number((uint64_t)leg->rtp.drops[STREAM_DROP_AUTHENTICATION] +
					 leg->rtcp.drops[STREAM_DROP_AUTHENTICATION]));
	admin_json_set(srtp, "replayed",
		       admin_json_number((uint64_t)leg->rtp.drops[STREAM_DROP_REPLAY] +
					 leg->rtcp.drops[STREAM_DROP_REPLAY]));
	admin_json_set(srtp, "not_authentic_from", admin_json_address(&leg->unauthentic));
	return srtp;
}

static void set_verdict(json_t *object, const struct call_facts *facts, enum media_side side)
{
	enum diagnosis verdict = facts->verdicts[side];
	admin_json_set(object, "verdict", json_string(diagnosis_facts(verdict)->name));
	admin_json_set(object, "last_verdict",
		       json_string(diagnosis_facts(facts->causes[side])->name));
	if (verdict == DIAGNOSIS_NONE)
		return;
	admin_json_set(object, "verdict_text", json_string(diagnosis_facts(verdict)->text));
	admin_json_set(object, "fix", json_string(diagnosis_facts(verdict)->fix));
}

// Which keys were pressed, where the configuration says so (media.show_digits); how many is a figure.
static json_t *digits_to_json(const struct call_facts *facts, enum media_side side)
{
	const char *digits = facts->digits[side];
	return digits != NULL && digits[0] != 0 ? json_string(digits) : json_null();
}

json_t *admin_stream_to_json(const struct admin_context *context, const struct call_facts *facts,
			     enum media_side side)
{
	const struct media_figures *figures = &facts->media[side];
	const struct media_figures *other = &facts->media[side == MEDIA_CALLER];
	json_t *object = json_object();
	admin_json_set(object, "from", json_string(side == MEDIA_CALLER ? "caller" : "called"));
	set_verdict(object, facts, side);
	admin_json_set(object, "codec", admin_past_codec(figures->payload_type));
	admin_json_set(object, "suite", json_string(suite_facts((enum suite)figures->suite)->name));
	admin_json_set(object, "rollover", admin_json_number(figures->rtp.arrives_rollover));
	admin_json_set(object, "event_type",
		       figures->event_type == PAYLOAD_TYPE_NONE
			       ? json_null()
			       : json_integer(figures->event_type));
	set_addresses(object, facts, side);
	admin_json_set(object, "digits", digits_to_json(facts, side));
	set_figures(object, figures);
	admin_json_set(object, "idle_ms", idle_ms(context, &figures->rtp));
	admin_json_set(object, "drops", drops_to_json(&figures->rtp));
	admin_json_set(object, "srtp", srtp_to_json(figures, other));
	admin_json_set(object, "rtcp", rtcp_to_json(&figures->rtcp));
	return object;
}
