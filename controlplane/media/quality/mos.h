#pragma once

// How a stream of G.711 sounds, by the E-model of ITU-T G.107, from what was counted on its way.
// Runs on: any thread; pure.

#include <stdint.h>

#define MOS_PACKETS_MIN 50 // a second of speech: less says nothing

// Mean opinion score times 100: 100 to 450. 0: too little was expected to say so. Round trip 0: not known.
uint16_t media_mos(uint64_t lost, uint64_t expected, uint32_t jitter_us, uint32_t round_trip_us);
// Of an E-model rating, G.107 Annex B.
uint16_t media_mos_of_rating(double rating);
