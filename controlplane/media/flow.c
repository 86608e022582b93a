// One stream as control sees it: compares what the worker was told with what it should know.
// Runs on: control thread. Never waits; a message is sent whole or stays to be sent.

#include "media/flow.h"

#include <string.h>

#include "base/secret.h"
#include "dataplane/dataplane.h"
#include "media/keys.h"
#include "media/neighbour.h"

// What a lost worker may have sent after its last word: no index of SRTCP is used twice. Those of SRTP
// come with the packets.
#define RTCP_INDEX_MARGIN 1000
#define RTCP_INDEX_MAX ((1u << 31) - 1)

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
		     const struct message_open *open, uint8_t flags,
		     const struct media_key *const keys[static KEY_WAYS])
{
	static const uint8_t secure[KEY_WAYS] = { STREAM_SECURE_ARRIVES, STREAM_SECURE_LEAVES };
	bool is_silenced = flags & STREAM_NO_NEXT_HOP; // hold: nothing may leave, whatever the hop
	flow->wanted = *open;
	flow->flags_wanted = flags;
	for (unsigned way = 0; way < KEY_WAYS; way++) {
		flow->keys_wanted[way] = *keys[way];
		if (keys[way]->suite != SUITE_NONE)
			flow->flags_wanted |= secure[way];
	}
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

static bool is_changed(const struct media_flow *flow)
{
	return flow->has_relearn || flow->flags_sent != flow->flags_wanted ||
	       memcmp(&flow->sent, &flow->wanted, sizeof(flow->sent)) != 0;
}

static bool has_new_key(const struct media_flow *flow, enum key_way way)
{
	return !media_key_is_equal(&flow->keys_sent[way], &flow->keys_wanted[way]);
}

bool media_flow_is_dirty(const struct media_flow *flow)
{
	if (!flow->is_wanted || !flow->is_open)
		return flow->is_wanted != flow->is_open;
	return is_changed(flow) || has_new_key(flow, KEY_ARRIVES) || has_new_key(flow, KEY_LEAVES);
}

unsigned media_flow_room(const struct media_flow *flow)
{
	unsigned count = 2; // CLOSE of a stranger, OPEN
	for (unsigned way = 0; way < KEY_WAYS; way++)
		count += flow->keys_wanted[way].suite != SUITE_NONE ? 2 : 0; // KEY, ROLLOVER
	return count;
}

static bool is_rtcp(const struct media_flow *flow)
{
	return flow->index % MEDIA_PORT_COUNT % 2;
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

// What the worker's view says of the key it has one way. RTCP's sender is RTP's, whose view is beside.
static struct media_past past_of(const struct media_flow *flow, const struct dataplane *dataplane,
				 const struct stream_view *view, enum key_way way)
{
	bool arrives = way == KEY_ARRIVES;
	struct media_past past = { .key = flow->keys_sent[way] };
	struct stream_view rtp;
	if (!is_rtcp(flow)) {
		past.ssrc = view->ssrc;
		past.rollover = arrives ? view->arrives_rollover : view->leaves_rollover;
		past.sequence = arrives ? view->sequence : view->leaves_sequence;
		// On hold packets arrive and none leaves: nothing is known of the key then.
		past.is_used = view->packets > 0 && (past.rollover > 0 || past.sequence > 0);
		return past;
	}
	if (dataplane_stream_read(dataplane, flow->index - 1, &rtp) == OK)
		past.ssrc = rtp.ssrc;
	past.rollover = arrives ? view->arrives_index : view->leaves_index;
	past.is_used = past.rollover > 0;
	return past;
}

// Before other keys take the place of those told last. A worker that saw no packet says nothing new.
static void note_past(const struct media_flow *flow, const struct dataplane *dataplane,
		      struct media_past past[static KEY_WAYS])
{
	struct stream_view view;
	if (flow->generation == 0 || !dataplane ||
	    dataplane_stream_read(dataplane, flow->index, &view) != OK ||
	    view.generation != flow->generation)
		return;
	for (unsigned way = 0; way < KEY_WAYS; way++) {
		if (flow->keys_sent[way].suite == SUITE_NONE)
			continue;
		struct media_past noted = past_of(flow, dataplane, &view, (enum key_way)way);
		if (noted.is_used || !media_key_is_equal(&noted.key, &past[way].key))
			past[way] = noted;
		secret_wipe(&noted, sizeof(noted));
	}
}

static bool send_key(const struct media_flow *flow, struct dataplane *dataplane,
		     uint32_t generation, enum key_way way)
{
	enum key_form form = (enum key_form)dataplane_facts(dataplane)->key_form;
	struct message message = {
		.kind = MESSAGE_STREAM_KEY,
		.stream = { flow->index, generation },
	};
	bool is_sent =
		media_keys_derive(&flow->keys_wanted[way], form, is_rtcp(flow), &message.key);
	message.key.way = (uint8_t)way;
	is_sent = is_sent && dataplane_send(dataplane, &message) == OK;
	secret_wipe(&message, sizeof(message));
	return is_sent;
}

// A key the peer has not stopped using goes on where it was, ROC and all (RFC 3711 3.3.1): here both
// ways' state is told, and what is told of a way without a key yet does nothing.
static bool send_rollover(const struct media_flow *flow, struct dataplane *dataplane,
			  uint32_t generation, const struct media_past past[static KEY_WAYS])
{
	const struct media_past *arrives = &past[KEY_ARRIVES], *leaves = &past[KEY_LEAVES];
	struct message message = {
		.kind = MESSAGE_STREAM_ROLLOVER,
		.stream = { flow->index, generation },
		.rollover = { .ssrc = leaves->is_used ? leaves->ssrc : arrives->ssrc,
			      .arrives = arrives->rollover,
			      .leaves = leaves->rollover,
			      .arrives_sequence = arrives->sequence,
			      .leaves_sequence = leaves->sequence },
	};
	if (is_rtcp(flow))
		message.rollover.leaves = leaves->rollover > RTCP_INDEX_MAX - RTCP_INDEX_MARGIN
						  ? RTCP_INDEX_MAX
						  : leaves->rollover + RTCP_INDEX_MARGIN;
	return dataplane_send(dataplane, &message) == OK;
}

// The keys the worker does not have in that generation: first those that go on, then how far they
// were, then the fresh ones, which that must not touch.
static bool send_keys(struct media_flow *flow, struct dataplane *dataplane, uint32_t generation)
{
	struct media_past past[KEY_WAYS], now[KEY_WAYS];
	bool is_new[KEY_WAYS], goes_on[KEY_WAYS], is_sent = true;
	memcpy(past, flow->past, sizeof(past));
	memcpy(now, flow->past, sizeof(now));
	note_past(flow, dataplane, now);
	for (unsigned way = 0; way < KEY_WAYS; way++) {
		is_new[way] = has_new_key(flow, (enum key_way)way) &&
			      flow->keys_wanted[way].suite != SUITE_NONE;
		goes_on[way] = is_new[way] && past[way].is_used &&
			       media_key_is_equal(&past[way].key, &flow->keys_wanted[way]);
		if (goes_on[way])
			is_sent &= send_key(flow, dataplane, generation, (enum key_way)way);
		else
			past[way] = now[way];
	}
	if (goes_on[KEY_ARRIVES] || goes_on[KEY_LEAVES])
		is_sent = is_sent && send_rollover(flow, dataplane, generation, past);
	for (unsigned way = 0; way < KEY_WAYS; way++)
		if (is_new[way] && !goes_on[way])
			is_sent &= send_key(flow, dataplane, generation, (enum key_way)way);
	if (is_sent) {
		memcpy(flow->past, now, sizeof(flow->past));
		memcpy(flow->keys_sent, flow->keys_wanted, sizeof(flow->keys_sent));
	}
	secret_wipe(past, sizeof(past));
	secret_wipe(now, sizeof(now));
	return is_sent;
}

static bool send_open(struct media_flow *flow, struct dataplane *dataplane, uint32_t *generation)
{
	struct message message = {
		.kind = MESSAGE_STREAM_OPEN,
		.flags = flow->flags_wanted | (flow->has_relearn ? STREAM_RELEARN : 0),
		.stream = { flow->index, *generation },
		.open = flow->wanted,
	};
	if (dataplane_send(dataplane, &message) != OK)
		return false;
	flow->generation = *generation;
	flow->sent = flow->wanted;
	flow->flags_sent = flow->flags_wanted;
	flow->has_relearn = false;
	flow->is_open = true;
	return true;
}

// Keys before the OPEN of their generation, so that nothing leaves in the clear (SRTP-001).
static bool send_difference(struct media_flow *flow, struct dataplane *dataplane,
			    uint32_t *generation)
{
	uint32_t number = flow->generation;
	if (!flow->is_open) {
		media_flow_detach(flow, dataplane);
		if (!clear_slot(flow, dataplane, generation))
			return false;
		number = *generation == UINT32_MAX ? 1 : *generation + 1;
	}
	if (!send_keys(flow, dataplane, number))
		return false;
	if (flow->is_open && !is_changed(flow))
		return true;
	if (!send_open(flow, dataplane, &number))
		return false;
	*generation = number;
	return true;
}

bool media_flow_send(struct media_flow *flow, struct dataplane *dataplane, uint32_t *generation)
{
	if (flow->is_wanted)
		return send_difference(flow, dataplane, generation);
	if (!send_close(flow, dataplane, flow->generation))
		return false;
	flow->is_open = false;
	flow->is_awaited = true;
	return true;
}

static uint16_t add_short(unsigned a, unsigned b)
{
	return a + b > UINT16_MAX ? UINT16_MAX : (uint16_t)(a + b);
}

// What is not a sum is the newer one's, or the extreme of both.
static void add_rtp(struct stream_view *total, const struct stream_view *sum)
{
	total->expected += sum->expected;
	total->silent += sum->silent;
	total->reordered = add_short(total->reordered, sum->reordered);
	total->duplicates = add_short(total->duplicates, sum->duplicates);
	total->ssrc_changes = add_short(total->ssrc_changes, sum->ssrc_changes);
	total->events = add_short(total->events, sum->events);
}

// Of reports the last one counts, whichever generation read it.
static void add_rtcp(struct stream_view *total, const struct stream_view *sum)
{
	if (total->reports == 0) {
		total->peer_lost = sum->peer_lost;
		total->peer_jitter = sum->peer_jitter;
		total->peer_fraction = sum->peer_fraction;
	}
	if (total->round_trip_us == 0)
		total->round_trip_us = sum->round_trip_us;
	total->reports += sum->reports;
	total->generated += sum->generated;
}

static void add_view(const struct media_flow *flow, struct stream_view *sum,
		     const struct stream_view *newer)
{
	struct stream_view total = *newer;
	total.packets += sum->packets;
	total.octets += sum->octets;
	for (unsigned i = 0; i < STREAM_DROP_COUNT; i++)
		total.drops[i] += sum->drops[i];
	unsigned changes = total.payload_changes + sum->payload_changes;
	total.payload_changes = changes > UINT8_MAX ? UINT8_MAX : (uint8_t)changes;
	if (is_rtcp(flow))
		add_rtcp(&total, sum);
	else
		add_rtp(&total, sum);
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
		add_view(flow, out_view, &view);
}

void media_flow_detach(struct media_flow *flow, const struct dataplane *dataplane)
{
	struct stream_view total;
	media_flow_read(flow, dataplane, &total);
	note_past(flow, dataplane, flow->past);
	flow->carried = total;
	flow->carried.is_open = 0;
	flow->generation = 0;
	memset(flow->keys_sent, 0, sizeof(flow->keys_sent));
	flow->is_open = false;
	flow->is_awaited = false;
}

// The worker's word that the former one is closed is about nobody any more.
bool media_flow_restart(struct media_flow *flow, struct dataplane *dataplane,
			const struct stream_view *counted)
{
	if (flow->is_open && !send_close(flow, dataplane, flow->generation))
		return false;
	media_flow_detach(flow, dataplane);
	flow->carried = *counted;
	flow->carried.is_open = 0;
	return true;
}
