#pragma once

// One direction of a live call's media for the operator: where it comes from and why from there, what
// became of it, what SRTP and RTCP say, and the verdict.
// Runs on: control thread.

#include <jansson.h>

#include "media/media.h"

struct admin_context;
struct call_facts;

json_t *admin_stream_to_json(const struct admin_context *context, const struct call_facts *facts,
			     enum media_side side);
