#pragma once

// The door of the control thread for new calls by UDP in overload, on a thread of its own: they come to a
// second socket of the same address (sip/guard/steer.h). As many as the control thread takes are let in and
// wait for it in a queue, which is never empty and never long; known callers hear 503 with Retry-After
// otherwise, so that they neither wait nor repeat. The door works at a low priority; what it cannot do is
// lost in its sockets, and counted.
// Runs on: control thread, but for the thread itself.

#include "base/status.h"
#include "sip/door/queue.h"
#include "sip/guard/apart.h"

struct sip_transport_counters;

#define SIP_DOOR_SOCKETS_MAX 64

struct sip_door;

// Both must outlive it. Of the counters it writes those of the door alone.
enum status sip_door_create(struct sip_guard_apart *apart, struct sip_transport_counters *counters,
			    struct sip_door **out_door);
// A socket that shares `fd`'s address, bound just now; local is that. false: the kernel would not; all goes
// on without. Only before the start.
bool sip_door_add(struct sip_door *door, int fd, const struct address *local);
enum status sip_door_start(struct sip_door *door);
// The queue that the control thread empties, by sip_door_take.
struct sip_door_queue *sip_door_queue_of(struct sip_door *door);
// The octets are valid until the next is taken. False: there is none.
bool sip_door_take(struct sip_door *door, struct sip_door_datagram *out_datagram);
void sip_door_destroy(struct sip_door *door); // stops it; NULL is harmless
