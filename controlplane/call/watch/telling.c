// Webhooks and mails of triggers. Runs on the control thread; memory only, notify/ sends.

#include "call/watch/telling.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "call/catalogue/catalogue.h"
#include "call/record.h"
#include "call/state.h"
#include "config/config.h"
#include "directory/object.h"

#define LINK_SIZE 512

struct telling { // until every way has ended
	struct calls *calls; // not after NOTIFY_STOPPED: they are gone then
	struct history *history;
	struct history_notification notification;
	unsigned pending;
};

struct address_book { // the trigger's texts with their zero
	char name[DIRECTORY_NAME_SIZE], url[DIRECTORY_PATH_SIZE], mail[DIRECTORY_PATH_SIZE];
	char token[40], parent_sid[DIRECTORY_SID_SIZE];
	char link[LINK_SIZE];
};

static void copy(const struct directory_object *object, const char *field, char *room, size_t size)
{
	text_copy_cut(object ? directory_object_get(object, field) : TEXT_NONE, room, size);
}

static void fill_book(const struct calls *calls, const struct directory_object *trigger,
		      uint32_t code, struct address_book *book)
{
	const struct directory_object *account = directory_find(
		calls->directory, DIRECTORY_ACCOUNT, directory_object_get(trigger, "account"));
	struct writer link = writer_of(book->link, sizeof book->link);
	copy(trigger, "name", book->name, sizeof book->name);
	copy(trigger, "webhook", book->url, sizeof book->url);
	copy(trigger, "email", book->mail, sizeof book->mail);
	copy(account, "auth_token", book->token, sizeof book->token);
	copy(account, "parent", book->parent_sid, sizeof book->parent_sid);
	catalogue_link(calls->config->alerts.more_info_url, code, &link);
	if (writer_string_done(&link) == NULL)
		book->link[0] = '\0';
}

static struct notify_event event_of(const struct history_notification *notification,
				    const struct address_book *book)
{
	const struct history_alert *alert = &notification->alert;
	const struct catalogue_entry *entry = catalogue_find(alert->code);
	return (struct notify_event){
		.sid = notification->sid,
		.account_sid = alert->account_sid,
		.parent_sid = book->parent_sid,
		.trigger_sid = notification->trigger_sid,
		.trigger_name = book->name,
		.resource_sid = alert->call_sid[0] != '\0' ? alert->call_sid : alert->trunk_sid,
		.wall_ms = alert->at_ms,
		.code = alert->code,
		.held_back = notification->held_back,
		.is_error = alert->severity == HISTORY_SEVERITY_ERROR,
		.cause = alert->cause,
		.title = entry != NULL ? entry->texts[CATALOGUE_ENGLISH].title : alert->cause,
		.text = alert->text,
		.header = alert->header,
		.seen = alert->seen,
		.expected = alert->expected,
		.source = alert->source,
		.more_info = book->link,
	};
}

static void send_webhook(struct calls *calls, const struct address_book *book,
			 const struct notify_event *event, struct notify_order *order)
{
	struct notify_content content;
	order->way = NOTIFY_WEBHOOK;
	order->target = book->url;
	order->content = &content;
	if (!notify_content_event_form(&content, book->url, book->token, event))
		content.size = 0; // out of memory: nothing is sent without, and that is told
	notify_send(calls->notify, order);
}

static void send_mail(struct calls *calls, const struct address_book *book,
		      const struct notify_event *event, struct notify_order *order)
{
	struct notify_content content;
	order->way = NOTIFY_MAIL;
	order->target = book->mail;
	order->content = &content;
	if (!notify_content_event_mail(&content, calls->config->notify.mail_sender, book->mail,
				       event))
		content.size = 0;
	notify_send(calls->notify, order);
}

void telling_plan(const struct calls *calls, const struct directory_object *trigger,
		  struct history_notification *notification)
{
	if (calls->notify == NULL)
		return;
	if (directory_object_get(trigger, "webhook").size > 0)
		text_copy_cut(TEXT("waiting"), notification->webhook.outcome,
			      sizeof notification->webhook.outcome);
	if (directory_object_get(trigger, "email").size > 0)
		text_copy_cut(TEXT("waiting"), notification->mail.outcome,
			      sizeof notification->mail.outcome);
}

static void fill_delivery(struct history_delivery *delivery, const char *outcome,
			  const struct notify_end *end)
{
	text_copy_cut(text_of(outcome), delivery->outcome, sizeof delivery->outcome);
	text_copy_cut(text_of(end->problem), delivery->problem, sizeof delivery->problem);
	delivery->status = end->status;
	delivery->attempts = end->attempts;
}

static void write_row(struct telling *telling)
{
	telling->notification.revision++;
	(void)history_notification_write(telling->history, &telling->notification);
}

static const enum refusal_cause webhook_causes[] = {
	[NOTIFY_CAUSE_OTHER] = REFUSED_WEBHOOK_UNREACHABLE,
	[NOTIFY_CAUSE_NAME] = REFUSED_WEBHOOK_NAME,
	[NOTIFY_CAUSE_CONNECTION] = REFUSED_WEBHOOK_CONNECTION,
	[NOTIFY_CAUSE_TIME] = REFUSED_WEBHOOK_TIME,
	[NOTIFY_CAUSE_TLS] = REFUSED_WEBHOOK_TLS,
	[NOTIFY_CAUSE_ANSWER] = REFUSED_WEBHOOK_REFUSED,
};

static void raise_alert(struct telling *telling, const struct notify_end *end)
{
	struct history_alert alert = { 0 };
	struct refusal refusal;
	const struct history_alert *cause = &telling->notification.alert;
	text_copy_cut(text_of(cause->account_sid), alert.account_sid, sizeof alert.account_sid);
	(void)refusal_set(
		&refusal,
		end->way == NOTIFY_MAIL ? REFUSED_MAIL_FAILED : webhook_causes[end->cause],
		telling->notification.trigger_sid, text_of(end->problem), "an answer 2xx");
	record_alert_of(telling->calls, &alert, &refusal);
}

static void on_end(void *context, const struct notify_end *end)
{
	struct telling *telling = context;
	struct log_value status, attempts;
	bool is_mail = end->way == NOTIFY_MAIL;
	struct history_notification *notification = &telling->notification;
	fill_delivery(is_mail ? &notification->mail : &notification->webhook,
		      notify_outcome_label(end->outcome), end);
	log_event(end->outcome == NOTIFY_DELIVERED ? LOG_INFO : LOG_WARNING, "notification_ended",
		  "notification", notification->sid, "way", notify_way_label(end->way), "outcome",
		  notify_outcome_label(end->outcome), "status", log_number(&status, end->status),
		  "attempts", log_number(&attempts, end->attempts), "problem", end->problem, NULL);
	write_row(telling);
	if (end->outcome == NOTIFY_FAILED)
		raise_alert(telling, end);
	if (--telling->pending == 0)
		free(telling);
}

static void mail(struct telling *telling, const struct address_book *book,
		 struct notify_order *order)
{
	struct history_notification *notification = &telling->notification;
	static const struct notify_end held = { NOTIFY_MAIL, NOTIFY_HELD, 0, 0,
						"notify.mail_every_s is not over" };
	uint32_t held_back = 0;
	if (!notify_may_mail(telling->calls->notify, notification->trigger_sid, &held_back)) {
		fill_delivery(&notification->mail, notify_outcome_label(NOTIFY_HELD), &held);
		write_row(telling);
		return;
	}
	struct notify_event event = event_of(notification, book);
	event.held_back += held_back;
	telling->pending++;
	send_mail(telling->calls, book, &event, order);
}

static bool waits(const struct history_delivery *delivery)
{
	struct text outcome = text_of(delivery->outcome);
	return text_is_equal(outcome, TEXT("waiting")) || text_is_equal(outcome, TEXT("stopped"));
}

void telling_start(struct calls *calls, const struct directory_object *trigger,
		   const struct history_notification *notification)
{
	struct address_book book;
	bool is_webhook = waits(&notification->webhook), is_mail = waits(&notification->mail);
	struct telling *telling = is_webhook || is_mail ? calloc(1, sizeof *telling) : NULL;
	if (telling == NULL)
		return;
	fill_book(calls, trigger, notification->alert.code, &book);
	*telling = (struct telling){ calls, calls->history, *notification, 1 };
	struct notify_order order = { .account_sid = notification->alert.account_sid,
				      .done = on_end,
				      .context = telling };
	if (is_webhook) {
		struct notify_event event = event_of(notification, &book);
		telling->pending++;
		send_webhook(calls, &book, &event, &order);
	}
	if (is_mail)
		mail(telling, &book, &order);
	if (--telling->pending == 0)
		free(telling);
}

void telling_again(struct calls *calls, const struct history_notification *notification)
{
	const struct directory_object *trigger = directory_find(calls->directory, DIRECTORY_TRIGGER,
								text_of(notification->trigger_sid));
	if (trigger != NULL &&
	    text_is_equal(directory_object_get(trigger, "enabled"), TEXT("true")))
		telling_start(calls, trigger, notification);
}

static void fill_trial(const struct calls *calls, const struct directory_object *trigger,
		       struct history_notification *notification)
{
	struct history_alert *alert = &notification->alert;
	random_sid("NO", notification->sid);
	text_copy_cut(text_of(trigger->sid), notification->trigger_sid,
		      sizeof notification->trigger_sid);
	copy(trigger, "account", alert->account_sid, sizeof alert->account_sid);
	alert->at_ms = calls->clock->wall_ms;
	alert->severity = HISTORY_SEVERITY_NOTICE;
	text_copy_cut(TEXT("test"), alert->cause, sizeof alert->cause);
	text_copy_cut(TEXT("This is a test: nothing is wrong, and nothing is to be done."),
		      alert->text, sizeof alert->text);
}

unsigned telling_try(struct calls *calls, const struct directory_object *trigger,
		     notify_done_fn done, void *context)
{
	struct address_book book;
	struct history_notification notification = { 0 };
	if (calls->notify == NULL)
		return 0;
	fill_book(calls, trigger, 0, &book);
	fill_trial(calls, trigger, &notification);
	unsigned count = (book.url[0] != '\0') + (book.mail[0] != '\0');
	struct notify_event event = event_of(&notification, &book);
	struct notify_order order = {
		.account_sid = event.account_sid, .is_once = true, .done = done, .context = context
	};
	if (book.url[0] != '\0')
		send_webhook(calls, &book, &event, &order);
	if (book.mail[0] != '\0')
		send_mail(calls, &book, &event, &order);
	return count;
}

bool telling_is_own(const struct history_alert *alert)
{
	if (strcmp(alert->cause, refusal_row(REFUSED_MAIL_FAILED)->label) == 0)
		return true;
	for (unsigned i = 0; i < sizeof webhook_causes / sizeof *webhook_causes; i++)
		if (strcmp(alert->cause, refusal_row(webhook_causes[i])->label) == 0)
			return true;
	return false;
}
