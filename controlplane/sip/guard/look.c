// What of a source's budget is left, without taking any of it. Runs on the control thread.

#include "sip/guard/source.h"

static unsigned left_of(const struct sip_guard *guard, const struct sip_guard_rate *rate,
			unsigned per_s, unsigned burst)
{
	return sip_guard_rate_left(rate, sip_guard_now_us(guard), sip_guard_rate_interval(per_s),
				   burst);
}

static void look_at_peer(const struct sip_guard *guard, struct sip_guard_key key,
			 struct sip_guard_look *out_look)
{
	unsigned rate = guard->options.config->peer_rate;
	const struct sip_guard_peer *peer = sip_guard_table_find(&guard->peers, key);
	out_look->rate = out_look->left = rate;
	if (peer != NULL)
		out_look->left = left_of(guard, &peer->rate, rate, rate);
}

static void look_at_stranger(const struct sip_guard *guard, struct sip_guard_key key,
			     bool is_stream, struct sip_guard_look *out_look)
{
	const struct guard_config *config = guard->options.config;
	const struct sip_guard_stranger *stranger = sip_guard_table_find(&guard->strangers, key);
	unsigned half = config->strangers_rate / 2 + 1;
	const struct sip_guard_rate *all = is_stream          ? &guard->streams
					   : stranger == NULL ? &guard->fresh
							      : &guard->returning;
	unsigned left = left_of(guard, all, half, half / 10 + 1);
	out_look->rate = out_look->left = config->stranger_rate;
	if (stranger != NULL)
		out_look->left = left_of(guard, &stranger->rate, config->stranger_rate,
					 config->stranger_rate);
	out_look->are_strangers_out = left == 0;
}

void sip_guard_look(struct sip_guard *guard, const struct sip_flow *flow,
		    struct sip_guard_look *out_look)
{
	struct sip_guard_key key = sip_guard_key_of(&flow->remote);
	*out_look = (struct sip_guard_look){ .is_peer = sip_guard_is_peer(guard, &flow->remote) };
	if (out_look->is_peer)
		look_at_peer(guard, key, out_look);
	else
		look_at_stranger(guard, key, sip_flow_is_reliable(flow), out_look);
	if (guard->overload.is_on)
		out_look->calls_rate =
			guard->overload.rate < 1 ? 1 : (unsigned)guard->overload.rate;
}
