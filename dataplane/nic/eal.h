#pragma once

// DPDK's environment, started from our options instead of its own arguments.
// Runs on: main.

#include <stdbool.h>

struct nic_driver;
struct options;

// Worker n runs on DPDK's lcore n + 1. false: said on stderr what to do.
bool nic_eal_start(const struct options *options, const struct nic_driver *driver,
		   const char *argument, bool *out_has_huge_pages);
void nic_eal_stop(void);
// What DPDK said so far goes to stderr, or is forgotten. From here on it writes there itself.
void nic_eal_release_log(bool is_wanted);
