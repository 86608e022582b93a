// Verdicts on one direction of a call's audio, one rule per cause, in the order of the list. Runs on
// any thread; pure. Must never call a direction dead that merely pauses or is on hold.

#include "media/quality/diagnosis.h"

// Fewer packets than these are noise, or somebody's who guesses ports: 5 s of speech are 250.
#define PACKETS_TELLING 10
// A phone that suppresses silence sends nothing for a while (RFC 3551 4.1).
#define STOPPED_NS 10000000000ull
// Who listens says nothing; this long without one sound, from the first packet on, is no listening.
#define SILENT_NS 20000000000ull
// Linux sends one ICMP error a second to a peer: what a phone closes at its end brings fewer.
#define ERRORS_TELLING 3
#define FRACTION_NOTHING 250 // of 256 (RFC 3550 6.4.1)
#define REPORT_NS 20000000000ull // reports come every 5 s or so

// clang-format off
#define FACTS_ROW(name, label, code, what, fix) [DIAGNOSIS_##name] = { label, code, what, fix },
static const struct diagnosis_facts facts[DIAGNOSIS_COUNT] = {
	[DIAGNOSIS_NONE] = { "none", 0, "it is heard", "" },
	DIAGNOSIS_LIST(FACTS_ROW)
};
#undef FACTS_ROW
// clang-format on

struct window { // of one case: what happened since the mark
	const struct diagnosis_case *one;
	uint64_t packets;
	uint32_t drops[STREAM_DROP_COUNT];
	uint32_t unreachable;
};

const struct diagnosis_facts *diagnosis_facts(enum diagnosis diagnosis)
{
	return &facts[diagnosis < DIAGNOSIS_COUNT ? diagnosis : DIAGNOSIS_NONE];
}

bool diagnosis_is_due(const struct media_figures *speaker, const struct media_figures *listener)
{
	return !speaker->is_held && !listener->is_held && speaker->sends && listener->listens;
}

struct diagnosis_mark diagnosis_mark(const struct media_figures *speaker,
				     const struct media_figures *listener)
{
	struct diagnosis_mark mark = { .packets = speaker->rtp.packets,
				       .unreachable = listener->unreachable };
	for (unsigned i = 0; i < STREAM_DROP_COUNT; i++)
		mark.drops[i] = speaker->rtp.drops[i];
	return mark;
}

// Counters only grow, but for those of a dataplane that came anew.
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static struct window window_of(const struct diagnosis_case *one)
{
	static const struct diagnosis_mark nothing;
	const struct diagnosis_mark *mark = one->mark != NULL ? one->mark : &nothing;
	struct window window = {
		.one = one,
		.packets = grown(one->speaker->rtp.packets, mark->packets),
		.unreachable = (uint32_t)grown(one->listener->unreachable, mark->unreachable),
	};
	for (unsigned i = 0; i < STREAM_DROP_COUNT; i++)
		window.drops[i] = (uint32_t)grown(one->speaker->rtp.drops[i], mark->drops[i]);
	return window;
}

static bool is_dropped_for(const struct window *window, enum stream_drop drop)
{
	return window->packets == 0 && window->drops[drop] >= PACKETS_TELLING;
}

static uint64_t since(const struct window *window, uint64_t then_ns)
{
	return grown(window->one->now_ns, then_ns);
}

static bool is_ttl(const struct window *window)
{
	return is_dropped_for(window, STREAM_DROP_TTL);
}

static bool is_authentication(const struct window *window)
{
	return is_dropped_for(window, STREAM_DROP_AUTHENTICATION);
}

static bool is_wrong_source(const struct window *window)
{
	return is_dropped_for(window, STREAM_DROP_SOURCE);
}

static bool is_private_source(const struct window *window)
{
	return window->one->speaker->is_private && is_wrong_source(window);
}

static bool is_payload_type(const struct window *window)
{
	return is_dropped_for(window, STREAM_DROP_PAYLOAD_TYPE);
}

static bool is_nothing_arriving(const struct window *window)
{
	return window->one->speaker->rtp.packets == 0;
}

static bool is_stopped(const struct window *window)
{
	const struct stream_view *view = &window->one->speaker->rtp;
	return window->packets == 0 && since(window, view->last_ns) >= STOPPED_NS &&
	       since(window, window->one->answered_ns) >= STOPPED_NS;
}

static bool is_silent(const struct window *window)
{
	const struct stream_view *view = &window->one->speaker->rtp;
	return window->packets > 0 && view->events == 0 &&
	       since(window, view->first_ns) >= SILENT_NS &&
	       since(window, window->one->answered_ns) >= SILENT_NS &&
	       (uint64_t)view->silent * 100 >= view->packets * 99;
}

// The listener's own packets, accepted from that very address, show that it can be reached; and so
// do its reports of what it receives.
static bool is_private_destination(const struct window *window)
{
	const struct media_figures *listener = window->one->listener;
	return listener->is_private && !window->one->is_symmetric_listener &&
	       !window->one->is_listener_near && listener->rtp.packets == 0 &&
	       (listener->rtcp.reports == 0 || listener->rtcp.peer_fraction >= FRACTION_NOTHING);
}

static bool has_report(const struct window *window)
{
	const struct stream_view *reports = &window->one->listener->rtcp;
	return reports->reports > 0 && since(window, reports->last_ns) < REPORT_NS;
}

// Whoever knows the ports can forge these errors; a listener that reports to hear is believed.
static bool is_unreachable(const struct window *window)
{
	bool is_heard =
		has_report(window) && window->one->listener->rtcp.peer_fraction < FRACTION_NOTHING;
	return window->packets > 0 && window->unreachable >= ERRORS_TELLING && !is_heard;
}

static bool is_not_received(const struct window *window)
{
	return window->packets > 0 && has_report(window) &&
	       window->one->listener->rtcp.peer_fraction >= FRACTION_NOTHING;
}

// clang-format off
static bool (*const rules[DIAGNOSIS_COUNT])(const struct window *window) = {
	[DIAGNOSIS_TTL]                 = is_ttl,
	[DIAGNOSIS_AUTHENTICATION]      = is_authentication,
	[DIAGNOSIS_PRIVATE_SOURCE]      = is_private_source,
	[DIAGNOSIS_WRONG_SOURCE]        = is_wrong_source,
	[DIAGNOSIS_PAYLOAD_TYPE]        = is_payload_type,
	[DIAGNOSIS_NOTHING_ARRIVES]     = is_nothing_arriving,
	[DIAGNOSIS_STOPPED]             = is_stopped,
	[DIAGNOSIS_SILENT]              = is_silent,
	[DIAGNOSIS_PRIVATE_DESTINATION] = is_private_destination,
	[DIAGNOSIS_UNREACHABLE]         = is_unreachable,
	[DIAGNOSIS_NOT_RECEIVED]        = is_not_received,
};
// clang-format on

enum diagnosis diagnosis_find(const struct diagnosis_case *one)
{
	uint64_t early_ns = one->is_final ? DIAGNOSIS_EARLY_FINAL_NS : DIAGNOSIS_EARLY_NS;
	if (!diagnosis_is_due(one->speaker, one->listener) ||
	    grown(one->now_ns, one->answered_ns) < early_ns)
		return DIAGNOSIS_NONE;
	struct window window = window_of(one);
	for (unsigned i = DIAGNOSIS_NONE + 1; i < DIAGNOSIS_COUNT; i++) {
		if (rules[i](&window))
			return (enum diagnosis)i;
	}
	return DIAGNOSIS_NONE;
}
