// Sources of connections, made with their first and freed with their last.
// Runs on the control thread. Bounded by the table of connections.

#include "sip/transport/source.h"

#include <stdlib.h>
#include <string.h>

#define NETWORK_OCTETS 8 // of an IPv6 address

static struct address network_of(const struct address *peer)
{
	struct address network = *peer;
	network.port = 0;
	if (network.family == ADDRESS_IPV6)
		memset(network.octets + NETWORK_OCTETS, 0, sizeof(network.octets) - NETWORK_OCTETS);
	return network;
}

static bool is_equal(const struct map_node *node, const void *wanted)
{
	const struct source *source = map_entry((struct map_node *)node, struct source, node);
	return address_is_equal(&source->network, wanted);
}

struct source *source_take(struct map *sources, const struct address *peer, unsigned max)
{
	struct address network = network_of(peer);
	uint64_t hash = address_hash(&network);
	struct map_node *node = map_find(sources, hash, is_equal, &network);
	struct source *source = node != NULL ? map_entry(node, struct source, node) : NULL;
	if (source == NULL) {
		source = calloc(1, sizeof(*source));
		if (source == NULL)
			return NULL;
		source->network = network;
		map_add(sources, &source->node, hash);
	}
	if (source->count >= max)
		return NULL;
	source->count++;
	return source;
}

void source_give(struct map *sources, struct source *source)
{
	if (source == NULL || --source->count > 0)
		return;
	map_remove(sources, &source->node);
	free(source);
}
