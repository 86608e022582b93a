// From what both sides said to what the workers should do: four streams per call, RTP and RTCP arriving
// from each side, each leaving from the other side's port to where that side listens.
// Runs on: control thread. Sends a call's messages together or not yet; loses none.

#include "dataplane/dataplane.h"
#include "media/engine.h"

// Where packets for that side go: where it says it listens (MEDIA-007, -012), or where its own come
// from when that is learned (MEDIA-008). Unspecified: nowhere, it holds.
static struct address destination_of(const struct media_leg *leg, unsigned kind)
{
	if (address_is_unspecified(&leg->current.rtp))
		return leg->current.rtp;
	if (leg->current.is_muxed) // its RTCP goes with its RTP (RFC 5761)
		kind = 0;
	if (leg->is_symmetric && leg->learned[kind].family != ADDRESS_NONE)
		return leg->learned[kind];
	return kind == 0 ? leg->current.rtp : leg->current.rtcp;
}

// What was learned of a leg stands in two streams: as the source of what arrives from it, as the
// destination of what leaves for it.
static void forget_learned(struct media *media, enum media_side side)
{
	struct media_leg *leg = &media->legs[side], *other = &media->legs[!side];
	for (unsigned kind = 0; kind < 2; kind++) {
		leg->learned[kind] = (struct address){ 0 };
		leg->flows[kind].has_relearn = leg->flows[kind].is_open;
		if (leg->planned_symmetric)
			other->flows[kind].has_relearn |= other->flows[kind].is_open;
	}
}

// A side that says something new about its address or payload types is learned anew.
static void notice_change(struct media *media, enum media_side side)
{
	struct media_leg *leg = &media->legs[side];
	const struct media_offer *said = &leg->current;
	if (address_is_unspecified(&said->rtp) ||
	    (address_is_equal(&said->rtp, &leg->planned_rtp) &&
	     said->event_type == leg->planned_event_type &&
	     leg->is_symmetric == leg->planned_symmetric))
		return;
	forget_learned(media, side);
	leg->planned_rtp = said->rtp;
	leg->planned_event_type = said->event_type;
	leg->planned_symmetric = leg->is_symmetric;
}

// What a side sends with the number we told it leaves with the one the other side told us (DTMF-003).
// The worker is told when both are the same, too: it drops what is neither PCMU nor this. One of them
// alone: events of ours may leave, or what comes is heard and does not leave.
static void map_payload(const struct media_leg *from, const struct media_leg *to,
			struct message_open *open)
{
	open->payload_out = to->current.event_type;
	if (to->current.event_type != PAYLOAD_TYPE_NONE || to->is_told_digits)
		open->payload_in = from->session.event_type;
}

// What arrives from a side is under its key, what leaves for it under ours.
static void plan_keys(const struct media_leg *from, const struct media_leg *to,
		      const struct media_key *out_keys[static KEY_WAYS])
{
	static const struct media_key none = { .suite = SUITE_NONE };
	bool is_secure = to->current.crypto.key.suite != SUITE_NONE;
	out_keys[KEY_ARRIVES] = &from->current.crypto.key;
	out_keys[KEY_LEAVES] = is_secure ? &to->session.own.key : &none;
}

static void plan_flow(struct media *media, enum media_side side, unsigned kind)
{
	struct neighbours *neighbours = media->engine->neighbours;
	struct media_leg *from = &media->legs[side], *to = &media->legs[!side];
	struct media_flow *flow = &from->flows[kind];
	uint8_t flags = from->is_symmetric ? STREAM_SYMMETRIC : 0;
	struct message_open open = {
		.source = kind == 0 || from->current.is_muxed ? from->current.rtp
							      : from->current.rtcp,
		.destination = destination_of(to, kind),
		.out_index = to->rtp_index + kind,
		.payload_in = PAYLOAD_TYPE_NONE,
		.payload_out = PAYLOAD_TYPE_NONE,
	};
	const struct media_key *keys[KEY_WAYS];
	plan_keys(from, to, keys);
	open.source.port = 0; // any port of that host
	if (kind == 0)
		map_payload(from, to, &open);
	else
		flags |= STREAM_IS_RTCP | STREAM_ANY_PORT |
			 (to->current.is_muxed ? STREAM_MUXED : 0);
	// Hold in the old form names no address: what was known stays, and nothing leaves for it.
	if (address_is_unspecified(&open.source))
		open.source = flow->is_wanted ? flow->wanted.source : (struct address){ 0 };
	if (address_is_unspecified(&open.destination)) {
		open.destination =
			flow->is_wanted ? flow->wanted.destination : (struct address){ 0 };
		flags |= STREAM_NO_NEXT_HOP;
	}
	if (open.source.family == ADDRESS_NONE || open.destination.family == ADDRESS_NONE)
		media_flow_want_closed(flow, neighbours);
	else
		media_flow_want(flow, neighbours, &open, flags, keys);
}

void media_plan(struct media *media)
{
	bool is_connected = media->state == MEDIA_OPEN && !media->is_stranded;
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		is_connected = is_connected && media->legs[side].current.line_count > 0;
	for (unsigned side = 0; is_connected && side < MEDIA_SIDES; side++)
		notice_change(media, (enum media_side)side);
	for (unsigned i = 0; i < MEDIA_SIDES * 2; i++) {
		if (is_connected)
			plan_flow(media, (enum media_side)(i / 2), i % 2);
		else
			media_flow_want_closed(&media->legs[i / 2].flows[i % 2],
					       media->engine->neighbours);
	}
}

static void wait_for_room(struct media *media, unsigned count)
{
	if (media->is_waiting)
		return;
	counter_add(&media->engine->counters.inbox_full, count);
	TAILQ_INSERT_TAIL(&media->engine->waiting, media, waiting);
	media->is_waiting = true;
}

// The two legs share a worker, unless the dataplane came back with another number of them.
static bool has_room(const struct media *media, unsigned count)
{
	const struct dataplane *dataplane = media->engine->options.dataplane;
	return dataplane_room(dataplane, media->legs[MEDIA_CALLER].rtp_index) >= count &&
	       dataplane_room(dataplane, media->legs[MEDIA_CALLED].rtp_index) >= count;
}

void media_push(struct media *media)
{
	struct media_engine *engine = media->engine;
	struct media_flow *dirty[MEDIA_SIDES * 2];
	unsigned count = 0, room = 0;
	for (unsigned i = 0; i < MEDIA_SIDES * 2; i++) {
		struct media_flow *flow = &media->legs[i / 2].flows[i % 2];
		if (!media_flow_is_dirty(flow))
			continue;
		dirty[count++] = flow;
		room += media_flow_room(flow);
	}
	if (!engine->options.dataplane || media->is_stranded)
		return; // opened again when there is one
	bool is_sent = count == 0 || has_room(media, room);
	for (unsigned i = 0; i < count && is_sent; i++)
		is_sent = media_flow_send(dirty[i], engine->options.dataplane,
					  &engine->generations[dirty[i]->index]);
	if (!is_sent) {
		wait_for_room(media, count);
	} else if (media->is_waiting) {
		TAILQ_REMOVE(&engine->waiting, media, waiting);
		media->is_waiting = false;
	}
}
