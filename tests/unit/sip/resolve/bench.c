// The resolver of a test. Runs on the thread of the test.

#include "bench.h"

#include <stdlib.h>

void bench_resolved(void *context, const struct sip_hops *hops)
{
	struct bench *bench = context;
	CHECK_FALSE(bench->is_inside);
	bench->hops = *hops;
	bench->told++;
}

static void start(struct bench *bench)
{
	bench->resolver = sip_resolver_create(&bench->options);
	assert_non_null(bench->resolver);
}

int bench_set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	bench->clock = (struct clock){ 100000, 0 };
	bench->wheel = wheel_create(bench->clock.now_ms);
	bench->dns = fake_dns_create(&bench->clock, bench->wheel);
	(void)fake_dns_add(bench->dns, "example", "SOA", "3600", 0);
	bench->options = (struct sip_resolver_options){
		.clock = &bench->clock,
		.wheel = bench->wheel,
		.cache = { .ask = fake_dns_ask,
			   .ask_context = bench->dns,
			   .entries_max = 256,
			   .ttl_min_s = 5,
			   .ttl_max_s = 3600,
			   .negative_ttl_max_s = 300,
			   .stale_s = 7200 },
		.timeout_ms = 3000,
		.avoid_ms = 30000,
		.has_ipv4 = true,
		.has_ipv6 = true,
		.speaks = { true, true, true },
	};
	start(bench);
	sip_lookup_init(&bench->lookup, bench_resolved, bench);
	*state = bench;
	return 0;
}

int bench_tear_down(void **state)
{
	struct bench *bench = *state;
	CHECK_NUMBER(counter_get(&sip_resolver_counters(bench->resolver)->waiting), 0);
	sip_lookup_cancel(&bench->lookup);
	fake_dns_destroy(bench->dns);
	sip_resolver_destroy(bench->resolver);
	wheel_destroy(bench->wheel);
	free(bench);
	return 0;
}

void bench_restart(struct bench *bench, bool has_ipv6, bool has_streams)
{
	sip_resolver_destroy(bench->resolver);
	bench->options.has_ipv6 = has_ipv6;
	bench->options.speaks[SIP_TCP] = bench->options.speaks[SIP_TLS] = has_streams;
	start(bench);
}

void bench_pass(struct bench *bench, uint64_t ms)
{
	for (uint64_t end_ms = bench->clock.now_ms + ms; bench->clock.now_ms < end_ms;) {
		uint64_t step_ms = ms > 100000 ? 1000 : WHEEL_TICK_MS;
		bench->clock.now_ms += step_ms;
		wheel_run(bench->wheel, bench->clock.now_ms);
	}
}

struct sip_target bench_target(const char *text)
{
	struct sip_target target = { 0 };
	struct text rest = text_of(text);
	struct text parameter;
	if (text_has_prefix(rest, TEXT("sips:"))) {
		target.is_sips = true;
		rest = text_cut(rest, 5);
	}
	parameter = rest;
	rest = text_split(&parameter, ';');
	if (parameter.size > 0)
		target.has_protocol = sip_protocol_parse(parameter, &target.protocol);
	struct address address;
	if (address_parse(rest, &address)) {
		struct writer host = writer_of(target.host, sizeof(target.host));
		address_write_host(&address, &host);
		(void)writer_string_done(&host);
		target.port = address.port;
		return target;
	}
	struct text port = rest;
	uint64_t number = 0;
	(void)text_copy(text_split(&port, ':'), target.host, sizeof(target.host));
	if (port.size > 0)
		(void)text_to_unsigned(port, 65535, &number);
	target.port = (uint16_t)number;
	return target;
}

bool bench_ask(struct bench *bench, const char *text)
{
	struct sip_target target = bench_target(text);
	bench->is_inside = true;
	bool is_known = sip_resolve(bench->resolver, &bench->lookup, &target, &bench->hops);
	bench->is_inside = false;
	return is_known;
}

// Resolves it, whatever that takes.
void bench_get(struct bench *bench, const char *text)
{
	unsigned told = bench->told;
	if (bench_ask(bench, text))
		return;
	bench_pass(bench, 4000);
	CHECK_NUMBER(bench->told, told + 1);
}

static const char *hops_text(const struct sip_hops *hops, char *room, size_t size)
{
	struct writer writer = writer_of(room, size);
	for (unsigned i = 0; i < hops->count; i++) {
		writer_format(&writer, "%s%s ", i > 0 ? ", " : "",
			      sip_protocol_name(hops->items[i].protocol));
		address_write(&hops->items[i].address, &writer);
	}
	const char *text = writer_string_done(&writer);
	return text != NULL ? text : "(too long)";
}

void bench_check(const struct bench *bench, const char *expected)
{
	char room[1024];
	CHECK_STRING(hops_text(&bench->hops, room, sizeof(room)), expected);
}

void bench_add(struct bench *bench, const char *name, const char *type, const char *value)
{
	CHECK_TRUE(fake_dns_add(bench->dns, name, type, value, 60));
}
