// Counting OPTIONS per source and host. Runs on the control thread. Whoever finds no place in the
// table is not counted: forgotten counts let a little more pass, never less.

#include "sip/guard/ping.h"

#include "base/map.h"

// Was the window full before this one?
static bool is_too_often(struct sip_guard_ping *ping, unsigned allowed, uint64_t now_ms)
{
	unsigned oldest = (ping->next + SIP_GUARD_PING_TIMES - allowed) % SIP_GUARD_PING_TIMES;
	uint64_t then_ms = ping->times_ms[oldest]; // of the one `allowed` ago
	ping->times_ms[ping->next] = now_ms;
	ping->next = (ping->next + 1) % SIP_GUARD_PING_TIMES;
	return then_ms != 0 && now_ms - then_ms < SIP_GUARD_PING_WINDOW_MS;
}

static void block(struct sip_guard_ping *ping, const struct sip_guard_term *term, uint64_t now_ms)
{
	struct sip_guard_ban *ban = &ping->ban;
	ban->strikes++;
	ban->since_ms = now_ms;
	ban->until_ms = now_ms + sip_guard_ban_length(term, ban->strikes);
	ban->dropped = 0;
}

enum sip_guard_ping_verdict
sip_guard_ping_take(struct sip_guard_table *pings, const struct address *source,
		    const struct sip_guard_peek *peek, const struct sip_guard_ping_rule *rule,
		    uint64_t now_ms, const struct sip_guard_ban **out_ban)
{
	uint64_t keep_ms = now_ms + 2 * SIP_GUARD_PING_WINDOW_MS;
	uint64_t hash = map_hash(peek->via);
	struct sip_guard_key key = sip_guard_key_of_host(source, peek->host);
	struct sip_guard_ping *ping = sip_guard_table_take(pings, key, keep_ms);
	if (ping == NULL)
		return SIP_GUARD_PING_ANSWER;
	struct sip_guard_ban *ban = &ping->ban;
	*out_ban = ban;
	if (ban->address.family == ADDRESS_NONE) {
		ban->address = *source;
		ban->address.port = 0;
		ban->cause = SIP_GUARD_CAUSE_OPTIONS;
		text_copy_cut(peek->host, ping->host, sizeof(ping->host));
	}
	bool is_blocked = ban->until_ms > now_ms;
	if (hash == ping->last_hash)
		return is_blocked ? SIP_GUARD_PING_IGNORE : SIP_GUARD_PING_ANSWER;
	ping->last_hash = hash;
	if (ban->until_ms != 0 && !is_blocked && now_ms - ban->until_ms > rule->term.longest_ms)
		ban->strikes = 0; // long ago
	bool is_excess = is_too_often(ping, rule->allowed, now_ms);
	if (is_excess && !is_blocked)
		block(ping, &rule->term, now_ms);
	uint64_t end_ms = ban->until_ms + rule->term.longest_ms;
	ban->slot.keep_ms = ban->until_ms != 0 && end_ms > keep_ms ? end_ms : keep_ms;
	if (is_blocked) {
		ban->dropped++;
		return SIP_GUARD_PING_IGNORE;
	}
	return is_excess ? SIP_GUARD_PING_BLOCK : SIP_GUARD_PING_ANSWER;
}
