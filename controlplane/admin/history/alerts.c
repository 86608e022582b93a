// Alerts: the latest from memory, older and chosen ones from the database. Runs on the control thread.

#include "admin/admin.h"
#include "admin/handler.h"
#include "admin/history/past.h"
#include "admin/json.h"
#include "admin/request.h"
#include "history/find.h"

#define ALERTS_DEFAULT 20
#define ALERTS_MAX 256 // all that history keeps in memory

static void answer(struct admin_request *request, json_t *alerts)
{
	json_t *result = json_object();
	admin_json_set(result, "alerts", alerts);
	admin_request_answer(request, result);
}

// What was raised a moment ago is not in the database yet.
static void list_latest(struct admin_request *request, unsigned max)
{
	struct history_alert alerts[ALERTS_MAX];
	json_t *array = json_array();
	unsigned count = history_alerts(request->context->history, alerts, max);
	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(array, admin_past_alert(request->context, &alerts[i]));
	answer(request, array);
}

static void found(void *context, const struct history_alert *alert)
{
	struct admin_request *request = context;
	if (alert && !admin_request_is_detached(request))
		(void)json_array_append_new(request->partial,
					    admin_past_alert(request->context, alert));
	if (alert)
		return;
	json_t *alerts = request->partial;
	request->partial = NULL;
	answer(request, alerts);
}

static bool has_condition(const struct admin_request *request)
{
	for (unsigned i = 0; i < request->argument_count; i++)
		if (text_find(request->arguments[i], '='))
			return true;
	return false;
}

void admin_alerts_list(struct admin_request *request)
{
	struct history_filter filter;
	struct history *history = request->context->history;
	if (!admin_past_begin(request, "account trunk call code cause severity since until",
			      ALERTS_DEFAULT, &filter))
		return;
	if (!has_condition(request) && filter.max <= ALERTS_MAX) {
		list_latest(request, filter.max);
		return;
	}
	request->partial = json_array();
	enum status status = history_find_alerts(history, &filter, found, request);
	if (status != OK)
		admin_past_refuse(request, status);
}
