#pragma once

// One line per event: key=value, or JSON. Lines go through a bounded queue to a thread of their own,
// so a slow disk or console never stops the caller; what does not fit is dropped and counted.
// Runs on: any thread but the workers, which never log.

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_KEY_VALUE, LOG_JSON };

// Starts the writing thread on stderr. Before it (and in tests) events go straight to stderr.
bool log_start(enum log_level level, enum log_format format);
void log_stop(void); // writes out what is queued
void log_set_level(enum log_level level);
bool log_level_parse(struct text text, enum log_level *out_level);
uint64_t log_dropped(void); // lines lost to a full queue since the start

// An event is a name of few words joined by underscores, and pairs of key and value:
//   log_event(LOG_INFO, "call_answered", "call", call->sid, "after_ms", log_number(&value, n), NULL)
// Keys and values are strings; the list ends with NULL. Control characters and quotes in values are
// escaped, so text from the network cannot make lines of its own.
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

// A value written into room and returned, for use as an argument above.
struct log_value {
	char room[256];
};
const char *log_number(struct log_value *value, int64_t number);
const char *log_text(struct log_value *value, struct text text); // cut at the room's end
