// RFC 3711 4.3.1 with a key derivation rate of 0; RFC 7714 11: AEAD derives the same way.

#include "tests/unit/crypto/derive.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define LABELS_RTCP 3

// A library context of our own: DPDK's OpenSSL driver, when it stops, unloads the provider that the
// whole process has by default.
static EVP_CIPHER *counter_mode(unsigned key_size)
{
	static OSSL_LIB_CTX *library;
	if (!library)
		library = OSSL_LIB_CTX_new();
	return EVP_CIPHER_fetch(library, key_size == 32 ? "AES-256-CTR" : "AES-128-CTR", NULL);
}

void derive_key_stream(const uint8_t *key, unsigned key_size, const uint8_t iv[static 16],
		       uint8_t *out, unsigned size)
{
	EVP_CIPHER *mode = counter_mode(key_size);
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	int written = 0;
	memset(out, 0, size);
	if (!mode || !cipher || EVP_EncryptInit_ex(cipher, mode, NULL, key, iv) != 1 ||
	    EVP_EncryptUpdate(cipher, out, &written, out, (int)size) != 1)
		abort();
	EVP_CIPHER_CTX_free(cipher);
	EVP_CIPHER_free(mode);
}

static void derive(enum suite suite, const uint8_t *master, unsigned label, uint8_t *out,
		   unsigned size)
{
	const struct suite_facts *facts = suite_facts(suite);
	uint8_t iv[16] = { 0 };
	memcpy(iv, master + facts->key_size, facts->salt_size);
	iv[7] ^= (uint8_t)label;
	derive_key_stream(master, facts->key_size, iv, out, size);
}

void derive_octets(enum suite suite, enum key_form form, bool is_rtcp, const uint8_t *master,
		   uint8_t out_octets[static 50])
{
	const struct suite_facts *facts = suite_facts(suite);
	unsigned label = is_rtcp ? LABELS_RTCP : 0;
	unsigned behind = facts->key_size + facts->salt_size;
	memset(out_octets, 0, 50);
	if (form == KEY_MASTER) {
		memcpy(out_octets, master, behind);
		return;
	}
	derive(suite, master, label, out_octets, facts->key_size);
	derive(suite, master, label + 2, out_octets + facts->key_size, facts->salt_size);
	if (!suite_is_aead(suite))
		derive(suite, master, label + 1, out_octets + behind, SUITE_AUTH_SIZE);
}
