#pragma once

// Our XDP program, made ready for this machine's media addresses.
// Runs on: main, at start.

#include <stdbool.h>

struct options;

#define NIC_XDP_PATH_SIZE 32

// A path under which DPDK can open the program; valid while *out_fd is open. One left attached by a
// process that was killed is taken off, a stranger's is not. false: said on stderr what to do.
bool nic_xdp_prepare(const char *interface, const struct options *options,
		     char out_path[static NIC_XDP_PATH_SIZE], int *out_fd);
