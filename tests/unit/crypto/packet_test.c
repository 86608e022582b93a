// Packets through the door of every engine: the RFCs' vectors, what is too short or was tampered with.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/crypto/fixture.h"

static const struct stream_id rtp = { 2, 5 }, rtcp = { 3, 5 };

static unsigned from_hex(const char *hex, uint8_t *out)
{
	unsigned size = 0, octet;
	for (; sscanf(hex, "%2x", &octet) == 1; hex += 2)
		out[size++] = (uint8_t)octet;
	return size;
}

static void master_of(uint8_t *out, unsigned seed)
{
	for (unsigned i = 0; i < DERIVE_MASTER_MAX; i++)
		out[i] = (uint8_t)(i * 29 + seed);
}

static void set_both(struct crypto *crypto, struct stream_id stream, enum suite suite)
{
	uint8_t master[DERIVE_MASTER_MAX];
	master_of(master, suite);
	crypto_forget(crypto_of_worker(crypto, 0), stream.index);
	CHECK_TRUE(fixture_set_key(crypto, stream, suite, KEY_ARRIVES, master, 1));
	CHECK_TRUE(fixture_set_key(crypto, stream, suite, KEY_LEAVES, master, 1));
}

static uint16_t write_rtcp(uint8_t *out, unsigned size)
{
	const uint8_t header[8] = { 0x80, 200, 0, 6, 1, 2, 3, 4 };
	memcpy(out, header, sizeof(header));
	memset(out + sizeof(header), 0x33, size);
	return (uint16_t)(sizeof(header) + size);
}

static uint16_t write_plain(uint8_t *out, struct stream_id stream, uint16_t sequence, unsigned size)
{
	return stream.index % 2 ? write_rtcp(out, size)
				: fixture_write_rtp(out, 0xdecafbad, sequence, size);
}

static uint16_t protect(struct crypto *crypto, struct stream_id stream, uint16_t sequence,
			unsigned size, uint8_t *out)
{
	struct crypto_job job =
		fixture_job(out, write_plain(out, stream, sequence, size), stream, KEY_LEAVES);
	CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_FORWARDED);
	return job.size;
}

static enum verdict unprotect(struct crypto *crypto, struct stream_id stream, uint8_t *media,
			      uint16_t size)
{
	struct crypto_job job = fixture_job(media, size, stream, KEY_ARRIVES);
	return fixture_run(crypto, &job);
}

static void for_every_suite(struct crypto *crypto,
			    void (*test)(struct crypto *, struct stream_id, enum suite))
{
	for (enum suite suite = 1; suite < SUITE_COUNT; suite++) {
		test(crypto, rtp, suite);
		test(crypto, rtcp, suite);
	}
}

// RFC 3711 B.2, its first three blocks: what a packet of zeroes becomes.
static void check_key_stream(struct crypto *crypto)
{
	uint8_t octets[50] = { 0 }, media[12 + 48 + CRYPTO_ROOM], expected[48];
	if (crypto_key_form(crypto) != KEY_SESSION)
		return; // the vector is of a session key
	from_hex("2b7e151628aed2a6abf7158809cf4f3cf0f1f2f3f4f5f6f7f8f9fafbfcfd", octets);
	from_hex("e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
		 "41e95b3bb0a2e8dd477901e4fca894c0",
		 expected);
	CHECK_TRUE(fixture_set_octets(crypto, rtp, SUITE_AES_CM_80, KEY_LEAVES, octets, 1));
	fixture_write_rtp(media, 0, 0, 0);
	memset(media + 12, 0, 48);
	struct crypto_job job = fixture_job(media, 12 + 48, rtp, KEY_LEAVES);
	CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_FORWARDED);
	CHECK_NUMBER(job.size, 12 + 48 + 10);
	assert_memory_equal(media + 12, expected, sizeof(expected));
}

static void the_key_stream_is_that_of_rfc_3711(void **state)
{
	(void)state;
	fixture_for_every_engine(check_key_stream);
}

// RFC 7714 16 and 17: the same key octets, 0, 1, 2 …, and the salt "Quid pro quo".
static const struct vector {
	enum suite suite;
	bool is_rtcp;
	uint32_t index; // of SRTCP
	const char *plain, *secret;
} vectors[] = {
	{ SUITE_AES_GCM_128, false, 0,
	  "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976"
	  "69736120696e207061727465732074726573",
	  "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd5"
	  "0d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee439"
	  "0cce" },
	{ SUITE_AES_GCM_256, false, 0,
	  "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976"
	  "69736120696e207061727465732074726573",
	  "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab1801238"
	  "9a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a7"
	  "6c13" },
	{ SUITE_AES_GCM_128, true, 0x5d4,
	  "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"
	  "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
	  "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32d"
	  "c676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf872"
	  "45d9eade800005d4" },
	{ SUITE_AES_GCM_256, true, 0x5d4,
	  "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"
	  "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
	  "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50"
	  "a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6c"
	  "b26ac3be800005d4" },
};

static void set_vector_keys(struct crypto *crypto, const struct vector *vector)
{
	unsigned key_size = suite_facts(vector->suite)->key_size;
	uint8_t octets[50] = { 0 };
	for (unsigned i = 0; i < key_size; i++)
		octets[i] = (uint8_t)i;
	from_hex("517569642070726f2071756f", octets + key_size);
	struct stream_id stream = vector->is_rtcp ? rtcp : rtp;
	crypto_forget(crypto_of_worker(crypto, 0), stream.index);
	for (unsigned way = 0; way < KEY_WAYS; way++)
		CHECK_TRUE(fixture_set_octets(crypto, stream, vector->suite, way, octets, 1));
}

static void check_vector(struct crypto *crypto, const struct vector *vector)
{
	uint8_t plain[128], secret[128], media[128 + CRYPTO_ROOM];
	unsigned plain_size = from_hex(vector->plain, plain);
	unsigned secret_size = from_hex(vector->secret, secret);
	struct stream_id stream = vector->is_rtcp ? rtcp : rtp;
	set_vector_keys(crypto, vector);
	for (uint32_t index = 1; index < vector->index; index++)
		protect(crypto, stream, 0, 8, media); // up to the vector's SRTCP index
	memcpy(media, plain, plain_size);
	struct crypto_job job = fixture_job(media, (uint16_t)plain_size, stream, KEY_LEAVES);
	CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_FORWARDED);
	CHECK_NUMBER(job.size, secret_size);
	assert_memory_equal(media, secret, secret_size);
	CHECK_NUMBER(unprotect(crypto, stream, media, (uint16_t)secret_size), VERDICT_FORWARDED);
	assert_memory_equal(media, plain, plain_size);
}

static void check_vectors(struct crypto *crypto)
{
	for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		if (crypto_key_form(crypto) == KEY_SESSION)
			check_vector(crypto, &vectors[i]);
}

static void aead_packets_are_those_of_rfc_7714(void **state)
{
	(void)state;
	fixture_for_every_engine(check_vectors);
}

static void check_tag_size(struct crypto *crypto, struct stream_id stream, enum suite suite)
{
	static const uint8_t rtp_sizes[] = { 0, 10, 4, 16, 16 };
	static const uint8_t rtcp_sizes[] = { 0, 14, 14, 20, 20 }; // with E and index
	uint8_t media[400];
	set_both(crypto, stream, suite);
	unsigned size = protect(crypto, stream, 1, 60, media);
	unsigned expected =
		stream.index % 2 ? 8 + 60u + rtcp_sizes[suite] : 12 + 60u + rtp_sizes[suite];
	CHECK_NUMBER(size, expected);
}

static void check_tag_sizes(struct crypto *crypto)
{
	for_every_suite(crypto, check_tag_size);
}

// SRTP-010: _32 has 4 octets on RTP and 10 on RTCP. SRTP-006: there is no MKI between.
static void tags_have_the_size_of_their_suite(void **state)
{
	(void)state;
	fixture_for_every_engine(check_tag_sizes);
}

// Every octet of the packet; a flipped one in SSRC or sequence number is another index, and no
// genuine packet either. Nothing of it stays: the packet itself still passes.
static void check_forgeries(struct crypto *crypto, struct stream_id stream, enum suite suite)
{
	uint8_t good[200], media[200 + CRYPTO_ROOM];
	set_both(crypto, stream, suite);
	unsigned size = protect(crypto, stream, 100, 50, good);
	for (unsigned i = 2; i < size; i++) {
		memcpy(media, good, size);
		media[i] ^= (uint8_t)(1 << i % 8);
		CHECK_NUMBER(unprotect(crypto, stream, media, (uint16_t)size),
			     VERDICT_DROP_AUTHENTICATION);
	}
	memcpy(media, good, size);
	CHECK_NUMBER(unprotect(crypto, stream, media, (uint16_t)size), VERDICT_FORWARDED);
}

static void check_all_forgeries(struct crypto *crypto)
{
	for_every_suite(crypto, check_forgeries);
}

static void a_forged_packet_is_refused_and_leaves_no_trace(void **state)
{
	(void)state;
	fixture_for_every_engine(check_all_forgeries);
}

// Buffers of exactly the size promised: an address sanitizer sees one octet too many.
static void check_every_size(struct crypto *crypto, struct stream_id stream, enum suite suite)
{
	uint8_t good[200];
	set_both(crypto, stream, suite);
	unsigned size = protect(crypto, stream, 100, 50, good);
	for (unsigned cut = 0; cut < size; cut++) {
		uint8_t *media = malloc(cut + CRYPTO_ROOM);
		assert_non_null(media);
		memcpy(media, good, cut);
		enum verdict verdict = unprotect(crypto, stream, media, (uint16_t)cut);
		CHECK_TRUE(verdict == VERDICT_DROP_TRUNCATED ||
			   verdict == VERDICT_DROP_AUTHENTICATION);
		unsigned least = size - 50; // header, tag, and of SRTCP the index
		CHECK_TRUE((verdict == VERDICT_DROP_TRUNCATED) == (cut < least));
		free(media);
	}
	for (uint16_t plain = 0; plain < 80; plain++) {
		unsigned header = stream.index % 2 ? 8 : 12;
		uint8_t *media = malloc(header + plain + CRYPTO_ROOM);
		assert_non_null(media);
		uint16_t whole = protect(crypto, stream, (uint16_t)(200 + plain), plain, media);
		CHECK_NUMBER(unprotect(crypto, stream, media, whole), VERDICT_FORWARDED);
		free(media);
	}
}

static void check_all_sizes(struct crypto *crypto)
{
	for_every_suite(crypto, check_every_size);
}

static void no_size_reads_or_writes_outside_the_packet(void **state)
{
	(void)state;
	fixture_for_every_engine(check_all_sizes);
}

static void check_plain_header_too_short(struct crypto *crypto)
{
	uint8_t media[64] = { 0x80 };
	set_both(crypto, rtp, SUITE_AES_CM_80);
	struct crypto_job job = fixture_job(media, 11, rtp, KEY_LEAVES);
	CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_DROP_TRUNCATED);
	job = fixture_job(media, 20, rtp, KEY_LEAVES);
	job.clear_size = 11;
	CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_DROP_TRUNCATED);
	job = fixture_job(media, 20, rtp, KEY_ARRIVES);
	job.clear_size = 24;
	CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_DROP_TRUNCATED);
}

static void a_packet_without_a_whole_header_is_truncated(void **state)
{
	(void)state;
	fixture_for_every_engine(check_plain_header_too_short);
}

// SRTCP whose E bit says it is in the clear: also where its tag would be right.
static void check_clear_rtcp(struct crypto *crypto, struct stream_id stream, enum suite suite)
{
	uint8_t media[200];
	if (stream.index % 2 == 0)
		return;
	set_both(crypto, stream, suite);
	uint16_t size = protect(crypto, stream, 0, 40, media);
	media[size - (suite_is_aead(suite) ? 4 : 14)] &= 0x7f;
	CHECK_NUMBER(unprotect(crypto, stream, media, size), VERDICT_DROP_AUTHENTICATION);
}

static void check_all_clear_rtcp(struct crypto *crypto)
{
	for_every_suite(crypto, check_clear_rtcp);
}

static void srtcp_in_the_clear_is_refused(void **state)
{
	(void)state;
	fixture_for_every_engine(check_all_clear_rtcp);
}

static void check_without_key(struct crypto *crypto)
{
	uint8_t media[200] = { 0x80 };
	struct stream_id nobody = { 10, 1 }, older = { rtp.index, rtp.generation - 1 },
			 outside = { FIXTURE_STREAMS, 1 };
	set_both(crypto, rtp, SUITE_AES_CM_80);
	CHECK_NUMBER(unprotect(crypto, nobody, media, 100), VERDICT_DROP_AUTHENTICATION);
	CHECK_NUMBER(unprotect(crypto, older, media, 100), VERDICT_DROP_AUTHENTICATION);
	CHECK_NUMBER(unprotect(crypto, outside, media, 100), VERDICT_DROP_AUTHENTICATION);
	struct crypto_job job = fixture_job(media, 100, nobody, KEY_LEAVES);
	CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_DROP_AUTHENTICATION);
	job = fixture_job(media, 100, rtp, KEY_LEAVES); // RTCP under the key of RTP
	job.is_rtcp = true;
	job.clear_size = 8;
	CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_DROP_AUTHENTICATION);
}

static void without_its_key_nothing_passes(void **state)
{
	(void)state;
	fixture_for_every_engine(check_without_key);
	struct crypto *off = fixture_start("off");
	assert_non_null(off);
	CHECK_STRING(crypto_engine(off), "off");
	uint8_t media[200] = { 0x80 };
	struct crypto_job job = fixture_job(media, 100, rtp, KEY_LEAVES);
	CHECK_NUMBER(fixture_run(off, &job), VERDICT_DROP_AUTHENTICATION);
	CHECK_FALSE(fixture_set_key(off, rtp, SUITE_AES_CM_80, KEY_LEAVES, media, 1));
	crypto_stop(off);
}

static void an_unknown_engine_does_not_start(void **state)
{
	(void)state;
	struct crypto_plan plan = { "rot13", 1, 2 };
	struct crypto *crypto = NULL;
	CHECK_STATUS(crypto_start(&plan, &crypto), ERR_NOT_FOUND);
	assert_null(crypto);
	crypto_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_key_stream_is_that_of_rfc_3711),
		TEST(aead_packets_are_those_of_rfc_7714),
		TEST(tags_have_the_size_of_their_suite),
		TEST(a_forged_packet_is_refused_and_leaves_no_trace),
		TEST(no_size_reads_or_writes_outside_the_packet),
		TEST(a_packet_without_a_whole_header_is_truncated),
		TEST(srtcp_in_the_clear_is_refused),
		TEST(without_its_key_nothing_passes),
		TEST(an_unknown_engine_does_not_start),
	};
	if (!fixture_start_devices())
		return 1;
	return RUN_TESTS(tests);
}
