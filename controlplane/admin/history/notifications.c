// What triggers have told, and whether it arrived, from the database. Runs on the control thread.

#include "admin/admin.h"
#include "admin/handler.h"
#include "admin/history/past.h"
#include "admin/json.h"
#include "admin/request.h"
#include "directory/object.h"
#include "history/find.h"

#define NOTIFICATIONS_DEFAULT 20

static json_t *delivery_to_json(const struct history_delivery *delivery)
{
	if (delivery->outcome[0] == 0)
		return json_null();
	json_t *object = json_object();
	admin_json_set(object, "outcome", admin_json_string(delivery->outcome));
	admin_json_set(object, "status", admin_json_number(delivery->status));
	admin_json_set(object, "attempts", admin_json_number(delivery->attempts));
	admin_json_set(object, "problem", admin_json_string(delivery->problem));
	return object;
}

static void write_told(struct writer *told, const char *way,
		       const struct history_delivery *delivery)
{
	if (delivery->outcome[0] == 0)
		return;
	writer_format(told, "%s%s %s", told->used > 0 ? ", " : "", way, delivery->outcome);
	if (delivery->problem[0])
		writer_format(told, ": %s", delivery->problem);
}

// For people, in a table.
static json_t *told_of(const struct history_notification *notification)
{
	char room[320];
	struct writer told = writer_of(room, sizeof(room));
	write_told(&told, "webhook", &notification->webhook);
	write_told(&told, "mail", &notification->mail);
	const char *text = writer_string_done(&told);
	return admin_json_string(text && text[0] ? text : "nobody");
}

static json_t *to_json(const struct admin_context *context,
		       const struct history_notification *notification)
{
	json_t *object = admin_past_alert(context, &notification->alert);
	const struct directory_object *trigger =
		context->directory ? directory_find(context->directory, DIRECTORY_TRIGGER,
						    text_of(notification->trigger_sid))
				   : NULL;
	admin_json_set(object, "sid", admin_json_string(notification->sid));
	admin_json_set(object, "trigger_sid", admin_json_string(notification->trigger_sid));
	admin_json_set(object, "trigger",
		       trigger ? admin_json_text(directory_object_get(trigger, "name"))
			       : json_null());
	admin_json_set(object, "held_back", admin_json_number(notification->held_back));
	admin_json_set(object, "told", told_of(notification));
	admin_json_set(object, "webhook", delivery_to_json(&notification->webhook));
	admin_json_set(object, "mail", delivery_to_json(&notification->mail));
	return object;
}

static void found(void *context, const struct history_notification *notification)
{
	struct admin_request *request = context;
	if (notification && !admin_request_is_detached(request))
		(void)json_array_append_new(request->partial,
					    to_json(request->context, notification));
	if (notification)
		return;
	json_t *result = json_object();
	admin_json_set(result, "notifications", request->partial);
	request->partial = NULL;
	admin_request_answer(request, result);
}

void admin_notifications_list(struct admin_request *request)
{
	struct history_filter filter;
	struct history *history = request->context->history;
	if (!admin_past_begin(request, "account trunk call code severity since until",
			      NOTIFICATIONS_DEFAULT, &filter))
		return;
	request->partial = json_array();
	enum status status = history_find_notifications(history, &filter, found, request);
	if (status != OK)
		admin_past_refuse(request, status);
}
