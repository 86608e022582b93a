// The index against its promises: find, grow, remove, walk, and no touch of what it only passes.

#include "base/index/index.h"

#include "tests/check.h"
#include "tests/unit/base/container.h"

#define VERY_MANY 200000 // its buckets are of huge pages, where there are some

static struct hash_words key_of(unsigned number)
{
	struct hash hash = hash_start();
	hash_number(&hash, number);
	return hash_finish_words(&hash);
}

static bool init(union container *container, size_t expected)
{
	return index_init(&container->index, expected) == OK;
}

static void clear(union container *container)
{
	index_clear(&container->index);
	index_expect(&container->index, key_of(1));
}

static void add(union container *container, struct container_item *item)
{
	index_add(&container->index, &item->index_node, key_of(item->number));
}

static void remove_item(union container *container, struct container_item *item)
{
	index_remove(&container->index, &item->index_node);
}

static struct container_item *item_of(struct index_node *node)
{
	return node != NULL ? index_entry(node, struct container_item, index_node) : NULL;
}

static struct container_item *find(const union container *container, unsigned number)
{
	index_expect(&container->index, key_of(number)); // changes nothing
	return item_of(index_find(&container->index, key_of(number)));
}

static struct container_item *next(const union container *container, size_t *place,
				   struct container_item *after)
{
	return item_of(index_next(&container->index, place, after ? &after->index_node : NULL));
}

static size_t count(const union container *container)
{
	return container->index.count;
}

static size_t bucket_count(const union container *container)
{
	return container->index.bucket_count;
}

static bool is_growing(const union container *container)
{
	return container->index.old_buckets != NULL;
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
	.growing_least = 20,
	.most = VERY_MANY,
};

// Words that differ in one place each, in buckets as full as they get.
static void all_of_the_key_counts_in_a_bucket_and_in_its_chain(void **state)
{
	(void)state;
	enum { COUNT = 4 * INDEX_INLINE }; // both buckets and twice as many
	const uint64_t first = 5 + (7ull << 32), other = 6 + (8ull << 32);
	struct container_item items[COUNT] = { 0 };
	struct index index;
	assert_int_equal(index_init(&index, 0), OK);
	for (unsigned i = 0; i < COUNT; i++)
		index_add(&index, &items[i].index_node, (struct hash_words){ first, 100 + i });
	for (unsigned i = 0; i < COUNT; i++) {
		const uint64_t second = 100 + i;
		assert_ptr_equal(index_find(&index, (struct hash_words){ first, second }),
				 &items[i].index_node);
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
	static struct container_item items[3300]; // room for 3,328 until it grows
	union container container;
	unsigned chained = 0;
	CHECK_TRUE(init(&container, 0));
	container_fill(&kind, &container, items, 3300);
	for (unsigned i = 0; i < 3300; i++)
		chained += items[i].index_node.next != NULL;
	CHECK_NUMBER(bucket_count(&container), 1024);
	assert_true(chained < 200); // 60 as a rule
	clear(&container);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTAINER_TESTS(kind),
		TEST(all_of_the_key_counts_in_a_bucket_and_in_its_chain),
		TEST(chains_are_rare),
	};
	return RUN_TESTS(tests);
}
