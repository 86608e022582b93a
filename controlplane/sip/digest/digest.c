// Digest access authentication, the server's side (RFC 7616, RFC 8760, RFC 3261 22).
// Runs on the control thread. Never holds a password longer than it takes to hash it, never takes
// longer for one user than for another.

#include "sip/digest/digest.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/secret.h"
#include "sip/message_uri.h"
#include "sip/digest/nonce.h"
#include "sip/value.h"

#define REALM_MAX 256
#define CREDENTIALS_MAX 8 // Proxy-Authorization headers looked at
#define HEX_MAX (2 * SIP_HA1_SHA256_SIZE)
#define NONCE_COUNT_SIZE 8

struct sip_digest {
	const struct clock *clock;
	struct sip_nonces *nonces;
	EVP_MD *md5, *sha256; // fetched once: fetching costs more than hashing
	EVP_MD_CTX *context;
	enum sip_digest_offer offer;
	char realm_room[REALM_MAX];
	struct text realm;
};

// The Proxy-Authorization parameters, and where each goes in a claim.
static const struct field {
	struct text name;
	size_t offset;
} fields[] = {
	{ TEXT("username"), offsetof(struct sip_digest_claim, user) },
	{ TEXT("realm"), offsetof(struct sip_digest_claim, realm) },
	{ TEXT("nonce"), offsetof(struct sip_digest_claim, nonce) },
	{ TEXT("uri"), offsetof(struct sip_digest_claim, uri) },
	{ TEXT("response"), offsetof(struct sip_digest_claim, response) },
	{ TEXT("cnonce"), offsetof(struct sip_digest_claim, cnonce) },
	{ TEXT("nc"), offsetof(struct sip_digest_claim, nonce_count) },
	{ TEXT("qop"), offsetof(struct sip_digest_claim, qop) },
};

struct sip_digest *sip_digest_create(const struct clock *clock, struct text realm,
				     uint32_t lifetime_s)
{
	struct sip_digest *digest = calloc(1, sizeof(*digest));
	if (digest == NULL)
		return NULL;
	digest->clock = clock;
	digest->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	digest->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	digest->context = EVP_MD_CTX_new();
	if (!text_copy(realm, digest->realm_room, sizeof(digest->realm_room)))
		goto fail;
	digest->realm = text_of(digest->realm_room);
	digest->nonces = sip_nonces_create(digest->realm, lifetime_s);
	if (digest->md5 == NULL || digest->sha256 == NULL || digest->context == NULL ||
	    digest->nonces == NULL)
		goto fail;
	return digest;
fail:
	sip_digest_destroy(digest);
	return NULL;
}

void sip_digest_destroy(struct sip_digest *digest)
{
	if (digest == NULL)
		return;
	sip_nonces_destroy(digest->nonces);
	EVP_MD_CTX_free(digest->context);
	EVP_MD_free(digest->md5);
	EVP_MD_free(digest->sha256);
	free(digest);
}

void sip_digest_offer(struct sip_digest *digest, enum sip_digest_offer offer)
{
	digest->offer = offer;
}

static void write_challenge(struct sip_digest *digest, const struct address *source, bool is_stale,
			    const char *algorithm, struct writer *writer)
{
	writer_text(writer, TEXT("Proxy-Authenticate: Digest realm=\""));
	writer_text(writer, digest->realm);
	writer_text(writer, TEXT("\",nonce=\""));
	sip_nonce_write(digest->nonces, source, digest->clock->now_ms, writer);
	writer_text(writer, TEXT("\",qop=\"auth\",algorithm="));
	writer_string(writer, algorithm);
	writer_text(writer, is_stale ? TEXT(",stale=true\r\n") : TEXT("\r\n"));
}

// One line per algorithm, the better first: a client answers the first it knows (RFC 8760 2.4).
void sip_digest_challenge(struct sip_digest *digest, const struct address *source, bool is_stale,
			  struct writer *writer)
{
	if (digest->offer != SIP_DIGEST_OFFER_MD5)
		write_challenge(digest, source, is_stale, "SHA-256", writer);
	if (digest->offer != SIP_DIGEST_OFFER_SHA256)
		write_challenge(digest, source, is_stale, "MD5", writer);
}

// ---- reading

static bool is_quoted(struct text value)
{
	return value.size >= 2 && value.data[0] == '"';
}

// Escapes inside a quoted string would need a copy; nobody's user name or nonce here has any.
static bool unquote(struct text value, struct text *out_text)
{
	if (is_quoted(value)) {
		value = (struct text){ value.data + 1, value.size - 2 };
		if (text_find(value, '\\') != NULL)
			return false;
	}
	*out_text = value;
	return true;
}

static bool set_field(struct sip_digest_claim *claim, struct text name, struct text value)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct text *field = (struct text *)((char *)claim + fields[i].offset);
		if (!text_is_same(fields[i].name, name))
			continue;
		if (field->data != NULL) // given twice
			return false;
		*field = value;
		return true;
	}
	return true; // unknown ones are passed over
}

static bool set_algorithm(struct sip_digest_claim *claim, struct text value)
{
	claim->is_sha256 = text_is_same(value, TEXT("SHA-256"));
	return claim->is_sha256 || text_is_same(value, TEXT("MD5"));
}

// auth-param = token "=" ( token / quoted-string ), separated by commas.
static bool read_parameter(struct text one, struct sip_digest_claim *claim)
{
	struct cursor cursor = cursor_of(one);
	struct text value;
	struct text name = sip_value_token(&cursor);
	cursor_skip_space(&cursor);
	cursor_expect(&cursor, '=');
	cursor_skip_space(&cursor);
	if (cursor.failed || name.size == 0 || cursor_is_done(&cursor))
		return false;
	if (cursor_peek(&cursor) == '"') {
		if (!sip_value_quoted(&cursor, &value) || cursor.rest.size > 0)
			return false;
	} else {
		value = cursor.rest;
		if (!sip_value_is_token(value))
			return false;
	}
	if (!unquote(value, &value))
		return false;
	if (text_is_same(name, TEXT("algorithm")))
		return set_algorithm(claim, value);
	return set_field(claim, name, value);
}

enum reading { NOT_DIGEST, MALFORMED, READ };

static enum reading read_credentials(struct text header, struct sip_digest_claim *claim)
{
	struct cursor cursor = cursor_of(header);
	struct text scheme = sip_value_token(&cursor);
	bool is_sound = true;
	if (!text_is_same(scheme, TEXT("Digest")))
		return NOT_DIGEST;
	struct text rest = text_trim(cursor.rest);
	*claim = (struct sip_digest_claim){ .is_present = true };
	while (rest.data != NULL) {
		struct text one = sip_value_list(&rest);
		if (!read_parameter(one, claim))
			is_sound = false; // the realm may still say whose it is
	}
	return is_sound ? READ : MALFORMED;
}

static bool is_hex(struct text text, size_t size)
{
	if (text.size != size)
		return false;
	for (size_t i = 0; i < size; i++) {
		char next = (char)(text.data[i] | 32);
		if (!(next >= '0' && next <= '9') && !(next >= 'a' && next <= 'f'))
			return false;
	}
	return true;
}

static uint32_t hex_number(struct text text)
{
	uint32_t number = 0;
	for (size_t i = 0; i < text.size; i++) {
		char next = (char)(text.data[i] | 32);
		number = number << 4 | (uint32_t)(next <= '9' ? next - '0' : next - 'a' + 10);
	}
	return number;
}

static uint16_t port_of(const struct sip_uri *uri)
{
	return uri->port != 0 ? uri->port : 5060;
}

// Parameters are left out: user agents write them into one and not into the other.
static bool is_same_target(struct text claimed, const struct sip_uri *target)
{
	struct sip_uri uri;
	if (text_is_equal(claimed, target->whole))
		return true;
	return sip_uri_split(claimed, &uri) == SIP_URI_OK &&
	       text_is_same(uri.scheme, target->scheme) && text_is_equal(uri.user, target->user) &&
	       text_is_same(uri.host, target->host) && port_of(&uri) == port_of(target);
}

static bool is_well_formed(const struct sip_digest_claim *claim, const struct sip_message *request)
{
	size_t size = claim->is_sha256 ? SIP_HA1_SHA256_SIZE : SIP_HA1_MD5_SIZE;
	return claim->user.size > 0 && claim->nonce.size > 0 && claim->cnonce.size > 0 &&
	       text_is_same(claim->qop, TEXT("auth")) &&
	       is_hex(claim->nonce_count, NONCE_COUNT_SIZE) && is_hex(claim->response, 2 * size) &&
	       is_same_target(claim->uri, &request->target);
}

static bool is_offered(const struct sip_digest *digest, const struct sip_digest_claim *claim)
{
	return digest->offer == SIP_DIGEST_OFFER_BOTH ||
	       claim->is_sha256 == (digest->offer == SIP_DIGEST_OFFER_SHA256);
}

enum sip_digest_result sip_digest_read(const struct sip_digest *digest,
				       const struct sip_message *request,
				       struct sip_digest_claim *out_claim)
{
	struct text header;
	for (unsigned nth = 0; nth < CREDENTIALS_MAX; nth++) {
		header = sip_message_header(request, "Proxy-Authorization", nth);
		if (header.data == NULL)
			break;
		struct sip_digest_claim claim;
		enum reading reading = read_credentials(header, &claim);
		if (reading == NOT_DIGEST || !text_is_equal(claim.realm, digest->realm))
			continue;
		*out_claim = claim;
		return reading == READ && is_offered(digest, &claim) &&
				       is_well_formed(&claim, request)
			       ? SIP_DIGEST_RIGHT
			       : SIP_DIGEST_WRONG;
	}
	*out_claim = (struct sip_digest_claim){ 0 };
	return SIP_DIGEST_ABSENT;
}

enum sip_digest_result sip_digest_judge_nonce(struct sip_digest *digest,
					      const struct sip_message *request,
					      const struct sip_digest_claim *claim)
{
	return sip_nonce_is_fresh(digest->nonces, claim->nonce, hex_number(claim->nonce_count),
				  &request->flow.remote, digest->clock->now_ms)
		       ? SIP_DIGEST_RIGHT
		       : SIP_DIGEST_STALE;
}

// ---- hashing

// H(part ":" part ":" …)
static bool hash(EVP_MD_CTX *context, const EVP_MD *algorithm, const struct text *parts,
		 size_t count, uint8_t out_octets[static EVP_MAX_MD_SIZE])
{
	bool is_done = EVP_DigestInit_ex2(context, algorithm, NULL) == 1;
	for (size_t i = 0; i < count && is_done; i++) {
		if (i > 0)
			is_done = EVP_DigestUpdate(context, ":", 1) == 1;
		is_done = is_done && EVP_DigestUpdate(context, parts[i].data, parts[i].size) == 1;
	}
	return is_done && EVP_DigestFinal_ex(context, out_octets, NULL) == 1;
}

static struct text write_hex(const uint8_t *octets, size_t size, char room[static HEX_MAX])
{
	static const char digits[16] = "0123456789abcdef";
	for (size_t i = 0; i < size; i++) {
		room[2 * i] = digits[octets[i] >> 4];
		room[2 * i + 1] = digits[octets[i] & 15];
	}
	return (struct text){ room, 2 * size };
}

// RFC 7616 3.4.1: H(HA1:nonce:nc:cnonce:qop:H(method:uri)), in small hexadecimal letters.
static bool expected_response(struct sip_digest *digest, const struct sip_message *request,
			      const struct sip_digest_claim *claim, const uint8_t *ha1,
			      char room[static HEX_MAX])
{
	const EVP_MD *algorithm = claim->is_sha256 ? digest->sha256 : digest->md5;
	size_t size = claim->is_sha256 ? SIP_HA1_SHA256_SIZE : SIP_HA1_MD5_SIZE;
	uint8_t octets[EVP_MAX_MD_SIZE];
	char ha1_room[HEX_MAX], ha2_room[HEX_MAX];
	const struct text a2[] = { request->method_text, claim->uri };
	if (!hash(digest->context, algorithm, a2, 2, octets))
		return false;
	const struct text whole[] = { write_hex(ha1, size, ha1_room),
				      claim->nonce,
				      claim->nonce_count,
				      claim->cnonce,
				      claim->qop,
				      write_hex(octets, size, ha2_room) };
	bool is_done = hash(digest->context, algorithm, whole, 6, octets);
	secret_wipe(ha1_room, sizeof(ha1_room));
	(void)write_hex(octets, size, room);
	return is_done;
}

bool sip_digest_is_right(struct sip_digest *digest, const struct sip_message *request,
			 const struct sip_digest_claim *claim, const uint8_t *ha1)
{
	static const uint8_t nobody[SIP_HA1_SHA256_SIZE] = { 0 };
	size_t size = claim->is_sha256 ? SIP_HA1_SHA256_SIZE : SIP_HA1_MD5_SIZE;
	char expected[HEX_MAX], given[HEX_MAX];
	if (!claim->is_present || claim->response.size != 2 * size)
		return false;
	bool is_computed =
		expected_response(digest, request, claim, ha1 != NULL ? ha1 : nobody, expected);
	for (size_t i = 0; i < 2 * size; i++) // digits are not changed by it
		given[i] = (char)(claim->response.data[i] | 32);
	bool is_right = secret_is_equal(expected, given, 2 * size) && is_computed && ha1 != NULL;
	secret_wipe(expected, sizeof(expected));
	return is_right;
}

enum sip_digest_result sip_digest_verify(struct sip_digest *digest,
					 const struct sip_message *request,
					 const struct sip_digest_claim *claim, const uint8_t *ha1)
{
	if (!sip_digest_is_right(digest, request, claim, ha1))
		return SIP_DIGEST_WRONG;
	sip_nonce_use(digest->nonces, claim->nonce, hex_number(claim->nonce_count),
		      digest->clock->now_ms);
	return SIP_DIGEST_RIGHT;
}

// Once per credential, so it fetches what it needs. Without the algorithms no user can be right.
void sip_digest_derive(struct text user, struct text realm, struct text password,
		       struct sip_digest_secret *out_secret)
{
	const struct text a1[] = { user, realm, password };
	uint8_t octets[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	random_fill(out_secret, sizeof(*out_secret));
	if (context != NULL && hash(context, EVP_md5(), a1, 3, octets))
		memcpy(out_secret->md5, octets, sizeof(out_secret->md5));
	if (context != NULL && hash(context, EVP_sha256(), a1, 3, octets))
		memcpy(out_secret->sha256, octets, sizeof(out_secret->sha256));
	EVP_MD_CTX_free(context);
	secret_wipe(octets, sizeof(octets));
}
