// Speech of stories. Runs on the thread of the test.

#include "scenario/talk.h"

#include <string.h>

#include "fake/dataplane.h"
#include "scenario/node.h"

#define PACKET_MS 20
#define PACKET_OCTETS 172

#define DROP_NAME(name, text) text,

enum stream_drop talk_drop_of(const char *name)
{
	static const char *const names[STREAM_DROP_COUNT] = { STREAM_DROP_LIST(DROP_NAME) };
	for (unsigned i = 0; name != NULL && i < STREAM_DROP_COUNT; i++) {
		if (strcmp(name, names[i]) == 0)
			return (enum stream_drop)i;
	}
	return STREAM_DROP_COUNT;
}

static void say(const struct node *node, enum media_side side, struct stream_view *view,
		unsigned count)
{
	enum talk kind = node->talks.kind[side];
	if (kind == TALK_NOTHING)
		return;
	if (kind == TALK_DROPPED) {
		view->drops[node->talks.drop[side]] += count;
		return;
	}
	view->packets += count;
	view->octets += count * PACKET_OCTETS;
	view->silent += kind == TALK_SILENCE ? count : 0;
	view->last_ns = node->clock.now_ms * 1000000;
	if (view->first_ns == 0)
		view->first_ns = view->last_ns;
}

void talk_go_on(struct node *node, uint64_t ms)
{
	uint64_t now_ms = node->clock.now_ms;
	unsigned count = (unsigned)(now_ms / PACKET_MS - (now_ms - ms) / PACKET_MS);
	const struct call *call = NULL;
	if (node->dataplane == NULL || count == 0)
		return;
	while ((call = calls_next(node->calls, call)) != NULL) {
		struct call_facts facts;
		call_read(call, &facts);
		for (unsigned side = 0; side < MEDIA_SIDES && facts.has_media; side++) {
			struct stream_view *view = fake_dataplane_view(
				node->dataplane, facts.media[side].stream_index);
			if (view->is_open)
				say(node, (enum media_side)side, view, count);
		}
	}
}

static bool read_oldest(const struct node *node, struct call_facts *out_facts)
{
	const struct call *call = calls_next(node->calls, NULL);
	if (call == NULL || node->dataplane == NULL)
		return false;
	call_read(call, out_facts);
	return out_facts->has_media;
}

bool talk_report(struct node *node, enum media_side side, uint8_t fraction)
{
	struct call_facts facts;
	if (!read_oldest(node, &facts))
		return false;
	struct stream_view *view =
		fake_dataplane_view(node->dataplane, facts.media[side].stream_index + 1);
	view->packets++;
	view->reports++;
	view->peer_fraction = fraction;
	view->last_ns = node->clock.now_ms * 1000000;
	return true;
}

bool talk_unreachable(struct node *node, enum media_side side)
{
	struct call_facts facts;
	if (!read_oldest(node, &facts))
		return false;
	media_note_unreachable(node->media, facts.media[side].stream_index,
			       &facts.media[side].remote);
	return true;
}

bool talk_from(struct node *node, enum media_side side, enum message_kind kind,
	       const struct address *source)
{
	struct call_facts facts;
	if (!read_oldest(node, &facts))
		return false;
	fake_dataplane_tell(node->dataplane, kind, facts.media[side].stream_index, source);
	return true;
}

bool talk_press(struct node *node, enum media_side side, char digit, unsigned duration_ms)
{
	struct call_facts facts;
	if (!read_oldest(node, &facts))
		return false;
	uint32_t index = facts.media[side].stream_index;
	struct message message = {
		.kind = MESSAGE_STREAM_DIGIT,
		.stream = { index, fake_dataplane_view(node->dataplane, index)->generation },
		.digits = { .count = 1, .duration_ms = (uint16_t)duration_ms, .text = { digit } },
	};
	fake_dataplane_tell_message(node->dataplane, &message);
	fake_dataplane_view(node->dataplane, index)->events++;
	node_wait(node, WHEEL_TICK_MS);
	return true;
}

unsigned talk_heard(struct node *node, enum media_side side, char *room, size_t room_size)
{
	struct call_facts facts;
	room[0] = 0;
	if (!read_oldest(node, &facts))
		return 0;
	return fake_dataplane_take_digits(node->dataplane, facts.media[!side].stream_index, room,
					  room_size);
}
