#pragma once

// What is done to a payload between the two legs, by what it arrives as and what it leaves as.
// Runs on: worker.

#include <stdint.h>

struct packet;
struct stream;

enum format { FORMAT_RTP, FORMAT_COUNT }; // of a leg

// Changes the media in the frame in place. `media` is the UDP payload.
void transform_packet(const struct stream *stream, const struct packet *packet, uint8_t *media);
