#pragma once

// The names of trunks in DNS: from the configuration to controlplane/names.
// Runs on: control thread.

#include "base/status.h"

struct control;

enum status naming_start(struct control *control);
void naming_stop(struct control *control);
