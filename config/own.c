// Addresses of ours, as far as the configuration knows them. Runs on any thread; pure.

#include "config/own.h"

#include "config/config.h"

static bool has(const struct config_addresses *list, const struct address *address)
{
	bool is_found = false;
	for (unsigned i = 0; i < list->count; i++)
		is_found |= address_is_same_host(&list->items[i], address);
	return is_found;
}

static bool has_interface(const struct config_prefixes *list, const struct address *address)
{
	bool is_found = false;
	for (unsigned i = 0; i < list->count; i++)
		is_found |= address_is_same_host(&list->items[i].address, address);
	return is_found;
}

bool config_is_own_signalling(const struct config *config, const struct address *address)
{
	bool is_found =
		has(&config->sip.addresses, address) || has(&config->names.addresses, address);
	for (unsigned i = 0; i < config->edges.count && !is_found; i++)
		is_found = has(&config->edges.items[i].signalling, address);
	return is_found;
}

bool config_is_own_host(const struct config *config, const struct address *address)
{
	return config_is_own_signalling(config, address) ||
	       has(&config->names.api_addresses, address) ||
	       has(&config->media.addresses, address) ||
	       has_interface(&config->dataplane.addresses, address) ||
	       address_is_same_host(&config->admin.metrics_address, address);
}
