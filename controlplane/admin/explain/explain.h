#pragma once

// Explanations as JSON, and changes that are only tried.
// Runs on: control thread.

#include <jansson.h>

#include "admin/admin.h"
#include "call/explain/explain.h"
#include "directory/object.h"

json_t *admin_explain_to_json(const struct explanation *explanation,
			      const struct sip_message *invite);
// Makes the change "add|change|remove KIND …" in that directory, which is a copy.
enum status admin_explain_try(const struct admin_context *context, struct directory *copy,
			      const struct text *words, unsigned count,
			      struct directory_problem *out_problem);
