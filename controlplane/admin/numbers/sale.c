// A number's life: bought from stock, on a trunk or off it, released. Runs on the control thread; the store
// makes each change in one transaction, so that no two nodes sell the same number.

#include "admin/change.h"
#include "admin/handler.h"
#include "admin/request.h"
#include "base/clock.h"
#include "config/config.h"
#include "directory/number.h"
#include "directory/object.h"
#include "store/store.h"

#define DAY_S 86400

static uint64_t now_s(const struct admin_request *request)
{
	return request->context->clock->wall_ms / 1000;
}

static void refuse(struct admin_request *request, enum status status, const char *text)
{
	struct directory_problem problem = { "", "" };
	directory_problem_set(&problem, "", "%s", text);
	admin_change_refuse(request, status, &problem);
}

static uint64_t unsigned_of(const struct directory_object *object, const char *field)
{
	uint64_t value = 0;
	bool is_set = text_to_unsigned(directory_object_get(object, field), UINT64_MAX, &value);
	return is_set ? value : 0;
}

// 0 clears it.
static enum status set_number(struct directory_object *object, struct text field, uint64_t value,
			      struct directory_problem *problem)
{
	char room[24];
	struct writer writer = writer_of(room, sizeof(room));
	if (value > 0)
		writer_unsigned(&writer, value);
	return directory_object_set(object, field, writer_done(&writer), problem);
}

// A copy to change; NULL: refused already.
static struct directory_object *take(struct admin_request *request)
{
	request->kind = DIRECTORY_NUMBER;
	const struct directory_object *found = directory_find(
		request->context->directory, DIRECTORY_NUMBER, request->arguments[0]);
	struct directory_object *copy = found ? directory_object_copy(found) : NULL;
	if (!found)
		refuse(request, ERR_NOT_FOUND,
		       "no such number is known; find numbers searches the stock");
	else if (!copy)
		refuse(request, ERR_MEMORY, "out of memory");
	return copy;
}

static bool is_owned(const struct directory_object *object)
{
	return directory_object_get(object, "account").size > 0;
}

// Takes the object over.
static void finish(struct admin_request *request, struct directory_object *object,
		   enum status status, const struct directory_problem *problem)
{
	if (status == OK) {
		store_change(request->context->store, object, admin_change_done, request);
		return;
	}
	directory_object_destroy(object);
	admin_change_refuse(request, status, problem);
}

static enum status set_owner(const struct admin_request *request, struct directory_object *object,
			     struct directory_problem *problem)
{
	const struct directory *directory = request->context->directory;
	if (is_owned(object)) {
		directory_problem_set(problem, "account",
				      "the number belongs to an account already");
		return ERR_CONFLICT;
	}
	if (unsigned_of(object, "rests_until_s") > now_s(request)) {
		directory_problem_set(problem, "rests_until_s",
				      "the number was released lately and rests; find numbers "
				      "shows those that can be bought");
		return ERR_CONFLICT;
	}
	enum status status =
		directory_set(directory, object, TEXT("account"), request->arguments[1], problem);
	if (status == OK && request->argument_count > 2)
		status = directory_set(directory, object, TEXT("trunk"), request->arguments[2],
				       problem);
	if (status == OK)
		status = set_number(object, TEXT("rests_until_s"), 0, problem);
	return status == OK ? directory_number_note_purchase(
				      object, request->context->clock->wall_ms,
				      text_of(request->context->config->node.name), problem)
			    : status;
}

void admin_sale_buy(struct admin_request *request)
{
	struct directory_problem problem = { "", "" };
	struct directory_object *object = take(request);
	if (object)
		finish(request, object, set_owner(request, object, &problem), &problem);
}

// NUM-012: the one way in which an account loses a number. It rests, lest its next owner gets calls
// that were meant for the one before.
static enum status set_free(const struct admin_request *request, struct directory_object *object,
			    struct directory_problem *problem)
{
	static const char *const fields[] = { "account",           "trunk", "voice_url",
					      "voice_application", "name",  "bought_s" };
	uint64_t rest_s = request->context->config->numbers.quarantine_days * (uint64_t)DAY_S;
	enum status status = OK;
	if (!is_owned(object)) {
		directory_problem_set(problem, "account", "the number is in stock already");
		return ERR_CONFLICT;
	}
	for (unsigned i = 0; status == OK && i < sizeof(fields) / sizeof(fields[0]); i++)
		status = directory_object_set(object, text_of(fields[i]), TEXT_NONE, problem);
	if (status == OK && rest_s > 0)
		status =
			set_number(object, TEXT("rests_until_s"), now_s(request) + rest_s, problem);
	return status;
}

void admin_sale_release(struct admin_request *request)
{
	struct directory_problem problem = { "", "" };
	struct directory_object *object = take(request);
	if (object)
		finish(request, object, set_free(request, object, &problem), &problem);
}

// NUM-006, NUM-009: from another trunk it moves.
void admin_sale_associate(struct admin_request *request)
{
	struct directory_problem problem = { "", "" };
	struct directory_object *object = take(request);
	if (object)
		finish(request, object,
		       directory_set(request->context->directory, object, TEXT("trunk"),
				     request->arguments[1], &problem),
		       &problem);
}

// NUM-010, NUM-011: it stays its account's.
void admin_sale_disassociate(struct admin_request *request)
{
	struct directory_problem problem = { "", "" };
	struct directory_object *object = take(request);
	if (object)
		finish(request, object,
		       directory_object_set(object, TEXT("trunk"), TEXT_NONE, &problem), &problem);
}
