#pragma once

// A DNS zone in memory behind names/update.h, with what a server does: prerequisites are checked, an
// update is made as a whole or not at all.
// Runs on: the thread of the test, or the publisher's while the test waits.

#include "names/update.h"

struct zone_record {
	char name[256];
	bool is_mark;
	uint32_t ttl_s;
	struct address address; // of no family: of another type
};

struct zone {
	struct zone_record records[4096];
	unsigned count;
	unsigned reads, updates; // so far
	_Atomic enum status failure; // of everything, while it is not OK
};

struct names_server *zone_server(struct zone *zone);
void zone_add(struct zone *zone, const char *name, const char *address, uint32_t ttl_s);
void zone_mark(struct zone *zone, const char *name);
bool zone_has(const struct zone *zone, const char *name, const char *address, uint32_t ttl_s);
bool zone_is_marked(const struct zone *zone, const char *name);
unsigned zone_count(const struct zone *zone, const char *name); // addresses and other records
