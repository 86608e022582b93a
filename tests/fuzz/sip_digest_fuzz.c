// Fuzz target: any value of Proxy-Authorization. Nothing but a right digest is ever right, and where
// the value names a nonce "@" the one just made is put, so that what lies behind its check is reached.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sip/digest/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static struct text make_nonce(struct sip_digest *digest, const struct address *source, char *room,
			      size_t size)
{
	struct writer writer = writer_of(room, size);
	sip_digest_challenge(digest, source, false, &writer);
	struct text nonce = writer_done(&writer);
	while (!text_has_prefix(nonce, TEXT("nonce=\"")))
		nonce = text_cut(nonce, 1);
	nonce = text_cut(nonce, sizeof("nonce=\"") - 1);
	return text_split(&nonce, '"');
}

static void check(struct sip_digest *digest, const struct sip_message *request)
{
	struct sip_digest_claim claim;
	struct sip_digest_secret secret;
	enum sip_digest_result result = sip_digest_read(digest, request, &claim);
	if (claim.is_present != (result != SIP_DIGEST_ABSENT))
		abort();
	if (!claim.is_present)
		return;
	if (result == SIP_DIGEST_RIGHT) // whatever it is: others of this run may have used it
		(void)sip_digest_judge_nonce(digest, request, &claim);
	sip_digest_derive(TEXT("a"), TEXT("r"), TEXT("p"), &secret);
	if (sip_digest_verify(digest, request, &claim, NULL) != SIP_DIGEST_WRONG)
		abort();
	const uint8_t *ha1 = claim.is_sha256 ? secret.sha256 : secret.md5;
	if (sip_digest_verify(digest, request, &claim, ha1) == SIP_DIGEST_RIGHT)
		abort(); // 128 bits were guessed
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static struct sip_digest *digest;
	static const struct clock clock = { .now_ms = 1000000 };
	static const struct address source = { ADDRESS_IPV4, 0, 5060, { 192, 0, 2, 9 } };
	char challenge[512], value[4096];
	if (digest == NULL) {
		sip_message_start();
		digest = sip_digest_create(&clock, TEXT("r"), 60);
	}
	if (digest == NULL)
		abort();
	struct text nonce = make_nonce(digest, &source, challenge, sizeof(challenge));
	struct writer writer = writer_of(value, sizeof(value));
	for (size_t i = 0; i < size; i++) {
		if (octets[i] == '@')
			writer_text(&writer, nonce);
		else
			writer_char(&writer, (char)octets[i]);
	}
	struct sip_message request = { .is_request = true,
				       .method = SIP_INVITE,
				       .method_text = TEXT("INVITE"),
				       .header_count = 1,
				       .flow.remote = source };
	if (!sip_uri_parse(TEXT("sip:b@x"), &request.target))
		abort();
	request.headers[0] =
		(struct sip_header){ TEXT("Proxy-Authorization"), writer_done(&writer) };
	check(digest, &request);
	return 0;
}
