// Fuzz target: header lines of a message on their way to the other leg, and what a request demands. The
// first octet says which way, and with what policy; the rest are lines.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "call/header/header.h"
#include "call/header/option.h"
#include "sip/message_parts.h"
#include "sip/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

#define HEAD                                                                                       \
	"INVITE sip:+81312345678@acme.pstn.example.com SIP/2.0\r\n"                                \
	"Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK1\r\n"                                   \
	"From: <sip:+14155550100@acme.pstn.example.com>;tag=fromtag\r\n"                           \
	"To: <sip:+81312345678@acme.pstn.example.com>;tag=totag\r\nCall-ID: 77@office\r\n"         \
	"CSeq: 1 INVITE\r\n"
#define ROOM 16384

static bool make(struct writer *writer, struct text lines, struct sip_message *message)
{
	struct sip_scan_refusal refusal;
	writer_text(writer, TEXT(HEAD));
	writer_text(writer, lines);
	writer_text(writer, TEXT("\r\n"));
	return !writer->failed &&
	       sip_scan_message(writer_done(writer), message, &refusal) == SIP_SCAN_OK;
}

// Whole lines, no more than allowed, which our own scan takes for what they are.
static void check_lines(struct text lines)
{
	static char room[ROOM]; // lint: global (too large for the stack)
	static struct sip_message again; // lint: global (too large for the stack)
	struct writer writer = writer_of(room, sizeof(room));
	if (lines.size > HEADER_ROOM)
		abort();
	if (lines.size > 0 && memcmp(lines.data + lines.size - 2, "\r\n", 2) != 0)
		abort();
	if (!make(&writer, lines, &again) || again.header_count > 5 + HEADER_LINES_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static char room[ROOM], out[ROOM]; // lint: global (too large for the stack)
	static struct sip_message message; // lint: global (too large for the stack)
	static bool is_started;
	if (!is_started)
		sip_message_start();
	is_started = true;
	if (size == 0 || size > ROOM / 2)
		return 0;
	struct header_policy policy = { .domain = "pstn.example.com",
					.is_private = octets[0] & 0x40,
					.keeps_timers = octets[0] & 0x80 };
	struct writer writer = writer_of(room, sizeof(room));
	if (!make(&writer, (struct text){ (const char *)octets + 1, size - 1 }, &message) ||
	    !sip_message_complete(&message))
		return 0;
	struct header_counters counters = { 0 };
	struct writer lines = writer_of(out, sizeof(out));
	header_write(&message, (enum header_way)(octets[0] % HEADER_WAYS), &policy, &lines,
		     &counters);
	if (lines.failed)
		abort();
	check_lines(writer_done(&lines));
	struct writer missing = writer_of(out, 256); // what is too long to be told fails the writer
	(void)option_write_missing(&message, &missing);
	(void)header_may_tell_body(&message, policy.domain);
	return 0;
}
