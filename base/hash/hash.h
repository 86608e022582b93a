#pragma once

// SipHash-1-3 of numbers and texts (Aumasson, Bernstein 2012) under a secret key of this process: strangers
// who choose what is hashed, and never see a hash, can choose no collisions.
// Runs on: any thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct hash { // of what has been put in so far
	uint64_t v0, v1, v2, v3;
};

// Two words: 2^-128 that two different inputs share one. For SipHash-1-x the best way known to bring two
// inputs together succeeds once in 2^167 (Dobraunig, Mendel, Schläffer, SAC 2014).
struct hash_words {
	uint64_t first, second;
};

struct hash hash_start(void);
void hash_number(struct hash *hash, uint64_t number);
// Size and octets, so that no two lists of texts are one input.
void hash_text(struct hash *hash, struct text text);
void hash_text_same(struct hash *hash, struct text text); // ASCII case folded
uint64_t hash_finish(struct hash *hash); // the first of the two words
struct hash_words hash_finish_words(struct hash *hash);
struct hash_words hash_of_pair(struct text a, struct text b); // of these two
bool hash_is_equal(struct hash_words a, struct hash_words b);
