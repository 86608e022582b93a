// Edges of targets. Runs on the control thread; pure but for a word in the log.

#include "call/target/edge.h"

#include <stdio.h>

#include "base/log.h"
#include "call/target/target.h"
#include "call/transfer/transfer.h"
#include "config/config.h"
#include "media/ports.h"

// What the target says itself; NULL: nothing that this platform knows and has addresses of. An Interconnect
// connection is an edge as well, which tnx names (NET-013, ORIG-044).
static const struct edge_config *named_edge(const struct edges_config *edges,
					    const struct target *target)
{
	return config_edge_wanted(edges, target->connection, target->edge);
}

bool edge_is_open(const struct calls *calls, const struct target *target, const char *account_sid)
{
	return target->kind == TARGET_CARRIER ||
	       config_edge_is_open(&calls->config->edges, target->connection, target->edge,
				   text_of(account_sid));
}

void edge_refuse(const struct target *target, struct refusal *out_refusal)
{
	bool is_connection = target->connection[0] != '\0';
	char seen[sizeof "edge=" + DIRECTORY_EDGE_SIZE];
	(void)snprintf(seen, sizeof seen, "%s%s", is_connection ? "tnx=" : "edge=",
		       is_connection ? target->connection : target->edge);
	target_refuse(target, REFUSED_URI_EDGE, text_of(seen),
		      "an edge whose accounts (edges.accounts) have the trunk's", out_refusal);
}

// NULL: none in particular.
static const struct edge_config *edge_of(const struct calls *calls, const struct target *target,
					 const struct address *arrival)
{
	const struct edges_config *edges = &calls->config->edges;
	const struct edge_config *named = named_edge(edges, target);
	if (named != NULL)
		return named;
	return arrival != NULL ? config_edge_at(edges, arrival) : NULL;
}

static bool find(const struct config_addresses *own, const struct edge_config *edge, uint8_t family,
		 struct address *out_address)
{
	for (unsigned i = 0; i < own->count; i++) {
		const struct address *address = &own->items[i];
		if (address->family != family || (edge != NULL && !config_edge_has(edge, address)))
			continue;
		*out_address = *address;
		return true;
	}
	return false;
}

static bool is_fit(const struct edge_config *edge, const struct address *arrival, uint8_t family)
{
	return arrival != NULL && arrival->family == family &&
	       (edge == NULL || config_edge_has(edge, arrival));
}

// A misspelt name, or one of another node's: the call goes on by other ways, which somebody should know of.
static void tell_elsewhere(const struct target *target)
{
	const char *wanted = target->connection[0] != '\0' ? target->connection : target->edge;
	if (wanted[0] != '\0')
		log_event(LOG_WARNING, "edge_elsewhere", "edge", wanted, "target", target->name,
			  "fix", "this node has no address of that edge", NULL);
}

bool edge_address(const struct calls *calls, const struct target *target,
		  const struct address *arrival, uint8_t family, struct address *out_address)
{
	const struct config_addresses *own = &calls->config->sip.addresses;
	const struct edge_config *edge = edge_of(calls, target, arrival);
	bool is_named = named_edge(&calls->config->edges, target) != NULL;
	if (!is_named)
		tell_elsewhere(target);
	if (is_fit(edge, arrival, family)) {
		*out_address = *arrival;
		return true;
	}
	if (edge != NULL && find(own, edge, family, out_address))
		return true;
	if (is_named)
		tell_elsewhere(target);
	return find(own, NULL, family, out_address);
}

const struct address *edge_arrival(const struct call *call)
{
	const struct leg *caller = call->caller;
	if (call->serves != NULL) // the target of a transfer: from where it was asked for
		caller = call->serves->referrer;
	return caller != NULL ? &sip_dialog_flow(caller->dialog)->local : NULL;
}

static enum status set_media(struct call *call, enum media_side side,
			     const struct edge_config *edge, uint8_t family)
{
	struct media_port_place place = { .family = family };
	if (edge != NULL && edge->media.count > 0) {
		place.prefixes = edge->media.items;
		place.prefix_count = edge->media.count;
		enum status status = media_set_place(call->media, side, &place);
		if (status != ERR_NOT_ACCEPTABLE)
			return status;
	}
	return media_set_family(call->media, side, family);
}

enum status edge_set_media(struct call *call, const struct target *target, uint8_t family)
{
	return set_media(call, MEDIA_CALLED, edge_of(call->calls, target, edge_arrival(call)),
			 family);
}

enum status edge_set_caller_media(struct call *call)
{
	const struct address *arrival = edge_arrival(call);
	const struct edge_config *edge =
		arrival != NULL ? config_edge_at(&call->calls->config->edges, arrival) : NULL;
	return set_media(call, MEDIA_CALLER, edge, call->caller->peer.family);
}
