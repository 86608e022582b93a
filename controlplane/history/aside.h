#pragma once

// Spools that another version of the program left with records in them: kept beside the spool under names
// of their own, "FILE.aside-1" and on, until somebody has that version take them.
// Runs on: control thread, at the start. Waits for the disk.

#include "base/status.h"

// Renames the file. ERR_CONFLICT: as many as are kept are there already; ERR_SYSTEM: the disk refuses.
enum status history_aside_put(const char *file, unsigned waiting, const char *why);
unsigned history_aside_count(const char *file); // how many there are
