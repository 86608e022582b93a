// Runs on: the thread of the test, as main and as the only worker.

#include "tests/unit/crypto/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

#define POLLS_MAX 100000000

bool fixture_start_devices(void)
{
	char *arguments[] = { "test",
			      "--lcores=0",
			      "--no-huge",
			      "--no-pci",
			      "--no-shconf",
			      "--no-telemetry",
			      "--iova-mode=va",
			      "--log-level=error",
			      "-m",
			      "128",
			      NULL };
	return rte_eal_init((int)(sizeof(arguments) / sizeof(arguments[0])) - 1, arguments) >= 0;
}

const char *const *fixture_engines(void)
{
	static const char *const all[] = { "ipsec_mb", "crypto_openssl", "libsrtp2",
					   "crypto_aesni_mb", NULL };
	static const char *named[2];
	const char *name = getenv("TRUNKD_ENGINE");
	if (!name)
		return all;
	named[0] = name;
	return named;
}

struct crypto *fixture_start(const char *engine)
{
	struct crypto_plan plan = { engine, 1, FIXTURE_STREAMS };
	struct crypto *crypto = NULL;
	enum status status = crypto_start(&plan, &crypto);
	if (status == OK)
		return crypto;
	print_message("[  engine  ] %s cannot start here: %s\n", engine, status_text(status));
	return NULL;
}

bool fixture_set_octets(struct crypto *crypto, struct stream_id stream, enum suite suite,
			enum key_way way, const uint8_t octets[static 50], uint64_t now_ns)
{
	struct message message = { .kind = MESSAGE_STREAM_KEY, .stream = stream };
	message.key.suite = (uint8_t)suite;
	message.key.way = (uint8_t)way;
	memcpy(message.key.octets, octets, sizeof(message.key.octets));
	return crypto_set_key(crypto_of_worker(crypto, 0), &message, now_ns);
}

bool fixture_set_key(struct crypto *crypto, struct stream_id stream, enum suite suite,
		     enum key_way way, const uint8_t *master, uint64_t now_ns)
{
	uint8_t octets[50];
	derive_octets(suite, crypto_key_form(crypto), stream.index % 2, master, octets);
	return fixture_set_octets(crypto, stream, suite, way, octets, now_ns);
}

unsigned fixture_collect(struct crypto *crypto, struct crypto_job **out_jobs, unsigned max)
{
	struct crypto_worker *worker = crypto_of_worker(crypto, 0);
	unsigned count = 0;
	for (unsigned polls = 0; crypto_in_flight(worker) > 0; polls++) {
		if (polls == POLLS_MAX)
			fail_msg("the engine returns nothing");
		count += crypto_collect(worker, out_jobs + count, max - count);
	}
	return count;
}

enum verdict fixture_run(struct crypto *crypto, struct crypto_job *job)
{
	struct crypto_job *done = NULL;
	assert_int_equal(crypto_submit(crypto_of_worker(crypto, 0), &job, 1), 1);
	assert_int_equal(fixture_collect(crypto, &done, 1), 1);
	assert_ptr_equal(done, job);
	return job->verdict;
}

uint16_t fixture_write_rtp(uint8_t *out, uint32_t ssrc, uint16_t sequence, unsigned size)
{
	const uint8_t header[12] = { 0x80,
				     0,
				     (uint8_t)(sequence >> 8),
				     (uint8_t)sequence,
				     0,
				     0,
				     0,
				     0xa0,
				     (uint8_t)(ssrc >> 24),
				     (uint8_t)(ssrc >> 16),
				     (uint8_t)(ssrc >> 8),
				     (uint8_t)ssrc };
	memcpy(out, header, sizeof(header));
	for (unsigned i = 0; i < size; i++)
		out[sizeof(header) + i] = (uint8_t)(sequence + i);
	return (uint16_t)(sizeof(header) + size);
}

struct crypto_job fixture_job(uint8_t *media, uint16_t size, struct stream_id stream,
			      enum key_way way)
{
	return (struct crypto_job){ .media = media,
				    .size = size,
				    .clear_size = stream.index % 2 ? 8 : 12,
				    .way = (uint8_t)way,
				    .is_rtcp = stream.index % 2,
				    .stream = stream,
				    .now_ns = 1 };
}

void fixture_for_every_engine(void (*test)(struct crypto *crypto))
{
	unsigned count = 0;
	for (const char *const *name = fixture_engines(); *name; name++) {
		struct crypto *crypto = fixture_start(*name);
		if (!crypto)
			continue;
		test(crypto);
		crypto_stop(crypto);
		count++;
	}
	assert_true(count > 0);
}
