// Fuzz target: any datagram at the door in overload. Its first octet chooses how many wait and whether its
// source is known. What is refused hears a 503 that is smaller than it; a sound message that was let in is
// let in again.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sip/door/answer.h"
#include "sip/scan.h"

#define MOST 20

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static struct sip_guard_apart known_to_all, unknown;
static struct sip_door_keeper keepers[2] = { { .apart = &unknown }, { .apart = &known_to_all } };

static void prepare(void)
{
	static bool is_ready;
	if (is_ready)
		return;
	is_ready = true;
	memset(known_to_all.callers, 0xff, sizeof(known_to_all.callers));
	sip_guard_apart_follow(&known_to_all, MOST, 1000000, 1);
	sip_guard_apart_follow(&unknown, MOST, 1000000, 1);
}

// What the scan bounds may be more by what an answer adds to a Via.
static void check_answer(struct text answer, struct text octets)
{
	struct sip_message message;
	struct sip_scan_refusal refusal;
	enum sip_scan_verdict verdict = sip_scan_message(answer, &message, &refusal);
	if (answer.size > octets.size || !text_has_prefix(answer, TEXT("SIP/2.0 503 ")) ||
	    memcmp(answer.data + answer.size - 4, "\r\n\r\n", 4) != 0 ||
	    verdict == SIP_SCAN_KEEPALIVE || verdict == SIP_SCAN_FOLDED)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static char room[4 * SIP_DOOR_ROOM];
	static const unsigned waiting[] = { 0, MOST / 2, MOST, SIP_GUARD_WAITING_MAX - 1 };
	struct sip_flow flow = { .protocol = SIP_UDP };
	struct text answer = TEXT_NONE;
	if (size == 0 || size > SIP_DOOR_ROOM)
		return 0;
	prepare();
	struct sip_door_keeper *keeper = &keepers[octets[0] & 1];
	struct text datagram = { (const char *)octets + 1, size - 1 };
	keeper->now_us += 1000000; // the share of its source is whole
	(void)address_parse(TEXT("192.0.2.7:5060"), &flow.remote);
	struct writer writer = writer_of(room, sizeof(room));
	enum sip_door_fate fate = sip_door_judge(keeper, datagram, &flow,
						 waiting[octets[0] >> 1 & 3], &writer, &answer);
	if (fate == SIP_DOOR_REFUSED)
		check_answer(answer, datagram);
	struct sip_message message;
	struct sip_scan_refusal refusal;
	if (fate != SIP_DOOR_LET_IN || keeper->apart != &known_to_all ||
	    sip_scan_message(datagram, &message, &refusal) != SIP_SCAN_OK)
		return 0;
	writer = writer_of(room, sizeof(room));
	if (sip_door_judge(keeper, datagram, &flow, MOST - 1, &writer, &answer) != SIP_DOOR_LET_IN)
		abort();
	return 0;
}
