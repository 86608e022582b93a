// Look-ups: passes over the cache until nothing is missing or the time is over.
// Runs on the control thread; never waits, never calls back inside a call.

#include "sip/resolve/resolve.h"

#include <stdlib.h>

#include "sip/resolve/avoid.h"
#include "sip/resolve/locate.h"

struct sip_resolver {
	struct sip_resolver_options options;
	struct sip_resolver_counters counters;
	struct dns_cache *cache;
	struct avoid avoid;
};

struct sip_resolver *sip_resolver_create(const struct sip_resolver_options *options)
{
	struct sip_resolver *resolver = calloc(1, sizeof(*resolver));
	if (resolver == NULL)
		return NULL;
	resolver->options = *options;
	resolver->options.cache.clock = options->clock;
	resolver->cache = dns_cache_create(&resolver->options.cache);
	if (resolver->cache != NULL)
		return resolver;
	free(resolver);
	return NULL;
}

void sip_resolver_destroy(struct sip_resolver *resolver)
{
	if (resolver == NULL)
		return;
	dns_cache_destroy(resolver->cache);
	free(resolver);
}

void sip_lookup_cancel(struct sip_lookup *lookup)
{
	if (lookup->resolver == NULL)
		return;
	struct sip_resolver_counters *counters = &lookup->resolver->counters;
	wheel_stop(&lookup->deadline);
	dns_cache_leave(&lookup->waiter);
	counter_set(&counters->waiting, counter_get(&counters->waiting) - 1);
	lookup->resolver = NULL;
}

bool sip_lookup_is_running(const struct sip_lookup *lookup)
{
	return lookup->resolver != NULL;
}

static void finish(struct sip_resolver *resolver, struct sip_hops *hops)
{
	if (hops->count == 0)
		counter_add(&resolver->counters.unresolved, 1);
	unsigned moved = avoid_sort(&resolver->avoid, hops, resolver->options.clock->now_ms);
	counter_add(&resolver->counters.avoided, moved);
}

// One pass; true: it is the last.
static bool go_on(struct sip_lookup *lookup, enum dns_cache_mode mode, struct sip_hops *hops)
{
	struct sip_resolver *resolver = lookup->resolver;
	struct dns_entry *missing =
		locate_run(resolver->cache, &resolver->options, &lookup->target, mode, hops);
	if (missing != NULL) {
		dns_cache_wait(&lookup->waiter, missing);
		return false;
	}
	sip_lookup_cancel(lookup);
	finish(resolver, hops);
	return true;
}

static void on_wake(struct dns_waiter *waiter)
{
	struct sip_lookup *lookup = map_entry(waiter, struct sip_lookup, waiter);
	struct sip_hops hops;
	if (go_on(lookup, DNS_CACHE_ASK, &hops))
		lookup->done(lookup->context, &hops);
}

// What is there by now has to do; old answers too.
static void on_deadline(struct wheel_timer *timer, void *context)
{
	struct sip_lookup *lookup = context;
	struct sip_hops hops;
	(void)timer;
	counter_add(&lookup->resolver->counters.timeouts, 1);
	if (go_on(lookup, DNS_CACHE_HAVE, &hops))
		lookup->done(lookup->context, &hops);
}

void sip_lookup_init(struct sip_lookup *lookup, sip_resolved_fn done, void *context)
{
	*lookup = (struct sip_lookup){ .done = done, .context = context };
	lookup->waiter.wake = on_wake;
	wheel_timer_init(&lookup->deadline, on_deadline, lookup);
}

bool sip_resolve(struct sip_resolver *resolver, struct sip_lookup *lookup,
		 const struct sip_target *target, struct sip_hops *out_hops)
{
	const struct sip_resolver_options *options = &resolver->options;
	struct sip_resolver_counters *counters = &resolver->counters;
	sip_lookup_cancel(lookup);
	lookup->resolver = resolver;
	lookup->target = *target;
	counter_add(&counters->lookups, 1);
	counter_set(&counters->waiting, counter_get(&counters->waiting) + 1);
	if (go_on(lookup, DNS_CACHE_ASK, out_hops))
		return true;
	counter_add(&counters->waited, 1);
	wheel_start(options->wheel, &lookup->deadline,
		    options->clock->now_ms + options->timeout_ms);
	return false;
}

void sip_resolver_note_silent(struct sip_resolver *resolver, const struct sip_hop *hop)
{
	const struct sip_resolver_options *options = &resolver->options;
	if (options->avoid_ms > 0)
		avoid_add(&resolver->avoid, hop, options->clock->now_ms + options->avoid_ms);
}

void sip_resolver_note_heard(struct sip_resolver *resolver, const struct sip_hop *hop)
{
	avoid_remove(&resolver->avoid, hop);
}

const struct sip_resolver_counters *sip_resolver_counters(const struct sip_resolver *resolver)
{
	return &resolver->counters;
}

const struct dns_cache *sip_resolver_cache(const struct sip_resolver *resolver)
{
	return resolver->cache;
}
