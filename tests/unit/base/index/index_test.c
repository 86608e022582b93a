// The index against its promises: find, grow, remove, walk, and no touch of what it only passes.

#include "base/index/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tests/check.h"
#include "tests/fake/allocation.h"

#define MANY 5000
#define VERY_MANY 200000 // its buckets are of huge pages, where there are some

struct item {
	struct index_node node;
	unsigned number;
};

static struct hash_words key_of(unsigned number)
{
	struct hash hash = hash_start();
	hash_number(&hash, number);
	return hash_finish_words(&hash);
}

static void fill(struct index *index, struct item *items, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		items[i].number = i;
		index_add(index, &items[i].node, key_of(i));
	}
}

static struct item *find(const struct index *index, unsigned number)
{
	struct index_node *node = index_find(index, key_of(number));
	return node != NULL ? index_entry(node, struct item, node) : NULL;
}

static void check_parts(unsigned count)
{
	struct item *items = calloc(count, sizeof(*items));
	struct index index;
	assert_non_null(items);
	assert_int_equal(index_init(&index, 0), OK);
	fill(&index, items, count);
	CHECK_NUMBER(index.count, count);
	for (unsigned i = 0; i < count; i += 2)
		index_remove(&index, &items[i].node);
	index_remove(&index, &items[0].node); // twice is harmless
	CHECK_NUMBER(index.count, count / 2);
	for (unsigned i = 0; i < count; i++) {
		index_expect(&index, key_of(i)); // changes nothing
		assert_ptr_equal(find(&index, i), i % 2 ? &items[i] : NULL);
	}
	assert_null(find(&index, count));
	index_clear(&index);
	index_expect(&index, key_of(1));
	assert_null(find(&index, 1));
	CHECK_NUMBER(index.count, 0);
	free(items);
}

static void what_was_added_is_found_and_what_was_removed_is_not(void **state)
{
	(void)state;
	check_parts(MANY);
	check_parts(VERY_MANY);
}

static void a_walk_meets_everything_once_and_may_remove_it(void **state)
{
	(void)state;
	static struct item items[MANY];
	struct index index;
	assert_int_equal(index_init(&index, 16), OK);
	fill(&index, items, MANY);
	size_t place = 0, met = 0;
	uint64_t sum = 0;
	struct index_node *next;
	for (struct index_node *node = index_next(&index, &place, NULL); node; node = next) {
		next = index_next(&index, &place, node);
		sum += index_entry(node, struct item, node)->number;
		met++;
		index_remove(&index, node);
		memset(node, 0xee, sizeof(*node)); // as if freed
	}
	CHECK_NUMBER(met, MANY);
	CHECK_NUMBER(sum, (uint64_t)MANY * (MANY - 1) / 2);
	CHECK_NUMBER(index.count, 0);
	place = 0;
	assert_null(index_next(&index, &place, NULL));
	index_clear(&index);
}

static size_t count_of(const struct index *index)
{
	size_t place = 0, met = 0;
	struct index_node *node = NULL;
	while ((node = index_next(index, &place, node)) != NULL)
		met++;
	return met;
}

// At each size there is, so at every stage of its growth.
static void while_it_grows_nothing_is_lost_or_met_twice(void **state)
{
	(void)state;
	enum { COUNT = 600 };
	static struct item items[COUNT];
	struct index index;
	unsigned growing = 0;
	assert_int_equal(index_init(&index, 16), OK);
	for (unsigned added = 1; added <= COUNT; added++) {
		items[added - 1].number = added - 1;
		index_add(&index, &items[added - 1].node, key_of(added - 1));
		growing += index.old_buckets != NULL;
		for (unsigned i = 0; i < added; i++)
			assert_ptr_equal(find(&index, i), &items[i]);
		CHECK_NUMBER(count_of(&index), added);
		index_remove(&index, &items[added / 2].node);
		assert_null(find(&index, added / 2));
		index_add(&index, &items[added / 2].node, key_of(added / 2));
	}
	assert_true(growing > 20); // it does so a little at a time
	index_clear(&index);
}

static void without_memory_it_cannot_start_but_goes_on(void **state)
{
	(void)state;
	static struct item items[MANY];
	struct index index;
	allocation_fail_at(1);
	assert_int_equal(index_init(&index, 0), ERR_MEMORY);
	assert_int_equal(index_init(&index, 0), OK);
	for (unsigned i = 0; i < MANY; i++) {
		allocation_fail_at(1); // no growth, ever
		items[i].number = i;
		index_add(&index, &items[i].node, key_of(i));
	}
	allocation_fail_at(0);
	CHECK_NUMBER(index.bucket_count, 16);
	for (unsigned i = 0; i < MANY; i++)
		assert_ptr_equal(find(&index, i), &items[i]);
	CHECK_NUMBER(count_of(&index), MANY);
	for (unsigned i = 0; i < MANY; i++)
		index_remove(&index, &items[i].node);
	CHECK_NUMBER(index.count, 0);
	index_clear(&index);
}

static void a_zeroed_index_is_empty(void **state)
{
	(void)state;
	struct index index = { 0 };
	struct item item = { 0 };
	size_t place = 0;
	assert_null(find(&index, 1));
	assert_null(index_next(&index, &place, NULL));
	index_remove(&index, &item.node);
	index_clear(&index);
}

// Words that differ in one place each, in buckets as full as they get.
static void all_of_the_key_counts_in_a_bucket_and_in_its_chain(void **state)
{
	(void)state;
	enum { COUNT = 4 * INDEX_INLINE }; // both buckets and twice as many
	const uint64_t first = 5 + (7ull << 32), other = 6 + (8ull << 32);
	struct item items[COUNT] = { 0 };
	struct index index;
	assert_int_equal(index_init(&index, 0), OK);
	for (unsigned i = 0; i < COUNT; i++)
		index_add(&index, &items[i].node, (struct hash_words){ first, 100 + i });
	for (unsigned i = 0; i < COUNT; i++) {
		const uint64_t second = 100 + i;
		assert_ptr_equal(index_find(&index, (struct hash_words){ first, second }),
				 &items[i].node);
		assert_null(index_find(&index, (struct hash_words){ other, second }));
		assert_null(
			index_find(&index, (struct hash_words){ first, second + (1ull << 32) }));
	}
	assert_null(index_find(&index, (struct hash_words){ first, 0 })); // as free room would say
	index_clear(&index);
}

// One in sixty when it is as full as it gets.
static void chains_are_rare(void **state)
{
	(void)state;
	static struct item items[MANY];
	struct index index;
	unsigned chained = 0;
	assert_int_equal(index_init(&index, 0), OK);
	fill(&index, items, 3300); // room for 3,328 until it grows
	for (unsigned i = 0; i < 3300; i++)
		chained += items[i].node.next != NULL;
	CHECK_NUMBER(index.bucket_count, 1024);
	assert_true(chained < 200); // 60 as a rule
	index_clear(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_added_is_found_and_what_was_removed_is_not),
		TEST(a_walk_meets_everything_once_and_may_remove_it),
		TEST(while_it_grows_nothing_is_lost_or_met_twice),
		TEST(without_memory_it_cannot_start_but_goes_on),
		TEST(a_zeroed_index_is_empty),
		TEST(all_of_the_key_counts_in_a_bucket_and_in_its_chain),
		TEST(chains_are_rare),
	};
	return RUN_TESTS(tests);
}
