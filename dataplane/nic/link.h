#pragma once

// What the kernel interface beside the dataplane needs: up, addresses, default route. rtnetlink.
// Runs on: main, at start.

#include <stdbool.h>
#include <stdint.h>

struct address;
struct prefix;

// false: errno says why.
bool nic_link_up(const char *interface);
bool nic_link_add_address(const char *interface, const struct prefix *prefix);
bool nic_link_add_gateway(const char *interface, const struct address *gateway);
