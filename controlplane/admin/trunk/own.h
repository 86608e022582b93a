#pragma once

// Carriers and Origination URIs that are ourselves: a mistake nearly always, and seen late, since such calls
// go round or nowhere. Nodes that call each other in a laboratory mean it, so it is a warning.
// Runs on: control thread.

struct admin_context;
struct directory_object;

// What to tell of it; NULL: nothing.
const char *admin_trunk_warn_own(const struct admin_context *context,
				 const struct directory_object *object);
