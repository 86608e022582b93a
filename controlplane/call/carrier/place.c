// Carriers by address. Runs on the control thread.

#include "call/carrier/place.h"

static const struct place *find(const struct places *places, const struct address *address)
{
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		if (address_is_equal(&places->items[i].address, address))
			return &places->items[i];
	}
	return NULL;
}

void place_note(struct places *places, const struct address *address, const char *carrier_sid)
{
	struct place *place = (struct place *)find(places, address); // ours
	if (place == NULL) {
		place = &places->items[places->next];
		places->next = (places->next + 1) % PLACES_MAX;
	}
	place->address = *address;
	(void)text_copy(text_of(carrier_sid), place->carrier_sid, sizeof place->carrier_sid);
}

const char *place_carrier(const struct places *places, const struct address *address)
{
	const struct place *place = find(places, address);
	return place != NULL && address->family != ADDRESS_NONE ? place->carrier_sid : NULL;
}
