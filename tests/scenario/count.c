// What there is now, and what was counted: "streams 0, ports 0, calls 0" and "counter unknown_domain 1".
// Runs on: the thread of the test.

#include <string.h>

#include "call/refusal.h"
#include "fake/dataplane.h"
#include "fake/history.h"
#include "fake/limits.h"
#include "scenario/story.h"

static unsigned long transactions_of(const struct node *node)
{
	const struct sip_transaction_counters *counters =
		sip_transaction_counters(node->transactions);
	return counter_get(&counters->server_count) + counter_get(&counters->client_count);
}

static unsigned long keys_sent(const struct node *node)
{
	unsigned long count = 0;
	for (unsigned i = 0; i < fake_dataplane_sent_count(node->dataplane); i++)
		count += fake_dataplane_sent(node->dataplane, i)->kind == MESSAGE_STREAM_KEY;
	return count;
}

static bool find_gauge(const struct node *node, const char *name, unsigned long *out_value)
{
	if (strcmp(name, "calls") == 0)
		*out_value = calls_count(node->calls);
	else if (strcmp(name, "slots") == 0) // of limits, held by calls
		*out_value = calls_limited(node->calls);
	else if (strcmp(name, "questions") == 0) // to Redis, not yet answered
		*out_value = fake_limits_questions(node->limits);
	else if (strcmp(name, "held") == 0) // of limits, as Redis counts
		*out_value = fake_limits_held(node->limits);
	else if (strcmp(name, "dialogs") == 0)
		*out_value = sip_dialogs_count(node->dialogs);
	else if (strcmp(name, "transactions") == 0)
		*out_value = transactions_of(node);
	else if (strcmp(name, "streams") == 0)
		*out_value = node->dataplane ? fake_dataplane_open_count(node->dataplane) : 0;
	else if (strcmp(name, "keys") == 0) // told to workers so far
		*out_value = node->dataplane ? keys_sent(node) : 0;
	else if (strcmp(name, "leaked") == 0)
		*out_value = counter_get(&calls_counters(node->calls)->ports_leaked);
	else if (strcmp(name, "ports") == 0)
		*out_value = counter_get(&media_engine_counters(node->media)->ports_used);
	else if (strcmp(name, "bans") == 0) // of sources, and of OPTIONS
		*out_value = story_bans(node);
	else if (strcmp(name, "records") == 0)
		*out_value = fake_history_open_count(node->history);
	else
		return false;
	return true;
}

// "streams 0, ports 0, calls 0": media is looked after each tick, so one passes first.
bool story_check_gauges(struct story *story)
{
	node_wait(story->node, WHEEL_TICK_MS);
	story->words.next = 0;
	const char *name;
	while ((name = words_take(&story->words)) != NULL) {
		unsigned long expected, value;
		if (!find_gauge(story->node, name, &value))
			return story_fail(story, "no such thing to count: %s", name);
		if (!story_take_number(story, &expected))
			return false;
		if (value != expected)
			return story_fail(story, "expected %lu %s, there are %lu", expected, name,
					  value);
	}
	return true;
}

static bool find_counter(const struct node *node, const char *name, unsigned long *out_value)
{
	const struct sip_transaction_counters *sip = sip_transaction_counters(node->transactions);
	const struct call_counters *calls = calls_counters(node->calls);
	const struct sip_guard_counters *guard = sip_guard_counters(node->guard);
	const struct {
		const char *name;
		const struct counter *counter;
	} rows[] = {
		{ "unknown_domain", &sip->unknown_domain },
		{ "retransmissions_in", &sip->retransmissions_in },
		{ "retransmissions_out", &sip->retransmissions_out },
		{ "merged", &sip->merged },
		{ "wrong_via", &sip->wrong_via },
		{ "malformed", &sip->rejected_malformed },
		{ "dropped_malformed", &sip->dropped_malformed },
		{ "overload_answers", &sip->overload },
		{ "dropped_banned", &guard->dropped[SIP_GUARD_DROP_BANNED] },
		{ "dropped_options", &guard->dropped[SIP_GUARD_DROP_OPTIONS] },
		{ "dropped_overload", &guard->dropped[SIP_GUARD_DROP_OVERLOAD] },
		{ "started", &calls->started[CALL_TO_PSTN] },
		{ "answered", &calls->answered[CALL_TO_PSTN] },
		{ "ended", &calls->ended[CALL_TO_PSTN] },
		{ "started_by_pstn", &calls->started[CALL_TO_PBX] },
		{ "ack_timeouts", &calls->ack_timeouts },
		{ "carrier_moves", &calls->carrier_moves },
		{ "address_moves", &calls->address_moves },
		{ "late_answers", &calls->late_answers },
		{ "infos_dropped", &calls->infos_dropped },
		{ "infos_hidden", &calls->infos_hidden },
		{ "uri_moves", &calls->uri_moves },
		{ "redirects", &calls->redirects },
		{ "limits_asked", &calls->limits.asked },
		{ "limits_late", &calls->limits.late },
		{ "limits_alone", &calls->limits.alone },
		{ "alerts_held_back", &calls->alerts_held_back },
		{ "transfers", &calls->transfers },
		{ "challenges", &calls->challenges },
		{ "nothing_arrives_to_pstn",
		  &calls->one_way_now[DIAGNOSIS_NOTHING_ARRIVES][CALL_TO_PSTN] }, // now
		{ "nothing_arrives_to_pbx",
		  &calls->one_way_now[DIAGNOSIS_NOTHING_ARRIVES][CALL_TO_PBX] },
		{ "nothing_arrives_to_pbx_ever",
		  &calls->one_way[DIAGNOSIS_NOTHING_ARRIVES][CALL_TO_PBX] },
		{ "transfers_failed", &calls->transfers_failed },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(name, rows[i].name) == 0) {
			*out_value = counter_get(rows[i].counter);
			return true;
		}
	}
	for (unsigned row = 0; call_refusal_label(row) != NULL; row++) {
		if (strcmp(name, call_refusal_label(row)) == 0) {
			*out_value = counter_get(&calls->troubles[row]);
			return true;
		}
	}
	return false;
}

bool story_check_counter(struct story *story)
{
	const char *name = words_take(&story->words);
	unsigned long expected, value;
	if (name == NULL || !find_counter(story->node, name, &value))
		return story_fail(story, "no such counter: %s", name ? name : "");
	if (!story_take_number(story, &expected))
		return false;
	return value == expected ||
	       story_fail(story, "expected %s to be %lu, it is %lu", name, expected, value);
}
