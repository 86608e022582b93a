// Tries the webhook and the mail of a trigger, and makes the token that webhooks are signed by. Runs on the
// control thread; answers come later.

#include "admin/change.h"
#include "admin/handler.h"
#include "admin/json.h"
#include "admin/objects.h"
#include "admin/request.h"
#include "base/random.h"
#include "base/secret.h"
#include "call/watch/telling.h"
#include "directory/object.h"
#include "store/store.h"

#define TOKEN_OCTETS 16

static void answer(struct admin_request *request)
{
	json_t *result = request->partial;
	request->partial = NULL;
	admin_request_answer(request, result);
}

// One for each way; the last one answers.
static void tried(void *context, const struct notify_end *end)
{
	struct admin_request *request = context;
	json_t *way = json_object();
	json_t *left = json_object_get(request->partial, "left");
	admin_json_set(way, "outcome", json_string(notify_outcome_label(end->outcome)));
	admin_json_set(way, "status",
		       end->status > 0 ? admin_json_number(end->status) : json_null());
	admin_json_set(way, "problem", admin_json_string(end->problem));
	admin_json_set(request->partial, notify_way_label(end->way), way);
	(void)json_integer_set(left, json_integer_value(left) - 1);
	if (json_integer_value(left) > 0)
		return;
	(void)json_object_del(request->partial, "left");
	answer(request);
}

void admin_trigger_test(struct admin_request *request)
{
	request->kind = DIRECTORY_TRIGGER;
	const struct directory_object *trigger = admin_objects_find(request);
	if (!trigger)
		return;
	unsigned ways = (directory_object_get(trigger, "webhook").size > 0) +
			(directory_object_get(trigger, "email").size > 0);
	if (ways == 0) {
		struct admin_refusal refusal = { ERR_CONFLICT, NULL,
						 "the trigger has neither webhook nor email",
						 "change trigger NAME webhook=https://… email=…" };
		admin_request_refuse(request, &refusal);
		return;
	}
	request->partial = json_object();
	admin_json_set(request->partial, "trigger", admin_json_string(trigger->sid));
	admin_json_set(request->partial, "left", json_integer(ways));
	if (telling_try(request->context->calls, trigger, tried, request) == 0)
		answer(request); // nobody is told on this node
}

static void changed(void *context, enum status status, const struct directory_problem *problem,
		    const char *sid)
{
	static const struct directory_problem none = { "", "" };
	struct admin_request *request = context;
	if (status != OK) {
		admin_change_refuse(request, status, problem ? problem : &none);
		return;
	}
	admin_json_set(request->partial, "sid", admin_json_string(sid));
	answer(request);
}

void admin_token_make(struct admin_request *request)
{
	char token[2 * TOKEN_OCTETS + 1];
	struct directory_problem problem = { "", "" };
	struct writer writer = writer_of(token, sizeof(token));
	request->kind = DIRECTORY_ACCOUNT;
	const struct directory_object *account = admin_objects_find(request);
	if (!account)
		return;
	random_write_hex(&writer, TOKEN_OCTETS);
	struct directory_object *copy = directory_object_copy(account);
	enum status status = copy ? directory_object_set(copy, TEXT("auth_token"),
							 writer_done(&writer), &problem)
				  : ERR_MEMORY;
	if (status != OK) {
		directory_object_destroy(copy);
		admin_change_refuse(request, status, &problem);
		return;
	}
	request->partial = json_object();
	admin_json_set(request->partial, "auth_token", json_string(writer_string_done(&writer)));
	secret_wipe(token, sizeof(token));
	store_change(request->context->store, copy, changed, request);
}
