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

// NULL: others whose pauses are not over have all of its places. It waits, or nobody's pause would hold.
static struct trigger_memory *memory_of(struct calls *calls, const char *sid)
{
	size_t set = map_hash(text_of(sid)) % (TRIGGERS_REMEMBERED / TRIGGERS_PLACES);
	struct trigger_memory *places = &calls->triggers[set * TRIGGERS_PLACES], *oldest = places;
	for (unsigned i = 0; i < TRIGGERS_PLACES; i++) {
		if (strcmp(places[i].sid, sid) == 0)
			return &places[i];
		if (places[i].quiet_until_ms < oldest->quiet_until_ms)
			oldest = &places[i];
	}
	if (oldest->quiet_until_ms > calls->clock->now_ms)
		return NULL;
	*oldest = (struct trigger_memory){ 0 };
	text_copy_cut(text_of(sid), oldest->sid, sizeof oldest->sid);
	return oldest;
}

static void fire(struct calls *calls, const struct directory_object *trigger,
		 const struct history_alert *alert)
{
	uint64_t every_s = 0;
	struct log_value code;
	struct trigger_memory *memory = memory_of(calls, trigger->sid);
	if (memory == NULL)
		return;
	if (calls->clock->now_ms < memory->quiet_until_ms) {
		memory->held_back++;
		return;
	}
	struct history_notification notification = { .held_back = memory->held_back,
						     .alert = *alert };
	text_copy_cut(text_of(trigger->sid), notification.trigger_sid,
		      sizeof notification.trigger_sid);
	random_sid("NO", notification.sid);
	telling_plan(calls, trigger, &notification);
	if (!history_notification_write(calls->history, &notification)) {
		memory->held_back++; // told with the next, when there is room again
		return;
	}
	(void)text_to_unsigned(directory_object_get(trigger, "every_s"), UINT32_MAX, &every_s);
	memory->quiet_until_ms = calls->clock->now_ms + every_s * 1000;
	memory->held_back = 0;
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
