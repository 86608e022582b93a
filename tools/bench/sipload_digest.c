// The caller's side of digest authentication: MD5 with qop=auth, as most user agents do it.
// Runs on the generator's thread; never allocates after creation.

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "sipload.h"

#define HEX 32 // digits of an MD5

struct sipload_digest {
	EVP_MD *md5;
	EVP_MD_CTX *context;
	const char *user, *password;
	char realm[128]; // of `secret`
	char secret[HEX];
};

struct sipload_digest *sipload_digest_create(const struct sipload_options *options)
{
	struct sipload_digest *digest = calloc(1, sizeof(*digest));
	if (!digest)
		return NULL;
	digest->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	digest->context = EVP_MD_CTX_new();
	digest->user = options->user ? options->user : "";
	digest->password = options->password ? options->password : "";
	if (digest->md5 && digest->context)
		return digest;
	sipload_digest_destroy(digest);
	return NULL;
}

void sipload_digest_destroy(struct sipload_digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	EVP_MD_free(digest->md5);
	free(digest);
}

// MD5 of the parts with a colon between each two.
static bool hash(struct sipload_digest *digest, const struct text *parts, unsigned count,
		 char out_hex[static HEX])
{
	uint8_t octets[EVP_MAX_MD_SIZE];
	bool is_good = EVP_DigestInit_ex2(digest->context, digest->md5, NULL);
	for (unsigned i = 0; i < count; i++)
		is_good = is_good && (i == 0 || EVP_DigestUpdate(digest->context, ":", 1)) &&
			  EVP_DigestUpdate(digest->context, parts[i].data, parts[i].size);
	if (!is_good || !EVP_DigestFinal_ex(digest->context, octets, NULL))
		return false;
	for (unsigned i = 0; i < HEX; i++)
		out_hex[i] = "0123456789abcdef"[octets[i / 2] >> (i % 2 ? 0 : 4) & 15];
	return true;
}

static struct text parameter(struct text challenge, const char *name)
{
	const char *found = memmem(challenge.data, challenge.size, name, strlen(name));
	if (!found)
		return TEXT_NONE;
	struct text rest = text_cut(challenge, (size_t)(found - challenge.data) + strlen(name));
	return text_split(&rest, '"');
}

// Hashed once: the realm stays the same.
static bool set_realm(struct sipload_digest *digest, struct text realm)
{
	if (text_is_equal(realm, text_of(digest->realm)))
		return true;
	const struct text parts[] = { text_of(digest->user), realm, text_of(digest->password) };
	return text_copy(realm, digest->realm, sizeof(digest->realm)) &&
	       hash(digest, parts, 3, digest->secret);
}

bool sipload_digest_answer(struct sipload_digest *digest, struct text challenge, struct text uri,
			   struct writer *writer)
{
	char request[HEX], response[HEX];
	struct text realm = parameter(challenge, "realm=\"");
	struct text nonce = parameter(challenge, "nonce=\"");
	const struct text what[] = { TEXT("INVITE"), uri };
	if (!nonce.size || !set_realm(digest, realm) || !hash(digest, what, 2, request))
		return false;
	const struct text whole[] = { { digest->secret, HEX }, nonce,        TEXT("00000001"),
				      TEXT("5ca1ab1e"),        TEXT("auth"), { request, HEX } };
	if (!hash(digest, whole, 6, response))
		return false;
	const struct text pieces[] = {
		TEXT("Proxy-Authorization: Digest username=\""),
		text_of(digest->user),
		TEXT("\",realm=\""),
		realm,
		TEXT("\",nonce=\""),
		nonce,
		TEXT("\",uri=\""),
		uri,
		TEXT("\",response=\""),
		{ response, HEX },
		TEXT("\",algorithm=MD5,qop=auth,nc=00000001,cnonce=\"5ca1ab1e\"\r\n"),
	};
	for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		writer_text(writer, pieces[i]);
	return !writer->failed;
}
