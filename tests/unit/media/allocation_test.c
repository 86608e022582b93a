// Memory refused at every place where it is asked for: a status each time, nothing lost, no crash.

#include "tests/unit/media/bench.h"

#include <openssl/crypto.h>

#include "tests/fake/allocation.h"

static void starting_and_opening_survive_every_refusal(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 2);
	struct media_engine_options options = { .clock = &bench.clock,
						.wheel = bench.wheel,
						.dataplane = bench.dataplane,
						.event = bench_event };
	bool has_failed = true;
	for (unsigned number = 1; has_failed; number++) {
		struct media_engine *engine = NULL;
		struct media *media = NULL;
		allocation_fail_at(number);
		enum status status = media_engine_start(&options, &engine);
		if (status == OK)
			status = media_open(engine, "CA1", &bench, &media);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		// Next hops alone can be done without: they are tried again.
		if (has_failed && status != ERR_MEMORY && engine->retry_ms == 0)
			fail_msg("allocation %u: %s", number, status_name(status));
		if (!has_failed)
			CHECK_OK(status);
		media_engine_stop(engine);
	}
	bench_end(&bench);
}

static void another_dataplane_survives_every_refusal(void **state)
{
	(void)state;
	struct bench bench;
	struct media *media;
	bench_begin(&bench, 1);
	CHECK_OK(media_open(bench.engine, "CA1", &bench, &media));
	bool has_failed = true;
	for (unsigned number = 1; has_failed; number++) {
		allocation_fail_at(number);
		media_engine_attach(bench.engine, bench.dataplane);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		media_engine_tick(bench.engine);
	}
	CHECK_NUMBER(media_ports_count(bench.engine->ports, MEDIA_PORT_HELD), 2);
	media_close(media);
	bench_wait(&bench, 10);
	CHECK_NUMBER(bench.closed, 1);
	bench_end(&bench);
}

// OpenSSL's own allocations come here too, so that deriving a key can fail.
static void *take_memory(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return malloc(size);
}

static void *resize_memory(void *memory, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return realloc(memory, size);
}

static void give_memory(void *memory, const char *file, int line)
{
	(void)file, (void)line;
	free(memory);
}

#define SECURE_SDP                                                                                 \
	"v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 "                   \
	"AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR\r\n"

// Streams without a key wait; they never open without it.
static void a_secure_call_survives_every_refusal(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	unsigned refused = 0;
	bool has_failed = true;
	for (unsigned number = 1; has_failed; number++) {
		struct media *media = bench_open(&bench);
		CHECK_OK(media_set_security(media, MEDIA_CALLER, MEDIA_SECURE, SUITE_BITS_AES_CM));
		bench_offer(media, MEDIA_CALLER, SECURE_SDP);
		(void)bench_write_offer(media, MEDIA_CALLED, &text);
		bench_answer(media, MEDIA_CALLED, CALLED_SDP);
		(void)bench_write_answer(media, MEDIA_CALLER, &text);
		fake_dataplane_forget_sent(bench.dataplane);
		allocation_fail_at(number);
		media_connect(media);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		refused += has_failed && fake_dataplane_open_count(bench.dataplane) < 4;
		bench_wait(&bench, 5);
		CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
		CHECK_NUMBER(fake_dataplane_unkeyed_count(bench.dataplane), 0);
		media_close(media);
		bench_wait(&bench, 5);
	}
	CHECK_TRUE(refused > 0);
	bench_end(&bench);
}

int main(void)
{
	if (!CRYPTO_set_mem_functions(take_memory, resize_memory, give_memory))
		return 1;

	const struct CMUnitTest tests[] = {
		TEST(starting_and_opening_survive_every_refusal),
		TEST(another_dataplane_survives_every_refusal),
		TEST(a_secure_call_survives_every_refusal),
	};
	return RUN_TESTS(tests);
}
