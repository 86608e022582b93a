// What becomes of sources over time: offences, bans, proofs, and the turn of the clock. Runs on the
// control thread. Never bans a known peer.

#include <stdio.h>

#include "base/log.h"
#include "base/random.h"
#include "sip/guard/source.h"
#include "sip/message.h"

#define WINDOW_MS 60000
#define SWEEP_PLACES 256
#define LINES_PER_S 5
#define LED_MS 32000 // as long as a transaction (Timer F)
#define LED_PER_S 16 // new ones: no more than 512 at a time, of 16,384 places

static const char *const class_labels[SIP_GUARD_CLASS_COUNT] = {
	[SIP_GUARD_STRANGER] = "stranger",
	[SIP_GUARD_PEER] = "peer",
};

const char *sip_guard_class_label(enum sip_guard_class class)
{
	return class < SIP_GUARD_CLASS_COUNT ? class_labels[class] : NULL;
}

const char *sip_guard_drop_label(enum sip_guard_drop drop)
{
#define SIP_GUARD_DROP_LABEL(name, label) [SIP_GUARD_DROP_##name] = label,
	static const char *const labels[] = { SIP_GUARD_DROP_LIST(SIP_GUARD_DROP_LABEL) };
#undef SIP_GUARD_DROP_LABEL
	return drop < SIP_GUARD_DROP_COUNT ? labels[drop] : NULL;
}

void sip_guard_begin_window(struct sip_guard_stranger *stranger, uint64_t now_ms)
{
	if (now_ms - stranger->window_ms < WINDOW_MS)
		return;
	stranger->window_ms = now_ms;
	stranger->refused = 0;
	for (unsigned i = 0; i < SIP_GUARD_OFFENCE_COUNT; i++)
		stranger->offences[i] = 0;
}

// ---- bans

void sip_guard_tell_ban(struct sip_guard *guard, const struct sip_guard_ban *ban, struct text host)
{
	char source[ADDRESS_TEXT_SIZE];
	struct log_value length, strikes, where;
	if (!sip_guard_rate_take(&guard->lines, sip_guard_now_us(guard),
				 sip_guard_rate_interval(LINES_PER_S), 2 * LINES_PER_S))
		return;
	log_event(LOG_WARNING, host.size > 0 ? "sip_options_blocked" : "sip_source_banned",
		  "source", address_string(&ban->address, source), "cause",
		  sip_guard_cause_label(ban->cause), "host", log_text(&where, host), "for_s",
		  log_number(&length, (int64_t)(ban->until_ms - ban->since_ms) / 1000), "times",
		  log_number(&strikes, ban->strikes), "holds_for", ban->is_proven ? "all" : "UDP",
		  NULL);
}

static struct sip_guard_ban *ban(struct sip_guard *guard, const struct address *address,
				 const struct sip_guard_term *term)
{
	struct sip_guard_ban *made =
		sip_guard_ban_add(&guard->bans, address, term, guard->options.clock->now_ms);
	counter_add(made != NULL ? &guard->counters.bans[term->cause]
				 : &guard->counters.bans_refused,
		    1);
	if (made != NULL)
		sip_guard_tell_ban(guard, made, TEXT_NONE);
	return made;
}

void sip_guard_condemn(struct sip_guard *guard, const struct sip_flow *flow,
		       enum sip_guard_cause cause, bool is_proven)
{
	const struct guard_config *config = guard->options.config;
	struct sip_guard_term term = { cause, is_proven, config->ban_s * 1000ull,
				       config->ban_max_s * 1000ull };
	(void)ban(guard, &flow->remote, &term);
}

// ---- what is learned of sources

// Known by digest alone, but wrong again and again: a stranger from now on.
static void note_failure(struct sip_guard *guard, struct sip_guard_peer *peer)
{
	peer->failures++;
	if (peer->failures < guard->options.config->offences)
		return;
	peer->known_until_ms = 0;
	peer->failures = 0;
}

void sip_guard_note(struct sip_guard *guard, const struct sip_flow *flow,
		    enum sip_guard_offence offence)
{
	static const enum sip_guard_cause causes[SIP_GUARD_OFFENCE_COUNT] = {
		[SIP_GUARD_OFFENCE_DOMAIN] = SIP_GUARD_CAUSE_DOMAINS,
		[SIP_GUARD_OFFENCE_MALFORMED] = SIP_GUARD_CAUSE_MALFORMED,
		[SIP_GUARD_OFFENCE_CREDENTIALS] = SIP_GUARD_CAUSE_CREDENTIALS,
	};
	if (guard == NULL || !guard->options.config->enabled)
		return;
	struct sip_guard_key key = sip_guard_key_of(&flow->remote);
	struct sip_guard_peer *peer = sip_guard_table_find(&guard->peers, key);
	if (offence == SIP_GUARD_OFFENCE_CREDENTIALS && peer != NULL)
		note_failure(guard, peer);
	struct sip_guard_stranger *stranger = sip_guard_table_find(&guard->strangers, key);
	if (stranger == NULL || sip_guard_is_peer(guard, &flow->remote))
		return;
	sip_guard_begin_window(stranger, guard->options.clock->now_ms);
	if (++stranger->offences[offence] < guard->options.config->offences)
		return;
	stranger->offences[offence] = 0;
	sip_guard_condemn(guard, flow, causes[offence],
			  offence == SIP_GUARD_OFFENCE_CREDENTIALS || sip_flow_is_reliable(flow));
}

static void know(struct sip_guard *guard, const struct address *address, uint64_t for_ms)
{
	uint64_t until_ms = guard->options.clock->now_ms + for_ms;
	struct sip_guard_peer *peer =
		sip_guard_table_take(&guard->peers, sip_guard_key_of(address), until_ms);
	if (peer == NULL)
		return; // between peers known longer: a stranger still
	if (peer->slot.keep_ms < until_ms)
		peer->slot.keep_ms = until_ms;
	if (peer->known_until_ms < until_ms)
		peer->known_until_ms = until_ms;
	peer->failures = 0;
}

static uint64_t known_ms(const struct sip_guard *guard)
{
	return guard->options.config->known_minutes * 60000ull;
}

void sip_guard_note_authenticated(struct sip_guard *guard, const struct address *source)
{
	if (guard != NULL)
		know(guard, source, known_ms(guard));
}

static void note_led(struct sip_guard *guard, const struct address *peer)
{
	bool is_known = sip_guard_is_peer(guard, peer);
	if (!is_known &&
	    !sip_guard_rate_take(&guard->led, sip_guard_now_us(guard),
				 sip_guard_rate_interval(LED_PER_S), LED_PER_S * LED_MS / 1000))
		counter_add(&guard->counters.led_refused, 1);
	else
		know(guard, peer, LED_MS);
}

void sip_guard_note_asked(struct sip_guard *guard, const struct address *peer, bool is_led)
{
	if (guard != NULL && is_led)
		note_led(guard, peer);
	else if (guard != NULL)
		know(guard, peer, known_ms(guard));
}

void sip_guard_note_caller(struct sip_guard *guard, const struct sip_message *invite)
{
	const struct sip_flow *flow = &invite->flow;
	if (guard == NULL || !guard->options.config->enabled || flow->protocol != SIP_UDP)
		return;
	// First, and of strangers too: who is known from now on may hear 503 for all that is not marked.
	if (!invite->is_shed)
		sip_guard_taken_note(&guard->apart.taken, &flow->remote, invite->via.whole,
				     invite->call_id);
	if (sip_guard_is_peer(guard, &flow->remote))
		sip_guard_apart_note(&guard->apart, &flow->remote, invite->target.host);
}

bool sip_guard_waits_at_door(const struct sip_guard *guard, const struct sip_message *cancel)
{
	struct text via = cancel->via.whole, call_id = cancel->call_id;
	const struct address *source = &cancel->flow.remote;
	return guard != NULL && guard->apart.at_door != NULL &&
	       sip_guard_taken_has(guard->apart.at_door, source, via, call_id) &&
	       !sip_guard_taken_has(&guard->apart.taken, source, via, call_id);
}

// ---- time

// A part of a table in each turn; true: the whole of it has been seen now.
static bool sweep(struct sip_guard *guard, struct sip_guard_table *table, uint32_t *at)
{
	uint64_t now_ms = guard->options.clock->now_ms;
	uint32_t end = *at + SWEEP_PLACES;
	for (; *at < end && table->used > 0; (*at)++) {
		struct sip_guard_ban *entry = sip_guard_table_at(table, *at);
		if (entry == NULL)
			continue;
		guard->active += entry->until_ms > now_ms;
		if (entry->slot.keep_ms < now_ms)
			sip_guard_table_drop(table, entry);
	}
	return table->used == 0 || *at >= sip_guard_table_size(table);
}

// Bans first, then OPTIONS; then the count of both is told, and all begins again.
static void sweep_on(struct sip_guard *guard)
{
	struct sip_guard_table *tables[] = { &guard->bans, &guard->pings };
	if (!sweep(guard, tables[guard->swept_table], &guard->swept_place))
		return;
	guard->swept_place = 0;
	guard->swept_table = !guard->swept_table;
	if (guard->swept_table != 0)
		return;
	counter_set(&guard->counters.bans_now, guard->active);
	counter_set(&guard->counters.sources_now, guard->strangers.used);
	guard->active = 0;
}

bool sip_guard_has_door(const struct sip_guard *guard)
{
	return guard->options.config->enabled && guard->overload.is_on &&
	       atomic_load(&guard->apart.is_served);
}

static void tell_overload(struct sip_guard *guard, enum sip_guard_change change)
{
	struct log_value wait, rate;
	bool is_on = change == SIP_GUARD_BEGAN;
	struct sip_guard_event event = { .kind = is_on ? SIP_GUARD_EVENT_OVERLOAD
						       : SIP_GUARD_EVENT_RECOVERED,
					 .value = guard->overload.standing_us };
	if (is_on)
		counter_add(&guard->counters.episodes, 1);
	log_event(LOG_WARNING, is_on ? "sip_overloaded" : "sip_overload_over", "waiting_ms",
		  log_number(&wait, (int64_t)guard->overload.standing_us / 1000), "calls_per_s",
		  log_number(&rate, (int64_t)guard->overload.rate), NULL);
	guard->options.event(guard->options.context, &event);
}

void sip_guard_tick(struct sip_guard *guard, uint64_t late_us, uint64_t used_us)
{
	const struct guard_config *config = guard->options.config;
	struct sip_guard_counters *counters = &guard->counters;
	sip_guard_overload_note(&guard->overload, SIP_GUARD_LOOP, late_us);
	const struct sip_guard_time now = { sip_guard_now_us(guard), used_us,
					    atomic_load(&guard->apart.turned_away) };
	enum sip_guard_change change =
		sip_guard_overload_look(&guard->overload, config->queue_ms * 1000ull, now);
	// Half: the control thread drops what waited for all of it.
	atomic_store(&guard->apart.stale_us, config->stale_ms * 1000ull / 2);
	if (change == SIP_GUARD_BEGAN)
		atomic_store(&guard->apart.settled_us,
			     sip_guard_now_us(guard) + 2 * config->stale_ms * 1000ull);
	if (change != SIP_GUARD_SAME)
		tell_overload(guard, change);
	counter_set(&counters->is_overloaded, guard->overload.is_on);
	counter_set(&counters->calls_rate,
		    guard->overload.is_on ? (uint64_t)guard->overload.rate : 0);
	sip_guard_apart_follow(&guard->apart,
			       sip_guard_has_door(guard) ? (unsigned)guard->overload.waiting.most
							 : 0,
			       config->peer_rate, guard->options.clock->now_ms);
	counter_set(&counters->door_wait_us,
		    guard->overload.is_on ? guard->overload.waiting.mean_us : 0);
	counter_set(&counters->wait_us, guard->overload.standing_us);
	sweep_on(guard);
}

// ---- the operator's

static void fill(const struct sip_guard *guard, const struct sip_guard_ban *entry, const char *host,
		 struct sip_guard_ban_facts *out_facts)
{
	const struct clock *clock = guard->options.clock;
	*out_facts = (struct sip_guard_ban_facts){
		.address = entry->address,
		.host = host,
		.cause = entry->cause,
		.is_udp_only = !entry->is_proven && host == NULL,
		.strikes = entry->strikes,
		.since_ms = clock->wall_ms - (clock->now_ms - entry->since_ms),
		.until_ms = clock->wall_ms + (entry->until_ms - clock->now_ms),
		.dropped = entry->dropped,
	};
}

// *at counts through the bans, then through the OPTIONS that are blocked.
bool sip_guard_ban_next(const struct sip_guard *guard, uint64_t *at,
			struct sip_guard_ban_facts *out_facts)
{
	uint64_t now_ms = guard->options.clock->now_ms;
	const struct sip_guard_table *tables[] = { &guard->bans, &guard->pings };
	for (unsigned i = (unsigned)(*at >> 32); i < 2; *at = (uint64_t)++i << 32) {
		uint32_t place = (uint32_t)*at;
		struct sip_guard_ban *entry;
		while ((entry = sip_guard_table_next(tables[i], &place)) != NULL) {
			if (entry->until_ms <= now_ms)
				continue;
			*at = (uint64_t)i << 32 | place;
			fill(guard, entry, i == 0 ? NULL : ((struct sip_guard_ping *)entry)->host,
			     out_facts);
			return true;
		}
	}
	return false;
}

enum status sip_guard_ban_set(struct sip_guard *guard, const struct address *address,
			      uint64_t length_ms)
{
	struct sip_guard_term term = { SIP_GUARD_CAUSE_OPERATOR, true, length_ms, length_ms };
	sip_guard_apart_forget(&guard->apart);
	return ban(guard, address, &term) != NULL ? OK : ERR_LIMIT;
}

// Strikes are forgotten with them.
unsigned sip_guard_ban_lift(struct sip_guard *guard, const struct address *address)
{
	struct sip_guard_table *tables[] = { &guard->bans, &guard->pings };
	unsigned lifted = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct sip_guard_ban *entry;
		uint32_t at = 0;
		while ((entry = sip_guard_table_next(tables[i], &at)) != NULL) {
			struct sip_guard_key key = sip_guard_key_of(&entry->address);
			if (address != NULL && (key.prefix != sip_guard_key_of(address).prefix ||
						entry->address.family != address->family))
				continue;
			lifted += entry->until_ms > guard->options.clock->now_ms;
			sip_guard_table_drop(tables[i], entry);
		}
	}
	return lifted;
}
