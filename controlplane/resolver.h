#pragma once

// The resolver of the control process: DNS by its configuration, for the addresses it listens on.
// Runs on: control thread, before and after its loop.

#include "base/status.h"

struct control;

enum status resolver_start(struct control *control);
void resolver_stop(struct control *control);
