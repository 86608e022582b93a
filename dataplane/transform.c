// One row for every pair of formats two legs can have.
// Runs on: worker. Reads and writes only what packet_parse has bounded.

#include "dataplane/transform.h"

#include "dataplane/packet.h"
#include "dataplane/stream/stream.h"

typedef void (*transform_fn)(const struct stream *stream, const struct packet *packet,
			     uint8_t *media);

// The legs may number telephone events differently; the marker bit stays (DTMF-003).
static void rtp_to_rtp(const struct stream *stream, const struct packet *packet, uint8_t *media)
{
	if (packet->kind == PACKET_RTP && packet->payload_type != PACKET_PAYLOAD_PCMU)
		media[1] = (uint8_t)((media[1] & 0x80) | stream->payload_out);
}

// [arrives as][leaves as]
static const transform_fn transforms[FORMAT_COUNT][FORMAT_COUNT] = {
	[FORMAT_RTP] = { [FORMAT_RTP] = rtp_to_rtp },
};

void transform_packet(const struct stream *stream, const struct packet *packet, uint8_t *media)
{
	transforms[FORMAT_RTP][FORMAT_RTP](stream, packet, media);
}
