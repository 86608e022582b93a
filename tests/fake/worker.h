#pragma once

// The worker's own stream table behind the fake door: messages are read when the test says so, and
// refused as a worker refuses them. No packet comes here.
// Runs on: the thread of the test.

#include <stdbool.h>
#include <stdint.h>

struct dataplane;
struct fake_worker;

struct fake_worker_stream {
	bool is_open, has_reverse;
	uint8_t flags; // enum message_flag
	uint16_t source_port, destination_port, out_port;
	uint32_t reverse_index; // of the stream that comes back
};

// The fake dataplane's one worker; what that did to the slots until now must be nothing.
struct fake_worker *fake_worker_create(struct dataplane *dataplane);
void fake_worker_destroy(struct fake_worker *worker);
void fake_worker_poll(struct fake_worker *worker); // messages in, events out
unsigned fake_worker_refused(const struct fake_worker *worker); // messages since the start
unsigned fake_worker_open_count(const struct fake_worker *worker);
void fake_worker_read(const struct fake_worker *worker, uint32_t index,
		      struct fake_worker_stream *out_stream);
