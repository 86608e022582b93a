#pragma once

// Explanations as JSON, and changes that are only tried.
// Runs on: control thread.

#include <jansson.h>

#include "admin/admin.h"
#include "call/explain/explain.h"
#include "call/explain/invite.h"
#include "directory/object.h"

struct admin_request;

json_t *admin_explain_to_json(const struct explanation *explanation,
			      const struct sip_message *invite);
// The INVITE that the words make; NULL: no memory, or the problem says which word is wrong.
json_t *admin_explain_words(struct admin_request *request, const struct explain_words *words,
			    bool takes_digest, struct explain_problem *out_problem);
// Makes the change "add|change|remove KIND …" in that directory, which is a copy.
enum status admin_explain_try(const struct admin_context *context, struct directory *copy,
			      const struct text *words, unsigned count,
			      struct directory_problem *out_problem);
