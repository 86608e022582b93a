// The map against its promises: find, grow, remove, walk, and hashes that agree with equality.

#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "tests/fake/allocation.h"

#define MANY 5000

struct item {
	struct map_node node;
	unsigned number;
};

static bool has_number(const struct map_node *node, const void *key)
{
	return map_entry(node, const struct item, node)->number == *(const unsigned *)key;
}

static uint64_t hash_of(unsigned number)
{
	return map_hash((struct text){ (const char *)&number, sizeof(number) });
}

static void fill(struct map *map, struct item *items)
{
	for (unsigned i = 0; i < MANY; i++) {
		items[i].number = i;
		map_add(map, &items[i].node, hash_of(i));
	}
}

static struct item *find(const struct map *map, unsigned number)
{
	struct map_node *node = map_find(map, hash_of(number), has_number, &number);
	return node ? map_entry(node, struct item, node) : NULL;
}

static void what_was_added_is_found_and_what_was_removed_is_not(void **state)
{
	(void)state;
	static struct item items[MANY];
	struct map map;
	CHECK_TRUE(map_init(&map, 0));
	fill(&map, items);
	CHECK_NUMBER(map.count, MANY);
	assert_true(map.bucket_count >= MANY / 2); // it grew
	for (unsigned i = 0; i < MANY; i += 2)
		map_remove(&map, &items[i].node);
	map_remove(&map, &items[0].node); // twice is harmless
	CHECK_NUMBER(map.count, MANY / 2);
	for (unsigned i = 0; i < MANY; i++)
		assert_ptr_equal(find(&map, i), i % 2 ? &items[i] : NULL);
	assert_null(find(&map, MANY));
	map_clear(&map);
	assert_null(find(&map, 1));
	CHECK_NUMBER(map.count, 0);
}

static void a_walk_meets_everything_once_and_may_remove_it(void **state)
{
	(void)state;
	static struct item items[MANY];
	struct map map;
	CHECK_TRUE(map_init(&map, 16));
	fill(&map, items);
	size_t bucket = 0, met = 0;
	uint64_t sum = 0;
	struct map_node *next;
	for (struct map_node *node = map_next(&map, &bucket, NULL); node; node = next) {
		next = map_next(&map, &bucket, node);
		sum += map_entry(node, struct item, node)->number;
		met++;
		map_remove(&map, node);
		memset(node, 0xee, sizeof(*node)); // as if freed
	}
	CHECK_NUMBER(met, MANY);
	CHECK_NUMBER(sum, (uint64_t)MANY * (MANY - 1) / 2);
	CHECK_NUMBER(map.count, 0);
	bucket = 0;
	assert_null(map_next(&map, &bucket, NULL));
	map_clear(&map);
}

// At each size there is, so at every stage of its growth.
static void while_it_grows_nothing_is_lost_or_met_twice(void **state)
{
	(void)state;
	enum { COUNT = 600 };
	static struct item items[COUNT];
	struct map map;
	unsigned growing = 0;
	CHECK_TRUE(map_init(&map, 16));
	for (unsigned added = 1; added <= COUNT; added++) {
		items[added - 1].number = added - 1;
		map_add(&map, &items[added - 1].node, hash_of(added - 1));
		growing += map.old_buckets != NULL;
		for (unsigned i = 0; i < added; i++)
			assert_ptr_equal(find(&map, i), &items[i]);
		size_t bucket = 0, met = 0;
		struct map_node *node = NULL;
		while ((node = map_next(&map, &bucket, node)) != NULL)
			met++;
		CHECK_NUMBER(met, added);
		map_remove(&map, &items[added / 2].node);
		assert_null(find(&map, added / 2));
		map_add(&map, &items[added / 2].node, hash_of(added / 2));
	}
	assert_true(growing > 50); // it does so a little at a time
	map_clear(&map);
}

static void without_memory_it_cannot_start_but_goes_on(void **state)
{
	(void)state;
	static struct item items[MANY];
	struct map map;
	allocation_fail_at(1);
	CHECK_FALSE(map_init(&map, 0));
	CHECK_TRUE(map_init(&map, 0));
	for (unsigned i = 0; i < MANY; i++) {
		allocation_fail_at(1); // no growth, ever
		items[i].number = i;
		map_add(&map, &items[i].node, hash_of(i));
	}
	allocation_fail_at(0);
	CHECK_NUMBER(map.bucket_count, 16);
	for (unsigned i = 0; i < MANY; i++)
		assert_ptr_equal(find(&map, i), &items[i]);
	map_clear(&map);
}

static void a_zeroed_map_is_empty(void **state)
{
	(void)state;
	struct map map = { 0 };
	struct item item = { 0 };
	size_t bucket = 0;
	assert_null(find(&map, 1));
	assert_null(map_next(&map, &bucket, NULL));
	map_remove(&map, &item.node);
	map_clear(&map);
}

static void hashes_fold_exactly_the_ascii_letters(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			char left[9] = { 'A', (char)a, 'b', 'c', 'd', 'e', 'f', (char)a, (char)a };
			char right[9] = { 'a', (char)b, 'B', 'c', 'd', 'e', 'F', (char)b, (char)b };
			struct text x = { left, 9 }, y = { right, 9 };
			assert_int_equal(map_hash_same(x) == map_hash_same(y), text_is_same(x, y));
		}
	}
}

static void hashes_depend_on_every_octet_and_the_size(void **state)
{
	(void)state;
	char zeros[40] = { 0 };
	for (size_t size = 0; size < sizeof(zeros); size++) {
		struct text text = { zeros, size };
		uint64_t hash = map_hash(text);
		assert_true(hash == map_hash(text));
		assert_true(hash != map_hash((struct text){ zeros, size + 1 }) || size == 39);
		for (size_t i = 0; i < size; i++) {
			zeros[i] = 1;
			assert_true(hash != map_hash(text));
			zeros[i] = 0;
		}
	}
}

static void a_pair_is_not_its_halves_joined_otherwise(void **state)
{
	(void)state;
	assert_int_equal(map_hash(TEXT_NONE), map_hash(TEXT("")));
	assert_int_equal(map_hash_pair(TEXT_NONE, TEXT("a")), map_hash_pair(TEXT(""), TEXT("a")));
	assert_true(map_hash_pair(TEXT("ab"), TEXT("c")) != map_hash_pair(TEXT("a"), TEXT("bc")));
	assert_true(map_hash_pair(TEXT("a"), TEXT("b")) != map_hash_pair(TEXT("b"), TEXT("a")));
	assert_true(map_hash_pair(TEXT("a"), TEXT("")) != map_hash_pair(TEXT(""), TEXT("a")));
	assert_true(map_hash_pair(TEXT("a"), TEXT("b")) == map_hash_pair(TEXT("a"), TEXT("b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_added_is_found_and_what_was_removed_is_not),
		TEST(a_walk_meets_everything_once_and_may_remove_it),
		TEST(while_it_grows_nothing_is_lost_or_met_twice),
		TEST(without_memory_it_cannot_start_but_goes_on),
		TEST(a_zeroed_map_is_empty),
		TEST(hashes_fold_exactly_the_ascii_letters),
		TEST(hashes_depend_on_every_octet_and_the_size),
		TEST(a_pair_is_not_its_halves_joined_otherwise),
	};
	return RUN_TESTS(tests);
}
