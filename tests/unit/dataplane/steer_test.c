// The blocks of ports that flow rules are made of.

#include "dataplane/nic/steer.h"

#include "dataplane/shared.h"
#include "tests/check.h"

static void assert_every_port_goes_to_its_owner_once(unsigned workers)
{
	struct steer_block blocks[STEER_BLOCKS_MAX];
	unsigned count = steer_blocks(workers, blocks);
	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		bool is_media = port >= MEDIA_PORT_FIRST && port <= MEDIA_PORT_LAST;
		unsigned matches = 0;
		for (unsigned i = 0; i < count; i++) {
			if ((port & blocks[i].mask) != blocks[i].port)
				continue;
			matches++;
			assert_int_equal(blocks[i].worker,
					 shared_worker_of(workers, port - MEDIA_PORT_FIRST));
		}
		assert_int_equal(matches, is_media ? 1 : 0);
	}
}

static void every_port_is_in_one_block_of_its_owner(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= 32; workers++)
		assert_every_port_goes_to_its_owner_once(workers);
}

static void few_rules_are_enough(void **state)
{
	struct steer_block blocks[STEER_BLOCKS_MAX];
	(void)state;
	assert_true(steer_blocks(1, blocks) <= 16);
	assert_true(steer_blocks(8, blocks) <= 8 * 20);
	assert_true(steer_blocks(32, blocks) < STEER_BLOCKS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_port_is_in_one_block_of_its_owner),
		cmocka_unit_test(few_rules_are_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
