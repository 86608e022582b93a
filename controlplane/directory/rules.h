#pragma once

// What of the node's configuration the directory goes by. It borrows each part, which may change live.
// Runs on: control thread.

struct accounts_config;
struct edges_config;

struct directory_rules {
	const struct edges_config *edges; // NULL: no localized names
	const struct accounts_config *accounts; // NULL: no limits, all countries
};
