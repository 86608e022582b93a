// The store of the operator's tests: changes the mirror at once, as the real one does when Redis said yes.
// Runs on: the test's thread.

#include "fake.h"

#include <stdlib.h>

#include "directory/directory.h"
#include "directory/object.h"
#include "store/import.h"
#include "store/limits/limits.h"
#include "store/store.h"

struct silent_change {
	store_done_fn done;
	void *context;
};

static struct silent_change *silent_change(void)
{
	static struct silent_change change; // one is enough
	return &change;
}

static bool is_answered(struct store *store, store_done_fn done, void *context)
{
	static const struct directory_problem AWAY = { "", "" };
	struct fake *fake = (struct fake *)store;
	if (fake->is_store_silent)
		*silent_change() = (struct silent_change){ done, context };
	else if (fake->is_store_away)
		done(context, ERR_UNAVAILABLE, &AWAY, NULL);
	return fake->is_store_silent || fake->is_store_away;
}

void fake_release_store(void)
{
	struct silent_change change = *silent_change();
	change.done(change.context, OK, NULL, "AC00000000000000000000000000000001");
}

void store_write(struct store *store, struct directory_object *const *objects, unsigned count,
		 store_done_fn done, void *context)
{
	struct fake *fake = (struct fake *)store;
	struct directory_problem problem = { "", "" };
	char sid[35];
	bool is_told = is_answered(store, done, context);
	enum status status =
		is_told ? OK
			: directory_check_group(fake->context.directory, objects, count, &problem);
	(void)text_copy(text_of(objects[count - 1]->sid), sid, sizeof(sid));
	for (unsigned i = 0; i < count; i++) {
		objects[i]->version++;
		if (is_told || status != OK)
			directory_object_destroy(objects[i]);
		else
			status = directory_put(fake->context.directory, objects[i]);
	}
	if (!is_told)
		done(context, status, &problem, sid);
}

void store_add(struct store *store, struct directory_object *object, store_done_fn done,
	       void *context)
{
	store_write(store, &object, 1, done, context);
}

void store_change(struct store *store, struct directory_object *object, store_done_fn done,
		  void *context)
{
	store_write(store, &object, 1, done, context);
}

void store_write_counted(struct store *store, struct directory_object *object,
			 const struct store_tally *tallies, unsigned count, store_done_fn done,
			 void *context)
{
	(void)tallies, (void)count;
	store_write(store, &object, 1, done, context);
}

void store_import(struct store *store, struct directory_object **objects, unsigned count,
		  store_done_fn done, void *context)
{
	struct fake *fake = (struct fake *)store;
	for (unsigned i = 0; i < count; i++) {
		objects[i]->version = 1;
		(void)(directory_put(fake->context.directory, objects[i]) == OK);
	}
	free(objects);
	done(context, OK, NULL, "");
}

void store_remove(struct store *store, const char *sid, store_done_fn done, void *context)
{
	struct fake *fake = (struct fake *)store;
	struct directory_problem problem = { "", "" };
	const struct directory_object *object = directory_find(
		fake->context.directory, directory_kind_of_sid(text_of(sid)), text_of(sid));
	char copy[35];
	if (is_answered(store, done, context))
		return;
	enum status status = directory_check_removal(fake->context.directory, object, &problem);
	(void)text_copy(text_of(sid), copy, sizeof(copy));
	if (status == OK)
		directory_drop(fake->context.directory, copy);
	done(context, status, &problem, copy);
}

enum store_state store_state(const struct store *store)
{
	return ((const struct fake *)store)->is_store_away ? STORE_AWAY : STORE_READY;
}

// Shared with another node, as long as the fake's store is there.
struct store_limits *store_limits(const struct store *store)
{
	return (struct store_limits *)store;
}

bool store_limits_has_joined(const struct store_limits *limits)
{
	(void)limits;
	return true;
}

unsigned store_limits_nodes(const struct store_limits *limits)
{
	(void)limits;
	return 2;
}

const char *store_limits_why(const struct store_limits *limits)
{
	(void)limits;
	return "";
}

bool store_limits_read(struct store_limits *limits, const char *const *sids, unsigned count,
		       store_limits_read_fn done, void *context)
{
	struct store_limits_usage usages[STORE_LIMITS_READ_MAX];
	(void)limits, (void)sids;
	for (unsigned i = 0; i < count; i++)
		usages[i] = (struct store_limits_usage){ .calls = 4, .rate = 3 };
	done(context, usages);
	return true;
}

const char *store_where(const struct store *store)
{
	(void)store;
	return "embedded";
}

const struct store_counters *store_counters(const struct store *store)
{
	static const struct store_counters COUNTERS = { .changes = { 5 } };
	(void)store;
	return &COUNTERS;
}
