#pragma once

// What a PBX does with a 407: RFC 7616 from the client's side, written independently of the product's.
// Runs on: the thread of the test.

#include <stdbool.h>

#include "base/text.h"

struct proof {
	const char *user, *password, *realm, *nonce, *uri, *method;
	unsigned nonce_count;
	bool is_sha256;
};

// "Proxy-Authorization: Digest …" and its CRLF.
void proof_write(const struct proof *proof, struct writer *writer);
