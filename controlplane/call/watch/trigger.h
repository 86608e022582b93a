#pragma once

// Triggers: a customer names codes of alerts, and each that is raised becomes a notification in the
// history, at most one in the trigger's every_s (DEBUG-003); telling.h delivers it.
// Runs on: control thread.

#include <stdint.h>

#include "directory/directory.h"

struct calls;
struct history_alert;

#define TRIGGERS_REMEMBERED 4096
#define TRIGGERS_PLACES 8 // in which of these one may be

struct trigger_memory { // of one that fired lately; whoever's pause is not over keeps its place
	char sid[DIRECTORY_SID_SIZE];
	uint64_t quiet_until_ms;
	uint32_t held_back;
};

void trigger_hear(struct calls *calls, const struct history_alert *alert);
