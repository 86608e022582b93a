// Histograms of the load generators. Runs on the generator's thread; never allocates.

#include "histogram.h"

static unsigned bucket_of(uint64_t value)
{
	if (value < 32)
		return (unsigned)value;
	unsigned power = 63 - (unsigned)__builtin_clzll(value);
	return (power - 4) * 32 + (unsigned)(value >> (power - 5) & 31);
}

static uint64_t value_of(unsigned bucket)
{
	return bucket < 32 ? bucket : (uint64_t)(32 + bucket % 32) << (bucket / 32 - 1);
}

void histogram_add(struct histogram *histogram, uint64_t length_ns)
{
	histogram->counts[bucket_of(length_ns)]++;
	histogram->count++;
	if (length_ns > histogram->longest_ns)
		histogram->longest_ns = length_ns;
}

double histogram_us(const struct histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)histogram->count), seen = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen > wanted)
			return (double)value_of(i) / 1e3;
	}
	return (double)histogram->longest_ns / 1e3;
}
