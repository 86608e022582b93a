// What trunks and accounts use of their limits. Runs on the control thread: where nodes share, Redis is
// asked for some rows at a time, and the answer of the command comes with the last of them.

#include "admin/limit/limits.h"

#include <stdlib.h>
#include <string.h>

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "call/call.h"
#include "config/config.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "store/limits/limits.h"
#include "store/store.h"

#define ROWS_MAX 1000

struct row {
	const char *kind;
	char sid[DIRECTORY_SID_SIZE], name[DIRECTORY_NAME_SIZE];
	struct call_limits_facts facts;
	unsigned rate, calls;
};

struct listing {
	struct admin_request *request;
	struct store_limits *shared; // NULL: this node's figures are all there are
	struct row *rows;
	unsigned count, asked;
	unsigned
		calls_here; // at the start: when it ends at the node's own end, no call is there any more
};

static struct store_limits *shared_of(const struct store *store)
{
	return store != NULL ? store_limits(store) : NULL;
}

static void set_source(json_t *object, const struct store_limits *shared)
{
	bool has_joined = shared != NULL && store_limits_has_joined(shared);
	admin_json_set(object, "counted_by", json_string(has_joined ? "Redis" : "this node"));
	if (shared == NULL)
		return;
	admin_json_set(object, "nodes", admin_json_number(store_limits_nodes(shared)));
	if (!has_joined)
		admin_json_set(object, "why", admin_json_string(store_limits_why(shared)));
}

json_t *admin_limits_status(const struct calls *calls, const struct store *store)
{
	json_t *object = json_object();
	const struct store_limits *shared = shared_of(store);
	set_source(object, shared);
	if (calls == NULL || shared == NULL)
		return object;
	const struct limits_counters *counters = &calls_counters(calls)->limits;
	admin_json_set(object, "asked", admin_json_number(counter_get(&counters->asked)));
	admin_json_set(object, "late", admin_json_number(counter_get(&counters->late)));
	admin_json_set(object, "alone", admin_json_number(counter_get(&counters->alone)));
	return object;
}

static json_t *limit_to_json(uint32_t limit)
{
	return limit != 0 ? admin_json_number(limit) : json_null();
}

static json_t *row_to_json(const struct row *row)
{
	json_t *object = json_object();
	admin_json_set(object, "kind", json_string(row->kind));
	admin_json_set(object, "name", admin_json_string(row->name));
	admin_json_set(object, "cps", admin_json_number(row->rate));
	admin_json_set(object, "cps_limit", limit_to_json(row->facts.rate));
	admin_json_set(object, "calls", admin_json_number(row->calls));
	admin_json_set(object, "calls_limit", limit_to_json(row->facts.calls));
	admin_json_set(object, "calls_here", admin_json_number(row->facts.calls_here));
	admin_json_set(object, "sid", admin_json_string(row->sid));
	return object;
}

static void answer(struct listing *listing)
{
	const struct admin_context *context = listing->request->context;
	unsigned bandwidth = context->config != NULL ? context->config->limits.bandwidth_mbps : 0;
	json_t *result = json_object(), *rows = json_array();
	set_source(result, shared_of(context->store));
	if (bandwidth != 0)
		admin_json_set(result, "bandwidth_mbps", admin_json_number(bandwidth));
	admin_json_set(result, "calls_here", admin_json_number(listing->calls_here));
	for (unsigned i = 0; i < listing->count; i++)
		(void)json_array_append_new(rows, row_to_json(&listing->rows[i]));
	admin_json_set(result, "limits", rows);
	admin_request_answer(listing->request, result);
	free(listing->rows);
	free(listing);
}

static void ask_more(struct listing *listing);

static void on_read(void *context, const struct store_limits_usage *usages)
{
	struct listing *listing = context;
	unsigned end = listing->asked + STORE_LIMITS_READ_MAX;
	for (; usages != NULL && listing->asked < end && listing->asked < listing->count;
	     usages++) {
		struct row *row = &listing->rows[listing->asked++];
		row->calls = usages->calls;
		if (row->facts.rate != 0)
			row->rate = usages->rate;
	}
	if (usages == NULL)
		answer(listing); // Redis went away: this node's own for the rest
	else
		ask_more(listing);
}

static void ask_more(struct listing *listing)
{
	const char *sids[STORE_LIMITS_READ_MAX];
	unsigned count = 0;
	while (count < STORE_LIMITS_READ_MAX && listing->asked + count < listing->count) {
		sids[count] = listing->rows[listing->asked + count].sid;
		count++;
	}
	if (count == 0 || listing->shared == NULL ||
	    !store_limits_read(listing->shared, sids, count, on_read, listing))
		answer(listing);
}

static void add_row(struct listing *listing, const struct directory_object *object)
{
	const struct admin_context *context = listing->request->context;
	struct row *row = &listing->rows[listing->count++];
	struct text name = directory_object_get(object, "name");
	if (name.size == 0 && object->kind == DIRECTORY_TRUNK)
		name = directory_object_get(object, "domain");
	row->kind = directory_schema(object->kind)->name;
	memcpy(row->sid, object->sid, sizeof row->sid);
	text_copy_cut(name, row->name, sizeof row->name);
	if (context->calls != NULL)
		call_limits_read(context->calls, row->sid, &row->facts);
	row->rate = row->facts.rate_here;
	row->calls = row->facts.calls_here;
}

static void add_rows(struct listing *listing, enum directory_kind kind)
{
	const struct directory *directory = listing->request->context->directory;
	const struct directory_object *object = NULL;
	while (listing->count < ROWS_MAX &&
	       (object = directory_next(directory, kind, object)) != NULL)
		add_row(listing, object);
}

// Of one trunk or account, its other kind too: a trunk's account, whose limits hold for it.
static bool add_one(struct listing *listing, struct text word)
{
	const struct directory *directory = listing->request->context->directory;
	const struct directory_object *trunk = directory_find(directory, DIRECTORY_TRUNK, word);
	struct text owner = trunk != NULL ? directory_object_get(trunk, "account") : word;
	const struct directory_object *account =
		directory_find(directory, DIRECTORY_ACCOUNT, owner);
	if (trunk != NULL)
		add_row(listing, trunk);
	if (account != NULL)
		add_row(listing, account);
	return listing->count > 0;
}

void admin_limits_show(struct admin_request *request)
{
	static const struct admin_refusal no_memory = { ERR_MEMORY, NULL, "out of memory", NULL };
	static const struct admin_refusal unknown = { ERR_NOT_FOUND, NULL,
						      "there is no such trunk or account",
						      "show trunks, show accounts list them" };
	struct listing *listing = calloc(1, sizeof *listing);
	struct row *rows = listing != NULL ? calloc(ROWS_MAX, sizeof *rows) : NULL;
	if (rows == NULL) {
		free(listing);
		admin_request_refuse(request, &no_memory);
		return;
	}
	*listing = (struct listing){ .request = request,
				     .shared = shared_of(request->context->store),
				     .rows = rows };
	if (request->context->calls != NULL)
		listing->calls_here = calls_limited(request->context->calls);
	if (request->argument_count == 1 && !add_one(listing, request->arguments[0])) {
		free(rows);
		free(listing);
		admin_request_refuse(request, &unknown);
		return;
	}
	if (request->argument_count == 0) {
		add_rows(listing, DIRECTORY_ACCOUNT);
		add_rows(listing, DIRECTORY_TRUNK);
	}
	ask_more(listing);
}
