// Sets up the publishing of names, tells of its troubles, sets up the lookup of callers' names, and what
// sends webhooks and mails.
// Runs on the control thread.

#include "naming.h"

#include "call/record.h"
#include "call/refusal.h"
#include "cnam/cnam.h"
#include "config/config.h"
#include "control.h"
#include "names/names.h"
#include "notify/notify.h"

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

void naming_tellers_stop(struct control *control)
{
	notify_stop(control->notify);
}
