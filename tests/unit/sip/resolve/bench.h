#pragma once

// A resolver over a zone in memory and a fake clock.
// Runs on: the thread of the test.

#include "tests/check.h"

#include "sip/resolve/resolve.h"
#include "tests/fake/dns.h"

struct bench {
	struct clock clock;
	struct wheel *wheel;
	struct fake_dns *dns;
	struct sip_resolver_options options;
	struct sip_resolver *resolver;
	struct sip_lookup lookup;
	struct sip_hops hops;
	unsigned told; // callbacks
	bool is_inside; // a call of sip_resolve
};

#define BENCH_TEST(function)                                                                       \
	cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)
int bench_set_up(void **state);
int bench_tear_down(void **state);
void bench_restart(struct bench *bench, bool has_ipv6, bool has_streams); // an empty cache
void bench_pass(struct bench *bench, uint64_t ms);
void bench_add(struct bench *bench, const char *name, const char *type,
	       const char *value); // TTL 60
// "carrier.example", "carrier.example:5070", "carrier.example;tcp", "sips:carrier.example"
struct sip_target bench_target(const char *text);
bool bench_ask(struct bench *bench, const char *text); // false: told later
void bench_get(struct bench *bench, const char *text); // whatever it takes, up to 4 s
void bench_check(const struct bench *bench, const char *expected); // "udp 192.0.2.1:5060, …"
void bench_resolved(void *context, const struct sip_hops *hops); // a sip_resolved_fn; of a bench
