#pragma once

// Objects of the directory as JSON.
// Runs on: control thread.

#include <jansson.h>

struct admin_context;
struct directory_object;

// Every field but the hidden ones (AUTH-019); references also by name.
json_t *admin_objects_to_json(const struct admin_context *context,
			      const struct directory_object *object);
// What an operator should think about; NULL: nothing.
json_t *admin_objects_warnings(const struct directory_object *object);
