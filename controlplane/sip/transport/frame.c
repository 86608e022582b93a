// Framing by Content-Length: there must be just one, of digits alone. Whatever two readers could take
// for different ends of a message (two lengths, a bare LF, a sign) is refused and nothing behind it
// is read: that is how messages are smuggled.
// Runs on the control thread. Never allocates, never looks at a body.

#include "sip/transport/frame.h"

#include <string.h>

#include "sip/message.h"
#include "sip/value.h"

// The first thing wrong is the one the sender hears of.
static void refuse(struct frame *frame, unsigned status, const char *reason)
{
	if (frame->status != 0)
		return;
	frame->status = status;
	frame->reason = reason;
}

// "METHOD URI SIP/…", or "SIP/…": the scan tells what is wrong with the rest of it.
static bool is_start_line(struct text line)
{
	line = text_trim(line);
	const char *space = memrchr(line.data, ' ', line.size);
	struct text version =
		space != NULL ? text_cut(line, (size_t)(space - line.data) + 1) : TEXT_NONE;
	struct text start = { line.data, line.size < 4 ? line.size : 4 };
	if (version.size > 4)
		version.size = 4;
	return text_is_same(start, TEXT("SIP/")) || text_is_same(version, TEXT("SIP/"));
}

static bool is_space(char octet)
{
	return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

static struct text trim_folded(struct text value)
{
	while (value.size > 0 && is_space(value.data[0]))
		value = text_cut(value, 1);
	while (value.size > 0 && is_space(value.data[value.size - 1]))
		value.size--;
	return value;
}

// The header is over, with all the lines it was folded into.
static void end_length(struct frame *frame, struct text head)
{
	uint64_t number = 0;
	if (frame->length_at == 0)
		return;
	struct text value = text_cut(head, frame->length_at);
	value = trim_folded(value);
	frame->length_at = 0;
	frame->has_length = true;
	bool is_number = value.size > 0;
	for (size_t i = 0; i < value.size; i++)
		is_number = is_number && value.data[i] >= '0' && value.data[i] <= '9';
	if (!is_number)
		refuse(frame, 400, "Malformed Content-Length");
	else if (!text_to_unsigned(value, SIP_MESSAGE_MAX, &number))
		refuse(frame, 513, NULL);
	frame->length = (size_t)number;
}

static void take_header(struct frame *frame, struct text octets, struct text line)
{
	size_t start = (size_t)(line.data - octets.data);
	if (line.data[0] == ' ' || line.data[0] == '\t')
		return; // goes on with the header above
	end_length(frame, (struct text){ octets.data, start });
	struct text value = line;
	struct text name = text_split(&value, ':');
	bool has_colon = name.size < line.size;
	name = text_trim(name);
	if (!has_colon ||
	    (!text_is_same(name, TEXT("content-length")) && !text_is_same(name, TEXT("l"))))
		return;
	if (frame->has_length)
		refuse(frame, 400, "Content-Length Repeated");
	frame->length_at = (size_t)(value.data - octets.data);
}

// The empty line is there: it is known how much is still to come.
static void end_head(struct frame *frame, struct text head)
{
	end_length(frame, head);
	if (!frame->has_length)
		refuse(frame, 400, "Content-Length Missing");
	frame->size = head.size + frame->length;
	if (frame->size > SIP_MESSAGE_MAX)
		refuse(frame, 513, NULL);
}

// Takes the lines that have come.
static enum frame_verdict read_head(struct frame *frame, struct text octets, size_t *out_size)
{
	const char *end;
	if (octets.size > FRAME_HEAD_MAX)
		octets.size = FRAME_HEAD_MAX;
	while ((end = memchr(octets.data + frame->looked, '\n', octets.size - frame->looked)) !=
	       NULL) {
		size_t next = (size_t)(end - octets.data) + 1;
		struct text line = { octets.data + frame->line, next - 1 - frame->line };
		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		else
			refuse(frame, 400, "Bare LF in Header");
		frame->line = frame->looked = next;
		if (!frame->has_start && !is_start_line(line))
			return FRAME_ALIEN;
		if (line.size == 0) {
			end_head(frame, (struct text){ octets.data, next });
			if (frame->status == 0)
				return FRAME_MORE;
			*out_size = next;
			return FRAME_REFUSE;
		}
		if (frame->has_start)
			take_header(frame, octets, line);
		frame->has_start = true;
	}
	frame->looked = octets.size;
	if (octets.size < FRAME_HEAD_MAX)
		return FRAME_MORE;
	frame->status = 513;
	frame->reason = NULL;
	if (!frame->has_start)
		return FRAME_ALIEN;
	*out_size = frame->line;
	return FRAME_REFUSE;
}

// Between two messages. A CRLF is taken when it is there, so that one alone is never waited upon.
static enum frame_verdict read_blank(struct frame *frame, struct text octets, size_t *out_size)
{
	if (octets.data[0] != '\r')
		return sip_value_octets[(uint8_t)octets.data[0]] == SIP_OCTET_TOKEN ? FRAME_MORE
										    : FRAME_ALIEN;
	if (octets.size < 2)
		return FRAME_MORE;
	if (octets.data[1] != '\n')
		return FRAME_ALIEN;
	*out_size = 2;
	frame->is_blank = !frame->is_blank;
	return frame->is_blank ? FRAME_BLANK : FRAME_PING;
}

enum frame_verdict frame_read(struct frame *frame, struct text octets, size_t *out_size)
{
	enum frame_verdict verdict;
	if (octets.size == 0)
		return FRAME_MORE;
	if (frame->looked == 0) {
		verdict = read_blank(frame, octets, out_size);
		if (verdict != FRAME_MORE || octets.data[0] == '\r')
			return verdict;
	}
	if (frame->size == 0) {
		verdict = read_head(frame, octets, out_size);
		if (verdict != FRAME_MORE)
			return verdict;
	}
	if (frame->size == 0 || octets.size < frame->size)
		return FRAME_MORE;
	*out_size = frame->size;
	*frame = (struct frame){ 0 };
	return FRAME_MESSAGE;
}

size_t frame_wanted(const struct frame *frame)
{
	return frame->size;
}

bool frame_is_open(const struct frame *frame)
{
	return frame->looked > 0;
}
