// Fills a fresh mirror from Redis and swaps it in when it is whole.
// Runs on: control thread. Never stops the loop for long: answers come in slices.

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/keys.h"
#include "store/record.h"
#include "store/redis.h"
#include "store/state.h"

#define WINDOW 256 // objects asked for and not yet answered
#define KEY_SIZE 80
#define SLICE 500 // objects freed in one turn of the loop

struct store_load {
	char (*sids)[DIRECTORY_SID_SIZE];
	unsigned count, asked, answered, skipped;
	struct directory *fresh;
	bool is_stale; // something was missed meanwhile: again
};

bool store_load_ask(struct store *store, const char *sid, store_redis_reply_fn reply, void *context)
{
	char key[KEY_SIZE];
	struct writer out = writer_of(key, sizeof(key));
	writer_string(&out, STORE_KEY_OBJECT);
	writer_string(&out, sid);
	struct text words[] = { TEXT("HGETALL"), writer_done(&out) };
	return store_redis_send(store->commands, words, 2, reply, context);
}

void store_load_skip(struct store *store, struct text sid, const struct directory_problem *problem)
{
	struct log_value value;
	counter_add(&store->counters.skipped, 1);
	log_event(LOG_ERROR, "store_object_skipped", "sid", log_text(&value, sid), "field",
		  problem->field, "problem", problem->text, NULL);
}

static void put(struct directory *directory, struct directory_object *object)
{
	char sid[DIRECTORY_SID_SIZE];
	memcpy(sid, object->sid, sizeof(sid));
	enum status status = directory_put(directory, object);
	if (status != OK)
		log_event(LOG_ERROR, "store_object_not_kept", "sid", sid, "problem",
			  status_text(status), NULL);
}

static bool is_newer(const struct directory *directory, const struct directory_object *object)
{
	const struct directory_object *known =
		directory_find(directory, object->kind, text_of(object->sid));
	return !known || known->version <= object->version;
}

static bool is_complete(const struct directory_object *object,
			struct directory_problem *out_problem)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	for (unsigned i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].is_required && !object->values[i]) {
			directory_problem_set(out_problem, schema->fields[i].name, "is missing");
			return false;
		}
	}
	return true;
}

static struct directory_object *read_object(struct store *store, struct text sid,
					    const struct redisReply *hash)
{
	struct directory_problem problem = { 0 };
	struct directory_object *object = NULL;
	enum status status = store_record_read(sid, hash, &object, &problem);
	if (status == ERR_MEMORY)
		directory_problem_set(&problem, "", "out of memory");
	if (status == OK && is_complete(object, &problem))
		return object;
	directory_object_destroy(object);
	store_load_skip(store, sid, &problem);
	return NULL;
}

static void drop(struct store *store, struct text sid)
{
	char name[DIRECTORY_SID_SIZE];
	if (!text_copy(sid, name, sizeof(name)))
		return;
	directory_drop(store->directory, name);
	if (store->load)
		directory_drop(store->load->fresh, name);
}

void store_load_apply(struct store *store, struct text sid, const struct redisReply *hash)
{
	if (store_redis_count(hash) == 0) {
		drop(store, sid);
		return;
	}
	struct directory_object *object = read_object(store, sid, hash);
	if (!object)
		return;
	struct directory_object *copy = store->load ? directory_object_copy(object) : NULL;
	if (copy)
		put(store->load->fresh, copy);
	else if (store->load)
		store->load->is_stale = true;
	if (store->state == STORE_READY && is_newer(store->directory, object))
		put(store->directory, object);
	else
		directory_object_destroy(object);
}

static void free_load(struct store_load *load)
{
	if (!load)
		return;
	directory_destroy(load->fresh);
	free(load->sids);
	free(load);
}

void store_load_abort(struct store *store)
{
	free_load(store->load);
	store->load = NULL;
}

// What was replaced is freed in slices: all of it at once would hold up calls (27 ms for 100,000).
static void retire(struct store *store, struct directory *old)
{
	directory_destroy(store->retired);
	store->retired = old;
	store_load_sweep(store);
}

void store_load_sweep(struct store *store)
{
	static const struct timeval pause = { .tv_usec = 1000 };
	if (directory_shrink(store->retired, SLICE)) {
		directory_destroy(store->retired);
		store->retired = NULL;
	} else {
		event_add(store->sweep, &pause);
	}
}

static void finish(struct store *store)
{
	struct store_load *load = store->load;
	struct log_value objects, skipped, version;
	store->load = NULL;
	directory_swap(store->directory, load->fresh);
	retire(store, load->fresh);
	load->fresh = NULL;
	counter_add(&store->counters.loads, 1);
	log_event(LOG_INFO, "store_loaded", "where", store->where, "objects",
		  log_number(&objects, load->count), "skipped", log_number(&skipped, load->skipped),
		  "version", log_number(&version, (int64_t)store->version), NULL);
	bool is_stale = load->is_stale;
	free_load(load);
	store_loaded(store);
	if (is_stale)
		store_load_start(store);
}

static void on_object(void *context, const struct redisReply *reply);

static void ask_more(struct store *store)
{
	struct store_load *load = store->load;
	while (load->asked < load->count && load->asked - load->answered < WINDOW) {
		if (!store_load_ask(store, load->sids[load->asked], on_object, store))
			return; // lost; load_abort follows
		load->asked++;
	}
	if (load->answered == load->count)
		finish(store);
}

// Answers come in the order of the questions: the one at `answered`.
static void on_object(void *context, const struct redisReply *reply)
{
	struct store *store = context;
	struct store_load *load = store->load;
	struct text error = store_redis_error(reply);
	if (!reply)
		return;
	struct text sid = text_of(load->sids[load->answered++]);
	struct directory_problem problem = { 0 };
	if (error.size > 0) {
		directory_problem_set(&problem, "", "%.*s", TEXT_FORMAT(error));
		store_load_skip(store, sid, &problem);
		load->skipped++;
	} else if (store_redis_count(reply) > 0) { // else removed since
		struct directory_object *object = read_object(store, sid, reply);
		if (object)
			put(load->fresh, object);
		else
			load->skipped++;
	}
	ask_more(store);
}

static void on_list(void *context, const struct redisReply *reply)
{
	struct store *store = context;
	struct store_load *load = store->load;
	unsigned count = store_redis_count(reply);
	if (!reply)
		return;
	if (store_redis_error(reply).size > 0) {
		store_redis_fail(store->commands, "the list of objects cannot be read");
		return;
	}
	load->sids = calloc(count + 1, sizeof(*load->sids));
	if (!load->sids) {
		store_redis_fail(store->commands, "out of memory");
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		struct text sid = store_redis_text(store_redis_at(reply, i));
		if (directory_kind_of_sid(sid) != DIRECTORY_KIND_COUNT) {
			(void)text_copy(sid, load->sids[load->count++], DIRECTORY_SID_SIZE);
			continue;
		}
		struct directory_problem problem = { "sid", "is none of a known kind" };
		store_load_skip(store, sid, &problem);
		load->skipped++;
	}
	ask_more(store);
}

bool store_load_version(const struct redisReply *reply, unsigned long *out_version)
{
	struct text text = store_redis_text(reply);
	uint64_t version = 0;
	if (store_redis_error(reply).size > 0 ||
	    (text.size > 0 && !text_to_unsigned(text, INT64_MAX, &version)))
		return false;
	*out_version = (unsigned long)version; // none yet: 0
	return true;
}

// Events that came before this answer belong to the same unbroken row: the later of the two counts.
static void on_version(void *context, const struct redisReply *reply)
{
	struct store *store = context;
	unsigned long version;
	if (!reply)
		return;
	if (!store_load_version(reply, &version))
		store_redis_fail(store->commands, "the version cannot be read");
	else if (version > store->version)
		store->version = version;
}

void store_load_start(struct store *store)
{
	static const struct text version[] = { TEXT("GET"), TEXT(STORE_KEY_VERSION) };
	static const struct text list[] = { TEXT("ZRANGE"), TEXT(STORE_KEY_OBJECTS), TEXT("0"),
					    TEXT("-1") };
	if (store->load) {
		store->load->is_stale = true;
		return;
	}
	store->version = 0;
	store->expected = 0;
	struct store_load *load = calloc(1, sizeof(*load));
	if (load)
		load->fresh = directory_create(directory_base_domain(store->directory));
	store->load = load;
	if (!load || !load->fresh)
		store_redis_fail(store->commands, "out of memory");
	else if (store_redis_send(store->commands, version, 2, on_version, store))
		(void)store_redis_send(store->commands, list, 4, on_list, store);
}
