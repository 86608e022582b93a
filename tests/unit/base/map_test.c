// The map against its promises: find, grow, remove, walk, and hashes that agree with equality.

#include "base/map.h"

#include "tests/check.h"
#include "tests/unit/base/container.h"

#define MANY 5000

static bool has_number(const struct map_node *node, const void *key)
{
	return map_entry(node, struct container_item, map_node)->number == *(const unsigned *)key;
}

static uint64_t hash_of(unsigned number)
{
	return map_hash((struct text){ (const char *)&number, sizeof(number) });
}

static bool init(union container *container, size_t expected)
{
	return map_init(&container->map, expected);
}

static void clear(union container *container)
{
	map_clear(&container->map);
}

static void add(union container *container, struct container_item *item)
{
	map_add(&container->map, &item->map_node, hash_of(item->number));
}

static void remove_item(union container *container, struct container_item *item)
{
	map_remove(&container->map, &item->map_node);
}

static struct container_item *item_of(struct map_node *node)
{
	return node != NULL ? map_entry(node, struct container_item, map_node) : NULL;
}

static struct container_item *find(const union container *container, unsigned number)
{
	return item_of(map_find(&container->map, hash_of(number), has_number, &number));
}

static struct container_item *next(const union container *container, size_t *place,
				   struct container_item *after)
{
	return item_of(map_next(&container->map, place, after ? &after->map_node : NULL));
}

static size_t count(const union container *container)
{
	return container->map.count;
}

static size_t bucket_count(const union container *container)
{
	return container->map.bucket_count;
}

static bool is_growing(const union container *container)
{
	return container->map.old_buckets != NULL;
}

static const struct container_kind kind = {
	.init = init,
	.clear = clear,
	.add = add,
	.remove = remove_item,
	.find = find,
	.next = next,
	.count = count,
	.bucket_count = bucket_count,
	.is_growing = is_growing,
	.growing_least = 50,
	.most = MANY,
};

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
		CONTAINER_TESTS(kind),
		TEST(hashes_fold_exactly_the_ascii_letters),
		TEST(hashes_depend_on_every_octet_and_the_size),
		TEST(a_pair_is_not_its_halves_joined_otherwise),
	};
	return RUN_TESTS(tests);
}
