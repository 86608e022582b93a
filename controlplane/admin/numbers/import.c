// Rows of a CSV file become numbers in stock. Runs on the control thread; each request brings few rows, and
// the store writes them in slices. Never keeps more rows than an import may have.

#include "admin/numbers/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/random.h"
#include "directory/directory.h"
#include "directory/number.h"
#include "directory/object.h"
#include "store/import.h"

#define COLUMNS_MAX 16
#define PROBLEMS_SHOWN 20
#define IDLE_MS 60000
#define ID_SIZE 17

enum state { GATHERING, RUNNING, DONE, FAILED };

struct row {
	struct map_node node; // by number
	struct directory_object *object; // the array's below
};

struct admin_import {
	char id[ID_SIZE];
	enum state state;
	uint64_t touched_ms;
	struct map by_number;
	struct directory_object **objects; // the store's from the commit on
	struct row **rows;
	unsigned count, room; // gathered
	unsigned total; // handed over
	const char *columns[COLUMNS_MAX];
	unsigned column_count;
	unsigned problem_count;
	char problems[PROBLEMS_SHOWN][256];
	enum status status; // of the store, with what it says
	char problem[192];
	bool is_abandoned; // freed when the store is done
};

static bool row_is_equal(const struct map_node *node, const void *key)
{
	const struct row *row = map_entry(node, struct row, node);
	return text_is_equal(*(const struct text *)key, directory_object_get(row->object, "e164"));
}

static void drop_rows(struct admin_import *import)
{
	for (unsigned i = 0; i < import->count; i++)
		free(import->rows[i]);
	map_clear(&import->by_number);
	free(import->rows);
	import->rows = NULL;
}

static void destroy(struct admin_import *import)
{
	for (unsigned i = 0; i < import->count; i++)
		directory_object_destroy(import->objects[i]);
	drop_rows(import);
	free(import->objects);
	free(import);
}

void admin_import_abandon(struct admin_context *context)
{
	struct admin_import *import = context->import;
	context->import = NULL;
	if (import && import->state == RUNNING)
		import->is_abandoned = true;
	else if (import)
		destroy(import);
}

static void note(struct admin_import *import, uint64_t line, const char *column, const char *text)
{
	if (import->problem_count < PROBLEMS_SHOWN)
		(void)snprintf(import->problems[import->problem_count], sizeof(import->problems[0]),
			       "line %llu: %.40s%s%.190s", (unsigned long long)line, column,
			       column[0] ? ": " : "", text);
	import->problem_count++;
}

static void refuse(struct admin_request *request, enum status status, const char *message,
		   const char *hint)
{
	struct admin_refusal refusal = { status, NULL, message, hint };
	admin_request_refuse(request, &refusal);
}

static void take_header(struct admin_import *import, uint64_t line, struct text header)
{
	char cell[ADMIN_CELL_SIZE];
	bool has_number = false;
	while (header.size > 0 && import->column_count < COLUMNS_MAX) {
		const char *column =
			admin_cell_take(&header, cell) ? admin_cell_column(text_of(cell)) : NULL;
		if (!column)
			note(import, line, cell,
			     "is no column; allowed: e164, country, type, capabilities, "
			     "monthly_price");
		import->columns[import->column_count++] = column ? column : "";
		has_number |= column && text_is_equal(text_of(column), TEXT("e164"));
	}
	if (!has_number)
		note(import, line, "e164",
		     "this column is missing; the first line names the columns");
}

static bool fill(struct admin_import *import, uint64_t line, struct text rest,
		 struct directory_object *object)
{
	char cell[ADMIN_CELL_SIZE];
	unsigned before = import->problem_count;
	for (unsigned at = 0; rest.size > 0 && at < import->column_count; at++) {
		struct directory_problem problem = { "", "" };
		const char *column = import->columns[at];
		const char *wrong =
			admin_cell_take(&rest, cell)
				? admin_cell_set(object, column, text_of(cell), &problem)
				: "a quote has no end, or it is too long";
		if (wrong)
			note(import, line, column, wrong);
	}
	if (rest.size > 0)
		note(import, line, "", "has more cells than the first line has columns");
	directory_number_settle(object, TEXT("e164"));
	return import->problem_count == before;
}

static bool make_room(struct admin_import *import)
{
	if (import->count < import->room)
		return true;
	unsigned room = import->room > 0 ? 2 * import->room : 1024;
	void *objects = realloc(import->objects, room * sizeof(*import->objects));
	if (!objects)
		return false;
	import->objects = objects;
	void *rows = realloc(import->rows, room * sizeof(*import->rows));
	if (!rows)
		return false;
	import->rows = rows;
	import->room = room;
	return true;
}

static bool keep(struct admin_import *import, struct directory_object *object)
{
	struct row *row = make_room(import) ? calloc(1, sizeof(*row)) : NULL;
	if (!row)
		return false;
	row->object = object;
	import->objects[import->count] = object;
	import->rows[import->count++] = row;
	map_add(&import->by_number, &row->node, map_hash(directory_object_get(object, "e164")));
	return true;
}

static const char *check(const struct admin_context *context, const struct admin_import *import,
			 const struct directory_object *object, struct directory_problem *problem)
{
	struct text number = directory_object_get(object, "e164");
	(void)text_copy(TEXT("e164"), problem->field, sizeof(problem->field));
	if (number.size > 0 &&
	    map_find(&import->by_number, map_hash(number), row_is_equal, &number))
		return "stands in the file twice";
	if (import->count == STORE_IMPORT_MAX)
		return "is one too many: import the file in parts of 200000 rows";
	return directory_check(context->directory, object, true, problem) == OK ? NULL
										: problem->text;
}

static void take_row(struct admin_request *request, uint64_t line, struct text row)
{
	struct admin_import *import = request->context->import;
	struct directory_problem problem = { "", "" };
	if (text_trim(row).size == 0)
		return;
	if (import->column_count == 0) {
		take_header(import, line, row);
		return;
	}
	struct directory_object *object = directory_object_create(DIRECTORY_NUMBER);
	const char *wrong = object ? NULL : "out of memory";
	bool is_filled = object && fill(import, line, row, object);
	if (is_filled)
		wrong = check(request->context, import, object, &problem);
	if (is_filled && !wrong && keep(import, object))
		return;
	if (is_filled || wrong)
		note(import, line, problem.field, wrong ? wrong : "out of memory");
	directory_object_destroy(object);
}

static struct admin_import *create(void)
{
	struct admin_import *import = calloc(1, sizeof(*import));
	if (!import || !map_init(&import->by_number, 1024)) {
		free(import);
		return NULL;
	}
	struct writer id = writer_of(import->id, sizeof(import->id));
	random_write_hex(&id, (ID_SIZE - 1) / 2);
	(void)writer_string_done(&id);
	return import;
}

static bool is_busy(const struct admin_context *context)
{
	const struct admin_import *import = context->import;
	return import && (import->state == RUNNING ||
			  (import->state == GATHERING &&
			   context->clock->now_ms < import->touched_ms + IDLE_MS));
}

void admin_import_begin(struct admin_request *request)
{
	struct admin_context *context = request->context;
	if (is_busy(context)) {
		refuse(request, ERR_BUSY, "another import goes on on this node",
		       "try again when it is over; one that was left off is given up after a "
		       "minute");
		return;
	}
	admin_import_abandon(context);
	context->import = create();
	if (!context->import) {
		refuse(request, ERR_MEMORY, NULL, NULL);
		return;
	}
	context->import->touched_ms = context->clock->now_ms;
	json_t *result = json_object();
	admin_json_set(result, "import", json_string(context->import->id));
	admin_request_answer(request, result);
}

static struct admin_import *find(struct admin_request *request)
{
	struct admin_import *import = request->context->import;
	if (import && text_is_equal(request->arguments[0], text_of(import->id))) {
		import->touched_ms = request->context->clock->now_ms;
		return import;
	}
	refuse(request, ERR_NOT_FOUND, "there is no such import any more", "begin again");
	return NULL;
}

static void answer_state(struct admin_request *request, const struct admin_import *import)
{
	static const char *const words[] = { "gathering", "running", "done", "failed" };
	json_t *result = json_object();
	admin_json_set(result, "import", json_string(import->id));
	admin_json_set(result, "state", json_string(words[import->state]));
	admin_json_set(result, "rows", admin_json_number(import->count + import->total));
	admin_json_set(result, "wrong", admin_json_number(import->problem_count));
	admin_request_answer(request, result);
}

void admin_import_rows(struct admin_request *request)
{
	struct admin_import *import = find(request);
	uint64_t line;
	if (!import)
		return;
	if (import->state != GATHERING ||
	    !text_to_unsigned(request->arguments[1], UINT32_MAX, &line)) {
		refuse(request, ERR_CONFLICT, "rows come with their line, before the commit", NULL);
		return;
	}
	for (unsigned i = 2; i < request->argument_count; i++)
		take_row(request, line++, request->arguments[i]);
	answer_state(request, import);
}

// Line by line, so that the file can be mended in one go.
static void refuse_rows(struct admin_request *request, const struct admin_import *import)
{
	char room[PROBLEMS_SHOWN * 256 + 128];
	struct writer writer = writer_of(room, sizeof(room));
	unsigned shown =
		import->problem_count < PROBLEMS_SHOWN ? import->problem_count : PROBLEMS_SHOWN;
	for (unsigned i = 0; i < shown; i++)
		writer_format(&writer, "%s\n", import->problems[i]);
	if (shown < import->problem_count)
		writer_format(&writer, "and %u more\n", import->problem_count - shown);
	writer_string(&writer, "nothing was imported");
	const char *message = writer_string_done(&writer);
	refuse(request, ERR_MALFORMED, message ? message : "nothing was imported", NULL);
}

static void imported(void *context, enum status status, const struct directory_problem *problem,
		     const char *sid)
{
	struct admin_import *import = context;
	(void)sid;
	import->state = status == OK ? DONE : FAILED;
	import->status = status;
	text_copy_cut(text_of(problem ? problem->text : ""), import->problem,
		      sizeof(import->problem));
	if (import->is_abandoned)
		destroy(import);
}

void admin_import_commit(struct admin_request *request)
{
	struct admin_context *context = request->context;
	struct admin_import *import = find(request);
	if (!import)
		return;
	if (import->problem_count == 0 && import->count == 0)
		note(import, 1, "", "there is nothing to import");
	if (import->problem_count > 0 || import->state != GATHERING) {
		refuse_rows(request, import);
		admin_import_abandon(context);
		return;
	}
	struct directory_object **objects = import->objects;
	drop_rows(import);
	import->total = import->count;
	import->objects = NULL;
	import->count = 0;
	import->state = RUNNING;
	store_import(context->store, objects, import->total, imported, import);
	answer_state(request, import);
}

void admin_import_status(struct admin_request *request)
{
	struct admin_import *import = find(request);
	if (!import)
		return;
	if (import->state != FAILED) {
		answer_state(request, import);
		return;
	}
	refuse(request, import->status, import->problem, NULL);
	admin_import_abandon(request->context);
}
