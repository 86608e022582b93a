// The name of a caller for the operator, who wants to know whether the lookup works. Runs on the control
// thread; the answer comes later.

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "cnam/cnam.h"

static void answer(struct admin_request *request, enum cnam_outcome outcome, const char *name)
{
	json_t *result = json_object();
	const char *label = cnam_outcome_label(outcome);
	admin_json_set(result, "outcome", json_string(label ? label : "not asked"));
	admin_json_set(result, "name", name[0] ? admin_json_string(name) : json_null());
	admin_request_answer(request, result);
}

static void done(void *context, enum cnam_outcome outcome, const char *name)
{
	answer(context, outcome, name);
}

void admin_name_check(struct admin_request *request)
{
	char name[CNAM_NAME_SIZE] = "";
	struct cnam_question *question;
	if (!cnam_is_on(request->context->cnam)) {
		struct admin_refusal refusal = { ERR_UNSUPPORTED, NULL, "no names are looked up",
						 "set cnam.source, and restart" };
		admin_request_refuse(request, &refusal);
		return;
	}
	if (!cnam_name_is_public(request->arguments[0])) { // D-40
		answer(request, CNAM_OUTCOME_COUNT, "");
		return;
	}
	enum cnam_outcome outcome = cnam_ask(request->context->cnam, request->arguments[0], done,
					     request, name, &question);
	if (outcome != CNAM_PENDING)
		answer(request, outcome, name);
}
