#pragma once

// Whether what was drawn follows its weights. Bounds for tests of 10,000 draws that must not fail by
// chance: with 1, 2, 3 and 4 degrees of freedom (one less than what may be drawn) 18, 20, 22 and 24 are
// exceeded once in 45,000, 22,000, 15,000 and 12,000 runs.
// Runs on: the thread of the test.

#define DRAWS 10000

static inline double chi_square(const unsigned *seen, const double *expected, unsigned count)
{
	double sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += (seen[i] - expected[i]) * (seen[i] - expected[i]) / expected[i];
	return sum;
}
