// HMAC-SHA1 by OpenSSL, as client libraries check it (X-Twilio-Signature). Runs on any thread; pure.

#include "notify/sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

void notify_sign(const char *token, struct text text, char room[static NOTIFY_SIGNATURE_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	room[0] = 0;
	if (!HMAC(EVP_sha1(), token, (int)strlen(token), (const unsigned char *)text.data,
		  text.size, digest, &size) ||
	    size != 20)
		return;
	(void)EVP_EncodeBlock((unsigned char *)room, digest, (int)size);
}
