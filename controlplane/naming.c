// Sets up the publishing of names, tells of its troubles, sets up the lookup of callers' names, and what
// sends webhooks and mails.
// Runs on the control thread.

#include "naming.h"

#include "call/record.h"
#include "call/refusal.h"
#include "call/watch/telling.h"
#include "cnam/cnam.h"
#include "config/config.h"
#include "control.h"
#include "history/find.h"
#include "names/names.h"
#include "notify/notify.h"

#define UNTOLD_MS 3600000 // older news is no news
#define UNTOLD_MAX 1000

static void alert(void *context, bool is_failing, const char *why)
{
	struct control *control = context;
	struct refusal refusal;
	(void)refusal_set(&refusal, is_failing ? REFUSED_NAMES_FAILING : REFUSED_NAMES_PUBLISHED,
			  names_plan(control->names)->zone, text_of(why), "names of trunks in DNS");
	record_node_alert(control->calls, &refusal);
}

enum status naming_start(struct control *control)
{
	struct names_options options = { .loop = control->loop,
					 .clock = &control->clock,
					 .config = control->config,
					 .directory = control->directory,
					 .alert = alert,
					 .context = control };
	return names_start(&options, &control->names);
}

void naming_stop(struct control *control)
{
	names_stop(control->names);
}

enum status naming_callers_start(struct control *control)
{
	struct cnam_options options = { .loop = control->loop,
					.clock = &control->clock,
					.wheel = control->wheel,
					.config = &control->config->cnam };
	return cnam_start(&options, &control->cnam);
}

void naming_callers_stop(struct control *control)
{
	cnam_stop(control->cnam);
}

enum status naming_tellers_start(struct control *control)
{
	struct notify_options options = { .loop = control->loop,
					  .clock = &control->clock,
					  .wheel = control->wheel,
					  .config = &control->config->notify };
	return notify_start(&options, &control->notify);
}

static void found(void *context, const struct history_notification *notification)
{
	struct control *control = context;
	if (notification != NULL && control->notify != NULL)
		telling_again(control->calls, notification);
}

enum status naming_tellers_resume(struct control *control)
{
	uint64_t now_ms = control->clock.wall_ms;
	struct history_filter filter = { .from_ms = now_ms > UNTOLD_MS ? now_ms - UNTOLD_MS : 1,
					 .to_ms = now_ms,
					 .max = UNTOLD_MAX };
	return history_find_notifications(control->history, &filter, found, control);
}

void naming_tellers_stop(struct control *control)
{
	notify_stop(control->notify);
	control->notify = NULL; // the history may still find something
}
