#pragma once

// The rules of RFC 3263 4.1 and 4.2 as one pass over what the cache knows. What it lacks is asked for
// meanwhile, and the pass is made again when that is there.
// Runs on: control thread.

#include "sip/resolve/resolve.h"

// NULL: out_hops is filled. Else what to wait for before the next pass; never with DNS_CACHE_HAVE.
struct dns_entry *locate_run(struct dns_cache *cache, const struct sip_resolver_options *options,
			     const struct sip_target *target, enum dns_cache_mode mode,
			     struct sip_hops *out_hops);
