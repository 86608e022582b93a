#pragma once

// Where to send a request for a host: RFC 3263 over a bounded cache of DNS. What is known is told at
// once; else a callback comes later from the loop, never from inside the call that asks.
// Runs on: control thread; never blocks.

#include <stdbool.h>
#include <stdint.h>

#include "base/wheel.h"
#include "sip/resolve/cache.h"

#define SIP_HOPS_MAX 12 // of one target; more are left out

struct sip_resolver;

struct sip_target { // what a URI or a directory says
	char host[DNS_NAME_SIZE]; // name or IP address, no brackets
	uint16_t port; // 0: none given
	bool has_protocol; // else any (RFC 3263 4.1)
	enum sip_protocol protocol;
	bool is_sips; // TLS and nothing else
};

struct sip_hop {
	enum sip_protocol protocol;
	struct address address; // with port
};

struct sip_hops { // in the order to try them
	unsigned count;
	struct sip_hop items[SIP_HOPS_MAX];
	char problem[96]; // why there are none
};

// The hops are valid until it returns. The look-up is over: it may be started again.
typedef void (*sip_resolved_fn)(void *context, const struct sip_hops *hops);

struct sip_lookup { // a field of who asks; never copied
	struct dns_waiter waiter;
	struct wheel_timer deadline;
	struct sip_resolver *resolver; // NULL: does not run
	struct sip_target target;
	sip_resolved_fn done;
	void *context;
};

struct sip_resolver_counters {
	struct counter lookups, waited; // in all; of these, could not be told at once
	struct counter unresolved; // ended without a hop
	struct counter timeouts; // of the time one look-up may take
	struct counter waiting; // now
	struct counter avoided; // hops put last because they were silent before
};

struct sip_resolver_options {
	const struct clock *clock;
	struct wheel *wheel;
	struct dns_cache_options cache; // clock filled in
	unsigned timeout_ms; // of one look-up, whatever it takes
	unsigned avoid_ms; // how long a silent hop is put last
	bool has_ipv4, has_ipv6; // families we have a signalling address of
	bool speaks[SIP_PROTOCOL_COUNT]; // transports we have
};

struct sip_resolver *sip_resolver_create(const struct sip_resolver_options *options);
// After dns_stop and before the wheel ends; look-ups that run are never told. NULL is harmless.
void sip_resolver_destroy(struct sip_resolver *resolver);

void sip_lookup_init(struct sip_lookup *lookup, sip_resolved_fn done, void *context);
// True: *out_hops is filled, perhaps with no hop and a problem, and `done` is not called. False: `done`
// will be called once, unless the look-up is cancelled first.
bool sip_resolve(struct sip_resolver *resolver, struct sip_lookup *lookup,
		 const struct sip_target *target, struct sip_hops *out_hops);
void sip_lookup_cancel(struct sip_lookup *lookup); // harmless when it does not run
bool sip_lookup_is_running(const struct sip_lookup *lookup);

// RFC 3263 4.3: a hop that was silent, or could not be connected to, is put last for a while.
void sip_resolver_note_silent(struct sip_resolver *resolver, const struct sip_hop *hop);
void sip_resolver_note_heard(struct sip_resolver *resolver, const struct sip_hop *hop);

const struct sip_resolver_counters *sip_resolver_counters(const struct sip_resolver *resolver);
const struct dns_cache *sip_resolver_cache(const struct sip_resolver *resolver);
