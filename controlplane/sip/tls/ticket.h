#pragma once

// Keys of session tickets: ours, not the library's, so that sessions outlive a reload and can be
// shared by nodes. A new key every 12 hours, the one before still opens. Private to sip/tls/.
// Runs on: control thread.

#include <openssl/ssl.h>

#include "sip/tls/tls.h"

#define TLS_TICKET_LIFETIME_S 43200
#define TLS_TICKET_KEYS                                                                            \
	3 // the last epoch's, this one's, the next one's of a node whose clock is ahead

struct tls_ticket_key {
	uint64_t epoch; // number of lifetimes since 1970
	bool is_made;
	uint8_t name[16], cipher[32], mac[32];
};

struct tls_ticket {
	bool is_shared; // derived from the secret of a file, else random
	uint8_t secret[32];
	struct tls_ticket_key keys[TLS_TICKET_KEYS];
	EVP_CIPHER *cipher; // fetched once
};

// file "": keys that only this process knows.
bool tls_ticket_init(struct tls_ticket *ticket, const char *file,
		     struct sip_tls_problem *out_problem);
void tls_ticket_clear(struct tls_ticket *ticket);
// Same secret: the keys stay.
void tls_ticket_adopt(struct tls_ticket *ticket, struct tls_ticket *fresh);
struct tls_ticket_parts { // what the library's callback is given
	uint8_t *name, *iv;
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac;
};

// The library's callback with our keys: the result is its own (1 right, 2 right but renew, 0 no).
int tls_ticket_use(struct tls_ticket *ticket, uint64_t now_s, const struct tls_ticket_parts *parts,
		   bool is_sealing);
