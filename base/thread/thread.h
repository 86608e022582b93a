#pragma once

// A thread beside the control thread: named, so that it is known in ps and top, and without signals, which
// are the control thread's.
// Runs on: any thread.

#include <pthread.h>

#include "base/status.h"

// name: what it is for, at most 8 letters; shown as trunkd-NAME. ERR_SYSTEM: there is none.
enum status thread_start(pthread_t *out_thread, const char *name, void *(*run)(void *context),
			 void *context);
