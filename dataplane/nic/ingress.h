#pragma once

// Cuts a kernel interface's own input off, where the dataplane reads it beside the kernel: without
// this the kernel would answer everything a second time. An nft table of ours on its ingress.
// Runs on: main, at start and at the end.

#include <stdbool.h>

// One left over by a process that was killed is replaced. false: said on stderr what to do.
bool nic_ingress_cut(const char *interface);
void nic_ingress_restore(const char *interface);
