// Digest authentication: the examples of RFC 7616 3.9.1, and every way to be absent, stale or wrong.

#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#include "sip/digest/digest.h"

#define REALM "trunk.example"
#define LIFETIME_S 120

struct bench {
	struct clock clock;
	struct sip_digest *digest;
	struct sip_digest_secret secret;
	struct address source;
	char octets[2048];
	struct sip_message message;
	struct sip_digest_claim claim;
};

static int set_up(void **state)
{
	static struct bench bench; // lint: global (each test starts from an empty one)
	bench = (struct bench){ .clock = { .now_ms = 5000000 } };
	bench.digest = sip_digest_create(&bench.clock, TEXT(REALM), LIFETIME_S);
	assert_non_null(bench.digest);
	sip_digest_derive(TEXT("bob"), TEXT(REALM), TEXT("zanzibar"), &bench.secret);
	CHECK_TRUE(address_parse(TEXT("192.0.2.9:5060"), &bench.source));
	*state = &bench;
	return 0;
}

static int tear_down(void **state)
{
	sip_digest_destroy(((struct bench *)*state)->digest);
	return 0;
}

// The nonce of the first (SHA-256) or second (MD5) challenge.
static void get_nonce(struct bench *bench, bool is_sha256, char room[static 64])
{
	char challenge[1024];
	struct writer writer = writer_of(challenge, sizeof(challenge));
	sip_digest_challenge(bench->digest, &bench->source, false, &writer);
	const char *at = writer_string_done(&writer);
	assert_non_null(at);
	at = strstr(at, is_sha256 ? "nonce=\"" : "\r\n");
	at = strstr(at, "nonce=\"") + 7;
	struct text nonce = { at, (size_t)(strchr(at, '"') - at) };
	CHECK_TRUE(text_copy(nonce, room, 64));
}

static void ask(struct bench *bench, const char *authorization)
{
	int size =
		snprintf(bench->octets, sizeof(bench->octets),
			 "INVITE sip:+1555@trunk.example SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: "
			 "<sip:bob@trunk.example>;tag=1\r\n"
			 "To: <sip:+1555@trunk.example>\r\nCall-ID: c\r\nCSeq: 2 INVITE\r\n%s\r\n",
			 authorization);
	assert_true(size > 0 && (size_t)size < sizeof(bench->octets));
	CHECK_TRUE(
		sip_message_parse((struct text){ bench->octets, (size_t)size }, &bench->message));
	bench->message.flow.remote = bench->source;
}

static const uint8_t *ha1_of(const struct sip_digest_claim *claim,
			     const struct sip_digest_secret *secret)
{
	return claim->is_sha256 ? secret->sha256 : secret->md5;
}

static enum sip_digest_result read_claim(struct bench *bench)
{
	enum sip_digest_result result =
		sip_digest_read(bench->digest, &bench->message, &bench->claim);
	return result == SIP_DIGEST_RIGHT
		       ? sip_digest_judge_nonce(bench->digest, &bench->message, &bench->claim)
		       : result;
}

// What a client does, by the same formula over hashes that the RFC's examples pin down.
static void respond(bool is_sha256, const char *nonce, const char *count, const char *response,
		    char *room, size_t size)
{
	int length = snprintf(room, size,
			      "Proxy-Authorization: Digest username=\"bob\", realm=\"" REALM "\","
			      " nonce=\"%s\", uri=\"sip:+1555@trunk.example\", response=\"%s\","
			      " algorithm=%s, cnonce=\"0a4f\", qop=auth, nc=%s, opaque=\"\"\r\n",
			      nonce, response, is_sha256 ? "SHA-256" : "MD5", count);
	assert_true(length > 0 && (size_t)length < size);
}

static void the_examples_of_rfc_7616_come_out(void **state)
{
	struct bench *bench = *state;
	static const struct {
		bool is_sha256;
		const char *response;
	} rows[] = {
		{ false, "8ca523f5e9506fed4657c9700eebdbec" },
		{ true, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
	};
	const struct sip_message request = { .method_text = TEXT("GET") };
	struct sip_digest_secret secret;
	sip_digest_derive(TEXT("Mufasa"), TEXT("http-auth@example.org"), TEXT("Circle of Life"),
			  &secret);
	for (unsigned i = 0; i < 2; i++) {
		struct sip_digest_claim claim = {
			.user = TEXT("Mufasa"),
			.is_sha256 = rows[i].is_sha256,
			.is_present = true,
			.nonce = TEXT("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
			.uri = TEXT("/dir/index.html"),
			.response = text_of(rows[i].response),
			.cnonce = TEXT("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
			.nonce_count = TEXT("00000001"),
			.qop = TEXT("auth"),
		};
		assert_int_equal(
			sip_digest_verify(bench->digest, &request, &claim, ha1_of(&claim, &secret)),
			SIP_DIGEST_RIGHT);
		assert_int_equal(sip_digest_verify(bench->digest, &request, &claim, NULL),
				 SIP_DIGEST_WRONG);
		secret.md5[3] ^= 1;
		secret.sha256[31] ^= 1;
		assert_int_equal(
			sip_digest_verify(bench->digest, &request, &claim, ha1_of(&claim, &secret)),
			SIP_DIGEST_WRONG);
		secret.md5[3] ^= 1;
		secret.sha256[31] ^= 1;
	}
}

static void sha_256_is_offered_before_md5(void **state)
{
	struct bench *bench = *state;
	char challenge[1024], first[64], second[64];
	struct writer writer = writer_of(challenge, sizeof(challenge));
	sip_digest_challenge(bench->digest, &bench->source, true, &writer);
	const char *text = writer_string_done(&writer);
	assert_non_null(text);
	const char *sha =
		strstr(text, "algorithm=SHA-256,stale=true\r\nProxy-Authenticate: Digest ");
	assert_non_null(sha);
	assert_non_null(strstr(sha, "algorithm=MD5,stale=true\r\n"));
	get_nonce(bench, true, first);
	get_nonce(bench, false, second);
	assert_string_not_equal(first, second);
	CHECK_NUMBER(strlen(first), 32);
}

static void without_credentials_of_the_realm_it_is_absent(void **state)
{
	struct bench *bench = *state;
	static const char *const rows[] = {
		"",
		"Proxy-Authorization: Basic Ym9iOnphbnppYmFy\r\n",
		"Proxy-Authorization: Digest username=\"bob\", realm=\"other\", nonce=\"x\"\r\n",
		"Authorization: Digest username=\"bob\", realm=\"" REALM "\"\r\n",
		"Proxy-Authorization: NoOne opaque-data=here\r\n", // regaut01
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask(bench, rows[i]);
		assert_int_equal(read_claim(bench), SIP_DIGEST_ABSENT);
		CHECK_FALSE(bench->claim.is_present);
	}
}

static void malformed_credentials_are_wrong(void **state)
{
	struct bench *bench = *state;
	char nonce[64], line[1024];
	static const char *const rows[] = {
		"username=\"bob\"", // nothing more
		"username=\"bob\",uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc=00000001,"
		"response=\"%.32s\"", // no qop
		"username=\"bob\",uri=\"sip:+1666@trunk.example\",cnonce=\"1\",nc=00000001,qop="
		"auth,response=\"%.32s\"",
		"username=\"bob\",uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc=1,qop=auth,"
		"response=\"%.32s\"",
		"username=\"bob\",uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc=0000000g,qop="
		"auth,response=\"%.32s\"",
		"username=\"bob\",uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc=00000001,qop="
		"auth,response=\"%.31s\"",
		"username=\"bob\",uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc=00000001,qop="
		"auth-int,response=\"%.32s\"",
		"username=\"bob\",uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc=00000001,qop="
		"auth,response=\"%.32s\",algorithm=MD5-sess",
		"username=\"bob\",username=\"eve\",uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc="
		"00000001,qop=auth,response=\"%.32s\"",
		"username=\"b\\\"ob\",uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc=00000001,qop="
		"auth,response=\"%.32s\"",
		"username=\"\",uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc=00000001,qop=auth,"
		"response=\"%.32s\"",
		"username=bob "
		"bob,uri=\"sip:+1555@trunk.example\",cnonce=\"1\",nc=00000001,qop=auth,response=\"%"
		".32s\"",
		"username=\"bob\",,",
	};
	get_nonce(bench, false, nonce);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct writer writer = writer_of(line, sizeof(line));
		writer_format(&writer,
			      "Proxy-Authorization: Digest realm=\"" REALM "\",nonce=\"%s\",",
			      nonce);
		const char *mark = strstr(rows[i], "%.3");
		size_t size = mark != NULL ? (size_t)(mark - rows[i]) : strlen(rows[i]);
		writer_text(&writer, (struct text){ rows[i], size });
		if (mark != NULL) {
			size_t digits = mark[3] == '1' ? 31 : 32;
			writer_text(&writer,
				    (struct text){ "0123456789abcdef0123456789abcdef", digits });
			writer_string(&writer, mark + 5);
		}
		writer_string(&writer, "\r\n");
		ask(bench, writer_string_done(&writer));
		if (read_claim(bench) != SIP_DIGEST_WRONG)
			fail_msg("%s is not wrong", line);
	}
}

static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";

static void a_nonce_holds_for_its_source_and_lifetime(void **state)
{
	struct bench *bench = *state;
	char nonce[64], line[1024];
	get_nonce(bench, true, nonce);
	respond(true, nonce, "00000001", zeros, line, sizeof(line));
	ask(bench, line);
	assert_int_equal(read_claim(bench), SIP_DIGEST_RIGHT);
	CHECK_TEXT(bench->claim.user, "bob");
	CHECK_TRUE(bench->claim.is_sha256);
	bench->message.flow.remote.port = 4444; // a NAT may change it
	assert_int_equal(read_claim(bench), SIP_DIGEST_RIGHT);
	bench->message.flow.remote.octets[3] ^= 1;
	assert_int_equal(read_claim(bench), SIP_DIGEST_STALE);
	bench->message.flow.remote.octets[3] ^= 1;
	bench->clock.now_ms += LIFETIME_S * 1000;
	assert_int_equal(read_claim(bench), SIP_DIGEST_RIGHT);
	bench->clock.now_ms += 1000;
	assert_int_equal(read_claim(bench), SIP_DIGEST_STALE);
}

static void a_forged_nonce_is_stale(void **state)
{
	struct bench *bench = *state;
	char nonce[64], line[1024];
	get_nonce(bench, false, nonce);
	nonce[20] = nonce[20] == 'A' ? 'B' : 'A';
	respond(false, nonce, "00000001", zeros + 32, line, sizeof(line));
	ask(bench, line);
	assert_int_equal(read_claim(bench), SIP_DIGEST_STALE);
	respond(false, "short", "00000001", zeros + 32, line, sizeof(line));
	ask(bench, line);
	assert_int_equal(read_claim(bench), SIP_DIGEST_STALE);
}

// Finds the right response by asking the verifier's own formula from outside: H over the parts.
static void right_response(struct bench *bench, bool is_sha256, const char *nonce,
			   const char *count, char out_hex[static 65])
{
	char a1[65] = "", a2[65], text[512];
	const uint8_t *ha1 = is_sha256 ? bench->secret.sha256 : bench->secret.md5;
	struct sip_digest_secret hashed;
	size_t size = is_sha256 ? SIP_HA1_SHA256_SIZE : SIP_HA1_MD5_SIZE;
	for (size_t i = 0; i < size; i++)
		snprintf(a1 + 2 * i, 3, "%02x", ha1[i]);
	// derive hashes user:realm:password, that is any three parts joined by colons
	sip_digest_derive(TEXT("INVITE"), TEXT("sip"), TEXT("+1555@trunk.example"), &hashed);
	for (size_t i = 0; i < size; i++)
		snprintf(a2 + 2 * i, 3, "%02x", is_sha256 ? hashed.sha256[i] : hashed.md5[i]);
	int length = snprintf(text, sizeof(text), "%s:0a4f:auth", count);
	sip_digest_derive(
		text_of(a1), text_of(nonce),
		(struct text){ text, (size_t)snprintf(text + length, sizeof(text) - (size_t)length,
						      ":%s", a2) +
					     (size_t)length },
		&hashed);
	for (size_t i = 0; i < size; i++)
		snprintf(out_hex + 2 * i, 3, "%02X", is_sha256 ? hashed.sha256[i] : hashed.md5[i]);
}

static void verify_twice(struct bench *bench, bool is_sha256)
{
	char nonce[64], line[1024], response[65];
	get_nonce(bench, is_sha256, nonce);
	right_response(bench, is_sha256, nonce, "00000001", response);
	respond(is_sha256, nonce, "00000001", response, line, sizeof(line));
	ask(bench, line);
	assert_int_equal(read_claim(bench), SIP_DIGEST_RIGHT);
	assert_int_equal(sip_digest_verify(bench->digest, &bench->message, &bench->claim,
					   ha1_of(&bench->claim, &bench->secret)),
			 SIP_DIGEST_RIGHT);
	assert_int_equal(read_claim(bench), SIP_DIGEST_STALE); // replayed (AUTH-021)
	right_response(bench, is_sha256, nonce, "0000000A", response);
	respond(is_sha256, nonce, "0000000A", response, line, sizeof(line));
	ask(bench, line);
	assert_int_equal(read_claim(bench), SIP_DIGEST_RIGHT);
	assert_int_equal(sip_digest_verify(bench->digest, &bench->message, &bench->claim,
					   ha1_of(&bench->claim, &bench->secret)),
			 SIP_DIGEST_RIGHT);
	respond(is_sha256, nonce, "00000009", response, line, sizeof(line));
	ask(bench, line);
	assert_int_equal(read_claim(bench), SIP_DIGEST_RIGHT); // out of order, not used yet
	assert_int_equal(sip_digest_verify(bench->digest, &bench->message, &bench->claim,
					   ha1_of(&bench->claim, &bench->secret)),
			 SIP_DIGEST_WRONG); // but the response is that of another count
}

static void a_right_answer_is_right_once_per_count(void **state)
{
	verify_twice(*state, true);
	verify_twice(*state, false);
}

static void the_table_of_used_nonces_forgets_without_letting_replays_in(void **state)
{
	struct bench *bench = *state;
	char first[64], nonce[64], line[1024], response[65];
	const unsigned many = 33000; // more than the table holds
	get_nonce(bench, false, first);
	for (unsigned i = 0; i < many; i++) {
		if (i == 0)
			memcpy(nonce, first, sizeof(nonce));
		else
			get_nonce(bench, false, nonce);
		right_response(bench, false, nonce, "00000001", response);
		respond(false, nonce, "00000001", response, line, sizeof(line));
		ask(bench, line);
		bench->clock.now_ms += 1;
		if (read_claim(bench) == SIP_DIGEST_RIGHT)
			assert_int_equal(sip_digest_verify(bench->digest, &bench->message,
							   &bench->claim,
							   ha1_of(&bench->claim, &bench->secret)),
					 SIP_DIGEST_RIGHT);
	}
	right_response(bench, false, first, "00000001", response);
	respond(false, first, "00000001", response, line, sizeof(line));
	ask(bench, line);
	assert_int_equal(read_claim(bench), SIP_DIGEST_STALE);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static void only_what_is_offered_is_asked_for_and_taken(void **state)
{
	struct bench *bench = *state;
	char room[1024];
	struct writer writer = writer_of(room, sizeof(room));
	sip_digest_offer(bench->digest, SIP_DIGEST_OFFER_MD5);
	sip_digest_challenge(bench->digest, &bench->source, false, &writer);
	const char *challenge = writer_string_done(&writer);
	assert_non_null(challenge);
	assert_non_null(strstr(challenge, "algorithm=MD5"));
	assert_null(strstr(challenge, "SHA-256"));
	sip_digest_offer(bench->digest, SIP_DIGEST_OFFER_SHA256);
	writer = writer_of(room, sizeof(room));
	sip_digest_challenge(bench->digest, &bench->source, false, &writer);
	challenge = writer_string_done(&writer);
	assert_non_null(challenge);
	assert_null(strstr(challenge, "MD5"));
	sip_digest_offer(bench->digest, SIP_DIGEST_OFFER_BOTH);
	char nonce[64], authorization[1024];
	get_nonce(bench, false, nonce);
	respond(false, nonce, "00000001", "0123456789abcdef0123456789abcdef", authorization,
		sizeof(authorization));
	ask(bench, authorization);
	sip_digest_offer(bench->digest, SIP_DIGEST_OFFER_SHA256);
	assert_int_equal(read_claim(bench), SIP_DIGEST_WRONG); // MD5 was not asked for
	sip_digest_offer(bench->digest, SIP_DIGEST_OFFER_MD5);
	assert_int_equal(read_claim(bench), SIP_DIGEST_RIGHT); // well formed and fresh
}

int main(void)
{
	sip_message_start();
	const struct CMUnitTest tests[] = {
		CASE(the_examples_of_rfc_7616_come_out),
		CASE(sha_256_is_offered_before_md5),
		CASE(only_what_is_offered_is_asked_for_and_taken),
		CASE(without_credentials_of_the_realm_it_is_absent),
		CASE(malformed_credentials_are_wrong),
		CASE(a_nonce_holds_for_its_source_and_lifetime),
		CASE(a_forged_nonce_is_stale),
		CASE(a_right_answer_is_right_once_per_count),
		CASE(the_table_of_used_nonces_forgets_without_letting_replays_in),
	};
	return RUN_TESTS(tests);
}
