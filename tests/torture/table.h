#pragma once

// The messages of tests/torture/*.py, made into C while building.
// Runs on: any thread; constant.

#include "base/text.h"

enum torture_reaction {
	TORTURE_ANSWERED, // with that status, once
	TORTURE_CALL, // an INVITE that becomes a call
	TORTURE_WRONG_VIA, // a response to nothing of ours: silence, counted
	TORTURE_MALFORMED, // silence, counted
	TORTURE_WITHHELD, // the answer would be longer than the request: silence, counted
	TORTURE_UNKNOWN, // somebody else's domain: silence, counted
};

struct torture_expected {
	enum torture_reaction reaction;
	unsigned status;
};

struct torture_message {
	const char *suite, *name, *section;
	int family; // of the media address it needs to become a call
	struct torture_expected datagram, stream; // of a stream: once it has framed the message
	struct text dialled; // with numbers that may call each other
	struct text plain; // with the users it came with
	struct text inside; // as part of a call; "@@TAG@@" is our tag
};

extern const struct torture_message torture_messages[];
extern const unsigned torture_count;
