// A ring, and rooms beside it that are used in turn.

#include "sip/door/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/ring.h"

#define COUNT SIP_GUARD_WAITING_MAX
#define ROOMS (COUNT + 1) // what was taken last stays while the ring fills

struct sip_door_queue {
	struct ring *ring;
	uint32_t next; // room, to be filled
	char rooms[ROOMS][SIP_DOOR_ROOM];
};

struct sip_door_queue *sip_door_queue_create(void)
{
	struct sip_door_queue *queue = memory_take(sizeof(*queue));
	if (queue == NULL)
		return NULL;
	queue->ring = ring_create(sizeof(struct sip_door_datagram), COUNT);
	if (queue->ring == NULL) {
		memory_give(queue, sizeof(*queue));
		return NULL;
	}
	return queue;
}

void sip_door_queue_destroy(struct sip_door_queue *queue)
{
	if (queue == NULL)
		return;
	ring_destroy(queue->ring);
	memory_give(queue, sizeof(*queue));
}

bool sip_door_queue_put(struct sip_door_queue *queue, const struct sip_door_datagram *datagram)
{
	struct sip_door_datagram kept = *datagram;
	char *room = queue->rooms[queue->next];
	if (kept.octets.size > SIP_DOOR_ROOM || ring_length(queue->ring) == COUNT)
		return false;
	memcpy(room, kept.octets.data, kept.octets.size);
	kept.octets.data = room;
	if (!ring_put(queue->ring, &kept))
		return false;
	queue->next = (queue->next + 1) % ROOMS;
	return true;
}

unsigned sip_door_queue_length(const struct sip_door_queue *queue)
{
	return (unsigned)ring_length(queue->ring);
}

bool sip_door_queue_take(struct sip_door_queue *queue, struct sip_door_datagram *out_datagram)
{
	return ring_take(queue->ring, out_datagram);
}

int sip_door_queue_fd(const struct sip_door_queue *queue)
{
	return ring_fd(queue->ring);
}

void sip_door_queue_quiet(struct sip_door_queue *queue)
{
	ring_quiet(queue->ring);
	if (ring_length(queue->ring) > 0) // came meanwhile
		ring_rouse(queue->ring);
}
