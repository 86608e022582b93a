#pragma once

// Messages and figures as lines of text, so that tests in other languages can command a dataplane.
// Runs on: one thread of a test.

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "dataplane/message.h"

struct stream_view;
struct worker_view;

// "open INDEX GENERATION OUT_INDEX SOURCE DESTINATION NEXT_HOP IN OUT FLAGS", "close INDEX GENERATION",
// "key INDEX GENERATION WAY SUITE SESSION MASTER" (WAY 0 arrives, 1 leaves; SUITE as in SDP; keys in
// hexadecimal, one of them is taken as `form` says), "rollover INDEX GENERATION SSRC ARRIVES
// ARRIVES_SEQUENCE LEAVES LEAVES_SEQUENCE".
// SOURCE may be "any", "ADDRESS" (any port) or "ADDRESS:PORT"; IN and OUT 255 for none; FLAGS a number.
bool script_parse(struct text line, enum key_form form, struct message *out_message);
void script_print_event(FILE *file, const struct message *event);
void script_print_view(FILE *file, uint32_t index, const struct stream_view *view);
void script_print_worker(FILE *file, const struct worker_view *view);
