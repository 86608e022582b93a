// What is remembered of DNS and for how long, who waits for what, and what a dead server leaves.
// ORIG-034, ORIG-043.

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static void answers_hold_for_their_ttl(void **state)
{
	struct bench *bench = *state;
	bench_restart(bench, false, true);
	CHECK_TRUE(fake_dns_add(bench->dns, "a.example", "A", "198.51.100.1", 60));
	CHECK_TRUE(fake_dns_add(bench->dns, "b.example", "A", "198.51.100.2", 0));
	CHECK_TRUE(fake_dns_add(bench->dns, "c.example", "A", "198.51.100.3", 999999));
	bench_get(bench, "a.example:5060");
	unsigned asked = fake_dns_asked(bench->dns);
	bench_pass(bench, 50000);
	CHECK_TRUE(bench_ask(bench, "a.example:5060"));
	CHECK_NUMBER(fake_dns_asked(bench->dns), asked);
	fake_dns_remove(bench->dns, "a.example");
	bench_add(bench, "a.example", "A", "198.51.100.9");
	bench_pass(bench, 11000);
	CHECK_FALSE(bench_ask(bench, "a.example:5060"));
	bench_pass(bench, 100);
	bench_check(bench, "udp 198.51.100.9:5060");
	// TTL 0 counts as ttl_min_s, one beyond all measure as ttl_max_s.
	bench_get(bench, "b.example:5060");
	CHECK_TRUE(bench_ask(bench, "b.example:5060"));
	bench_pass(bench, 5100);
	CHECK_FALSE(bench_ask(bench, "b.example:5060"));
	bench_pass(bench, 100);
	bench_get(bench, "c.example:5060");
	bench_pass(bench, 3200 * 1000);
	CHECK_TRUE(bench_ask(bench, "c.example:5060"));
	bench_pass(bench, 500 * 1000);
	CHECK_FALSE(bench_ask(bench, "c.example:5060"));
	bench_pass(bench, 100);
}

// Who is in use is asked for again before its time is over, and nobody waits.
static void what_is_used_is_refreshed_ahead(void **state)
{
	struct bench *bench = *state;
	bench_add(bench, "a.example", "A", "198.51.100.1");
	bench_get(bench, "a.example:5060");
	fake_dns_remove(bench->dns, "a.example");
	bench_add(bench, "a.example", "A", "198.51.100.9");
	for (unsigned i = 0; i < 250; i++) {
		CHECK_TRUE(bench_ask(bench, "a.example:5060"));
		bench_pass(bench, 1000);
	}
	bench_check(bench, "udp 198.51.100.9:5060");
	CHECK_NUMBER(counter_get(&sip_resolver_counters(bench->resolver)->waited), 1);
	CHECK_TRUE(fake_dns_asked(bench->dns) < 10);
}

static void what_is_not_there_is_remembered(void **state)
{
	struct bench *bench = *state;
	bench_add(bench, "short.test", "SOA", "30");
	bench_add(bench, "long.test", "SOA", "86400");
	bench_get(bench, "a.short.test:5060");
	unsigned asked = fake_dns_asked(bench->dns);
	CHECK_TRUE(bench_ask(bench, "a.short.test:5060"));
	CHECK_STRING(bench->hops.problem, "A of a.short.test: no such name");
	CHECK_NUMBER(fake_dns_asked(bench->dns), asked);
	bench_add(bench, "a.short.test", "A", "198.51.100.1");
	bench_pass(bench, 31000);
	bench_get(bench, "a.short.test:5060");
	bench_check(bench, "udp 198.51.100.1:5060");
	// Bounded by negative_ttl_max_s.
	bench_get(bench, "a.long.test:5060");
	bench_pass(bench, 250 * 1000);
	CHECK_TRUE(bench_ask(bench, "a.long.test:5060"));
	bench_pass(bench, 60 * 1000);
	CHECK_FALSE(bench_ask(bench, "a.long.test:5060"));
	bench_pass(bench, 100);
}

static void a_dead_server_leaves_old_answers_in_use(void **state)
{
	struct bench *bench = *state;
	const struct dns_cache_counters *counters =
		dns_cache_counters(sip_resolver_cache(bench->resolver));
	bench_add(bench, "_sip._udp.a.example", "SRV", "10 0 5060 a.example");
	bench_add(bench, "a.example", "A", "198.51.100.1");
	bench_get(bench, "a.example");
	fake_dns_set_dead(bench->dns, true);
	fake_dns_set_delay(bench->dns, 2000);
	bench_pass(bench, 61000);
	CHECK_FALSE(bench_ask(bench, "a.example")); // the first one waits for the failure
	bench_pass(bench, 4000);
	bench_check(bench, "udp 198.51.100.1:5060");
	for (unsigned i = 0; i < 100; i++) { // all others do not
		bench_pass(bench, 1000);
		CHECK_TRUE(bench_ask(bench, "a.example"));
		bench_check(bench, "udp 198.51.100.1:5060");
	}
	CHECK_TRUE(counter_get(&counters->stale) > 100);
	CHECK_TRUE(counter_get(&counters->answers[DNS_FAILED]) > 3);
	// Not for ever.
	bench_pass(bench, 7200 * 1000);
	bench_get(bench, "a.example");
	CHECK_NUMBER(bench->hops.count, 0);
	fake_dns_set_dead(bench->dns, false);
	fake_dns_set_delay(bench->dns, 10);
	bench_pass(bench, 6000);
	bench_get(bench, "a.example");
	bench_check(bench, "udp 198.51.100.1:5060");
}

static void a_silent_server_costs_no_more_than_the_timeout(void **state)
{
	struct bench *bench = *state;
	bench_add(bench, "a.example", "A", "198.51.100.1");
	bench_get(bench, "a.example");
	fake_dns_set_silent(bench->dns, true);
	bench_pass(bench, 61000);
	CHECK_FALSE(bench_ask(bench, "a.example"));
	bench_pass(bench, 2980);
	CHECK_NUMBER(bench->told, 1);
	bench_pass(bench, 30);
	CHECK_NUMBER(bench->told, 2);
	bench_check(bench, "udp 198.51.100.1:5060");
	CHECK_FALSE(bench_ask(bench, "b.example"));
	bench_pass(bench, 3010);
	CHECK_NUMBER(bench->told, 3);
	CHECK_NUMBER(bench->hops.count, 0);
	CHECK_STRING(bench->hops.problem, "A of b.example: DNS did not answer in time");
	CHECK_NUMBER(counter_get(&sip_resolver_counters(bench->resolver)->timeouts), 2);
}

static void a_failed_question_is_not_repeated_at_once(void **state)
{
	struct bench *bench = *state;
	fake_dns_set_dead(bench->dns, true);
	bench_get(bench, "a.example:5060");
	CHECK_NUMBER(bench->hops.count, 0);
	unsigned asked = fake_dns_asked(bench->dns);
	for (unsigned i = 0; i < 50; i++)
		CHECK_TRUE(bench_ask(bench, "a.example:5060"));
	CHECK_STRING(bench->hops.problem, "A of a.example: no server answered in time");
	CHECK_NUMBER(fake_dns_asked(bench->dns), asked);
}

static void count_told(void *context, const struct sip_hops *hops)
{
	CHECK_NUMBER(hops->count, 1);
	(*(unsigned *)context)++;
}

static void those_who_ask_the_same_share_one_question(void **state)
{
	enum { MANY = 1000 };
	struct bench *bench = *state;
	struct sip_lookup *lookups = calloc(MANY, sizeof(*lookups));
	struct sip_target target = bench_target("a.example:5060");
	struct sip_hops hops;
	unsigned told = 0;
	bench_add(bench, "a.example", "A", "198.51.100.1");
	for (unsigned i = 0; i < MANY; i++) {
		sip_lookup_init(&lookups[i], count_told, &told);
		CHECK_FALSE(sip_resolve(bench->resolver, &lookups[i], &target, &hops));
	}
	CHECK_NUMBER(fake_dns_asked(bench->dns), 2); // A and AAAA
	for (unsigned i = 0; i < MANY; i += 2)
		sip_lookup_cancel(&lookups[i]);
	bench_pass(bench, 100);
	CHECK_NUMBER(told, MANY / 2);
	free(lookups);
}

static void on_cancel_another(void *context, const struct sip_hops *hops)
{
	(void)hops;
	sip_lookup_cancel(context);
}

static void who_is_woken_may_cancel_the_next(void **state)
{
	struct bench *bench = *state;
	struct sip_lookup first, second;
	struct sip_target target = bench_target("a.example:5060");
	struct sip_hops hops;
	bench_add(bench, "a.example", "A", "198.51.100.1");
	sip_lookup_init(&first, on_cancel_another, &second);
	sip_lookup_init(&second, bench_resolved, bench);
	CHECK_FALSE(sip_resolve(bench->resolver, &first, &target, &hops));
	CHECK_FALSE(sip_resolve(bench->resolver, &second, &target, &hops));
	bench_pass(bench, 100);
	CHECK_NUMBER(bench->told, 0);
	CHECK_FALSE(sip_lookup_is_running(&second));
}

static void the_cache_and_its_questions_are_bounded(void **state)
{
	struct bench *bench = *state;
	const struct dns_cache_counters *counters =
		dns_cache_counters(sip_resolver_cache(bench->resolver));
	char name[64];
	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "n%u.example:5060", i);
		bench_get(bench, name);
	}
	CHECK_NUMBER(counter_get(&counters->entries), 256);
	CHECK_NUMBER(counter_get(&counters->evicted), 4000 - 256);
	// Nothing comes back: what is asked for is never thrown away, and no more than so much is asked.
	fake_dns_set_silent(bench->dns, true);
	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "m%u.example:5060", i);
		(void)bench_ask(bench, name);
		sip_lookup_cancel(&bench->lookup);
	}
	CHECK_NUMBER(counter_get(&counters->asking), 256);
	CHECK_NUMBER(counter_get(&counters->entries), 256);
	CHECK_TRUE(counter_get(&counters->refused) > 3000);
	CHECK_TRUE(bench_ask(bench, "m1999.example:5060"));
	CHECK_NUMBER(bench->hops.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(answers_hold_for_their_ttl),
		BENCH_TEST(what_is_used_is_refreshed_ahead),
		BENCH_TEST(what_is_not_there_is_remembered),
		BENCH_TEST(a_dead_server_leaves_old_answers_in_use),
		BENCH_TEST(a_silent_server_costs_no_more_than_the_timeout),
		BENCH_TEST(a_failed_question_is_not_repeated_at_once),
		BENCH_TEST(those_who_ask_the_same_share_one_question),
		BENCH_TEST(who_is_woken_may_cancel_the_next),
		BENCH_TEST(the_cache_and_its_questions_are_bounded),
	};
	return RUN_TESTS(tests);
}
