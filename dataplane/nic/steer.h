#pragma once

// Flow rules that bring a packet to the queue of the worker that owns its port, where the card can do
// that. Without them it comes to any queue and is handed over, which is counted.
// Runs on: main, after the port has started. The blocks are pure.

#include <stdbool.h>
#include <stdint.h>

struct packet_rules;

#define STEER_BLOCKS_MAX 1024

// Ports p with (p & mask) == port are one worker's: what a card can match in a single rule.
struct steer_block {
	uint16_t port, mask; // host order
	uint16_t worker;
};

// The media ports, cut at the borders between workers and then into such blocks. Their number.
unsigned steer_blocks(unsigned workers, struct steer_block out_blocks[static STEER_BLOCKS_MAX]);
// One rule per media address and block, or none at all. false: the card does not take them.
bool steer_install(uint16_t port, unsigned workers, const struct packet_rules *rules);
