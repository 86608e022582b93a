#pragma once

// The section edges: places where the platform is reached, each with its names and addresses (NET-014,
// NET-016). A list of sections, one for each edge; its rows stand in config/schema.c.
// Runs on: any thread; constant after the start, but for the accounts, which are the control thread's.

#include <stdbool.h>

#include "base/text.h"
#include "config/list.h"

#define CONFIG_EDGES_MAX 16

struct edge_config {
	char name[CONFIG_LABEL_SIZE]; // as in NAME.pstn.EDGE.example.com (TERM-012)
	struct config_labels regions; // older names of the same place (TERM-013)
	struct config_addresses
		signalling; // those of sip.addresses are this node's, others another's
	struct config_prefixes media; // in which its media addresses lie
	struct config_accounts accounts; // that may name it; empty: all, but not by tnx; live
};

struct edges_config {
	unsigned count;
	struct edge_config items[CONFIG_EDGES_MAX];
};

// What a file without the section has: the eight documented names with their regions, no addresses.
void config_edges_fill_default(struct edges_config *out_edges);
// By name or region, case ignored; NULL: there is none of that name (D-46).
const struct edge_config *config_edge_named(const struct edges_config *edges, struct text word);
// The edge that has this signalling address, port ignored; NULL: none.
const struct edge_config *config_edge_at(const struct edges_config *edges,
					 const struct address *signalling);
// The one that an Origination URI asks for: by tnx, which comes first, or by edge. NULL: none that we know
// with addresses.
const struct edge_config *config_edge_wanted(const struct edges_config *edges, const char *tnx,
					     const char *edge);
// May that account's URI ask for it? True where it gets none.
bool config_edge_is_open(const struct edges_config *edges, const char *tnx, const char *edge,
			 struct text account_sid);
// Is it one of the edge's signalling addresses? Port ignored. An edge without addresses has all.
bool config_edge_has(const struct edge_config *edge, const struct address *signalling);
// Does the address lie in the edge's media prefixes? An edge without any has all.
bool config_edge_has_media(const struct edge_config *edge, const struct address *media);
