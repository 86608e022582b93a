#pragma once

// The dataplane's door (dataplane/dataplane.h) without a dataplane: records what control sends, does
// to the stream slots what a worker would, and lets a test say what workers tell.
// Runs on: the thread of the test.

#include <stdbool.h>

#include "dataplane/dataplane.h"

#define FAKE_ROOM_ENDLESS UINT32_MAX

struct fake_key { // of one way of a stream
	uint32_t generation; // 0: none
	unsigned count; // of keys in that generation
	bool has_rollover; // told since the key
	struct message_key key;
	struct message_rollover rollover;
};

// Addresses as text, "192.0.2.1"; ends with NULL.
struct dataplane *fake_dataplane_create(unsigned worker_count, const char *const *addresses);
// "fake" that wants session keys, at first. "" or "off": none.
void fake_dataplane_set_engine(struct dataplane *dataplane, const char *name, enum key_form form);
void fake_dataplane_set_room(struct dataplane *dataplane,
			     unsigned room); // left; each message takes one
// False: messages are recorded only, and no slot changes (a worker that hangs). True is the default.
void fake_dataplane_set_alive(struct dataplane *dataplane, bool is_alive);
unsigned fake_dataplane_sent_count(const struct dataplane *dataplane);
const struct message *fake_dataplane_sent(const struct dataplane *dataplane, unsigned number);
void fake_dataplane_forget_sent(struct dataplane *dataplane);
// What it was told to send as telephone events from that stream since it was asked last, one behind the
// other; how long the last one is held.
unsigned fake_dataplane_take_digits(struct dataplane *dataplane, uint32_t index, char *room,
				    size_t room_size);
// The last OPEN of a stream still recorded; NULL: none.
const struct message *fake_dataplane_last_open(const struct dataplane *dataplane, uint32_t index);
// What an open stream has; NULL: no key of its generation.
const struct fake_key *fake_dataplane_key(const struct dataplane *dataplane, uint32_t index,
					  enum key_way way);
// OPENs that spoke of SRTP before its key was there, ROLLOVERs without one.
unsigned fake_dataplane_unkeyed_count(const struct dataplane *dataplane);
struct stream_view *fake_dataplane_view(struct dataplane *dataplane, uint32_t index);
unsigned fake_dataplane_open_count(const struct dataplane *dataplane); // slots open now
// What a worker tells of a stream in its present generation; learned may be NULL.
void fake_dataplane_tell(struct dataplane *dataplane, enum message_kind kind, uint32_t index,
			 const struct address *learned);
// As a worker wrote it.
void fake_dataplane_tell_message(struct dataplane *dataplane, const struct message *message);
