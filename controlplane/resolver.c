// Sets up DNS and the resolver from the configuration. Runs on the control thread.

#include "resolver.h"

#include "config/config.h"
#include "control.h"
#include "signalling.h"
#include "sip/resolve/resolve.h"

static bool has_family(const struct config_addresses *addresses, uint8_t family)
{
	for (unsigned i = 0; i < addresses->count; i++)
		if (addresses->items[i].family == family)
			return true;
	return false;
}

enum status resolver_start(struct control *control)
{
	const struct dns_config *config = &control->config->dns;
	const struct config_addresses *addresses = &control->config->sip.addresses;
	struct dns_options dns = { config->servers.items, config->servers.count,
				   config->timeout_ms };
	enum status status = dns_start(control->loop, &dns, &control->dns);
	if (status != OK)
		return status;
	struct sip_home home;
	signalling_home(control->config, &home);
	struct sip_resolver_options options = {
		.clock = &control->clock,
		.wheel = control->wheel,
		.cache = { .ask = dns_ask,
			   .ask_context = control->dns,
			   .entries_max = config->entries_max,
			   .ttl_min_s = config->ttl_min_s,
			   .ttl_max_s = config->ttl_max_s,
			   .negative_ttl_max_s = config->negative_ttl_max_s,
			   .stale_s = config->stale_s },
		.timeout_ms = config->timeout_ms,
		.avoid_ms = config->avoid_s * 1000,
		.has_ipv4 = has_family(addresses, ADDRESS_IPV4),
		.has_ipv6 = has_family(addresses, ADDRESS_IPV6),
		.speaks = { home.ports[SIP_UDP] != 0, home.ports[SIP_TCP] != 0,
			    home.ports[SIP_TLS] != 0 },
	};
	control->resolver = sip_resolver_create(&options);
	return control->resolver != NULL ? OK : ERR_MEMORY;
}

void resolver_stop(struct control *control)
{
	dns_stop(control->dns);
	sip_resolver_destroy(control->resolver);
}
