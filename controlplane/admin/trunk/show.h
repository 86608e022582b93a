#pragma once

// One trunk in its four groups of settings: general, termination, origination, numbers (TRUNK-002).
// Runs on: control thread.

#include <jansson.h>

struct admin_context;
struct directory_object;

json_t *admin_trunk_to_json(const struct admin_context *context,
			    const struct directory_object *object);
