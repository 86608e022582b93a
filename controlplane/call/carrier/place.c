// Carriers by address. Runs on the control thread; asked of every message from nobody's domain, so it
// only compares.

#include "call/carrier/place.h"

#include "call/state.h"

static struct place *find(struct places *places, const struct address *address)
{
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		if (address_is_same_host(&places->items[i].address, address))
			return &places->items[i];
	}
	return NULL;
}

void place_note(struct places *places, const struct address *address, const char *carrier_sid)
{
	struct place *place = find(places, address);
	if (place == NULL) {
		place = &places->items[places->next];
		places->next = (places->next + 1) % PLACES_MAX;
	}
	place->address = *address;
	(void)text_copy(text_of(carrier_sid), place->carrier_sid, sizeof place->carrier_sid);
}

static bool calls_from(const struct carrier *carrier, const struct address *address)
{
	bool does = address_is_same_host(&carrier->address, address);
	for (unsigned i = 0; i < carrier->source_count; i++)
		does |= prefix_contains(&carrier->sources[i], address);
	return does;
}

// An address is no proof of one who can be asked for a better one.
static bool is_by_name_alone(const struct carrier *carrier)
{
	return carrier->tls_name[0] != '\0' && carrier->transport == DIRECTORY_TRANSPORT_TLS;
}

static const struct carrier *find_certified(const struct calls *calls, const struct sip_flow *flow)
{
	const struct carrier *carrier =
		flow->is_certified ? directory_carrier(calls->directory, flow->peer) : NULL;
	return carrier != NULL && carrier->is_enabled && carrier->tls_name[0] != '\0' ? carrier
										      : NULL;
}

const struct carrier *place_find_carrier(const struct calls *calls, const struct sip_flow *flow)
{
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	const struct carrier *carrier = find_certified(calls, flow);
	const struct address *address = &flow->remote;
	unsigned count = carrier == NULL ? directory_carriers(calls->directory, carriers) : 0;
	for (unsigned i = 0; i < count; i++) {
		if (calls_from(carriers[i], address) && !is_by_name_alone(carriers[i]))
			return carriers[i];
	}
	if (carrier != NULL)
		return carrier;
	const struct place *place = find((struct places *)&calls->places, address);
	carrier = place != NULL ? directory_carrier(calls->directory, place->carrier_sid) : NULL;
	return carrier != NULL && carrier->is_enabled && !is_by_name_alone(carrier) ? carrier
										    : NULL;
}
