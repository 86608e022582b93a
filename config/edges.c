// Edges by name and by address. Runs on any thread; pure.

#include "config/edges.h"

#include <string.h>

// TERM-012: the eight documented edges. Of the regions the documents name us1 and ie1; the others
// follow the same pattern (D-46).
static const struct {
	const char *name, *region;
} documented[] = {
	{ "ashburn", "us1" },   { "umatilla", "us2" },  { "dublin", "ie1" },
	{ "frankfurt", "de1" }, { "singapore", "sg1" }, { "tokyo", "jp1" },
	{ "sao-paulo", "br1" }, { "sydney", "au1" },
};

void config_edges_fill_default(struct edges_config *out_edges)
{
	memset(out_edges, 0, sizeof(*out_edges)); // adopting compares octets
	for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++) {
		struct edge_config *edge = &out_edges->items[out_edges->count++];
		(void)text_copy(text_of(documented[i].name), edge->name, sizeof(edge->name));
		(void)text_copy(text_of(documented[i].region), edge->regions.items[0],
				sizeof(edge->regions.items[0]));
		edge->regions.count = 1;
	}
}

static bool is_named(const struct edge_config *edge, struct text word)
{
	bool is_same = word.size > 0 && text_is_same(word, text_of(edge->name));
	for (unsigned i = 0; i < edge->regions.count; i++)
		is_same |= text_is_same(word, text_of(edge->regions.items[i]));
	return is_same;
}

const struct edge_config *config_edge_named(const struct edges_config *edges, struct text word)
{
	for (unsigned i = 0; i < edges->count; i++) {
		if (is_named(&edges->items[i], word))
			return &edges->items[i];
	}
	return NULL;
}

const struct edge_config *config_edge_wanted(const struct edges_config *edges, const char *tnx,
					     const char *edge)
{
	const char *const names[] = { tnx, edge };
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct edge_config *named = config_edge_named(edges, text_of(names[i]));
		if (named && named->signalling.count > 0)
			return named;
	}
	return NULL;
}

bool config_edge_is_open(const struct edges_config *edges, const char *tnx, const char *edge,
			 struct text account_sid)
{
	const struct edge_config *wanted = config_edge_wanted(edges, tnx, edge);
	if (!wanted)
		return true;
	bool is_open =
		wanted->accounts.count == 0 && config_edge_named(edges, text_of(tnx)) != wanted;
	for (unsigned i = 0; i < wanted->accounts.count; i++)
		is_open |= text_is_equal(text_of(wanted->accounts.items[i]), account_sid);
	return is_open;
}

static bool holds(const struct config_addresses *addresses, const struct address *address)
{
	for (unsigned i = 0; i < addresses->count; i++) {
		if (address_is_same_host(&addresses->items[i], address))
			return true;
	}
	return false;
}

const struct edge_config *config_edge_at(const struct edges_config *edges,
					 const struct address *signalling)
{
	for (unsigned i = 0; i < edges->count; i++) {
		if (holds(&edges->items[i].signalling, signalling))
			return &edges->items[i];
	}
	return NULL;
}

bool config_edge_has(const struct edge_config *edge, const struct address *signalling)
{
	return edge->signalling.count == 0 || holds(&edge->signalling, signalling);
}

bool config_edge_has_media(const struct edge_config *edge, const struct address *media)
{
	bool has = edge->media.count == 0;
	for (unsigned i = 0; i < edge->media.count; i++)
		has |= prefix_contains(&edge->media.items[i], media);
	return has;
}
