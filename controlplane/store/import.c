// The steps of an import: take the lock, take back what a dead import has left, write slices, make all
// of it visible. Runs on the control thread; each script within Redis reads all it needs before it writes.

#include "store/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "directory/relation.h"
#include "directory/value.h"
#include "store/keys.h"
#include "store/redis.h"
#include "store/state.h"

#define SLICE_ROWS 500 // some 20 ms of Redis
#define LOCK_MS "30000"
#define WORDS_MAX 12
#define ROW_SIZE 4096 // octets of a row at most: all its values
#define ID_SIZE 33

// clang-format off
// KEYS: uniques, staged, import, version. ARGV: name of the import, prefix of objects, kind, rows. A row is
// a line: SID, key of its unique value, then fields and values, each word with a tab behind it.
static const char write_script[] =
"if redis.call('GET', KEYS[3]) ~= ARGV[1] then return {'lost'} end\n"
"redis.call('PEXPIRE', KEYS[3], " LOCK_MS ")\n"
"local rows, taken = {}, {}\n"
"for row in string.gmatch(ARGV[4], '[^\\n]+') do\n"
"  local words, n = {}, 0\n"
"  for word in string.gmatch(row, '([^\\t]*)\\t') do n = n + 1; words[n] = word end\n"
"  rows[#rows + 1] = words\n"
"  if redis.call('HEXISTS', KEYS[1], words[2]) == 1 then taken[#taken + 1] = words[2] end\n"
"end\n"
"if #taken > 0 then return {'taken', tostring(#taken), taken[1], taken[2], taken[3]} end\n"
"local version = redis.call('GET', KEYS[4]) or '0'\n"
"for _, words in ipairs(rows) do\n"
"  redis.call('HSET', ARGV[2] .. words[1], '.kind', ARGV[3], '.version', '1', '.uniques', words[2],\n"
"    '.references', '', unpack(words, 3))\n"
"  redis.call('HSET', KEYS[1], words[2], words[1])\n"
"  redis.call('ZADD', KEYS[2], version, words[1])\n"
"end\n"
"return {'ok'}\n";

// KEYS and ARGV as above, but "end" for rows: the import is over then. Takes some of what is staged back; answers how much is left.
static const char undo_script[] =
"if redis.call('GET', KEYS[3]) ~= ARGV[1] then return {'lost'} end\n"
"redis.call('PEXPIRE', KEYS[3], " LOCK_MS ")\n"
"for _, sid in ipairs(redis.call('ZRANGE', KEYS[2], 0, 999)) do\n"
"  local unique = redis.call('HGET', ARGV[2] .. sid, '.uniques')\n"
"  if unique and redis.call('HGET', KEYS[1], unique) == sid then redis.call('HDEL', KEYS[1], unique) end\n"
"  redis.call('DEL', ARGV[2] .. sid)\n"
"  redis.call('ZREM', KEYS[2], sid)\n"
"end\n"
"local left = redis.call('ZCARD', KEYS[2])\n"
"if left == 0 and ARGV[4] == 'end' then redis.call('DEL', KEYS[3]) end\n"
"return {'ok', tostring(left)}\n";

// KEYS: objects, staged, import, version. ARGV: name of the import, channel, kind.
static const char show_script[] =
"if redis.call('GET', KEYS[3]) ~= ARGV[1] then return {'lost'} end\n"
"local count = redis.call('ZCARD', KEYS[2])\n"
"local last = redis.call('ZRANGE', KEYS[2], 0, 0)[1]\n"
"redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[1], KEYS[2])\n"
"redis.call('DEL', KEYS[2], KEYS[3])\n"
"local version = redis.call('INCRBY', KEYS[4], count)\n"
"redis.call('PUBLISH', ARGV[2], string.format('%d %s %s import', version, ARGV[3], last))\n"
"return {'ok'}\n";
// clang-format on

struct import {
	struct store *store;
	char id[ID_SIZE];
	const char *kind;
	struct directory_object **objects; // those from `next` on
	unsigned count, next;
	char *rows; // room for a slice, a line each
	store_done_fn done;
	void *context;
	enum status status; // of what is being undone
	struct directory_problem problem;
};

static void finish(struct import *import, enum status status)
{
	counter_add(status == OK ? &import->store->counters.changes
				 : &import->store->counters.refused,
		    1);
	if (import->done)
		import->done(import->context, status, status == OK ? NULL : &import->problem, "");
	while (import->next < import->count)
		directory_object_destroy(import->objects[import->next++]);
	free(import->objects);
	free(import->rows);
	free(import);
}

static void fail(struct import *import, const char *text)
{
	directory_problem_set(&import->problem, "", "%s", text);
	finish(import, ERR_UNAVAILABLE);
}

static bool send(struct import *import, const char *script, const char *first_key,
		 const struct text arguments[static 3], store_redis_reply_fn reply)
{
	const struct text words[WORDS_MAX] = {
		TEXT("EVAL"),
		text_of(script),
		TEXT("4"),
		text_of(first_key),
		TEXT(STORE_KEY_STAGED),
		TEXT(STORE_KEY_IMPORT),
		TEXT(STORE_KEY_VERSION),
		text_of(import->id),
		arguments[0],
		arguments[1],
		arguments[2],
	};
	if (store_redis_send(import->store->commands, words, 11, reply, import))
		return true;
	fail(import, "Redis is away: nothing was imported; what was begun is taken back by the "
		     "next import");
	return false;
}

// What the answer means; false: it is the end of the import, and has been told.
static bool is_good(struct import *import, const struct redisReply *reply, const char *away)
{
	struct text word = store_redis_text(store_redis_at(reply, 0));
	if (text_is_equal(word, TEXT("ok")))
		return true;
	if (!reply) {
		fail(import, away);
	} else if (text_is_equal(word, TEXT("lost"))) {
		fail(import, "it took too long between two steps: nothing was imported");
	} else {
		directory_problem_set(&import->problem, "", "Redis refused the import: %.*s",
				      TEXT_FORMAT(store_redis_error(reply)));
		finish(import, ERR_UNAVAILABLE);
	}
	return false;
}

static void write_slice(struct import *import);

static void undo_some(struct import *import);

static void on_undone(void *context, const struct redisReply *reply)
{
	struct import *import = context;
	if (!is_good(import, reply, "Redis went away: nothing was imported"))
		return;
	if (!text_is_equal(store_redis_text(store_redis_at(reply, 1)), TEXT("0")))
		undo_some(import);
	else if (import->status != OK)
		finish(import, import->status);
	else
		write_slice(import); // those of another are gone, now ours
}

static void undo_some(struct import *import)
{
	const struct text arguments[] = { TEXT(STORE_KEY_OBJECT), text_of(import->kind),
					  import->status != OK ? TEXT("end") : TEXT_NONE };
	(void)send(import, undo_script, STORE_KEY_UNIQUES, arguments, on_undone);
}

static void explain_taken(struct import *import, const struct redisReply *reply)
{
	char room[96];
	struct writer writer = writer_of(room, sizeof(room));
	for (unsigned i = 2; i < store_redis_count(reply); i++) {
		struct text key = store_redis_text(store_redis_at(reply, i));
		for (unsigned part = 0; part < 3; part++) // kind, field, no scope
			(void)text_split(&key, ':');
		writer_format(&writer, "%s%.*s", i > 2 ? ", " : "",
			      TEXT_FORMAT(directory_value_shown(key)));
	}
	const char *examples = writer_string_done(&writer);
	directory_problem_set(&import->problem, "", "are there already: %s; nothing was imported",
			      examples ? examples : "");
	import->status = ERR_CONFLICT;
}

static void on_shown(void *context, const struct redisReply *reply)
{
	struct import *import = context;
	if (is_good(import, reply,
		    "Redis went away before it answered: all of it was imported, or nothing; look "
		    "when it is back"))
		finish(import, OK);
}

static void on_written(void *context, const struct redisReply *reply)
{
	struct import *import = context;
	if (text_is_equal(store_redis_text(store_redis_at(reply, 0)), TEXT("taken"))) {
		explain_taken(import, reply);
		undo_some(import);
	} else if (is_good(import, reply, "Redis went away: nothing was imported")) {
		write_slice(import);
	}
}

static bool write_row(const struct directory_object *object, struct writer *out)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	bool is_unique = false;
	writer_string(out, object->sid);
	writer_char(out, '\t');
	for (unsigned i = 0; i < schema->field_count && !is_unique; i++)
		is_unique = directory_relation_key_of(object, i, out);
	writer_char(out, '\t');
	for (unsigned i = 0; i < schema->field_count; i++) {
		if (object->values[i])
			writer_format(out, "%s\t%s\t", schema->fields[i].name, object->values[i]);
	}
	writer_char(out, '\n');
	return !out->failed;
}

// As many as fit a slice, the objects go with it. Empty: there are none left.
static struct text take_slice(struct import *import)
{
	struct writer rows = writer_of(import->rows, SLICE_ROWS * ROW_SIZE);
	for (unsigned i = 0; i < SLICE_ROWS && import->next < import->count; i++) {
		struct directory_object *object = import->objects[import->next++];
		(void)write_row(object, &rows); // a row is shorter than its room
		directory_object_destroy(object);
	}
	return writer_done(&rows);
}

static void write_slice(struct import *import)
{
	const struct text all[] = { TEXT(STORE_CHANNEL), text_of(import->kind), TEXT_NONE };
	struct text slice = take_slice(import);
	const struct text some[] = { TEXT(STORE_KEY_OBJECT), text_of(import->kind), slice };
	if (slice.size == 0)
		(void)send(import, show_script, STORE_KEY_OBJECTS, all, on_shown);
	else
		(void)send(import, write_script, STORE_KEY_UNIQUES, some, on_written);
}

static void on_locked(void *context, const struct redisReply *reply)
{
	struct import *import = context;
	if (text_is_equal(store_redis_text(reply), TEXT("OK"))) {
		undo_some(import);
	} else if (!reply || store_redis_error(reply).size > 0) {
		fail(import, "Redis cannot be asked: nothing was imported");
	} else {
		directory_problem_set(&import->problem, "",
				      "another import goes on, or died less than 30 s ago");
		finish(import, ERR_BUSY);
	}
}

static enum status begin(struct import *import)
{
	struct writer id = writer_of(import->id, sizeof(import->id));
	if (import->count == 0 || import->count > STORE_IMPORT_MAX) {
		directory_problem_set(&import->problem, "", "1 to %d rows can be imported at once",
				      STORE_IMPORT_MAX);
		return ERR_LIMIT;
	}
	directory_problem_set(&import->problem, "",
			      "Redis is away: calls go on, the directory cannot be changed");
	if (import->store->state != STORE_READY)
		return ERR_UNAVAILABLE;
	random_write_hex(&id, (ID_SIZE - 1) / 2);
	(void)writer_string_done(&id);
	import->kind = directory_schema(import->objects[0]->kind)->name;
	const struct text words[] = { TEXT("SET"),         TEXT(STORE_KEY_IMPORT),
				      text_of(import->id), TEXT("NX"),
				      TEXT("PX"),          TEXT(LOCK_MS) };
	import->rows = malloc(SLICE_ROWS * ROW_SIZE);
	if (!import->rows)
		return ERR_MEMORY;
	return store_redis_send(import->store->commands, words, 6, on_locked, import)
		       ? OK
		       : ERR_UNAVAILABLE;
}

void store_import(struct store *store, struct directory_object **objects, unsigned count,
		  store_done_fn done, void *context)
{
	static const struct directory_problem no_memory = { "", "out of memory" };
	struct import *import = calloc(1, sizeof(*import));
	if (!import) {
		while (count > 0)
			directory_object_destroy(objects[--count]);
		free(objects);
		if (done)
			done(context, ERR_MEMORY, &no_memory, "");
		return;
	}
	*import = (struct import){
		.store = store, .objects = objects, .count = count, .done = done, .context = context
	};
	enum status status = begin(import);
	if (status != OK)
		finish(import, status);
}
