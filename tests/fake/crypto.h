#pragma once

// A stand-in for the door to SRTP: a tag that says which key made it, and an engine that can be told to
// be slow, or full. It hides nothing: "encrypted" is every octet behind the header inverted.
// Runs on: the thread of the test.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/crypto/crypto.h"

#define FAKE_CRYPTO_TAG_SIZE 10

struct crypto *fake_crypto_create(uint32_t stream_count); // of one worker; crypto_stop ends it
// What is submitted comes out no earlier than after so many calls of crypto_collect.
void fake_crypto_set_delay(struct crypto *crypto, unsigned collects);
void fake_crypto_set_room(struct crypto *crypto, unsigned jobs); // that it takes at once
// What that key makes of a packet in the clear, in place; returns the new size.
size_t fake_crypto_protect(uint8_t *media, size_t size, size_t clear_size, uint8_t key);
