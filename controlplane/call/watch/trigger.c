// Which triggers an alert fires. Runs on the control thread; memory only. However many alerts there are,
// a trigger makes one notification in its pause.

#include "call/watch/trigger.h"

#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "call/state.h"
#include "call/watch/telling.h"
#include "directory/object.h"
#include "directory/value.h"

#define TRIGGERS_MAX 32 // of one account that are heard

static bool has_code(const struct directory_object *trigger, uint32_t code)
{
	uint64_t number;
	struct text rest = directory_object_get(trigger, "codes"), word;
	if (text_is_equal(rest, TEXT("all")))
		return true;
	while ((word = directory_value_next(&rest)).size > 0)
		if (text_to_unsigned(word, UINT32_MAX, &number) && number == code)
			return true;
	return false;
}

static void fire(struct calls *calls, const struct directory_object *trigger,
		 const struct history_alert *alert)
{
	uint64_t every_s = 0;
	struct log_value code;
	struct notify_pause *pause =
		notify_pause_find(&calls->triggers, trigger->sid, calls->clock->now_ms);
	if (pause == NULL)
		return;
	if (calls->clock->now_ms < pause->until_ms) {
		pause->held++;
		return;
	}
	struct history_notification notification = { .held_back = pause->held, .alert = *alert };
	text_copy_cut(text_of(trigger->sid), notification.trigger_sid,
		      sizeof notification.trigger_sid);
	random_sid("NO", notification.sid);
	telling_plan(calls, trigger, &notification);
	if (!history_notification_write(calls->history, &notification)) {
		pause->held++; // told with the next, when there is room again
		return;
	}
	(void)text_to_unsigned(directory_object_get(trigger, "every_s"), UINT32_MAX, &every_s);
	pause->until_ms = calls->clock->now_ms + every_s * 1000;
	pause->held = 0;
	telling_start(calls, trigger, &notification);
	log_event(LOG_INFO, "trigger_fired", "trigger", trigger->sid, "code",
		  log_number(&code, alert->code), "call", alert->call_sid, NULL);
}

void trigger_hear(struct calls *calls, const struct history_alert *alert)
{
	const struct directory_object *triggers[TRIGGERS_MAX];
	if (alert->account_sid[0] == '\0' || calls->directory == NULL || telling_is_own(alert))
		return;
	unsigned count = directory_referrers(calls->directory, alert->account_sid,
					     DIRECTORY_TRIGGER, triggers, TRIGGERS_MAX);
	count = count < TRIGGERS_MAX ? count : TRIGGERS_MAX;
	for (unsigned i = 0; i < count; i++)
		if (text_is_equal(directory_object_get(triggers[i], "enabled"), TEXT("true")) &&
		    has_code(triggers[i], alert->code))
			fire(calls, triggers[i], alert);
}
