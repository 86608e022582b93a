// The fake zone. Runs on whatever thread uses it, one at a time.

#include "tests/fake/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORDERS_MAX 400

enum order { ADD, REPLACE, REMOVE };

struct names_update {
	struct zone *zone;
	struct {
		enum order order;
		char name[256];
		struct address addresses[16];
		unsigned count;
		uint32_t ttl_s;
	} orders[ORDERS_MAX];
	unsigned count;
};

struct names_server *zone_server(struct zone *zone)
{
	return (struct names_server *)zone;
}

static struct zone *zone_of(struct names_server *server)
{
	return (struct zone *)server;
}

static void push(struct zone *zone, const char *name, bool is_mark, const struct address *address,
		 uint32_t ttl_s)
{
	struct zone_record *record = &zone->records[zone->count++];
	*record = (struct zone_record){ .is_mark = is_mark, .ttl_s = ttl_s };
	(void)snprintf(record->name, sizeof record->name, "%s", name);
	if (address != NULL)
		record->address = *address;
}

void zone_add(struct zone *zone, const char *name, const char *address, uint32_t ttl_s)
{
	struct address parsed = { 0 };
	(void)address_parse(text_of(address), &parsed);
	push(zone, name, false, &parsed, ttl_s);
}

void zone_mark(struct zone *zone, const char *name)
{
	push(zone, name, true, NULL, 600);
}

bool zone_has(const struct zone *zone, const char *name, const char *address, uint32_t ttl_s)
{
	struct address wanted = { 0 };
	(void)address_parse(text_of(address), &wanted);
	for (unsigned i = 0; i < zone->count; i++) {
		const struct zone_record *record = &zone->records[i];
		if (!record->is_mark && strcmp(record->name, name) == 0 && record->ttl_s == ttl_s &&
		    address_is_equal(&record->address, &wanted))
			return true;
	}
	return false;
}

bool zone_is_marked(const struct zone *zone, const char *name)
{
	for (unsigned i = 0; i < zone->count; i++)
		if (zone->records[i].is_mark && strcmp(zone->records[i].name, name) == 0)
			return true;
	return false;
}

unsigned zone_count(const struct zone *zone, const char *name)
{
	unsigned count = 0;
	for (unsigned i = 0; i < zone->count; i++)
		count += !zone->records[i].is_mark && strcmp(zone->records[i].name, name) == 0;
	return count;
}

enum status names_server_open(const struct names_server_options *options,
			      struct names_server **out_server,
			      char out_problem[static NAMES_PROBLEM_SIZE])
{
	(void)options, (void)out_server, (void)out_problem;
	return ERR_UNSUPPORTED; // the test makes its own
}

void names_server_close(struct names_server *server)
{
	(void)server;
}

void names_server_cancel(struct names_server *server)
{
	(void)server;
}

static enum status fail(const struct zone *zone, char out_problem[static NAMES_PROBLEM_SIZE])
{
	if (zone->failure != OK)
		(void)snprintf(out_problem, NAMES_PROBLEM_SIZE, "the zone is away");
	return zone->failure;
}

enum status names_server_read(struct names_server *server, names_record_fn found, void *context,
			      char out_problem[static NAMES_PROBLEM_SIZE])
{
	struct zone *zone = zone_of(server);
	zone->reads++;
	for (unsigned i = 0; zone->failure == OK && i < zone->count; i++) {
		const struct zone_record *record = &zone->records[i];
		struct names_record told = { text_of(record->name), record->ttl_s, record->is_mark,
					     record->address };
		if (!found(context, &told))
			return ERR_MEMORY;
	}
	return fail(zone, out_problem);
}

struct names_update *names_update_create(struct names_server *server)
{
	struct names_update *update = calloc(1, sizeof *update);
	if (update != NULL)
		update->zone = zone_of(server);
	return update;
}

void names_update_destroy(struct names_update *update)
{
	free(update);
}

bool names_update_is_full(const struct names_update *update)
{
	return update->count >= 7; // small, so that tests meet it
}

static bool order(struct names_update *update, enum order order, const char *name,
		  const struct names_addresses *addresses)
{
	unsigned at = update->count++;
	update->orders[at].order = order;
	(void)snprintf(update->orders[at].name, sizeof update->orders[at].name, "%s", name);
	for (unsigned i = 0; addresses != NULL && i < addresses->count; i++)
		update->orders[at].addresses[update->orders[at].count++] = addresses->items[i];
	update->orders[at].ttl_s = addresses != NULL ? addresses->ttl_s : 0;
	return true;
}

bool names_update_add(struct names_update *update, const char *name,
		      const struct names_addresses *addresses)
{
	return order(update, ADD, name, addresses);
}

bool names_update_replace(struct names_update *update, const char *name,
			  const struct names_addresses *addresses)
{
	return order(update, REPLACE, name, addresses);
}

bool names_update_remove(struct names_update *update, const char *name)
{
	return order(update, REMOVE, name, NULL);
}

static void drop(struct zone *zone, const char *name, bool has_mark)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < zone->count; i++) {
		const struct zone_record *record = &zone->records[i];
		bool is_address = !record->is_mark && record->address.family != ADDRESS_NONE;
		bool goes = strcmp(record->name, name) == 0 &&
			    (is_address || (has_mark && record->is_mark));
		if (!goes)
			zone->records[kept++] = *record;
	}
	zone->count = kept;
}

enum status names_update_send(struct names_update *update,
			      char out_problem[static NAMES_PROBLEM_SIZE])
{
	struct zone *zone = update->zone;
	if (zone->failure != OK)
		return fail(zone, out_problem);
	zone->updates++;
	for (unsigned i = 0; i < update->count; i++) {
		const char *name = update->orders[i].name;
		bool is_as_needed = update->orders[i].order == ADD ? zone_count(zone, name) == 0
								   : zone_is_marked(zone, name);
		if (!is_as_needed)
			return ERR_CONFLICT;
	}
	for (unsigned i = 0; i < update->count; i++) {
		const char *name = update->orders[i].name;
		if (update->orders[i].order != ADD)
			drop(zone, name, update->orders[i].order == REMOVE);
		for (unsigned j = 0; j < update->orders[i].count; j++)
			push(zone, name, false, &update->orders[i].addresses[j],
			     update->orders[i].ttl_s);
		if (update->orders[i].order == ADD)
			zone_mark(zone, name);
	}
	return OK;
}
