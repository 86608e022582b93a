#pragma once

// One direction of messages between two processes: a ring of 64-octet values in shared memory, one
// producer, one consumer. Its size is a constant and each side trusts only its own position, so that
// nothing the other process writes can lead outside the ring (which rte_ring, keeping its mask in
// the same memory, could not promise).
// Runs on: mailbox_put on the producer's thread, mailbox_take on the consumer's.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"
#include "dataplane/message.h"

#define MAILBOX_SIZE 65536 // a whole restart's streams fit; a power of two

struct mailbox {
	_Alignas(64) _Atomic uint32_t put; // producer writes: messages put in all
	_Alignas(64) _Atomic uint32_t taken; // consumer writes: messages taken in all
	_Alignas(64) struct message messages[MAILBOX_SIZE];
};

struct mailbox_end { // one side's private view
	struct mailbox *mailbox;
	uint32_t position; // of the next message to put or take
};

// Room for the producer; 0 also when the other side's position is nonsense.
static inline uint32_t mailbox_room(const struct mailbox_end *end)
{
	uint32_t used =
		end->position - atomic_load_explicit(&end->mailbox->taken, memory_order_acquire);
	return used > MAILBOX_SIZE ? 0 : MAILBOX_SIZE - used;
}

static inline bool mailbox_put(struct mailbox_end *end, const struct message *message)
{
	if (mailbox_room(end) == 0)
		return false;
	end->mailbox->messages[end->position % MAILBOX_SIZE] = *message;
	end->position++;
	atomic_store_explicit(&end->mailbox->put, end->position, memory_order_release);
	return true;
}

// A position that cannot be true is believed to the point of starting again there, empty. A secret is wiped
// before the producer may fill its place again, or it would lie there until the ring came round.
static inline bool mailbox_take(struct mailbox_end *end, struct message *out_message)
{
	uint32_t put = atomic_load_explicit(&end->mailbox->put, memory_order_acquire);
	uint32_t waiting = put - end->position;
	if (waiting == 0)
		return false;
	bool is_sane = waiting <= MAILBOX_SIZE;
	struct message *place = &end->mailbox->messages[end->position % MAILBOX_SIZE];
	if (is_sane)
		*out_message = *place;
	if (is_sane && message_is_secret(out_message))
		secret_wipe(place, sizeof(*place));
	end->position = is_sane ? end->position + 1 : put;
	atomic_store_explicit(&end->mailbox->taken, end->position, memory_order_release);
	return is_sane;
}

// A new process continues where the one before it stopped.
static inline struct mailbox_end mailbox_producer(struct mailbox *mailbox)
{
	return (struct mailbox_end){ mailbox, atomic_load(&mailbox->put) };
}

static inline struct mailbox_end mailbox_consumer(struct mailbox *mailbox)
{
	uint32_t put = atomic_load(&mailbox->put);
	uint32_t taken = atomic_load(&mailbox->taken);
	if (put - taken > MAILBOX_SIZE)
		taken = put;
	atomic_store(&mailbox->taken, taken);
	return (struct mailbox_end){ mailbox, taken };
}
