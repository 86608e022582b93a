#pragma once

// A line of one sender on which digits of ours are spoken, and every packet that leaves it.
// Runs on: the test speaker_test.c alone, which owns the line.

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/dataplane/fixture.h"

#define SSRC 0x11111111u
#define MS 1000000ull
#define OUT_MAX 4096

struct out { // a packet that left
	bool is_event, has_marker, is_end;
	uint16_t sequence, duration;
	uint32_t timestamp, ssrc;
	uint8_t number, volume;
	uint64_t ms; // since the beginning
};

struct line {
	struct fixture *fixture;
	uint64_t began_ns;
	uint32_t ssrc;
	struct out out[OUT_MAX];
	unsigned count, replaced;
	bool has_no_room;
};

static struct line *begin(void)
{
	struct line *line = calloc(1, sizeof(*line));
	assert_non_null(line);
	line->fixture = fixture_create();
	assert_non_null(line->fixture);
	line->began_ns = line->fixture->table.now_ns;
	line->ssrc = SSRC;
	CHECK_TRUE(fixture_open(line->fixture, &(struct fixture_open){ FIXTURE_OPEN }));
	return line;
}

static void end(struct line *line)
{
	fixture_destroy(line->fixture);
	free(line);
}

static struct stream *stream_of(struct line *line)
{
	return &line->fixture->table.streams[0];
}

static bool open_with(struct line *line, uint32_t index, uint32_t generation, uint8_t payload_out)
{
	return fixture_open(line->fixture, &(struct fixture_open){ .index = index,
								   .out_index = index + 2,
								   .generation = generation,
								   .source = "203.0.113.10:4000",
								   .destination = "192.0.2.20:6000",
								   .payload_in = 101,
								   .payload_out = payload_out });
}

static const struct speaker *speaker_of(const struct line *line)
{
	return &line->fixture->dtmf.slots[0].speaker;
}

static struct message digits_of(const char *text, uint16_t duration_ms, uint16_t gap_ms)
{
	struct message message = { .kind = MESSAGE_STREAM_DIGITS,
				   .stream = { 0, 7 },
				   .digits = { .count = (uint8_t)strlen(text),
					       .duration_ms = duration_ms,
					       .gap_ms = gap_ms } };
	memcpy(message.digits.text, text, strlen(text));
	return message;
}

static bool say(struct line *line, const char *text, uint16_t duration_ms)
{
	struct message message = digits_of(text, duration_ms, 40);
	return speaker_take(&line->fixture->table, &message);
}

static uint32_t read32(const uint8_t *octets)
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
	       octets[3];
}

static struct out *next_out(struct line *line)
{
	assert_true(line->count < OUT_MAX);
	struct out *out = &line->out[line->count++];
	out->ms = (line->fixture->table.now_ns - line->began_ns) / MS;
	return out;
}

static bool send_event(void *context, struct stream *stream)
{
	struct line *line = context;
	uint8_t octets[SPEAKER_PACKET_SIZE];
	if (line->has_no_room)
		return false;
	CHECK_TRUE(stream == stream_of(line));
	speaker_write(&line->fixture->table, stream, octets);
	struct out *out = next_out(line);
	CHECK_NUMBER(octets[0], 0x80);
	CHECK_NUMBER(octets[1] & 0x7f, 96);
	*out = (struct out){ .is_event = true,
			     .has_marker = octets[1] & 0x80,
			     .is_end = octets[13] & 0x80,
			     .sequence = (uint16_t)(octets[2] << 8 | octets[3]),
			     .duration = (uint16_t)(octets[14] << 8 | octets[15]),
			     .timestamp = read32(octets + 4),
			     .ssrc = read32(octets + 8),
			     .number = octets[12],
			     .volume = octets[13] & 0x7f,
			     .ms = out->ms };
	return true;
}

static void pass_ms(struct line *line, unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		line->fixture->table.now_ns += MS;
		if (speaker_is_due(&line->fixture->table))
			speaker_run(&line->fixture->table, send_event, line);
	}
}
