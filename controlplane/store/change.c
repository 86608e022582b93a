// One change of the directory, from the check against the mirror by the script in Redis back into the
// mirror and to whoever asked for it.
// Runs on: control thread. Never tells before it has returned, never tells twice.

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "directory/value.h"
#include "store/answer.h"
#include "store/keys.h"
#include "store/record.h"
#include "store/redis.h"
#include "store/script.h"
#include "store/state.h"

#define CHANGES_MAX 1024 // under way at once
#define FIXED_WORDS 11
#define OBJECT_WORDS 9
#define LIST_SIZE 4096
#define FIELDS_SIZE 8192
#define FORMER_FIELDS_MAX 8 // of one kind

struct store_change {
	struct store_change *next;
	struct store *store;
	const char *verb; // NULL: several, each added or changed by its version
	struct directory_object *objects[STORE_GROUP_MAX];
	unsigned count;
	struct store_tally tallies[STORE_TALLIES_MAX];
	unsigned tally_count;
	store_done_fn done;
	void *context;
	enum status status;
	struct directory_problem problem;
};

static void free_change(struct store_change *change)
{
	for (unsigned i = 0; i < change->count; i++)
		directory_object_destroy(change->objects[i]);
	free(change);
}

static void remove_from(struct store_change **list, const struct store_change *change)
{
	while (*list && *list != change)
		list = &(*list)->next;
	if (*list)
		*list = change->next;
}

static void finish(struct store_change *change, enum status status)
{
	struct store *store = change->store;
	struct store_change **last = &store->finished;
	remove_from(&store->changes, change);
	change->status = status;
	change->next = NULL;
	while (*last)
		last = &(*last)->next;
	*last = change;
	counter_add(status == OK ? &store->counters.changes : &store->counters.refused, 1);
	event_active(store->finish, EV_TIMEOUT, 0);
}

void store_change_tell(struct store *store)
{
	struct store_change *change;
	while ((change = store->finished)) {
		store->finished = change->next;
		store->change_count--;
		const struct directory_problem *problem =
			change->status == OK ? NULL : &change->problem;
		if (change->done)
			change->done(change->context, change->status, problem,
				     change->count > 0 ? change->objects[change->count - 1]->sid
						       : "");
		free_change(change);
	}
}

static void refuse_away(struct store_change *change)
{
	const struct store *store = change->store;
	char since[25];
	clock_write_iso(store->away_since_ms, since);
	if (store->state == STORE_STARTING)
		directory_problem_set(
			&change->problem, "",
			"the directory is still being loaded from %s; calls wait for it, "
			"and so must changes",
			store->embedded ? "the embedded Redis" : "Redis");
	else
		directory_problem_set(
			&change->problem, "",
			"Redis is away since %s (%.48s): calls go on, the directory cannot "
			"be changed; it is tried again all the time",
			since, store->why);
	finish(change, ERR_UNAVAILABLE);
}

static void refuse_unknown_outcome(struct store_change *change)
{
	directory_problem_set(
		&change->problem, "",
		"Redis went away before it answered, so the change may or may not have "
		"been made; calls go on; look again when it is back");
	finish(change, ERR_UNAVAILABLE);
}

void store_change_abandon(struct store *store)
{
	while (store->changes)
		refuse_unknown_outcome(store->changes);
	store_change_tell(store);
}

// The script counts from 1; an error of Redis's own names none.
static const struct directory_object *refused_object(const struct store_change *change,
						     const struct redisReply *reply)
{
	uint64_t nth = 0;
	bool is_named =
		text_to_unsigned(store_redis_text(store_redis_at(reply, 1)), change->count, &nth);
	return change->objects[is_named && nth > 0 ? nth - 1 : 0];
}

static void on_reply(void *context, const struct redisReply *reply)
{
	struct store_change *change = context;
	struct text word = store_redis_text(store_redis_at(reply, 0));
	if (!reply) {
		refuse_unknown_outcome(change);
		return;
	}
	if (!text_is_equal(word, TEXT("ok"))) {
		struct store_answer answer = { change->store->directory,
					       refused_object(change, reply), change->tallies,
					       &change->problem };
		finish(change, store_answer_explain(&answer, reply));
		return;
	}
	for (unsigned i = 1; i + 1 < store_redis_count(reply); i += 2)
		store_load_apply(change->store, store_redis_text(store_redis_at(reply, i)),
				 store_redis_at(reply, i + 1));
	finish(change, OK);
}

struct lists { // room for the words of one object
	char uniques[LIST_SIZE], references[LIST_SIZE], fields[FIELDS_SIZE], parent[256], room[64],
		version[24];
};

static bool write_fields(const struct directory_object *object, struct writer *out)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	const char *former;
	for (unsigned i = 0; i < schema->field_count; i++)
		writer_format(out, "%s\t%s\n", schema->fields[i].name,
			      object->values[i] ? object->values[i] : "");
	for (unsigned i = 0;
	     i < FORMER_FIELDS_MAX && (former = store_record_former(object->kind, i)); i++)
		writer_format(out, "%s\t\n", former);
	return !out->failed;
}

static bool write_object(const struct store_change *change, const struct directory_object *object,
			 struct lists *lists, struct text words[static OBJECT_WORDS])
{
	const struct directory *directory = change->store->directory;
	struct writer uniques = writer_of(lists->uniques, sizeof(lists->uniques));
	struct writer references = writer_of(lists->references, sizeof(lists->references));
	struct writer parent = writer_of(lists->parent, sizeof(lists->parent));
	struct writer room = writer_of(lists->room, sizeof(lists->room));
	struct writer version = writer_of(lists->version, sizeof(lists->version));
	struct writer fields = writer_of(lists->fields, sizeof(lists->fields));
	writer_unsigned(&version, object->version);
	if (!store_record_uniques(object, &uniques) ||
	    !store_record_references(directory, object, &references) ||
	    !store_record_parent(directory, object, &parent) ||
	    !store_record_room(directory, object, &room) || !write_fields(object, &fields))
		return false;
	const char *usual = object->version == 0 ? "add" : "change";
	words[0] = text_of(change->verb ? change->verb : usual);
	words[1] = text_of(directory_schema(object->kind)->name);
	words[2] = text_of(object->sid);
	words[3] = writer_done(&version);
	words[4] = writer_done(&uniques);
	words[5] = writer_done(&references);
	words[6] = writer_done(&parent);
	words[7] = writer_done(&room);
	words[8] = writer_done(&fields);
	return true;
}

static struct text write_tallies(const struct store_change *change, struct writer *out)
{
	for (unsigned i = 0; i < change->tally_count; i++)
		writer_format(out, STORE_KEY_TALLY "%s %u %u\n", change->tallies[i].key,
			      change->tallies[i].most, change->tallies[i].seconds);
	return writer_done(out);
}

static bool send_change(struct store_change *change)
{
	char rules[256], counted[STORE_TALLIES_MAX * 160];
	struct writer released = writer_of(rules, sizeof(rules));
	struct writer tallies = writer_of(counted, sizeof(counted));
	struct lists *lists = calloc(change->count, sizeof(*lists));
	bool is_sent = lists != NULL && store_record_released(&released);
	struct text words[FIXED_WORDS + STORE_GROUP_MAX * OBJECT_WORDS] = {
		TEXT("EVAL"),
		text_of(store_script),
		TEXT("3"),
		TEXT(STORE_KEY_VERSION),
		TEXT(STORE_KEY_OBJECTS),
		TEXT(STORE_KEY_UNIQUES),
		TEXT(STORE_KEY_OBJECT),
		TEXT(STORE_KEY_REFERRERS),
		TEXT(STORE_CHANNEL),
		writer_done(&released),
		write_tallies(change, &tallies),
	};
	unsigned count = FIXED_WORDS;
	for (unsigned i = 0; is_sent && i < change->count; i++, count += OBJECT_WORDS)
		is_sent = write_object(change, change->objects[i], &lists[i], words + count);
	is_sent = is_sent &&
		  store_redis_send(change->store->commands, words, count, on_reply, change);
	free(lists);
	return is_sent;
}

static void submit(struct store_change *change, enum status checked)
{
	struct store *store = change->store;
	change->next = store->changes;
	store->changes = change;
	store->change_count++;
	if (checked == ERR_UNAVAILABLE)
		refuse_away(change);
	else if (checked != OK)
		finish(change, checked);
	else if (!send_change(change))
		refuse_away(change);
}

static struct store_change *create(struct store *store, const char *verb, store_done_fn done,
				   void *context)
{
	struct store_change *change = calloc(1, sizeof(*change));
	if (!change)
		return NULL;
	*change = (struct store_change){
		.store = store, .verb = verb, .done = done, .context = context
	};
	return change;
}

static enum status may_begin(struct store_change *change)
{
	if (change->store->state != STORE_READY)
		return ERR_UNAVAILABLE;
	if (change->store->change_count < CHANGES_MAX)
		return OK;
	directory_problem_set(&change->problem, "", "%d changes are under way already",
			      CHANGES_MAX);
	return ERR_BUSY;
}

static void begin(struct store_change *change, struct directory_object *const *objects,
		  unsigned count)
{
	memcpy(change->objects, objects, count * sizeof(*objects));
	change->count = count;
	enum status status = may_begin(change);
	if (status == OK && !change->verb)
		status = directory_check_group(change->store->directory, objects, count,
					       &change->problem);
	else if (status == OK)
		status = directory_check(change->store->directory, objects[0],
					 strcmp(change->verb, "add") == 0, &change->problem);
	submit(change, status);
}

static void write_objects(struct store_change *change, struct directory_object *const *objects,
			  unsigned count, store_done_fn done, void *context)
{
	static const struct directory_problem problem = { "", "out of memory" };
	if (change) {
		begin(change, objects, count);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		directory_object_destroy(objects[i]);
	if (done) // the one answer that cannot wait for the loop
		done(context, ERR_MEMORY, &problem, "");
}

void store_add(struct store *store, struct directory_object *object, store_done_fn done,
	       void *context)
{
	write_objects(create(store, "add", done, context), &object, 1, done, context);
}

void store_change(struct store *store, struct directory_object *object, store_done_fn done,
		  void *context)
{
	write_objects(create(store, "change", done, context), &object, 1, done, context);
}

void store_write(struct store *store, struct directory_object *const *objects, unsigned count,
		 store_done_fn done, void *context)
{
	assert(count > 0 && count <= STORE_GROUP_MAX);
	write_objects(create(store, NULL, done, context), objects, count, done, context);
}

void store_write_counted(struct store *store, struct directory_object *object,
			 const struct store_tally *tallies, unsigned count, store_done_fn done,
			 void *context)
{
	struct store_change *change = create(store, NULL, done, context);
	assert(count <= STORE_TALLIES_MAX);
	for (unsigned i = 0; change && i < count; i++)
		change->tallies[change->tally_count++] = tallies[i];
	write_objects(change, &object, 1, done, context);
}

void store_remove(struct store *store, const char *sid, store_done_fn done, void *context)
{
	static const struct directory_problem problem = { "", "out of memory" };
	struct store_change *change = create(store, "remove", done, context);
	enum directory_kind kind = directory_kind_of_sid(text_of(sid));
	const struct directory_object *known =
		kind < DIRECTORY_KIND_COUNT ? directory_find(store->directory, kind, text_of(sid))
					    : NULL;
	if (change && known) {
		change->objects[0] = directory_object_copy(known);
		change->count = change->objects[0] != NULL;
	}
	if (!change || (known && change->count == 0)) {
		free(change);
		if (done)
			done(context, ERR_MEMORY, &problem, "");
		return;
	}
	enum status status = may_begin(change);
	if (status == OK && !known) {
		directory_problem_set(&change->problem, "sid", "there is no object %.*s",
				      TEXT_FORMAT(directory_value_shown(text_of(sid))));
		status = ERR_NOT_FOUND;
	}
	if (status == OK)
		status = directory_check_removal(store->directory, known, &change->problem);
	submit(change, status);
}
