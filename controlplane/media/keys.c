// Session keys of SRTP from master keys, by the AES counter mode of RFC 3711 4.3.3. The key derivation
// rate is always 0: one derivation for the life of a master key.
// Runs on: control thread. Wipes what it used; never logs.

#include "media/keys.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/random.h"
#include "base/secret.h"

#define IV_SIZE 16
#define LABEL_POSITION 7 // of 14: the label stands above an index of 48 bits that is always 0

// RFC 3711 4.3.1, 4.3.2: for RTP; those of RTCP are three further on.
enum label { LABEL_CIPHER, LABEL_AUTHENTICATION, LABEL_SALT, LABEL_RTCP };

void media_keys_make(enum suite suite, struct media_key *out_key)
{
	const struct suite_facts *facts = suite_facts(suite);
	*out_key = (struct media_key){ .suite = (uint8_t)suite };
	if (suite != SUITE_NONE)
		random_fill(out_key->octets, (size_t)facts->key_size + facts->salt_size);
}

// One session key. A salt of 96 bits stands to the left of the 112 bits (RFC 7714 11).
static bool derive(EVP_CIPHER_CTX *context, const struct media_key *master, unsigned label,
		   uint8_t *out_octets, size_t size)
{
	static const uint8_t zeroes[SUITE_KEY_MAX];
	const struct suite_facts *facts = suite_facts((enum suite)master->suite);
	const EVP_CIPHER *cipher = facts->key_size == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
	uint8_t iv[IV_SIZE] = { 0 };
	int written = 0;
	memcpy(iv, master->octets + facts->key_size, facts->salt_size);
	iv[LABEL_POSITION] ^= (uint8_t)label;
	bool is_done = EVP_EncryptInit_ex(context, cipher, NULL, master->octets, iv) == 1 &&
		       EVP_EncryptUpdate(context, out_octets, &written, zeroes, (int)size) == 1 &&
		       written == (int)size;
	secret_wipe(iv, sizeof(iv));
	return is_done;
}

static bool derive_all(const struct media_key *master, unsigned first_label, uint8_t *out_octets)
{
	const struct suite_facts *facts = suite_facts((enum suite)master->suite);
	uint8_t *salt = out_octets + facts->key_size, *authentication = salt + facts->salt_size;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool is_done =
		context &&
		derive(context, master, first_label + LABEL_CIPHER, out_octets, facts->key_size) &&
		derive(context, master, first_label + LABEL_SALT, salt, facts->salt_size) &&
		(suite_is_aead((enum suite)master->suite) ||
		 derive(context, master, first_label + LABEL_AUTHENTICATION, authentication,
			SUITE_AUTH_SIZE));
	EVP_CIPHER_CTX_free(context); // wipes its key schedule
	return is_done;
}

bool media_keys_derive(const struct media_key *master, enum key_form form, bool is_rtcp,
		       struct message_key *out_key)
{
	struct message_key key = { .suite = master->suite };
	_Static_assert(sizeof(key.octets) >= sizeof(master->octets), "a master key fits");
	bool is_done = true;
	if (form == KEY_MASTER)
		memcpy(key.octets, master->octets, sizeof(master->octets));
	else
		is_done = derive_all(master, is_rtcp ? LABEL_RTCP : LABEL_CIPHER, key.octets);
	if (is_done)
		*out_key = key;
	secret_wipe(&key, sizeof(key));
	return is_done;
}
