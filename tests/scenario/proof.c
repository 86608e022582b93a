// A client's digest. Runs on the thread of the test.

#include "scenario/proof.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>

#define CNONCE "0a4f113b"

struct hash {
	char hex[2 * EVP_MAX_MD_SIZE + 1];
};

static struct hash hash_of(bool is_sha256, const char *text)
{
	struct hash hash = { 0 };
	uint8_t octets[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	int did = EVP_Digest(text, text_of(text).size, octets, &size,
			     is_sha256 ? EVP_sha256() : EVP_md5(), NULL);
	assert(did == 1);
	(void)did;
	for (unsigned i = 0; i < size; i++)
		(void)snprintf(hash.hex + 2 * i, 3, "%02x", octets[i]);
	return hash;
}

void proof_write(const struct proof *proof, struct writer *writer)
{
	char room[1024];
	(void)snprintf(room, sizeof(room), "%s:%s:%s", proof->user, proof->realm, proof->password);
	struct hash ha1 = hash_of(proof->is_sha256, room);
	(void)snprintf(room, sizeof(room), "%s:%s", proof->method, proof->uri);
	struct hash ha2 = hash_of(proof->is_sha256, room);
	(void)snprintf(room, sizeof(room), "%s:%s:%08x:" CNONCE ":auth:%s", ha1.hex, proof->nonce,
		       proof->nonce_count, ha2.hex);
	struct hash response = hash_of(proof->is_sha256, room);
	writer_format(writer,
		      "Proxy-Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", "
		      "uri=\"%s\", response=\"%s\", algorithm=%s, cnonce=\"" CNONCE "\", qop=auth, "
		      "nc=%08x\r\n",
		      proof->user, proof->realm, proof->nonce, proof->uri, response.hex,
		      proof->is_sha256 ? "SHA-256" : "MD5", proof->nonce_count);
}
