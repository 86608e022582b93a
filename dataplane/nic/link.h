#pragma once

// What the kernel interface beside the dataplane needs: up, addresses, default route. rtnetlink.
// Runs on: main, at start.

#include <stdbool.h>
#include <stdint.h>

struct address;
struct prefix;

// false: errno says why.
bool nic_link_up(const char *interface);
bool nic_link_set_mtu(const char *interface, uint32_t mtu);
uint32_t nic_link_mtu(const char *interface); // 0: not known
// Received packets reach us as they came, not merged into larger ones (GRO, LRO).
void nic_link_stop_merging(const char *interface);
bool nic_link_add_address(const char *interface, const struct prefix *prefix);
bool nic_link_add_gateway(const char *interface, const struct address *gateway);
