#pragma once

// New headers in front of a payload: Ethernet, IP, UDP, as if we had sent it ourselves.
// Runs on: worker; pure.

#include <stddef.h>
#include <stdint.h>

struct packet_rules;
struct stream;

#define REWRITE_TTL 64 // far above what the other side may drop at (MEDIA-019)

// Octets of the headers for this stream's destination.
size_t rewrite_size(const struct stream *stream);
// Writes them to the rewrite_size() octets before `payload`.
void rewrite_headers(const struct stream *stream, const struct packet_rules *rules,
		     uint8_t *payload, size_t size);
