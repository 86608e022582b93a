// The helpers of the tests of SRTP's control side.
// Runs on: the thread of the test.

#include "tests/unit/media/srtp/secure.h"

void secure_begin(struct bench *bench)
{
	bench_begin(bench, 1);
	fake_dataplane_set_engine(bench->dataplane, "fake", KEY_MASTER);
}

struct media *secure_open(struct bench *bench, enum media_security caller,
			  enum media_security called)
{
	struct media *media = bench_open(bench);
	CHECK_OK(media_set_security(media, MEDIA_CALLER, caller, SUITE_BITS_AES_CM));
	CHECK_OK(media_set_security(media, MEDIA_CALLED, called, SUITE_BITS_AES_CM));
	return media;
}

struct media_sdes secure_line_of(const char *value)
{
	struct media_sdes line = { .tag = 0 };
	CHECK_NUMBER(media_sdes_parse(text_of(value), ALL_SUITES, &line), MEDIA_SDES_TAKEN);
	return line;
}

struct media_sdes secure_line(const char *sdp)
{
	char value[256];
	const char *start = strstr(sdp, "a=crypto:");
	assert_non_null(start);
	assert_null(strstr(start + 1, "a=crypto:"));
	struct cursor cursor = cursor_of(text_of(start + strlen("a=crypto:")));
	CHECK_TRUE(text_copy(cursor_line(&cursor), value, sizeof(value)));
	return secure_line_of(value);
}

void secure_exchange(struct media *media, const char *offer, const char *answer,
		     struct bench_text *our_offer, struct bench_text *our_answer)
{
	struct bench_text unused;
	bench_offer(media, MEDIA_CALLER, offer);
	(void)bench_write_offer(media, MEDIA_CALLED, our_offer ? our_offer : &unused);
	bench_answer(media, MEDIA_CALLED, answer);
	(void)bench_write_answer(media, MEDIA_CALLER, our_answer ? our_answer : &unused);
	media_connect(media);
}

const struct fake_key *secure_key(const struct bench *bench, const struct media *media,
				  enum media_side side, unsigned kind, enum key_way way)
{
	return fake_dataplane_key(bench->dataplane, media->legs[side].rtp_index + kind, way);
}

void secure_check_key(const struct bench *bench, const struct media *media, enum media_side side,
		      enum key_way way, const struct media_key *expected)
{
	uint8_t flag = way == KEY_ARRIVES ? STREAM_SECURE_ARRIVES : STREAM_SECURE_LEAVES;
	for (unsigned kind = 0; kind < 2; kind++) {
		const struct fake_key *key = secure_key(bench, media, side, kind, way);
		const struct message *open = bench_sent(bench, media, side, kind);
		CHECK_TRUE(!open || !(open->flags & flag) == !expected);
		CHECK_TRUE(!key == !expected);
		if (!expected)
			continue;
		CHECK_NUMBER(key->key.suite, expected->suite);
		assert_memory_equal(key->key.octets, expected->octets, MEDIA_KEY_SIZE);
	}
}

unsigned secure_sent_count(const struct bench *bench, enum message_kind kind)
{
	unsigned count = 0;
	const struct message *message;
	for (unsigned i = 0; (message = fake_dataplane_sent(bench->dataplane, i)); i++)
		count += message->kind == kind;
	return count;
}

struct secure_call secure_begin_call(struct bench *bench)
{
	struct bench_text offer, answer;
	struct secure_call call = { .caller_said = secure_line_of("1 " S32 KEY_A),
				    .called_said = secure_line_of("1 " S80 KEY_B) };
	call.media = secure_open(bench, MEDIA_SECURE, MEDIA_SECURE);
	secure_exchange(call.media, SAVP("198.51.100.7", "4000", CRYPTO("1", S32, KEY_A)), CALLED_B,
			&offer, &answer);
	call.caller_heard = secure_line(answer.room);
	call.called_heard = secure_line(offer.room);
	return call;
}

void secure_restart(struct bench *bench)
{
	static const char *const addresses[] = { "192.0.2.1", "2001:db8::1", NULL };
	struct dataplane *former = bench->dataplane;
	media_engine_attach(bench->engine, NULL);
	bench->dataplane = fake_dataplane_create(1, addresses);
	fake_dataplane_set_engine(bench->dataplane, "fake", KEY_MASTER);
	media_engine_attach(bench->engine, bench->dataplane);
	dataplane_detach(former);
}
