// Crypto lines as peers send them: taken, or skipped with the reason.

#include "tests/check.h"

#include <string.h>

#include "media/sdes.h"

#define ALL (SUITE_BITS_AES_CM | SUITE_BITS_AEAD)
#define KEY30 "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR" // RFC 4568 9.2
#define KEY28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw"
#define KEY44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis"
#define LINE "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30

static const struct {
	const char *value;
	enum media_sdes_fate fate;
	enum suite suite;
} lines[] = {
	{ LINE, MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	{ "999999999 AES_CM_128_HMAC_SHA1_32 inline:" KEY30, MEDIA_SDES_TAKEN, SUITE_AES_CM_32 },
	{ "  1   AES_CM_128_HMAC_SHA1_80   inline:" KEY30 "  ", MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	{ "1 AEAD_AES_128_GCM inline:" KEY28 "==", MEDIA_SDES_TAKEN, SUITE_AES_GCM_128 },
	{ "1 AEAD_AES_256_GCM inline:" KEY44 "=", MEDIA_SDES_TAKEN, SUITE_AES_GCM_256 },
	// Padding that is missing, or that should not be there.
	{ "1 AEAD_AES_128_GCM inline:" KEY28, MEDIA_SDES_TAKEN, SUITE_AES_GCM_128 },
	{ "1 AEAD_AES_128_GCM inline:" KEY28 "=", MEDIA_SDES_TAKEN, SUITE_AES_GCM_128 },
	{ "1 AEAD_AES_256_GCM inline:" KEY44, MEDIA_SDES_TAKEN, SUITE_AES_GCM_256 },
	{ LINE "==", MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	{ LINE "=|2^31", MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	// Lifetimes are tolerated in every form.
	{ LINE "|2^31", MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	{ LINE "|2^48", MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	{ LINE "|1048576", MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	{ LINE "|2^49", MEDIA_SDES_MALFORMED, SUITE_NONE },
	{ LINE "|0", MEDIA_SDES_MALFORMED, SUITE_NONE },
	{ LINE "|", MEDIA_SDES_MALFORMED, SUITE_NONE },
	{ LINE "|soon", MEDIA_SDES_MALFORMED, SUITE_NONE },
	// SRTP-006, D-33
	{ LINE "|1:4", MEDIA_SDES_MKI, SUITE_NONE },
	{ LINE "|2^20|1:32", MEDIA_SDES_MKI, SUITE_NONE },
	{ LINE "|2^20|", MEDIA_SDES_MALFORMED, SUITE_NONE },
	// RFC 4568 6.3
	{ LINE " WSH=64", MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	{ LINE " WSH=1024 KDR=0", MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	{ LINE " -x-whatever=1 WSH=128", MEDIA_SDES_TAKEN, SUITE_AES_CM_80 },
	{ LINE " WSH=63", MEDIA_SDES_PARAMETER, SUITE_NONE },
	{ LINE " WSH=", MEDIA_SDES_PARAMETER, SUITE_NONE },
	{ LINE " KDR=1", MEDIA_SDES_PARAMETER, SUITE_NONE },
	{ LINE " UNENCRYPTED_SRTP", MEDIA_SDES_PARAMETER, SUITE_NONE },
	{ LINE " UNENCRYPTED_SRTCP", MEDIA_SDES_PARAMETER, SUITE_NONE },
	{ LINE " UNAUTHENTICATED_SRTP", MEDIA_SDES_PARAMETER, SUITE_NONE },
	{ LINE " FEC_ORDER=FEC_SRTP", MEDIA_SDES_PARAMETER, SUITE_NONE },
	{ LINE " FEC_KEY=inline:" KEY30, MEDIA_SDES_PARAMETER, SUITE_NONE },
	{ LINE " x-whatever=1", MEDIA_SDES_PARAMETER, SUITE_NONE },
	{ LINE "|1:4 UNENCRYPTED_SRTP", MEDIA_SDES_MKI, SUITE_NONE },
	{ LINE ";inline:" KEY30, MEDIA_SDES_SEVERAL_KEYS, SUITE_NONE },
	{ LINE "|2^20|1:4;inline:" KEY30 "|2^20|2:4", MEDIA_SDES_SEVERAL_KEYS, SUITE_NONE },
	// Keys of the wrong length, and what is not base64.
	{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY28, MEDIA_SDES_KEY, SUITE_NONE },
	{ "1 AEAD_AES_128_GCM inline:" KEY30, MEDIA_SDES_KEY, SUITE_NONE },
	{ LINE "A", MEDIA_SDES_KEY, SUITE_NONE },
	{ "1 AES_CM_128_HMAC_SHA1_80 inline:", MEDIA_SDES_KEY, SUITE_NONE },
	{ "1 AES_CM_128_HMAC_SHA1_80 inline:====", MEDIA_SDES_KEY, SUITE_NONE },
	{ "1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaV-R",
	  MEDIA_SDES_KEY, SUITE_NONE },
	{ "1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkp=ywjNWhcYD0mXXtxaVBR",
	  MEDIA_SDES_KEY, SUITE_NONE },
	// Suites: case matters (RFC 4568 9.1).
	{ "1 aes_cm_128_hmac_sha1_80 inline:" KEY30, MEDIA_SDES_SUITE, SUITE_NONE },
	{ "1 F8_128_HMAC_SHA1_80 inline:" KEY30, MEDIA_SDES_SUITE, SUITE_NONE },
	{ "1 AES_256_CM_HMAC_SHA1_80 inline:" KEY44, MEDIA_SDES_SUITE, SUITE_NONE },
	{ "1 none inline:" KEY30, MEDIA_SDES_SUITE, SUITE_NONE },
	{ "", MEDIA_SDES_MALFORMED, SUITE_NONE },
	{ "1", MEDIA_SDES_MALFORMED, SUITE_NONE },
	{ "1 AES_CM_128_HMAC_SHA1_80", MEDIA_SDES_MALFORMED, SUITE_NONE },
	{ "1 AES_CM_128_HMAC_SHA1_80 outline:" KEY30, MEDIA_SDES_MALFORMED, SUITE_NONE },
	{ "x AES_CM_128_HMAC_SHA1_80 inline:" KEY30, MEDIA_SDES_MALFORMED, SUITE_NONE },
	{ "-1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30, MEDIA_SDES_MALFORMED, SUITE_NONE },
	{ "1234567890 AES_CM_128_HMAC_SHA1_80 inline:" KEY30, MEDIA_SDES_MALFORMED, SUITE_NONE },
};

static void each_line_is_taken_or_skipped_for_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct media_sdes line = { .tag = 77 };
		enum media_sdes_fate fate = media_sdes_parse(text_of(lines[i].value), ALL, &line);
		if (fate != lines[i].fate)
			fail_msg("%s: %s", lines[i].value, media_sdes_fate_text(fate));
		CHECK_NUMBER(line.key.suite, lines[i].suite);
		if (fate != MEDIA_SDES_TAKEN)
			CHECK_NUMBER(line.tag, 77); // untouched
	}
}

static void a_line_is_read_as_a_whole(void **state)
{
	(void)state;
	struct media_sdes line = { .tag = 0 };
	CHECK_NUMBER(media_sdes_parse(TEXT("42 AES_CM_128_HMAC_SHA1_32 inline:" KEY30 "|2^31"), ALL,
				      &line),
		     MEDIA_SDES_TAKEN);
	CHECK_NUMBER(line.tag, 42);
	CHECK_TRUE(line.has_lifetime);
	assert_memory_equal(line.key.octets, "=-n@%^x!Bjufr9)?,#5h\\`=&]{qiPQ", 30);
	for (size_t i = 30; i < MEDIA_KEY_SIZE; i++)
		CHECK_NUMBER(line.key.octets[i], 0);
}

static void a_suite_that_is_not_allowed_is_skipped(void **state)
{
	(void)state;
	struct media_sdes line;
	CHECK_NUMBER(media_sdes_parse(TEXT(LINE), SUITE_BITS_AEAD, &line), MEDIA_SDES_SUITE);
	CHECK_NUMBER(media_sdes_parse(TEXT(LINE), 0, &line), MEDIA_SDES_SUITE);
	CHECK_NUMBER(media_sdes_parse(TEXT(LINE), SUITE_BIT(SUITE_AES_CM_80), &line),
		     MEDIA_SDES_TAKEN);
}

static void an_endless_line_is_skipped(void **state)
{
	(void)state;
	char room[MEDIA_SDES_SIZE_MAX + 2];
	struct media_sdes line;
	memset(room, ' ', sizeof(room));
	memcpy(room, LINE, sizeof(LINE) - 1);
	CHECK_NUMBER(media_sdes_parse((struct text){ room, MEDIA_SDES_SIZE_MAX }, ALL, &line),
		     MEDIA_SDES_TAKEN);
	CHECK_NUMBER(media_sdes_parse((struct text){ room, MEDIA_SDES_SIZE_MAX + 1 }, ALL, &line),
		     MEDIA_SDES_MALFORMED);
}

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	for (unsigned suite = SUITE_NONE + 1; suite < SUITE_COUNT; suite++) {
		const struct suite_facts *facts = suite_facts((enum suite)suite);
		struct media_sdes line = { .tag = suite, .key.suite = (uint8_t)suite }, back;
		char room[256];
		struct writer writer = writer_of(room, sizeof(room));
		for (unsigned i = 0; i < facts->key_size + facts->salt_size; i++)
			line.key.octets[i] = (uint8_t)(251 - i * 7);
		media_sdes_write(&line, &writer);
		CHECK_NUMBER(media_sdes_parse(writer_done(&writer), ALL, &back), MEDIA_SDES_TAKEN);
		CHECK_NUMBER(back.tag, suite);
		CHECK_TRUE(media_key_is_equal(&back.key, &line.key));
	}
}

static void a_line_is_written_with_its_padding(void **state)
{
	(void)state;
	struct media_sdes line = { .tag = 1, .key.suite = SUITE_AES_GCM_128 };
	char room[128];
	struct writer writer = writer_of(room, sizeof(room));
	for (unsigned i = 0; i < 28; i++)
		line.key.octets[i] = (uint8_t)i;
	media_sdes_write(&line, &writer);
	CHECK_TEXT(writer_done(&writer), "1 AEAD_AES_128_GCM inline:" KEY28 "==");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_line_is_taken_or_skipped_for_its_reason),
		TEST(a_line_is_read_as_a_whole),
		TEST(a_suite_that_is_not_allowed_is_skipped),
		TEST(an_endless_line_is_skipped),
		TEST(what_is_written_is_read_back),
		TEST(a_line_is_written_with_its_padding),
	};
	return RUN_TESTS(tests);
}
