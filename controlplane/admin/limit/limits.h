#pragma once

// The limits' part of `status`.
// Runs on: control thread.

#include <jansson.h>

struct calls;
struct store;

json_t *admin_limits_status(const struct calls *calls, const struct store *store);
