#pragma once

// Whether a packet is what a stream takes: its TTL, its source, its payload. Drops are counted.
// Runs on: the stream's worker.

#include <stdint.h>

#include "dataplane/verdict.h"

struct packet;
struct stream;
struct stream_table;

// What came in the clear: TTL, then source, learning it where the stream may, then what the payload is.
enum verdict accept_plain(struct stream_table *table, struct stream *stream, struct packet *packet,
			  const uint8_t *frame);
// What came as SRTP, before decryption: TTL, source, kind. Nothing is learned (MEDIA-011, MEDIA-018).
enum verdict accept_sealed(struct stream_table *table, struct stream *stream,
			   const struct packet *packet, const uint8_t *frame);
// The same one, authenticated and in the clear: settles the source where the stream listens, then looks
// at what the payload is.
enum verdict accept_opened(struct stream_table *table, struct stream *stream, struct packet *packet,
			   const uint8_t *frame);
