#pragma once

// Descriptions with SRTP, and what the tests ask of ours. Workers want master keys here, so that they
// can be compared with the ones in the descriptions.
// Runs on: the thread of the test.

#include "tests/unit/media/bench.h"

#define KEY_A "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define KEY_B "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KEY_C "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define GCM_KEY "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="
#define S80 "AES_CM_128_HMAC_SHA1_80 "
#define S32 "AES_CM_128_HMAC_SHA1_32 "
#define CRYPTO(tag, suite, key) "a=crypto:" tag " " suite key "\r\n"
#define LEVEL(host) "v=0\r\no=x 1 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\n"
#define SAVP(host, port, lines) LEVEL(host) "m=audio " port " RTP/SAVP 0\r\n" lines
#define CALLER_A SAVP("198.51.100.7", "4000", CRYPTO("1", S80, KEY_A))
#define CALLED_B SAVP("203.0.113.9", "6000", CRYPTO("1", S80, KEY_B))
#define CALLER_PORT(port, lines) SAVP("198.51.100.7", port, CRYPTO("1", S80, KEY_A) lines)
#define ALL_SUITES (SUITE_BITS_AES_CM | SUITE_BITS_AEAD)

void secure_begin(struct bench *bench);
// Both sides' security and AES-CM suites are set; the ports are taken.
struct media *secure_open(struct bench *bench, enum media_security caller,
			  enum media_security called);
// The one crypto line of our description; fails unless there is exactly one.
struct media_sdes secure_line(const char *sdp);
struct media_sdes secure_line_of(const char *value); // of what follows "a=crypto:"
// The caller offers this, the called one answers that, both hear of each other.
void secure_exchange(struct media *media, const char *offer, const char *answer,
		     struct bench_text *our_offer, struct bench_text *our_answer);
const struct fake_key *secure_key(const struct bench *bench, const struct media *media,
				  enum media_side side, unsigned kind, enum key_way way);
// That way of both RTP and RTCP from that side has this key; NULL: none.
void secure_check_key(const struct bench *bench, const struct media *media, enum media_side side,
		      enum key_way way, const struct media_key *expected);
unsigned secure_sent_count(const struct bench *bench, enum message_kind kind);

struct secure_call {
	struct media *media;
	struct media_sdes caller_said, called_said, caller_heard, called_heard; // our two last
};

// Both sides secure, each with a suite of its own.
struct secure_call secure_begin_call(struct bench *bench);
void secure_restart(struct bench *bench); // the dataplane: another one, without any stream
