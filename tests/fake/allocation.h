#pragma once

// Allocation n fails: link with allocation_dep, and what the tested code asks of the heap can be
// refused at will. The usual loop runs the same steps with n = 1, 2, 3 … until none fails any more.
// Runs on: the thread of the test; threads it starts share the count.

#include <stdbool.h>

void allocation_fail_at(unsigned number); // the number-th from now fails, once; 0: none does
bool allocation_has_failed(void); // since allocation_fail_at
