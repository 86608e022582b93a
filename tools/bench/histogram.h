#pragma once

// How long things took: 32 linear buckets to each power of two, so within 3 % at any length.
// Runs on: any thread; each histogram belongs to its caller. Never allocates.

#include <stdint.h>

#define HISTOGRAM_BUCKETS 2048

struct histogram {
	uint64_t count, longest_ns;
	uint32_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t length_ns);
// What a share of them (0.99) stayed below; 0 when there are none.
double histogram_us(const struct histogram *histogram, double share);
