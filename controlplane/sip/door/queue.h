#pragma once

// Datagrams that the door has let in, in the order of their arrival.
// Runs on: the door's thread puts, the control thread takes.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"
#include "base/text.h"
#include "sip/guard/steer.h"
#include "sip/guard/waiting.h"

#define SIP_DOOR_ROOM SIP_GUARD_STEER_MAX // octets of one

struct sip_door_datagram {
	struct text octets;
	struct address local, remote;
	uint64_t arrived_ns; // of CLOCK_REALTIME
	uint64_t queued_us; // of the loop's clock
};

struct sip_door_queue;

struct sip_door_queue *sip_door_queue_create(void); // NULL: no memory
void sip_door_queue_destroy(struct sip_door_queue *queue); // NULL is harmless
// False: there is no room, or none for so many octets.
bool sip_door_queue_put(struct sip_door_queue *queue, const struct sip_door_datagram *datagram);
unsigned sip_door_queue_length(const struct sip_door_queue *queue);
// The octets are valid until the next is taken. False: there is none.
bool sip_door_queue_take(struct sip_door_queue *queue, struct sip_door_datagram *out_datagram);
int sip_door_queue_fd(const struct sip_door_queue *queue); // readable while something waits
// None was left: the fd is readable when there is one again.
void sip_door_queue_quiet(struct sip_door_queue *queue);
