// The judgement, cheapest question first: banned? whose? within its share? then a look at the lines.
// Runs on the control thread, once per message, before the scan. Never allocates.

#include "sip/guard/guard.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sip/guard/source.h"
#include "sip/guard/steer.h"

#define FRESH_MS 200 // who comes again after this was no address made up for one packet
#define FLOOD_FACTOR 10 // seconds' worth of messages refused in a minute that are a flood
#define TOLD_MS 60000

struct sip_guard_message {
	struct text octets;
	const struct sip_flow *flow;
	uint64_t age_us; // for how long it waited
	bool is_let_in; // by the door
	uint64_t queued_us; // there, of that time
};

uint64_t sip_guard_now_us(const struct sip_guard *guard)
{
	return guard->options.clock->now_ms * 1000;
}

static enum sip_guard_verdict drop(struct sip_guard *guard, enum sip_guard_drop why)
{
	counter_add(&guard->counters.dropped[why], 1);
	return SIP_GUARD_DROPPED;
}

// ---- known peers

static struct sip_guard_peer *find_known(struct sip_guard *guard, struct sip_guard_key key)
{
	struct sip_guard_peer *peer = sip_guard_table_find(&guard->peers, key);
	if (peer == NULL || peer->known_until_ms <= guard->options.clock->now_ms)
		return NULL;
	return peer;
}

bool sip_guard_is_peer(struct sip_guard *guard, const struct address *source)
{
	const struct sip_guard_options *options = &guard->options;
	return find_known(guard, sip_guard_key_of(source)) != NULL ||
	       options->is_listed(options->context, source);
}

static void tell_limited(struct sip_guard *guard, struct sip_guard_peer *peer,
			 const struct address *source)
{
	uint64_t now_ms = guard->options.clock->now_ms;
	if (peer->told_ms != 0 && now_ms - peer->told_ms < TOLD_MS)
		return;
	peer->told_ms = now_ms;
	struct sip_guard_event event = { SIP_GUARD_EVENT_LIMITED, source, TEXT_NONE,
					 guard->options.config->peer_rate };
	guard->options.event(guard->options.context, &event);
}

// A place of its own for its rate; who finds none, between peers known longer, is not measured.
static bool has_share(struct sip_guard *guard, struct sip_guard_key key,
		      const struct address *source)
{
	const struct guard_config *config = guard->options.config;
	uint64_t now_ms = guard->options.clock->now_ms;
	struct sip_guard_peer *peer = sip_guard_table_take(&guard->peers, key, now_ms);
	if (peer == NULL)
		return true;
	if (peer->slot.keep_ms < now_ms)
		peer->slot.keep_ms = now_ms;
	if (sip_guard_rate_take(&peer->rate, sip_guard_now_us(guard),
				sip_guard_rate_interval(config->peer_rate), config->peer_rate))
		return true;
	tell_limited(guard, peer, source);
	return false;
}

// ---- strangers

// The budget of all strangers: who was seen before has its own half, so that a flood of made-up
// addresses, each seen once, leaves room for those who knock again.
static bool take_from_all(struct sip_guard *guard, bool is_fresh, bool is_stream)
{
	unsigned half = guard->options.config->strangers_rate / 2 + 1;
	struct sip_guard_rate *rate = is_stream  ? &guard->streams
				      : is_fresh ? &guard->fresh
						 : &guard->returning;
	return sip_guard_rate_take(rate, sip_guard_now_us(guard), sip_guard_rate_interval(half),
				   half / 10 + 1);
}

// Whether it may come in; why not, otherwise. Who knocks far too often is banned.
static bool admit_stranger(struct sip_guard *guard, struct sip_guard_key key,
			   const struct sip_flow *flow, enum sip_guard_drop *out_why)
{
	const struct guard_config *config = guard->options.config;
	uint64_t now_ms = guard->options.clock->now_ms;
	struct sip_guard_stranger *stranger = sip_guard_table_take(&guard->strangers, key, now_ms);
	bool is_stream = sip_flow_is_reliable(flow);
	assert(stranger != NULL); // nobody is kept longer than who was seen last
	if (stranger->first_ms == 0)
		stranger->first_ms = stranger->window_ms = now_ms;
	stranger->slot.keep_ms = now_ms;
	sip_guard_begin_window(stranger, now_ms);
	if (!sip_guard_rate_take(&stranger->rate, sip_guard_now_us(guard),
				 sip_guard_rate_interval(config->stranger_rate),
				 config->stranger_rate)) {
		*out_why = SIP_GUARD_DROP_SOURCE;
		if (++stranger->refused == FLOOD_FACTOR * config->stranger_rate)
			sip_guard_condemn(guard, flow, SIP_GUARD_CAUSE_FLOOD, is_stream);
		return false;
	}
	*out_why = SIP_GUARD_DROP_STRANGERS;
	return take_from_all(guard, now_ms - stranger->first_ms < FRESH_MS, is_stream);
}

// ---- what it is

static bool answers_options(struct sip_guard *guard, const struct sip_guard_peek *peek,
			    const struct sip_flow *flow, bool is_peer)
{
	const struct guard_config *config = guard->options.config;
	struct sip_guard_ping_rule rule = {
		.allowed = SIP_GUARD_PING_WINDOW_MS / 1000 / config->options_interval_s +
			   config->options_burst,
		.term = { SIP_GUARD_CAUSE_OPTIONS, false, config->ban_s * 1000ull,
			  config->ban_max_s * 1000ull },
	};
	const struct sip_guard_ban *ban;
	enum sip_guard_ping_verdict verdict = sip_guard_ping_take(
		&guard->pings, &flow->remote, peek, &rule, guard->options.clock->now_ms, &ban);
	if (verdict == SIP_GUARD_PING_BLOCK) {
		counter_add(&guard->counters.bans[SIP_GUARD_CAUSE_OPTIONS], 1);
		sip_guard_tell_ban(guard, ban, peek->host);
		if (is_peer)
			guard->options.event(guard->options.context,
					     &(struct sip_guard_event){
						     SIP_GUARD_EVENT_OPTIONS, &flow->remote,
						     peek->host, config->options_interval_s });
	}
	return verdict == SIP_GUARD_PING_ANSWER;
}

// One that the door would have had: its repeat comes by there, in T1 (RFC 3261 17.1.1.2).
static bool is_before_the_door(const struct sip_guard *guard, const struct sip_guard_peek *peek,
			       const struct sip_guard_message *message)
{
	return sip_guard_has_door(guard) && !sip_flow_is_reliable(message->flow) &&
	       !peek->has_credentials && sip_guard_steer_takes(message->octets);
}

// An INVITE outside any dialog: a new call, or one more copy of it.
static enum sip_guard_verdict judge_call(struct sip_guard *guard, const struct sip_guard_peek *peek,
					 const struct sip_guard_message *message, bool is_peer)
{
	uint64_t now_us = sip_guard_now_us(guard);
	if (message->age_us > guard->options.config->stale_ms * 1000ull)
		return drop(guard, SIP_GUARD_DROP_STALE);
	enum sip_guard_need need = !is_peer                ? SIP_GUARD_NEED_STRANGER
				   : peek->has_credentials ? SIP_GUARD_NEED_STARTED
							   : SIP_GUARD_NEED_PEER;
	if (message->is_let_in) {
		sip_guard_overload_note_let_in(&guard->overload);
		return SIP_GUARD_NEXT;
	}
	if (is_before_the_door(guard, peek, message))
		return drop(guard, SIP_GUARD_DROP_OVERLOAD);
	if (sip_guard_overload_admit(&guard->overload, need, now_us))
		return SIP_GUARD_NEXT;
	if (!sip_guard_overload_may_answer(&guard->overload, now_us))
		return drop(guard, SIP_GUARD_DROP_OVERLOAD);
	counter_add(&guard->counters.shed, 1);
	return SIP_GUARD_SHED;
}

static enum sip_guard_verdict judge_lines(struct sip_guard *guard,
					  const struct sip_guard_message *message, bool is_peer)
{
	const struct sip_flow *flow = message->flow;
	struct sip_guard_peek peek;
	sip_guard_peek(message->octets, &peek);
	if (!is_peer && sip_guard_is_scanner(peek.user_agent)) {
		sip_guard_condemn(guard, flow, SIP_GUARD_CAUSE_SCANNER, sip_flow_is_reliable(flow));
		return drop(guard, SIP_GUARD_DROP_SCANNER);
	}
	if (peek.kind == SIP_GUARD_RESPONSE || peek.kind == SIP_GUARD_ACK || peek.has_to_tag)
		return is_peer ? SIP_GUARD_FIRST : SIP_GUARD_NEXT;
	bool has_rule = guard->options.config->options_interval_s > 0;
	if (peek.kind == SIP_GUARD_OPTIONS && has_rule &&
	    !answers_options(guard, &peek, flow, is_peer))
		return drop(guard, SIP_GUARD_DROP_OPTIONS);
	if (peek.kind == SIP_GUARD_INVITE)
		return judge_call(guard, &peek, message, is_peer);
	return SIP_GUARD_NEXT;
}

// Whoever was banned as a stranger, which a forged datagram can bring about, and is asked by us or listed
// since, is banned no more. The operator's word stands.
static struct sip_guard_ban *find_ban(struct sip_guard *guard, const struct address *source,
				      bool is_stream)
{
	struct sip_guard_ban *ban = sip_guard_ban_find(&guard->bans, sip_guard_key_of(source),
						       is_stream, guard->options.clock->now_ms);
	if (ban == NULL || ban->cause == SIP_GUARD_CAUSE_OPERATOR ||
	    !sip_guard_is_peer(guard, source))
		return ban;
	ban->until_ms = guard->options.clock->now_ms;
	return NULL;
}

static void note_wait(struct sip_guard *guard, const struct sip_guard_message *message)
{
	if (message->is_let_in)
		sip_guard_waiting_note(&guard->overload.waiting, message->queued_us);
	else if (!sip_flow_is_reliable(message->flow))
		sip_guard_overload_note(&guard->overload, SIP_GUARD_DATAGRAMS, message->age_us);
}

static enum sip_guard_verdict judge(struct sip_guard *guard,
				    const struct sip_guard_message *message)
{
	const struct sip_flow *flow = message->flow;
	struct sip_guard_key key = sip_guard_key_of(&flow->remote);
	enum sip_guard_drop why = SIP_GUARD_DROP_PEER;
	struct sip_guard_ban *ban = find_ban(guard, &flow->remote, sip_flow_is_reliable(flow));
	if (ban != NULL) {
		ban->dropped++;
		return drop(guard, SIP_GUARD_DROP_BANNED);
	}
	note_wait(guard, message);
	bool is_peer = sip_guard_is_peer(guard, &flow->remote);
	if (is_peer ? !has_share(guard, key, &flow->remote)
		    : !admit_stranger(guard, key, flow, &why))
		return drop(guard, why);
	enum sip_guard_verdict verdict = judge_lines(guard, message, is_peer);
	if (verdict == SIP_GUARD_FIRST || verdict == SIP_GUARD_NEXT)
		counter_add(&guard->counters.passed[is_peer], 1);
	return verdict;
}

enum sip_guard_verdict sip_guard_judge(struct sip_guard *guard, struct text octets,
				       const struct sip_flow *flow, uint64_t age_us)
{
	if (!guard->options.config->enabled)
		return SIP_GUARD_NEXT;
	return judge(guard, &(struct sip_guard_message){
				    .octets = octets, .flow = flow, .age_us = age_us });
}

enum sip_guard_verdict sip_guard_judge_let_in(struct sip_guard *guard, struct text octets,
					      const struct sip_flow *flow, uint64_t age_us,
					      uint64_t queued_us)
{
	if (!guard->options.config->enabled)
		return SIP_GUARD_NEXT;
	return judge(guard, &(struct sip_guard_message){ octets, flow, age_us, true, queued_us });
}

void sip_guard_deliver(struct sip_guard *guard, enum sip_guard_verdict verdict, struct text octets,
		       const struct sip_flow *flow)
{
	const struct sip_guard_options *options = &guard->options;
	if (verdict == SIP_GUARD_SHED)
		options->shed(options->receive_context, octets, flow);
	else if (verdict != SIP_GUARD_DROPPED)
		options->receive(options->receive_context, octets, flow);
}

void sip_guard_receive(void *context, struct text octets, const struct sip_flow *flow)
{
	struct sip_guard *guard = context;
	sip_guard_deliver(guard, sip_guard_judge(guard, octets, flow, 0), octets, flow);
}

bool sip_guard_may_connect(struct sip_guard *guard, const struct address *address)
{
	struct sip_guard_ban *ban = find_ban(guard, address, true);
	if (ban != NULL)
		ban->dropped++;
	return ban == NULL;
}

// ---- life

struct sip_guard *sip_guard_create(const struct sip_guard_options *options)
{
	struct sip_guard *guard = calloc(1, sizeof(*guard));
	if (guard == NULL)
		return NULL;
	guard->options = *options;
	if (!sip_guard_table_init(&guard->strangers, sizeof(struct sip_guard_stranger),
				  SIP_GUARD_STRANGERS) ||
	    !sip_guard_table_init(&guard->peers, sizeof(struct sip_guard_peer), SIP_GUARD_PEERS) ||
	    !sip_guard_table_init(&guard->bans, sizeof(struct sip_guard_ban), SIP_GUARD_BANS) ||
	    !sip_guard_table_init(&guard->pings, sizeof(struct sip_guard_ping), SIP_GUARD_PINGS)) {
		sip_guard_destroy(guard);
		return NULL;
	}
	if (options->is_resident)
		memory_touch(&guard->apart, sizeof(guard->apart));
	struct sip_guard_table *tables[] = { &guard->strangers, &guard->peers, &guard->bans,
					     &guard->pings };
	for (unsigned i = 0; i < 4 && options->is_resident; i++)
		sip_guard_table_touch(tables[i]);
	return guard;
}

void sip_guard_destroy(struct sip_guard *guard)
{
	if (guard == NULL)
		return;
	sip_guard_table_clear(&guard->strangers);
	sip_guard_table_clear(&guard->peers);
	sip_guard_table_clear(&guard->bans);
	sip_guard_table_clear(&guard->pings);
	free(guard);
}

struct sip_guard_apart *sip_guard_apart(struct sip_guard *guard)
{
	return &guard->apart;
}

const struct sip_guard_counters *sip_guard_counters(const struct sip_guard *guard)
{
	return &guard->counters;
}
