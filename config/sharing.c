// A Redis of its own is the Redis of one node: nothing is shared by it unless somebody says so.

#include "config/sharing.h"

#include <stdio.h>

#include "config/config.h"

bool config_shares_limits(const struct config *config)
{
	unsigned sharing = config->limits.sharing;
	return sharing == CONFIG_SHARING_ON ||
	       (sharing == CONFIG_SHARING_AUTO && config->redis.url[0] != '\0');
}

void config_write_identity(const struct config *config, char *room, size_t size)
{
	char address[ADDRESS_TEXT_SIZE];
	(void)snprintf(room, size, "%s@%s:%u", config->node.name,
		       address_string(&config->sip.addresses.items[0], address), config->sip.port);
}
