// One stream as control sees it: compares what the worker was told with what it should know.
// Runs on: control thread. Never waits; a message is sent whole or stays to be sent.

#include "media/flow.h"

#include <string.h>

#include "dataplane/dataplane.h"
#include "media/neighbour.h"

void media_flow_init(struct media_flow *flow)
{
	*flow = (struct media_flow){ .carried = { .ttl_lowest = UINT8_MAX } };
}

void media_flow_give_hop(struct media_flow *flow, struct neighbours *neighbours)
{
	if (neighbours && flow->hop.family != ADDRESS_NONE)
		neighbour_give(neighbours, &flow->hop);
	flow->hop = (struct address){ 0 };
}

// The next hop goes into `wanted`; zeroes and a flag while it is unknown.
static void set_hop(struct media_flow *flow, bool is_known, const uint8_t mac[static 6])
{
	static const uint8_t none[6];
	if (is_known)
		flow->flags_wanted &= (uint8_t)~STREAM_NO_NEXT_HOP;
	else
		flow->flags_wanted |= STREAM_NO_NEXT_HOP;
	memcpy(flow->wanted.next_hop, is_known ? mac : none, sizeof(none));
}

static void take_hop(struct media_flow *flow, struct neighbours *neighbours)
{
	struct address hop = flow->wanted.destination;
	uint8_t mac[6] = { 0 };
	hop.port = 0;
	if (flow->hop.family != ADDRESS_NONE && address_is_equal(&hop, &flow->hop)) {
		media_flow_refresh(flow, neighbours);
		return;
	}
	media_flow_give_hop(flow, neighbours);
	bool is_known = neighbours && neighbour_take(neighbours, &hop, mac);
	if (neighbours)
		flow->hop = hop;
	set_hop(flow, is_known, mac);
}

void media_flow_want(struct media_flow *flow, struct neighbours *neighbours,
		     const struct message_open *open, uint8_t flags)
{
	bool is_silenced = flags & STREAM_NO_NEXT_HOP; // hold: nothing may leave, whatever the hop
	flow->wanted = *open;
	flow->flags_wanted = flags;
	flow->is_wanted = true;
	if (is_silenced) {
		media_flow_give_hop(flow, neighbours);
		set_hop(flow, false, (const uint8_t[6]){ 0 });
	} else {
		take_hop(flow, neighbours);
	}
}

void media_flow_want_closed(struct media_flow *flow, struct neighbours *neighbours)
{
	media_flow_give_hop(flow, neighbours);
	flow->is_wanted = false;
	flow->has_relearn = false;
}

void media_flow_refresh(struct media_flow *flow, const struct neighbours *neighbours)
{
	uint8_t mac[6] = { 0 };
	if (flow->hop.family != ADDRESS_NONE && flow->is_wanted)
		set_hop(flow, neighbours && neighbour_find(neighbours, &flow->hop, mac), mac);
}

bool media_flow_is_dirty(const struct media_flow *flow)
{
	if (!flow->is_wanted || !flow->is_open)
		return flow->is_wanted != flow->is_open;
	return flow->has_relearn || flow->flags_sent != flow->flags_wanted ||
	       memcmp(&flow->sent, &flow->wanted, sizeof(flow->sent)) != 0;
}

static bool send_close(const struct media_flow *flow, struct dataplane *dataplane,
		       uint32_t generation)
{
	struct message message = {
		.kind = MESSAGE_STREAM_CLOSE,
		.stream = { flow->index, generation },
	};
	return dataplane_send(dataplane, &message) == OK;
}

// The slot may have been used by a former process whose last message was read only after we looked,
// and a worker refuses to open what another still has open: so look again, and close that first.
static bool clear_slot(const struct media_flow *flow, struct dataplane *dataplane,
		       uint32_t *generation)
{
	struct stream_view view;
	if (dataplane_stream_read(dataplane, flow->index, &view) != OK)
		return false;
	if (view.is_open && view.generation > *generation &&
	    !send_close(flow, dataplane, view.generation))
		return false;
	if (view.generation > *generation)
		*generation = view.generation;
	return true;
}

static bool send_open(struct media_flow *flow, struct dataplane *dataplane, uint32_t *generation)
{
	uint32_t number = flow->generation;
	if (!flow->is_open) {
		if (!clear_slot(flow, dataplane, generation))
			return false;
		number = *generation == UINT32_MAX ? 1 : *generation + 1;
	}
	struct message message = {
		.kind = MESSAGE_STREAM_OPEN,
		.flags = flow->flags_wanted | (flow->has_relearn ? STREAM_RELEARN : 0),
		.stream = { flow->index, number },
		.open = flow->wanted,
	};
	if (dataplane_send(dataplane, &message) != OK)
		return false;
	*generation = flow->generation = number;
	flow->sent = flow->wanted;
	flow->flags_sent = flow->flags_wanted;
	flow->has_relearn = false;
	flow->is_open = true;
	return true;
}

bool media_flow_send(struct media_flow *flow, struct dataplane *dataplane, uint32_t *generation)
{
	if (flow->is_wanted) {
		if (!flow->is_open)
			media_flow_detach(flow, dataplane);
		return send_open(flow, dataplane, generation);
	}
	if (!send_close(flow, dataplane, flow->generation))
		return false;
	flow->is_open = false;
	flow->is_awaited = true;
	return true;
}

// What is not a sum is the newer one's, or the extreme of both.
static void add_view(struct stream_view *sum, const struct stream_view *newer)
{
	struct stream_view total = *newer;
	total.packets += sum->packets;
	total.octets += sum->octets;
	for (unsigned i = 0; i < STREAM_DROP_COUNT; i++)
		total.drops[i] += sum->drops[i];
	total.expected += sum->expected;
	total.reordered += sum->reordered;
	total.duplicates += sum->duplicates;
	total.ssrc_changes = (uint16_t)(total.ssrc_changes + sum->ssrc_changes);
	total.events = (uint16_t)(total.events + sum->events);
	if (sum->ttl_lowest < total.ttl_lowest)
		total.ttl_lowest = sum->ttl_lowest;
	if (sum->packets > 0)
		total.first_ns = sum->first_ns;
	if (total.last_ns < sum->last_ns)
		total.last_ns = sum->last_ns;
	*sum = total;
}

void media_flow_read(const struct media_flow *flow, const struct dataplane *dataplane,
		     struct stream_view *out_view)
{
	struct stream_view view;
	*out_view = flow->carried;
	if (flow->generation != 0 && dataplane &&
	    dataplane_stream_read(dataplane, flow->index, &view) == OK &&
	    view.generation == flow->generation)
		add_view(out_view, &view);
}

void media_flow_detach(struct media_flow *flow, const struct dataplane *dataplane)
{
	struct stream_view total;
	media_flow_read(flow, dataplane, &total);
	flow->carried = total;
	flow->carried.is_open = 0;
	flow->generation = 0;
	flow->is_open = false;
	flow->is_awaited = false;
}
