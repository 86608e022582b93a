#pragma once

// Objects of the directory as JSON.
// Runs on: control thread.

#include <jansson.h>

struct admin_context;
struct admin_request;
struct directory_object;

// The object of the request's kind that its first argument names, by SID or unique name. NULL: the request
// has been refused.
const struct directory_object *admin_objects_find(struct admin_request *request);

// Every field but the hidden ones (AUTH-019); references also by name.
json_t *admin_objects_to_json(const struct admin_context *context,
			      const struct directory_object *object);
// One of them, by its row of the schema.
void admin_objects_set_field(const struct admin_context *context, json_t *json,
			     const struct directory_object *object, unsigned row);
// What an operator should think about; NULL: nothing.
json_t *admin_objects_warnings(const struct admin_context *context,
			       const struct directory_object *object);
