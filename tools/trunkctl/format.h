#pragma once

// Values as people read them: with units, told by the end of their key, and without anything that a
// terminal would obey.

#include <jansson.h>

#include "base/text.h"

#define FORMAT_SIZE 512

// "duration_s": "1 min 05 s"; "jitter_ms": "0.4 ms"; "loss_percent": "0.1 %"; "octets": "85.7 kB";
// "started_at": "2026-11-21 20:47:38.123 UTC"; null: "-"; arrays joined by commas.
const char *format_value(const char *key, const json_t *value, char room[static FORMAT_SIZE]);
// A key as a label: without its unit, words apart.
const char *format_label(const char *key, char room[static FORMAT_SIZE]);
void format_seconds(struct writer *writer, double seconds);
// Text from the network: control characters and escape sequences become "?".
void format_safe(struct writer *writer, struct text text);
unsigned format_width(const char *text); // columns on a terminal, near enough
