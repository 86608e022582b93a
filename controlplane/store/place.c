// The places in their order, of which one is current. Runs on the control thread.

#include "store/place.h"

#include <stdio.h>

bool store_places_add(struct store_places *places, const struct address *address)
{
	if (places->count == STORE_PLACES_MAX)
		return false;
	struct store_url *url = &places->items[places->count];
	*url = (struct store_url){ .address = *address, .database = places->items[0].database };
	if (url->address.port == 0)
		url->address.port = STORE_URL_PORT;
	places->count++;
	return true;
}

const struct store_url *store_places_get(const struct store_places *places)
{
	return &places->items[places->current];
}

void store_places_move(struct store_places *places)
{
	places->current = (places->current + 1) % places->count;
}

void store_places_write(const struct store_places *places, char out_where[static STORE_PLACE_SIZE])
{
	const struct store_url *url = store_places_get(places);
	char address[ADDRESS_TEXT_SIZE];
	if (url->path[0])
		(void)snprintf(out_where, STORE_PLACE_SIZE, "unix://%s", url->path);
	else
		(void)snprintf(out_where, STORE_PLACE_SIZE, "redis://%s/%u",
			       address_string(&url->address, address), url->database);
}
