// Names of peers in dialogs. Runs on the control thread; never waits.

#include "sip/flow/follow.h"

#include <stdlib.h>

#include "sip/flow/aim.h"
#include "sip/resolve/resolve.h"

struct sip_follow {
	struct sip_lookup lookup;
	struct sip_flow *flow;
	struct sip_follow **place;
	const struct sip_home *home;
	uint16_t port; // of ours, for the transport asked for
};

// The connection the peer was met on goes first as long as it lives (SIP-028); the address is for when
// it does not, and for datagrams.
static void take(struct sip_follow *follow, const struct sip_hops *hops)
{
	struct sip_flow *flow = follow->flow;
	for (unsigned i = 0; i < hops->count; i++) {
		const struct sip_hop *hop = &hops->items[i];
		struct sip_flow way = *flow;
		way.protocol = hop->protocol;
		if (!sip_flow_may_reach(follow->home, &way, &hop->address))
			continue;
		if (hop->protocol != flow->protocol) {
			flow->protocol = hop->protocol;
			flow->local.port = follow->port;
			flow->connection = 0;
		}
		flow->remote = hop->address;
		return;
	}
}

static void on_resolved(void *context, const struct sip_hops *hops)
{
	struct sip_follow *follow = context;
	take(follow, hops);
	*follow->place = NULL;
	free(follow);
}

static bool fill_target(const struct sip_uri *uri, const struct sip_flow *flow,
			const struct sip_home *home, struct sip_target *out_target)
{
	struct address address;
	enum sip_protocol protocol = sip_flow_protocol(uri, flow->protocol);
	if (address_parse(uri->host, &address) || !dns_answer_is_name(uri->host) ||
	    sip_flow_leaves_tls(uri, flow->protocol))
		return false;
	*out_target = (struct sip_target){ .port = uri->port, .has_protocol = true };
	out_target->protocol = home->ports[protocol] != 0 ? protocol : flow->protocol;
	return text_copy(uri->host, out_target->host, sizeof(out_target->host));
}

void sip_follow_start(struct sip_resolver *resolver, const struct sip_uri *uri,
		      const struct sip_home *home, struct sip_flow *flow, struct sip_follow **place)
{
	struct sip_target target;
	struct sip_hops hops;
	sip_follow_stop(place);
	if (resolver == NULL || !fill_target(uri, flow, home, &target))
		return;
	struct sip_follow *follow = calloc(1, sizeof(*follow));
	if (follow == NULL)
		return; // it is spoken to where it was met
	follow->flow = flow;
	follow->place = place;
	follow->home = home;
	follow->port = home->ports[target.protocol];
	sip_lookup_init(&follow->lookup, on_resolved, follow);
	*place = follow;
	if (sip_resolve(resolver, &follow->lookup, &target, &hops))
		on_resolved(follow, &hops);
}

void sip_follow_stop(struct sip_follow **place)
{
	if (*place == NULL)
		return;
	sip_lookup_cancel(&(*place)->lookup);
	free(*place);
	*place = NULL;
}
