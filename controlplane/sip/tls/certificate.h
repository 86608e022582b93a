#pragma once

// One certificate of ours with its chain and its key, from files. Private to sip/tls/.
// Runs on: control thread; reads files.

#include <openssl/x509.h>

#include "sip/tls/tls.h"

struct tls_certificate {
	X509 *leaf;
	STACK_OF(X509) * chain; // above the leaf, in order
	EVP_PKEY *key;
	struct sip_tls_certificate facts;
};

struct tls_pair { // where a certificate is
	const char *label;
	const char *certificate_option, *key_option; // for messages
	const char *certificate_file,
		*key_file; // key_file "": the key is in the certificate's file
	int key_type; // EVP_PKEY_RSA, EVP_PKEY_EC, or 0: either
};

bool tls_certificate_load(const struct tls_pair *pair, struct tls_certificate *out_certificate,
			  struct sip_tls_problem *out_problem);
void tls_certificate_clear(struct tls_certificate *certificate);
// "option: file: what", and false, so that a check can end in it.
bool tls_certificate_problem(struct sip_tls_problem *problem, const char *option, const char *file,
			     const char *what);
// What the library said last, and forgets it: no error may wait for the next connection.
const char *tls_certificate_error(void);
