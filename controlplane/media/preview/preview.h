#pragma once

// What would be said about a call's media, without a call: no port is taken, no key is used, nothing is
// counted. For those who only ask.
// Runs on: control thread; pure but for random numbers.

#include "media/offer.h"

struct media_preview { // of one call to be
	struct media_offer offer; // of the caller; line_count 0: it made none
	enum media_security called; // what the other side is offered
	unsigned suites; // bits of those its SRTP may have
	struct address local; // of ours towards it, as an example
};

// May the caller say this? As media_receive_offer judges it, but for what free ports decide.
enum status media_preview_take(struct media_preview *preview, const struct media_rules *rules,
			       struct text sdp, struct media_problem *out_problem);
// What the other side would be offered; id, port and keys are examples.
void media_preview_write(const struct media_preview *preview, struct writer *writer);
// Can this node do SRTP at all?
bool media_preview_is_secure(const struct media_engine *engine);
// How many calls there are ports for now; 0 without a dataplane.
unsigned media_preview_calls(const struct media_engine *engine);
