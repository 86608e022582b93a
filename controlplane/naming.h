#pragma once

// Names: those of trunks in DNS, those of callers in a database. From the configuration to
// controlplane/names and controlplane/cnam.
// Runs on: control thread.

#include "base/status.h"

struct control;

enum status naming_start(struct control *control);
void naming_stop(struct control *control);
enum status naming_callers_start(struct control *control);
void naming_callers_stop(struct control *control);

// What tells people of triggers, by webhook and mail.
enum status naming_tellers_start(struct control *control);
// What the process before has not told.
enum status naming_tellers_resume(struct control *control);
void naming_tellers_stop(struct control *control);
