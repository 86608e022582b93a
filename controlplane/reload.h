#pragma once

// The configuration file read again while running: live options as a whole or not at all.
// Runs on: control thread.

#include "base/status.h"

// context: the struct control. What is wrong goes into room, one problem a line, and into the log.
enum status reload_run(void *context, char *room, unsigned room_size);
