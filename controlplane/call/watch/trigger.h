#pragma once

// Triggers: a customer names codes of alerts, and each that is raised becomes a notification in the
// history, at most one in the trigger's every_s (DEBUG-003); telling.h delivers it.
// Runs on: control thread.

struct calls;
struct history_alert;

void trigger_hear(struct calls *calls, const struct history_alert *alert);
