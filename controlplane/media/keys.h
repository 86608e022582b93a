#pragma once

// Master keys of SRTP, and what the dataplane's engine makes its contexts of: THE DOOR to OpenSSL of
// this folder.
// Runs on: control thread; keeps nothing.

#include <stdbool.h>

#include "dataplane/message.h"
#include "media/sdes.h"

// A fresh key nobody else has; SUITE_NONE: none.
void media_keys_make(enum suite suite, struct media_key *out_key);
// The key of an RTP or RTCP stream in the form the engine wants (RFC 3711 4.3); the way is the
// caller's to fill in. False: no memory. The caller wipes what it got.
bool media_keys_derive(const struct media_key *master, enum key_form form, bool is_rtcp,
		       struct message_key *out_key);
