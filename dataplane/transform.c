// One row for every pair of formats two legs can have, and the step that needs no engine.
// Runs on: worker. Reads and writes only what packet_parse has bounded.

#include "dataplane/transform.h"

#include "dataplane/packet.h"
#include "dataplane/stream/stream.h"

// SRTP to SRTP goes through the clear too: the legs have different keys, and what the payload is can
// be judged nowhere else.
const uint8_t transform_table[FORMAT_COUNT][FORMAT_COUNT] = {
	[FORMAT_RTP] = {
		[FORMAT_RTP] = TRANSFORM_RENUMBER,
		[FORMAT_SRTP] = TRANSFORM_RENUMBER | TRANSFORM_PROTECT,
	},
	[FORMAT_SRTP] = {
		[FORMAT_RTP] = TRANSFORM_UNPROTECT | TRANSFORM_RENUMBER,
		[FORMAT_SRTP] = TRANSFORM_UNPROTECT | TRANSFORM_RENUMBER | TRANSFORM_PROTECT,
	},
};

// The legs may number telephone events differently; the marker bit stays (DTMF-003).
bool transform_renumber(const struct stream *stream, const struct packet *packet, uint8_t *media)
{
	if (packet->kind != PACKET_RTP || packet->payload_type == PACKET_PAYLOAD_PCMU)
		return true;
	media[1] = (uint8_t)((media[1] & 0x80) | stream->payload_out);
	return stream->payload_out != PAYLOAD_TYPE_NONE;
}
