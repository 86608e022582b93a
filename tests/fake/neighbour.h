#pragma once

// Next hops without a kernel: every destination is known and has FAKE_NEIGHBOUR_MAC, until a test
// says otherwise. neighbours_stop checks that each reference taken was given back.
// Runs on: the thread of the test.

#include "media/neighbour.h"

#define FAKE_NEIGHBOUR_MAC ((const uint8_t[6]){ 0x02, 0, 0, 0, 0, 0x01 })

// All destinations have this Ethernet address now (NULL: none is known), and those who asked are told.
void fake_neighbours_set(struct neighbours *neighbours, const uint8_t *mac);
unsigned fake_neighbours_references(const struct neighbours *neighbours);
