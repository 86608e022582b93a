// Session keys: the vectors of RFC 3711, and packets that libsrtp2 protected under the master keys.

#include "tests/check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <string.h>

#include "media/keys.h"

#define HEADER_SIZE 12
#define PAYLOAD_SIZE 160
#define SSRC 0xdecafbadu

static void read_hex(const char *hex, uint8_t *room, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned value;
		CHECK_NUMBER(sscanf(hex + 2 * i, "%2x", &value), 1);
		room[i] = (uint8_t)value;
	}
}

static void the_vectors_of_rfc_3711_are_met(void **state)
{
	(void)state;
	struct media_key master = { .suite = SUITE_AES_CM_80 };
	struct message_key key;
	uint8_t expected[50];
	// Appendix B.3
	read_hex("E1F97A0D3E018BE0D64FA32C06DE4139"
		 "0EC675AD498AFEEBB6960B3AABE6",
		 master.octets, 30);
	read_hex("C61E7A93744F39EE10734AFE3FF7A087"
		 "30CBBC08863D8C85D49DB34A9AE1"
		 "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4",
		 expected, sizeof(expected));
	CHECK_TRUE(media_keys_derive(&master, KEY_SESSION, false, &key));
	CHECK_NUMBER(key.suite, SUITE_AES_CM_80);
	assert_memory_equal(key.octets, expected, sizeof(expected));
}

static void the_master_form_is_the_key_as_it_is(void **state)
{
	(void)state;
	struct media_key master;
	struct message_key key;
	media_keys_make(SUITE_AES_GCM_256, &master);
	CHECK_TRUE(media_keys_derive(&master, KEY_MASTER, true, &key));
	CHECK_NUMBER(key.suite, SUITE_AES_GCM_256);
	assert_memory_equal(key.octets, master.octets, MEDIA_KEY_SIZE);
}

static void fresh_keys_fill_their_suite_and_differ(void **state)
{
	(void)state;
	for (unsigned suite = SUITE_NONE + 1; suite < SUITE_COUNT; suite++) {
		const struct suite_facts *facts = suite_facts((enum suite)suite);
		struct media_key one, other;
		unsigned seen = 0;
		media_keys_make((enum suite)suite, &one);
		media_keys_make((enum suite)suite, &other);
		CHECK_FALSE(media_key_is_equal(&one, &other));
		for (unsigned i = 0; i < MEDIA_KEY_SIZE; i++) {
			bool is_used = i < facts->key_size + facts->salt_size;
			seen += is_used && one.octets[i] != other.octets[i];
			CHECK_TRUE(is_used || one.octets[i] == 0);
		}
		CHECK_TRUE(seen > 20);
	}
}

static srtp_t start_srtp(enum suite suite, struct media_key *master)
{
	srtp_policy_t policy = { .ssrc = { ssrc_specific, SSRC }, .key = master->octets };
	srtp_t session;
	switch (suite) {
	case SUITE_AES_CM_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
		break;
	case SUITE_AES_GCM_128:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
		break;
	case SUITE_AES_GCM_256:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
		break;
	default:
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	}
	CHECK_NUMBER(srtp_create(&session, &policy), srtp_err_status_ok);
	return session;
}

struct packet {
	uint8_t octets[256];
	int size;
	int header_size; // in the clear
	uint64_t index;
};

static struct packet make_packet(bool is_rtcp)
{
	struct packet packet = { .header_size = is_rtcp ? 8 : HEADER_SIZE };
	packet.size = packet.header_size + PAYLOAD_SIZE;
	packet.octets[0] = 0x80;
	packet.octets[1] = is_rtcp ? 200 : 0;
	packet.octets[3] = is_rtcp ? (8 + PAYLOAD_SIZE) / 4 - 1 : 77; // length, or sequence number
	for (unsigned i = 0; i < 4; i++)
		packet.octets[packet.header_size - 4 + (int)i] = (uint8_t)(SSRC >> (24 - 8 * i));
	for (int i = packet.header_size; i < packet.size; i++)
		packet.octets[i] = (uint8_t)i;
	packet.index = is_rtcp ? 1 : 77;
	return packet;
}

static void write_number(uint8_t *room, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		room[i] ^= (uint8_t)(value >> (8 * (size - 1 - i)));
}

// RFC 3711 4.1.1
static void decrypt_cm(const struct message_key *key, const struct packet *packet,
		       uint8_t out_payload[static PAYLOAD_SIZE])
{
	uint8_t iv[16] = { 0 };
	int size;
	memcpy(iv, key->octets + 16, 14);
	write_number(iv + 4, SSRC, 4);
	write_number(iv + 8, packet->index, 6);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	CHECK_NUMBER(EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key->octets, iv), 1);
	CHECK_NUMBER(EVP_EncryptUpdate(context, out_payload, &size,
				       packet->octets + packet->header_size, PAYLOAD_SIZE),
		     1);
	EVP_CIPHER_CTX_free(context);
}

// The tag covers what was sent, and the ROC (RTP) or E and index, which are in the packet (RTCP).
static void check_tag(const struct message_key *key, const struct packet *packet, bool is_rtcp)
{
	const struct suite_facts *facts = suite_facts((enum suite)key->suite);
	int tag_size = is_rtcp ? facts->rtcp_tag_size : facts->tag_size;
	uint8_t covered[256 + 4] = { 0 }, tag[EVP_MAX_MD_SIZE];
	int covered_size = packet->size - tag_size;
	unsigned size;
	memcpy(covered, packet->octets, (size_t)covered_size);
	HMAC(EVP_sha1(), key->octets + 30, SUITE_AUTH_SIZE, covered,
	     (size_t)covered_size + (is_rtcp ? 0 : 4), tag, &size);
	assert_memory_equal(tag, packet->octets + covered_size, (size_t)tag_size);
}

// RFC 7714 8.1, 9.1; the tag is left to the cipher text alone here.
static void decrypt_gcm(const struct message_key *key, const struct packet *packet, bool is_rtcp,
			uint8_t out_payload[static PAYLOAD_SIZE])
{
	bool is_long = key->suite == SUITE_AES_GCM_256;
	uint8_t iv[12];
	int size;
	memcpy(iv, key->octets + (is_long ? 32 : 16), sizeof(iv));
	write_number(iv + 2, SSRC, 4);
	write_number(iv + (is_rtcp ? 8 : 6), packet->index, is_rtcp ? 4 : 6);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = is_long ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
	CHECK_NUMBER(EVP_DecryptInit_ex(context, cipher, NULL, key->octets, iv), 1);
	CHECK_NUMBER(EVP_DecryptUpdate(context, out_payload, &size,
				       packet->octets + packet->header_size, PAYLOAD_SIZE),
		     1);
	EVP_CIPHER_CTX_free(context);
}

static void check_suite(enum suite suite, bool is_rtcp)
{
	struct media_key master;
	struct message_key key;
	struct packet packet = make_packet(is_rtcp), plain = packet;
	uint8_t payload[PAYLOAD_SIZE];
	media_keys_make(suite, &master);
	srtp_t session = start_srtp(suite, &master);
	CHECK_NUMBER(is_rtcp ? srtp_protect_rtcp(session, packet.octets, &packet.size)
			     : srtp_protect(session, packet.octets, &packet.size),
		     srtp_err_status_ok);
	CHECK_TRUE(media_keys_derive(&master, KEY_SESSION, is_rtcp, &key));
	if (suite_is_aead(suite)) {
		decrypt_gcm(&key, &packet, is_rtcp, payload);
	} else {
		check_tag(&key, &packet, is_rtcp);
		decrypt_cm(&key, &packet, payload);
	}
	assert_memory_equal(payload, plain.octets + plain.header_size, PAYLOAD_SIZE);
	srtp_dealloc(session);
}

static void what_libsrtp2_protects_opens_with_our_keys(void **state)
{
	(void)state;
	CHECK_NUMBER(srtp_init(), srtp_err_status_ok);
	for (unsigned suite = SUITE_NONE + 1; suite < SUITE_COUNT; suite++) {
		check_suite((enum suite)suite, false);
		check_suite((enum suite)suite, true);
	}
	srtp_shutdown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vectors_of_rfc_3711_are_met),
		TEST(the_master_form_is_the_key_as_it_is),
		TEST(fresh_keys_fill_their_suite_and_differ),
		TEST(what_libsrtp2_protects_opens_with_our_keys),
	};
	return RUN_TESTS(tests);
}
