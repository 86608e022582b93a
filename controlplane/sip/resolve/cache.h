#pragma once

// What DNS said, as long as it holds, and what is being asked now: one question at a time for the same
// name and type, whoever waits. Old answers serve on when no server answers (RFC 8767). Bounded: the
// entry that was not used for the longest time goes first.
// Runs on: control thread.

#include "base/clock.h"
#include "base/counter.h"
#include "base/map.h"
#include "sip/resolve/dns.h"

struct dns_cache;
struct dns_entry; // of one name and type
struct dns_waiter;

struct dns_cache_counters {
	struct counter hits; // answered from memory
	struct counter stale; // of those: after their time, because no server answered
	struct counter questions; // to DNS servers
	struct counter answers[DNS_OUTCOMES];
	struct counter refused; // no room for one more question or entry
	struct counter evicted;
	struct counter entries, asking; // now
};

struct dns_cache_options {
	const struct clock *clock;
	dns_ask_fn ask;
	void *ask_context;
	unsigned entries_max;
	unsigned ttl_min_s, ttl_max_s;
	unsigned negative_ttl_max_s;
	unsigned stale_s; // how long an answer serves after its time while no server answers
};

// Called when the entry waited for has its answer, good or bad. May wait again.
typedef void (*dns_waiter_fn)(struct dns_waiter *waiter);

struct dns_waiter { // a field of who waits
	struct dns_waiter *next, *previous;
	struct dns_entry *entry; // NULL: waits for nothing
	dns_waiter_fn wake;
};

struct dns_cache *dns_cache_create(const struct dns_cache_options *options);
void dns_cache_destroy(struct dns_cache *cache); // after the asker's end; nobody is woken

enum dns_cache_mode {
	DNS_CACHE_ASK, // what is missing is asked for
	DNS_CACHE_HAVE, // what there is, old or not; nothing is asked, nothing is waited for
};
// The answer as known now, valid until the loop turns; NULL while it is asked for, and then *out_entry
// is what to wait for. What cannot be had is an answer too: DNS_FAILED.
const struct dns_answer *dns_cache_find(struct dns_cache *cache, const char *name,
					enum dns_type type, enum dns_cache_mode mode,
					struct dns_entry **out_entry);
void dns_cache_wait(struct dns_waiter *waiter, struct dns_entry *entry);
void dns_cache_leave(struct dns_waiter *waiter); // waits no more; harmless when it does not

const struct dns_cache_counters *dns_cache_counters(const struct dns_cache *cache);

struct dns_entry_facts {
	const char *name;
	enum dns_type type;
	const struct dns_answer *answer; // NULL: never had one
	const char *failure; // why the last question failed; NULL: it did not
	uint64_t failures; // in a row
	uint64_t ttl_left_ms; // 0: over
	uint64_t stale_left_ms; // after that
	bool is_asking;
};
// From the one used last to the one used longest ago; NULL at the end.
const struct dns_entry *dns_cache_next(const struct dns_cache *cache,
				       const struct dns_entry *after);
void dns_cache_read(const struct dns_cache *cache, const struct dns_entry *entry,
		    struct dns_entry_facts *out_facts);
