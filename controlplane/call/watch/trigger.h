#pragma once

// Triggers: a customer names codes of alerts, and each that is raised becomes a notification in the
// history, at most one in the trigger's every_s (DEBUG-003); telling.h delivers it.
// Runs on: control thread.

#include <stdint.h>

#include "directory/directory.h"

struct calls;
struct history_alert;

#define TRIGGERS_REMEMBERED 256

struct trigger_memory { // of one that fired lately; two that meet here forget each other's pause
	char sid[DIRECTORY_SID_SIZE];
	uint64_t quiet_until_ms;
	uint32_t held_back;
};

void trigger_hear(struct calls *calls, const struct history_alert *alert);
