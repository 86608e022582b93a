#pragma once

// The cable and the way to the kernel, as queues of packets: one pair of queues per worker on each.
// Runs on: main starts and stops; nic_receive and nic_send on the worker that owns the queue.

#include <stdbool.h>
#include <stdint.h>

struct nic;
struct options;
struct packet_rules;
struct rte_mbuf;

enum nic_side { NIC_WIRE, NIC_KERNEL, NIC_SIDES };

// Starts DPDK, the port and, where the driver needs it, the TAP. NULL: said on stderr what to do.
struct nic *nic_start(const struct options *options);
void nic_stop(struct nic *nic); // after the workers; NULL is harmless

// What the parser has to know of the port and the options.
void nic_rules(const struct nic *nic, const struct options *options,
	       struct packet_rules *out_rules);
const char *nic_interface(const struct nic *nic); // the kernel's, "" when there is none
bool nic_has_kernel(const struct nic *nic); // NIC_KERNEL can be used
bool nic_has_huge_pages(const struct nic *nic);
bool nic_is_steered(const struct nic *nic); // the card brings packets to their owner's queue

// A thread of its own for each worker, on its core. nic_join waits for all of them.
bool nic_launch(struct nic *nic, unsigned worker, int (*run)(void *), void *argument);
void nic_join(struct nic *nic);

// An empty one for a packet of our own, with room for headers in front. NULL: none left.
struct rte_mbuf *nic_take_buffer(const struct nic *nic);
unsigned nic_receive(struct nic *nic, enum nic_side side, unsigned queue,
		     struct rte_mbuf **out_buffers, unsigned max);
// How many were taken, the first ones; the rest stay the caller's.
unsigned nic_send(struct nic *nic, enum nic_side side, unsigned queue, struct rte_mbuf **buffers,
		  unsigned count);
