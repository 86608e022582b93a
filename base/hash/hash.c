// SipHash-1-3 with a result of 128 bits. Runs on any thread.
//
// The key is one of the few mutable objects at file scope in this project (tools/lint/globals names them): it
// is written once, before its first use, and every hash of the process must share it.

#include "base/hash/hash.h"

#include <pthread.h>
#include <string.h>

#include "base/random.h"

static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void choose_key(void)
{
	random_fill(hash_key, sizeof(hash_key));
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void turn(struct hash *hash)
{
	hash->v0 += hash->v1;
	hash->v1 = rotate(hash->v1, 13) ^ hash->v0;
	hash->v0 = rotate(hash->v0, 32);
	hash->v2 += hash->v3;
	hash->v3 = rotate(hash->v3, 16) ^ hash->v2;
	hash->v0 += hash->v3;
	hash->v3 = rotate(hash->v3, 21) ^ hash->v0;
	hash->v2 += hash->v1;
	hash->v1 = rotate(hash->v1, 17) ^ hash->v2;
	hash->v2 = rotate(hash->v2, 32);
}

static void block(struct hash *hash, uint64_t octets)
{
	hash->v3 ^= octets;
	turn(hash);
	hash->v0 ^= octets;
}

// The constants are those of the paper, 0xee that of the longer result.
struct hash hash_start(void)
{
	pthread_once(&hash_key_once, choose_key);
	return (struct hash){
		.v0 = hash_key[0] ^ 0x736f6d6570736575,
		.v1 = hash_key[1] ^ 0x646f72616e646f6d ^ 0xee,
		.v2 = hash_key[0] ^ 0x6c7967656e657261,
		.v3 = hash_key[1] ^ 0x7465646279746573,
	};
}

void hash_number(struct hash *hash, uint64_t number)
{
	block(hash, number);
}

// Lower case for the ASCII letters among eight octets at once.
static uint64_t fold(uint64_t octets)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t low = octets & 0x7f * ones;
	uint64_t from_a = low + (0x80 - 'A') * ones; // top bit: at least 'A'
	uint64_t after_z = low + (0x80 - 'Z' - 1) * ones; // top bit: after 'Z'
	uint64_t is_upper = from_a & ~after_z & ~octets & 0x80 * ones;
	return octets | is_upper >> 2; // 0x80 >> 2 is 0x20
}

// Fewer than eight octets, at the end of a text, in loads of known sizes: one of any size is a call.
static uint64_t load_last(const char *data, size_t size)
{
	uint32_t word, last_word;
	if (size == 0)
		return 0;
	if (size >= 4) {
		memcpy(&word, data, 4);
		memcpy(&last_word, data + size - 4, 4);
		return word | (uint64_t)last_word << 32;
	}
	const uint8_t *octets = (const uint8_t *)data;
	return (uint64_t)octets[0] | (uint64_t)octets[size / 2] << 8 |
	       (uint64_t)octets[size - 1] << 16;
}

static inline void put(struct hash *hash, struct text text, bool is_folded)
{
	struct hash local = *hash; // in registers
	uint64_t octets;
	block(&local, text.size);
	for (; text.size >= 8; text.data += 8, text.size -= 8) {
		memcpy(&octets, text.data, 8);
		block(&local, is_folded ? fold(octets) : octets);
	}
	octets = load_last(text.data, text.size);
	if (text.size > 0)
		block(&local, is_folded ? fold(octets) : octets);
	*hash = local;
}

void hash_text(struct hash *hash, struct text text)
{
	put(hash, text, false);
}

void hash_text_same(struct hash *hash, struct text text)
{
	put(hash, text, true);
}

static uint64_t result(struct hash *hash)
{
	for (int i = 0; i < 3; i++)
		turn(hash);
	return hash->v0 ^ hash->v1 ^ hash->v2 ^ hash->v3;
}

uint64_t hash_finish(struct hash *hash)
{
	hash->v2 ^= 0xee;
	return result(hash);
}

struct hash_words hash_finish_words(struct hash *hash)
{
	struct hash_words words = { .first = hash_finish(hash) };
	hash->v1 ^= 0xdd;
	words.second = result(hash);
	return words;
}

struct hash_words hash_of_pair(struct text a, struct text b)
{
	struct hash hash = hash_start();
	hash_text(&hash, a);
	hash_text(&hash, b);
	return hash_finish_words(&hash);
}

bool hash_is_equal(struct hash_words a, struct hash_words b)
{
	return a.first == b.first && a.second == b.second;
}
