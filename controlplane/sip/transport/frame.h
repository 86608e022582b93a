#pragma once

// Where one message ends and the next begins in a stream of octets (RFC 3261 18.3, RFC 5626 4.4.1).
// What is found depends on the octets alone, never on how they were cut on their way; each octet of a
// head is looked at once.
// Runs on: control thread; pure.

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define FRAME_HEAD_MAX 16384 // octets of start line, headers and the empty line

enum frame_verdict {
	FRAME_MORE, // nothing whole yet
	FRAME_BLANK, // a CRLF between messages: goes without a word
	FRAME_PING, // the second CRLF of a ping: a single CRLF answers it (SIP-026)
	FRAME_MESSAGE, // a whole message
	FRAME_REFUSE, // a head whose message has no sure end: it can be answered, then nothing more be read
	FRAME_ALIEN, // no SIP: neither answered nor read on
};

struct frame { // begin with {0}; one per stream
	size_t line; // where the line begins whose end is not there yet
	size_t looked; // no line ends between there and here
	size_t length_at; // where the value of Content-Length begins, while its header may go on; 0: none
	size_t length; // Content-Length
	size_t size; // of the whole message, once its head is whole; 0: it is not
	unsigned status; // of a refusal: the first thing wrong; 0: nothing
	const char *reason; // of a refusal; NULL: the RFC's phrase
	bool has_start; // the start line is whole
	bool has_length;
	bool is_blank; // a CRLF came just before
};

// Looks at what has come and was not taken away yet. MORE: call again with the same octets and more
// behind them; *out_size is not touched. Else the first *out_size octets are what was found: the
// caller takes them away. After REFUSE (of the head alone; status and reason stand in the frame) and
// ALIEN the stream is at its end.
enum frame_verdict frame_read(struct frame *frame, struct text octets, size_t *out_size);
// Fewer octets than these are not worth another look; 0: any are.
size_t frame_wanted(const struct frame *frame);
// A message has begun to arrive and is not whole yet.
bool frame_is_open(const struct frame *frame);
