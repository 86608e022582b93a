#pragma once

// Whether this node shares the limits of calls with others, and what it is called among them.
// Runs on: any thread; pure.

#include <stdbool.h>
#include <stddef.h>

struct config;

bool config_shares_limits(const struct config *config);
// Every node may have the same name; no two have the same address.
void config_write_identity(const struct config *config, char *room, size_t size);
