// Engines over DPDK's devices that cannot start: a reason is said, and what they took is given back.

#include <rte_cryptodev.h>
#include <rte_eal.h>

#include "dataplane/crypto/cryptodev.h"
#include "tests/unit/crypto/fixture.h"

// It says so and leaves nothing behind: the next one starts.
static void a_device_that_is_not_there_is_refused(void **state)
{
	(void)state;
	struct crypto_plan plan = { crypto_cryptodev_qat.name, 1, FIXTURE_STREAMS };
	struct crypto *crypto = NULL;
	uint8_t device;
	if (rte_cryptodev_devices_get(plan.engine, &device, 1) > 0)
		skip();
	assert_int_not_equal(crypto_start(&plan, &crypto), OK);
	assert_null(crypto);
}

static void keys_that_find_no_memory_are_refused_at_the_start(void **state)
{
	(void)state;
	struct crypto *crypto = NULL;
	struct crypto_plan plan = { crypto_cryptodev_aesni_mb.name, 1, 1u << 20 };
	if (!crypto_cryptodev_aesni_mb.can_run())
		skip();
	CHECK_STATUS(crypto_start(&plan, &crypto), ERR_MEMORY);
	assert_null(crypto);
	plan.stream_count = FIXTURE_STREAMS;
	CHECK_OK(crypto_start(&plan, &crypto));
	crypto_stop(crypto);
}

// A worker writes its own with every packet; what it reads of it must not lie on another's line.
static void no_two_workers_share_a_line(void **state)
{
	(void)state;
	struct crypto_plan plan = { "auto", 3, FIXTURE_STREAMS };
	struct crypto *crypto = NULL;
	CHECK_OK(crypto_start(&plan, &crypto));
	for (unsigned i = 0; i < plan.worker_count; i++)
		CHECK_NUMBER((uintptr_t)crypto_of_worker(crypto, i) % 64, 0);
	crypto_stop(crypto);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_that_is_not_there_is_refused),
		TEST(no_two_workers_share_a_line),
		TEST(keys_that_find_no_memory_are_refused_at_the_start),
	};
	if (!fixture_start_devices())
		return 1;
	int result = RUN_TESTS(tests);
	rte_eal_cleanup();
	return result;
}
