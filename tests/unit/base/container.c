// The promises that a map and an index share. Runs on: the thread of the test.

#include "tests/unit/base/container.h"

#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/fake/allocation.h"

#define MANY 5000
#define GROWN 600

static struct container_item *make_items(unsigned count)
{
	struct container_item *items = calloc(count, sizeof(*items));
	assert_non_null(items);
	for (unsigned i = 0; i < count; i++)
		items[i].number = i;
	return items;
}

void container_fill(const struct container_kind *kind, union container *container,
		    struct container_item *items, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		items[i].number = i;
		kind->add(container, &items[i]);
	}
}

static void check_all_found(const struct container_kind *kind, const union container *container,
			    struct container_item *items, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_ptr_equal(kind->find(container, i), &items[i]);
}

static size_t walk(const struct container_kind *kind, const union container *container)
{
	size_t place = 0, met = 0;
	struct container_item *item = NULL;
	while ((item = kind->next(container, &place, item)) != NULL)
		met++;
	return met;
}

static void check_parts(const struct container_kind *kind, unsigned count)
{
	struct container_item *items = make_items(count);
	union container container;
	CHECK_TRUE(kind->init(&container, 0));
	container_fill(kind, &container, items, count);
	CHECK_NUMBER(kind->count(&container), count);
	for (unsigned i = 0; i < count; i += 2)
		kind->remove(&container, &items[i]);
	kind->remove(&container, &items[0]); // twice is harmless
	CHECK_NUMBER(kind->count(&container), count / 2);
	for (unsigned i = 0; i < count; i++)
		assert_ptr_equal(kind->find(&container, i), i % 2 ? &items[i] : NULL);
	assert_null(kind->find(&container, count));
	kind->clear(&container);
	assert_null(kind->find(&container, 1));
	CHECK_NUMBER(kind->count(&container), 0);
	free(items);
}

void what_was_added_is_found_and_what_was_removed_is_not(void **state)
{
	const struct container_kind *kind = *state;
	check_parts(kind, MANY);
	check_parts(kind, kind->most);
}

// Each may be removed as soon as the next is known.
void a_walk_meets_everything_once_and_may_remove_it(void **state)
{
	const struct container_kind *kind = *state;
	struct container_item *items = make_items(MANY), *next;
	union container container;
	size_t place = 0, met = 0;
	uint64_t sum = 0;
	CHECK_TRUE(kind->init(&container, 16));
	container_fill(kind, &container, items, MANY);
	for (struct container_item *item = kind->next(&container, &place, NULL); item;
	     item = next) {
		next = kind->next(&container, &place, item);
		sum += item->number;
		met++;
		kind->remove(&container, item);
		memset(item, 0xee, sizeof(*item)); // as if freed
	}
	CHECK_NUMBER(met, MANY);
	CHECK_NUMBER(sum, (uint64_t)MANY * (MANY - 1) / 2);
	CHECK_NUMBER(kind->count(&container), 0);
	CHECK_NUMBER(walk(kind, &container), 0);
	kind->clear(&container);
	free(items);
}

// At each size there is, so at every stage of its growth.
void while_it_grows_nothing_is_lost_or_met_twice(void **state)
{
	const struct container_kind *kind = *state;
	struct container_item *items = make_items(GROWN);
	union container container;
	unsigned growing = 0;
	CHECK_TRUE(kind->init(&container, 16));
	for (unsigned added = 1; added <= GROWN; added++) {
		kind->add(&container, &items[added - 1]);
		growing += kind->is_growing(&container);
		check_all_found(kind, &container, items, added);
		CHECK_NUMBER(walk(kind, &container), added);
		kind->remove(&container, &items[added / 2]);
		assert_null(kind->find(&container, added / 2));
		kind->add(&container, &items[added / 2]);
	}
	assert_true(growing >= kind->growing_least); // it does so a little at a time
	kind->clear(&container);
	free(items);
}

void without_memory_it_cannot_start_but_goes_on(void **state)
{
	const struct container_kind *kind = *state;
	struct container_item *items = make_items(MANY);
	union container container;
	allocation_fail_at(1);
	CHECK_FALSE(kind->init(&container, 0));
	CHECK_TRUE(kind->init(&container, 0));
	for (unsigned i = 0; i < MANY; i++) {
		allocation_fail_at(1); // no growth, ever
		kind->add(&container, &items[i]);
	}
	allocation_fail_at(0);
	CHECK_NUMBER(kind->bucket_count(&container), 16);
	check_all_found(kind, &container, items, MANY);
	CHECK_NUMBER(walk(kind, &container), MANY);
	for (unsigned i = 0; i < MANY; i++)
		kind->remove(&container, &items[i]);
	CHECK_NUMBER(kind->count(&container), 0);
	kind->clear(&container);
	free(items);
}

void a_zeroed_one_is_empty(void **state)
{
	const struct container_kind *kind = *state;
	union container container;
	struct container_item item = { 0 };
	memset(&container, 0, sizeof(container));
	assert_null(kind->find(&container, 1));
	CHECK_NUMBER(walk(kind, &container), 0);
	kind->remove(&container, &item);
	kind->clear(&container);
}
