#pragma once

// What becomes of a trigger that fired: its webhook and its mail are sent, and the row of the notification
// says what came of them (DEBUG-004, DEBUG-005).
// Runs on: control thread.

#include <stdbool.h>

#include "notify/notify.h"

struct calls;
struct directory_object;
struct history_alert;
struct history_notification;

// Marks in the notification, which has its SID, what is going to be sent. Before it is written.
void telling_plan(const struct calls *calls, const struct directory_object *trigger,
		  struct history_notification *notification);
void telling_start(struct calls *calls, const struct directory_object *trigger,
		   const struct history_notification *notification);
// One that a former process has written: what it did not send is sent now.
void telling_again(struct calls *calls, const struct history_notification *notification);
// A notification that says it is a trial, once by each way that the trigger has. How many there are;
// `done` is called for each, perhaps before it returns.
unsigned telling_try(struct calls *calls, const struct directory_object *trigger,
		     notify_done_fn done, void *context);
// Is it an alert of telling itself? It fires no trigger, or a webhook that fails would tell of itself
// for ever.
bool telling_is_own(const struct history_alert *alert);
