// Fuzz target: any message through the pass-through writer, in every direction. What comes out is whole
// lines of headers that may pass, bounded, and without anything that names the leg it came from.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "call/header/header.h"
#include "call/header/identity.h"
#include "call/header/option.h"
#include "sip/message_parts.h"
#include "sip/scan.h"
#include "sip/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

#define SOURCE "203.0.113.9"
#define DOMAIN "pstn.example.com"

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static char lower(char character)
{
	return character >= 'A' && character <= 'Z' ? (char)(character | 32) : character;
}

// The plainest way to look for it: not the one of the code under test.
static bool holds(struct text text, struct text wanted)
{
	for (size_t i = 0; wanted.size > 0 && i + wanted.size <= text.size; i++) {
		size_t same = 0;
		while (same < wanted.size && lower(text.data[i + same]) == lower(wanted.data[same]))
			same++;
		if (same == wanted.size)
			return true;
	}
	return false;
}

// One line is one header that may pass, and nothing in it could end a line for somebody else.
static void check_line(struct text line, enum header_way way)
{
	struct text value = line;
	struct text name = text_split(&value, ':');
	check(sip_value_is_token(name) && value.size > 1 && value.data[0] == ' ');
	check(header_row_of(name)->actions[way] == HEADER_PASS);
	for (size_t i = 0; i < value.size; i++)
		check((uint8_t)value.data[i] >= ' ' || value.data[i] == '\t');
}

static void check_lines(struct text lines, enum header_way way)
{
	unsigned count = 0;
	check(lines.size <= HEADER_ROOM);
	while (lines.size > 0) {
		struct text line = text_split(&lines, '\n');
		check(line.size > 0 && line.data[line.size - 1] == '\r');
		line.size--;
		check_line(line, way);
		count++;
	}
	check(count <= HEADER_LINES_MAX);
}

// Nothing of the leg, where it is long enough to be a name at all.
static void check_value(struct text value, const struct sip_message *message)
{
	const struct text secrets[] = { TEXT(SOURCE),
					TEXT("." DOMAIN),
					message->call_id,
					message->from.tag,
					message->to.tag,
					message->contact.uri.host,
					message->is_request ? message->via.host : TEXT_NONE };
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		check(secrets[i].size < 4 || !holds(value, secrets[i]));
}

static void check_secrets(struct text lines, const struct sip_message *message)
{
	while (lines.size > 0) {
		struct text value = text_split(&lines, '\n');
		struct text name = text_split(&value, ':');
		check_value(value, message);
		if (text_has_prefix(name, TEXT("X-")))
			check_value(name, message);
	}
}

static void cross(const struct sip_message *message, enum header_way way, unsigned choice)
{
	char room[HEADER_ROOM + 100];
	size_t size = (choice & 4) != 0 ? sizeof(room) : 300;
	struct writer writer = writer_of(room, size);
	const struct header_policy policy = { .domain = DOMAIN,
					      .is_private = (choice & 1) != 0,
					      .keeps_timers = (choice & 2) != 0 };
	struct header_counters counters = { 0 };
	header_write(message, way, &policy, &writer, &counters);
	check(!writer.failed);
	check_lines(writer_done(&writer), way);
	check_secrets(writer_done(&writer), message);
}

// Who calls is told by what was checked, whatever the message says.
static void tell_who(const struct sip_message *message)
{
	char room[300];
	struct address host = { .family = ADDRESS_IPV4, .port = 5060, .octets = { 192, 0, 2, 1 } };
	struct writer writer = writer_of(room, sizeof(room));
	struct identity identity;
	identity_read(message, &identity);
	identity_write_from(&identity, "+14155550100", &host, &writer);
	check(!writer.failed && holds(writer_done(&writer), TEXT("+1415")) != identity.is_private);
	writer = writer_of(room, sizeof(room));
	identity_write_lines(&identity, true, "+14155550100", &host, &writer);
	check(!writer.failed &&
	      holds(writer_done(&writer), TEXT("Privacy: id")) == identity.is_private);
	writer = writer_of(room, sizeof(room));
	(void)option_write_missing(message, &writer);
	check(!holds(writer_done(&writer), TEXT("\n")));
}

// The first octet chooses the policy and the room, the rest is one message.
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static bool is_started;
	struct sip_message message;
	struct sip_scan_refusal refusal;
	if (!is_started)
		sip_message_start();
	is_started = true;
	if (size == 0)
		return 0;
	struct text whole = { (const char *)octets + 1, size - 1 };
	if (sip_scan_message(whole, &message, &refusal) != SIP_SCAN_OK ||
	    !sip_message_complete(&message))
		return 0;
	message.flow = (struct sip_flow){ .protocol = SIP_UDP };
	check(address_parse(TEXT(SOURCE), &message.flow.remote));
	for (unsigned way = 0; way < HEADER_WAYS; way++)
		cross(&message, (enum header_way)way, octets[0]);
	tell_who(&message);
	return 0;
}
