#pragma once

// The door to ldns: one DNS server that takes updates of a zone (RFC 2136) signed with a key (TSIG,
// RFC 8945), and transfers of it (RFC 5936). Every name of ours has a TXT record below it, at
// _trunkd.NAME, whose text says so; a name without it is somebody else's and never touched: the server
// itself checks, by the prerequisites of each update.
// Runs on: the thread of the publisher, which may wait; an object belongs to one thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"
#include "base/text.h"

struct config_addresses;
struct names_server;
struct names_update;

#define NAMES_PROBLEM_SIZE 256

struct names_server_options {
	const struct config_addresses *servers; // asked in this order
	uint16_t port;
	unsigned timeout_ms;
	const char *zone;
	const char *marker;
	const char *key_file;
};

// ERR_SYSTEM: the key's file cannot be read; ERR_MALFORMED: it holds no key. The problem says what.
enum status names_server_open(const struct names_server_options *options,
			      struct names_server **out_server,
			      char out_problem[static NAMES_PROBLEM_SIZE]);
void names_server_close(struct names_server *server);
void names_server_cancel(struct names_server *server); // any thread: all further work fails

struct names_record { // of the zone, as read
	struct text name; // without the last dot, lower case; of a mark: the name it is for
	uint32_t ttl_s;
	bool is_mark; // ours, by our marker
	struct address address; // of no family: a record of another type
};
// Reads the whole zone. ERR_LIMIT: more records than anybody needs.
typedef bool (*names_record_fn)(void *context, const struct names_record *record); // false: stop
enum status names_server_read(struct names_server *server, names_record_fn found, void *context,
			      char out_problem[static NAMES_PROBLEM_SIZE]);

struct names_addresses {
	const struct address *items;
	unsigned count;
	uint32_t ttl_s;
};
// One update, made or refused as a whole. NULL: no memory.
struct names_update *names_update_create(struct names_server *server);
void names_update_destroy(struct names_update *update);
bool names_update_is_full(const struct names_update *update); // send it, then go on with another
// Each false when there is no memory, or when the name is none that DNS can have.
bool names_update_add(struct names_update *update, const char *name,
		      const struct names_addresses *addresses); // it must not be there
bool names_update_replace(struct names_update *update, const char *name,
			  const struct names_addresses *addresses); // it must be ours
bool names_update_remove(struct names_update *update, const char *name); // it must be ours
// ERR_CONFLICT: a name was not as it must be; ERR_FORBIDDEN: the server does not let us;
// ERR_UNAVAILABLE: no answer. The problem says what the server said.
enum status names_update_send(struct names_update *update,
			      char out_problem[static NAMES_PROBLEM_SIZE]);
