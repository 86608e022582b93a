#pragma once

// The part of the control process that opens SIP's sockets.
// Runs on: control thread.

#include "base/status.h"

struct control;

enum status signalling_start(struct control *control);
void signalling_stop(struct control *control);
