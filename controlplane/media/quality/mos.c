// The E-model (ITU-T G.107) with its default values, reduced to what a relay can see.
// Runs on: any thread; pure.
//
// R = (Ro - Is) - Id - Ie,eff + A            (G.107 7.1)
// Ro - Is = 93.2: all default values (G.107 7.7). A = 0: a wired phone.
// Ie,eff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl)            (G.107 7.6, equation 7-29)
// G.711 (G.113 Appendix I, tables I.1 and I.4): Ie = 0; Bpl = 25.1 where the receiver conceals loss, 4.3
// where it does not. Gateways and phones of today conceal (G.711 Appendix I), so 25.1. BurstR = 1: random.
// Id = 0.024 d + 0.11 (d - 177.3) H(d - 177.3), d one way in ms: what G.107 7.5 comes to without echo
// (R. Cole, J. Rosenbluth: Voice over IP performance monitoring, 2001, equation 5).
// d is a packet of 20 ms, a jitter buffer of twice the mean deviation, and half of a known round trip.

#include "media/quality/mos.h"

#define RATING_BEST 93.2
#define LOSS_ROBUSTNESS 25.1 // Bpl
#define PACKET_MS 20.0

static double delay_impairment(double delay_ms)
{
	double excess = delay_ms > 177.3 ? delay_ms - 177.3 : 0;
	return 0.024 * delay_ms + 0.11 * excess;
}

static double loss_impairment(double loss_percent)
{
	return 95 * loss_percent / (loss_percent + LOSS_ROBUSTNESS);
}

// MOS = 1 + 0.035 R + R (R - 60) (100 - R) 7e-6 between 0 and 100 (G.107 Annex B, equation B-4); below
// R = 6.5 that falls under 1, which no listener can say.
uint16_t media_mos_of_rating(double rating)
{
	if (rating < 6.5)
		return 100;
	if (rating > 100)
		return 450;
	double mos = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
	return (uint16_t)(mos * 100 + 0.5);
}

uint16_t media_mos(uint64_t lost, uint64_t expected, uint32_t jitter_us, uint32_t round_trip_us)
{
	if (expected < MOS_PACKETS_MIN)
		return 0;
	double loss_percent = lost >= expected ? 100 : 100 * (double)lost / (double)expected;
	double delay_ms = PACKET_MS + 2 * jitter_us / 1000.0 + round_trip_us / 2000.0;
	return media_mos_of_rating(RATING_BEST - delay_impairment(delay_ms) -
				   loss_impairment(loss_percent));
}
