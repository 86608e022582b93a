// SRTP of the generator's flows: put on what leaves, taken off all that comes back, a burst at a time.
// Runs on: the generator's thread. Never allocates after rtpgen_load.

#include <stdlib.h>
#include <string.h>

#include "rtpgen.h"

#define MASTER_SIZE 30

static int digit_of(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool set_key(struct rtpgen *generator, const char *text, struct protector_key **out_key)
{
	uint8_t master[PROTECTOR_OCTETS_MAX] = { 0 }, session[PROTECTOR_OCTETS_MAX];
	if (strcmp(text, "-") == 0)
		return true;
	if (strlen(text) != 2 * MASTER_SIZE)
		return false;
	for (unsigned i = 0; i < MASTER_SIZE; i++) {
		int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		master[i] = (uint8_t)(high << 4 | low);
	}
	*out_key = aligned_alloc(64, sizeof(**out_key));
	if (!*out_key)
		return false;
	protector_derive(generator->protector, SUITE_AES_CM_80, master, false, session);
	return protector_set_key(generator->protector, SUITE_AES_CM_80, session, *out_key);
}

bool rtpgen_set_keys(struct rtpgen *generator, struct rtpgen_flow *flow, const char *leaves,
		     const char *arrives)
{
	return set_key(generator, leaves, &flow->leaves) &&
	       set_key(generator, arrives, &flow->arrives);
}

void rtpgen_clear_keys(struct rtpgen_flow *flow)
{
	free(flow->leaves);
	free(flow->arrives);
}

void rtpgen_seal(struct rtpgen *generator, struct rtpgen_flow *const *flows, unsigned count,
		 uint8_t (*room)[RTPGEN_FRAME_ROOM])
{
	struct protector_packet packets[RTPGEN_BURST];
	unsigned sealed = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!flows[i]->leaves)
			continue;
		memcpy(room[i], flows[i]->frame, RTPGEN_FRAME_SIZE);
		rtpgen_write_lengths(room[i], RTPGEN_FRAME_SIZE + RTPGEN_TAG);
		packets[sealed++] = (struct protector_packet){
			.key = flows[i]->leaves,
			.media = room[i] + RTPGEN_MEDIA,
			.size = RTPGEN_FRAME_SIZE - RTPGEN_MEDIA,
			.rollover = (flows[i]->sent - 1) >> 16,
		};
	}
	protector_protect(generator->protector, packets, sealed);
}

// The ROC of the number nearest to the latest one that came back (RFC 3711 3.3.1).
static uint32_t rollover_of(const struct rtpgen_flow *flow, const uint8_t *media)
{
	uint16_t sequence = (uint16_t)(media[2] << 8 | media[3]);
	int64_t number =
		(int64_t)flow->highest + (int16_t)(uint16_t)(sequence - (flow->highest & 0xffff));
	return number < 0 ? 0 : (uint32_t)(number >> 16);
}

void rtpgen_unseal(struct rtpgen *generator, struct rtpgen_arrival *arrivals, unsigned count)
{
	struct protector_packet packets[RTPGEN_BURST];
	struct rtpgen_arrival *owners[RTPGEN_BURST];
	unsigned sealed = 0;
	for (unsigned i = 0; i < count; i++) {
		if (arrivals[i].flow < 0 || arrivals[i].size < RTPGEN_FRAME_SIZE + RTPGEN_TAG)
			continue;
		const struct rtpgen_flow *flow = &generator->flows[arrivals[i].flow];
		uint8_t *media = arrivals[i].frame + RTPGEN_MEDIA;
		if (!flow->arrives)
			continue;
		owners[sealed] = &arrivals[i];
		packets[sealed++] = (struct protector_packet){
			.key = flow->arrives,
			.media = media,
			.size = RTPGEN_FRAME_SIZE - RTPGEN_MEDIA + RTPGEN_TAG,
			.rollover = rollover_of(flow, media),
		};
	}
	protector_unprotect(generator->protector, packets, sealed);
	for (unsigned i = 0; i < sealed; i++)
		owners[i]->is_opened = packets[i].is_authentic;
}
