#pragma once

// Where a request may go that a customer, not the operator, gives the URL of: into the Internet, and not to
// this appliance, its link or the networks behind it (server-side request forgery).
// Runs on: any thread.

#include <stdbool.h>

#include "base/address.h"

// Is it global unicast, and none of this host's own? IPv4 within IPv6 counts as what is within it.
bool fetch_target_is_public(const struct address *address);
bool fetch_target_is_in(const struct address *address, const struct prefix *prefixes,
			unsigned count);
