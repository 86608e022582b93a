// Sums of usage by account, month and category, from the database. Runs on the control thread; the
// search itself runs on the history thread.

#include <string.h>

#include "admin/admin.h"
#include "admin/handler.h"
#include "admin/history/past.h"
#include "admin/json.h"
#include "admin/request.h"
#include "config/config.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "history/find.h"

#define MICRO 1000000.0

static void set_account(json_t *row, const struct admin_context *context, const char *sid)
{
	const struct directory_object *account =
		context->directory
			? directory_find(context->directory, DIRECTORY_ACCOUNT, text_of(sid))
			: NULL;
	admin_json_set(row, "account", admin_json_string(sid));
	admin_json_set(row, "account_name",
		       account ? admin_json_text(directory_object_get(account, "name"))
			       : admin_json_string(sid));
}

static void found_total(void *context, const struct history_usage_total *total)
{
	struct admin_request *request = context;
	if (!total) {
		json_t *result = json_object();
		admin_json_set(result, "usage", request->partial);
		request->partial = NULL;
		admin_request_answer(request, result);
		return;
	}
	if (admin_request_is_detached(request) || total->category >= HISTORY_CATEGORY_COUNT)
		return;
	const struct history_category_facts *facts =
		history_category_facts((enum history_category)total->category);
	json_t *row = json_object();
	admin_json_set(row, "month", admin_json_string(total->month));
	set_account(row, request->context, total->account_sid);
	admin_json_set(row, "category", json_string(facts->word));
	admin_json_set(row, "count", admin_json_number(total->count));
	admin_json_set(row, "quantity", admin_json_number(total->quantity));
	admin_json_set(row, "unit", json_string(facts->unit));
	admin_json_set(row, "minutes",
		       strcmp(facts->unit, "second") == 0 ? json_real((double)total->quantity / 60)
							  : json_null());
	admin_json_set(row, "price", admin_past_price(total->price_micro, true));
	admin_json_set(row, "currency",
		       json_string(request->context->config
					   ? request->context->config->usage.currency
					   : ""));
	admin_json_set(row, "unpriced", admin_json_number(total->unpriced));
	(void)json_array_append_new(request->partial, row);
}

void admin_usage_show(struct admin_request *request)
{
	struct history_filter filter;
	struct history *history = request->context->history;
	if (!admin_past_begin(request, "account month", 0, &filter))
		return;
	request->partial = json_array();
	enum status status = history_find_usage(history, &filter, found_total, request);
	if (status != OK)
		admin_past_refuse(request, status);
}
