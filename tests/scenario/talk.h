#pragma once

// What the parties of a story's calls say into their phones, and what becomes of it on the way: the
// figures a worker would count. Both talk unless a line says otherwise.
// Runs on: the thread of the test.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/message.h"
#include "media/media.h"

struct node;

enum talk { TALK_SPEECH, TALK_SILENCE, TALK_NOTHING, TALK_DROPPED };

struct talks { // by who talks
	enum talk kind[MEDIA_SIDES];
	enum stream_drop drop[MEDIA_SIDES];
};

// "ttl", "source", …; STREAM_DROP_COUNT: none of them.
enum stream_drop talk_drop_of(const char *name);
void talk_go_on(struct node *node, uint64_t ms); // that much of it
// The party of the oldest call: its report of total loss; an ICMP error about what we send to it; packets
// of a stranger.
bool talk_report(struct node *node, enum media_side side, uint8_t fraction);
bool talk_unreachable(struct node *node, enum media_side side);
// What a worker tells of a source of that side: MESSAGE_STREAM_REFUSED, MESSAGE_STREAM_LEARNED.
bool talk_from(struct node *node, enum media_side side, enum message_kind kind,
	       const struct address *source);
// A worker hears that side press a key; what it was told to send that side since this was asked last, and
// how long the last of it is held.
bool talk_press(struct node *node, enum media_side side, char digit, unsigned duration_ms);
unsigned talk_heard(struct node *node, enum media_side side, char *room, size_t room_size);
