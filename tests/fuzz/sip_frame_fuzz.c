// Fuzz target: a stream of any octets, cut in any places. What is found must not depend on the cuts,
// and whatever is found as a message must hold what the scan needs to find the same end.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sip/scan.h"
#include "sip/transport/frame.h"

#define FOUND_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

struct found {
	enum frame_verdict verdict;
	size_t at, size;
	unsigned status;
};

struct walk {
	struct frame frame;
	size_t at;
	unsigned count;
	struct found found[FOUND_MAX];
};

static bool is_over(const struct walk *walk)
{
	enum frame_verdict last =
		walk->count > 0 ? walk->found[walk->count - 1].verdict : FRAME_MORE;
	return walk->count == FOUND_MAX || last == FRAME_REFUSE || last == FRAME_ALIEN;
}

static void check_message(struct text octets)
{
	struct sip_message message;
	struct sip_scan_refusal refusal;
	if (octets.size > SIP_MESSAGE_MAX)
		abort();
	enum sip_scan_verdict verdict = sip_scan_message(octets, &message, &refusal);
	if (verdict == SIP_SCAN_KEEPALIVE)
		abort();
	if (verdict == SIP_SCAN_OK &&
	    message.body.data + message.body.size != octets.data + octets.size)
		abort(); // the scan must see the same end
}

static void take(struct walk *walk, struct text octets)
{
	while (!is_over(walk)) {
		struct text rest = text_cut(octets, walk->at);
		struct found found = { .at = walk->at };
		if (rest.size < frame_wanted(&walk->frame))
			return;
		found.verdict = frame_read(&walk->frame, rest, &found.size);
		if (found.verdict == FRAME_MORE && found.size > 0)
			abort();
		if (found.verdict == FRAME_MORE)
			return;
		if (found.size > rest.size || (found.size == 0 && found.verdict != FRAME_ALIEN))
			abort();
		if (found.verdict == FRAME_MESSAGE)
			check_message((struct text){ rest.data, found.size });
		if (found.verdict == FRAME_REFUSE && (found.status = walk->frame.status) == 0)
			abort();
		walk->found[walk->count++] = found;
		walk->at += found.size;
	}
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

// The first octet seeds the cuts; the rest is the stream: whole, octet by octet, and in pieces.
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static struct walk walks[3];
	if (size == 0)
		return 0;
	uint32_t seed = octets[0];
	struct text stream = { (const char *)octets + 1, size - 1 };
	memset(walks, 0, sizeof(walks));
	take(&walks[0], stream);
	for (size_t i = 1; i <= stream.size; i++)
		take(&walks[1], (struct text){ stream.data, i });
	for (size_t i = 0; i < stream.size;) {
		i += 1 + next(&seed) % 64;
		take(&walks[2], (struct text){ stream.data, i < stream.size ? i : stream.size });
	}
	for (unsigned i = 1; i < 3; i++)
		if (walks[i].count != walks[0].count ||
		    memcmp(walks[i].found, walks[0].found, sizeof(walks[0].found)) != 0)
			abort();
	return 0;
}
