#pragma once

// Two calls become one: a side of one call's media takes the place of a side of another's, with its
// description, its keys and, where one worker has all of them, its ports.
// Runs on: control thread.

#include "media/media.h"

// Takes two port pairs on the worker of another call's, so that a side can move there with its ports.
// Results as of media_open.
enum status media_open_beside(const struct media *beside, const char *call_sid, void *owner,
			      struct media **out_media);
// `from_side` of `from` and `side` of `media` change places; what they counted goes with them, and
// nobody's offer is open afterwards. `from` is good for closing only. ERR_UNAVAILABLE: one of them is
// closing, or has no dataplane. Both are brought to the workers by media_connect.
enum status media_join(struct media *media, enum media_side side, struct media *from,
		       enum media_side from_side);
// Would an offer to that side say another address, direction, key or DTMF than it was told last?
bool media_has_news(struct media *media, enum media_side to);
