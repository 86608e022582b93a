#pragma once

// Where Redis may be: the URL, then further addresses of it. The one that answers as master is used; each
// loss moves on to the next, around and around.
// Runs on: control thread; pure.

#include "store/url.h"

#define STORE_PLACES_MAX 9
#define STORE_PLACE_SIZE (STORE_URL_PATH_SIZE + 32)

struct store_places {
	struct store_url items[STORE_PLACES_MAX];
	unsigned count, current;
};

// Further ones have the database of the first; port 0 is that of Redis. False: no room.
bool store_places_add(struct store_places *places, const struct address *address);
const struct store_url *store_places_get(const struct store_places *places);
void store_places_move(struct store_places *places);
void store_places_write(const struct store_places *places, char out_where[static STORE_PLACE_SIZE]);
