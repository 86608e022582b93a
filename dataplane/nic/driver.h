#pragma once

// What the port can be: one row per driver.
// Runs on: main; constant.

#include <stdbool.h>

#include "base/text.h"

enum nic_driver_kernel { // how the kernel gets what is not media
	NIC_DRIVER_TAP, // through a TAP of the same MAC
	NIC_DRIVER_TAP_CUT, // so too, and its own copy is dropped at the interface
	NIC_DRIVER_XDP, // it keeps the interface; our XDP program takes media alone
	NIC_DRIVER_FILES, // through two more files, when named
	NIC_DRIVER_NOTHING,
};

struct nic_driver_request {
	const char *argument; // behind the colon
	unsigned queues;
	const char *program; // path of the XDP program, or NULL
};

struct nic_driver {
	const char *name; // before the colon
	const char *device; // DPDK's virtual device; NULL: PCI
	enum nic_driver_kernel kernel;
	bool verifies_udp_checksum; // where the choice is left to us
	bool takes_interface; // the argument names a kernel interface
	// The arguments of the virtual device; false: the argument has not the form it must have.
	bool (*write)(const struct nic_driver_request *request, struct writer *writer);
};

// NULL: no such form; said on stderr.
const struct nic_driver *nic_driver_find(const char *port, const char **out_argument);
// "pcap:RX,TX,KERNEL_RX,KERNEL_TX": the kernel's half; false: not named.
bool nic_driver_write_kernel_files(const char *argument, unsigned queues, struct writer *writer);
