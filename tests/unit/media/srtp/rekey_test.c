// What the workers hear of keys: before anything is secure, once, and where a key goes on.

#include "tests/unit/media/srtp/secure.h"

#include "media/keys.h"

static void check_call(const struct bench *bench, const struct secure_call *call)
{
	const struct media *media = call->media;
	secure_check_key(bench, media, MEDIA_CALLER, KEY_ARRIVES, &call->caller_said.key);
	secure_check_key(bench, media, MEDIA_CALLER, KEY_LEAVES, &call->called_heard.key);
	secure_check_key(bench, media, MEDIA_CALLED, KEY_ARRIVES, &call->called_said.key);
	secure_check_key(bench, media, MEDIA_CALLED, KEY_LEAVES, &call->caller_heard.key);
	CHECK_NUMBER(fake_dataplane_unkeyed_count(bench->dataplane), 0);
}

static void every_stream_has_its_keys_before_it_opens(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	check_call(&bench, &call);
	CHECK_NUMBER(secure_sent_count(&bench, MESSAGE_STREAM_KEY), 8);
	CHECK_NUMBER(secure_sent_count(&bench, MESSAGE_STREAM_OPEN), 4);
	CHECK_NUMBER(secure_sent_count(&bench, MESSAGE_STREAM_ROLLOVER), 0);
	media_connect(call.media);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 12); // nothing changed
	bench_end(&bench);
}

static void a_plain_side_has_none(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text answer;
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_SECURE, MEDIA_PLAIN);
	struct media_sdes said = secure_line_of("1 " S80 KEY_A);
	secure_exchange(media, CALLER_A, CALLED_SDP, NULL, &answer);
	struct media_sdes heard = secure_line(answer.room);
	secure_check_key(&bench, media, MEDIA_CALLER, KEY_ARRIVES, &said.key);
	secure_check_key(&bench, media, MEDIA_CALLER, KEY_LEAVES, NULL);
	secure_check_key(&bench, media, MEDIA_CALLED, KEY_ARRIVES, NULL);
	secure_check_key(&bench, media, MEDIA_CALLED, KEY_LEAVES, &heard.key);
	CHECK_NUMBER(secure_sent_count(&bench, MESSAGE_STREAM_KEY), 4);
	bench_end(&bench);
}

static void an_engine_gets_session_keys_of_rtp_and_rtcp(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	fake_dataplane_set_engine(bench.dataplane, "fake", KEY_SESSION);
	struct secure_call call = secure_begin_call(&bench);
	for (unsigned kind = 0; kind < 2; kind++) {
		struct message_key expected;
		const struct fake_key *key =
			secure_key(&bench, call.media, MEDIA_CALLER, kind, KEY_ARRIVES);
		CHECK_TRUE(media_keys_derive(&call.caller_said.key, KEY_SESSION, kind == 1,
					     &expected));
		assert_memory_equal(key->key.octets, expected.octets, sizeof(expected.octets));
	}
	bench_end(&bench);
}

// rtpengine #1443, pjsip #2682: the rollover counter is lost with a re-INVITE, and the audio with it.
static void hold_resume_and_another_port_say_nothing_of_keys(void **state)
{
	(void)state;
	struct bench bench;
	static const char *const offers[] = {
		CALLER_PORT("4000", "a=sendonly\r\n"), CALLER_PORT("4000", ""),
		CALLER_PORT("4444", ""), SAVP("0.0.0.0", "4000", CRYPTO("1", S80, KEY_A)),
		SAVP("198.51.100.7", "4000", CRYPTO("9", S80, KEY_A "|2^31")) // tag and form alone
	};
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_SECURE, MEDIA_SECURE);
	secure_exchange(media, CALLER_A, CALLED_B, NULL, NULL);
	fake_dataplane_forget_sent(bench.dataplane);
	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++)
		secure_exchange(media, offers[i], CALLED_B, NULL, NULL);
	CHECK_NUMBER(secure_sent_count(&bench, MESSAGE_STREAM_KEY), 0);
	CHECK_NUMBER(secure_sent_count(&bench, MESSAGE_STREAM_ROLLOVER), 0);
	CHECK_TRUE(secure_sent_count(&bench, MESSAGE_STREAM_OPEN) > 0);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	bench_end(&bench);
}

static void a_new_key_of_a_peer_is_told_at_once_and_ours_stays(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text answer;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	fake_dataplane_forget_sent(bench.dataplane);
	bench_offer(call.media, MEDIA_CALLER,
		    SAVP("198.51.100.7", "4000", CRYPTO("2", S32, KEY_C)));
	media_connect(call.media);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 0); // not before the answer
	bench_answer(call.media, MEDIA_CALLED, CALLED_B);
	struct media_sdes heard =
		secure_line(bench_write_answer(call.media, MEDIA_CALLER, &answer));
	media_connect(call.media);
	CHECK_NUMBER(heard.tag, 2);
	CHECK_TRUE(media_key_is_equal(&heard.key, &call.caller_heard.key));
	call.caller_said = secure_line_of("2 " S32 KEY_C);
	check_call(&bench, &call);
	CHECK_NUMBER(secure_sent_count(&bench, MESSAGE_STREAM_KEY), 2); // RTP and RTCP
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 2); // nothing else to say
	CHECK_NUMBER(secure_key(&bench, call.media, MEDIA_CALLER, 0, KEY_ARRIVES)->count, 2);
	bench_end(&bench);
}

static void another_suite_needs_another_key_of_ours(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text answer;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	fake_dataplane_forget_sent(bench.dataplane);
	secure_exchange(call.media, CALLER_A, CALLED_B, NULL, &answer);
	struct media_sdes heard = secure_line(answer.room);
	CHECK_NUMBER(heard.key.suite, SUITE_AES_CM_80);
	CHECK_TRUE(memcmp(heard.key.octets, call.caller_heard.key.octets, 30) != 0);
	call.caller_said = secure_line_of("1 " S80 KEY_A);
	call.caller_heard = heard;
	check_call(&bench, &call);
	CHECK_NUMBER(secure_sent_count(&bench, MESSAGE_STREAM_KEY), 4);
	bench_end(&bench);
}

// What went by, in the view of a stream: RTP's ROC and sequence numbers, RTCP's indexes.
static void let_pass(struct bench *bench, const struct media *media, enum media_side side,
		     uint16_t rollover, uint16_t sequence)
{
	struct stream_view *rtp =
		fake_dataplane_view(bench->dataplane, media->legs[side].rtp_index);
	struct stream_view *rtcp = rtp + 1;
	rtp->packets = rtcp->packets = 100;
	rtp->ssrc = 0x1000u + side;
	rtp->arrives_rollover = rollover;
	rtp->leaves_rollover = (uint16_t)(rollover + 1);
	rtp->sequence = sequence;
	rtp->leaves_sequence = (uint16_t)(sequence + 1);
	rtcp->arrives_index = 50u + rollover;
	rtcp->leaves_index = 60u + rollover;
}

static void a_refused_change_brings_the_former_keys_back(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	let_pass(&bench, call.media, MEDIA_CALLED, 3, 700);
	// A provisional answer had put another suite in force, with another key of ours.
	secure_exchange(call.media, CALLER_A, SAVP("203.0.113.9", "6000", CRYPTO("1", S80, KEY_C)),
			NULL, NULL);
	CHECK_NUMBER(secure_key(&bench, call.media, MEDIA_CALLED, 0, KEY_LEAVES)->key.suite,
		     SUITE_AES_CM_80);
	media_withdraw_offer(call.media);
	check_call(&bench, &call);
	const struct fake_key *key = secure_key(&bench, call.media, MEDIA_CALLED, 0, KEY_LEAVES);
	CHECK_TRUE(key->has_rollover); // nothing of the key stream is used twice
	CHECK_NUMBER(key->rollover.leaves, 4);
	CHECK_NUMBER(key->rollover.leaves_sequence, 701);
	CHECK_NUMBER(key->rollover.arrives, 3);
	CHECK_NUMBER(key->rollover.ssrc, 0x1001);
	CHECK_NUMBER(secure_key(&bench, call.media, MEDIA_CALLED, 1, KEY_LEAVES)->rollover.leaves,
		     1063);
	bench_end(&bench);
}

static void an_answer_with_another_key_than_the_early_one_counts(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench); // the 183
	bench_answer(call.media, MEDIA_CALLED, // the 200 of another branch
		     SAVP("203.0.113.77", "7000", CRYPTO("1", S80, KEY_C)));
	media_connect(call.media);
	call.called_said = secure_line_of("1 " S80 KEY_C);
	check_call(&bench, &call);
	bench_end(&bench);
}

// jambonz #133: early media of a first carrier, then a second one, and one side hears nothing.
static void a_callers_keys_go_on_with_the_next_carrier(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text offer;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	let_pass(&bench, call.media, MEDIA_CALLER, 0, 65000);
	let_pass(&bench, call.media, MEDIA_CALLED, 2, 10);
	media_forget(call.media, MEDIA_CALLED);
	bench_wait(&bench, 5);
	(void)bench_write_offer(call.media, MEDIA_CALLED, &offer);
	bench_answer(call.media, MEDIA_CALLED,
		     SAVP("203.0.113.77", "7000", CRYPTO("1", S80, KEY_C)));
	media_connect(call.media);
	call.called_said = secure_line_of("1 " S80 KEY_C);
	call.called_heard = secure_line(offer.room);
	check_call(&bench, &call);
	const struct fake_key *key = secure_key(&bench, call.media, MEDIA_CALLER, 0, KEY_ARRIVES);
	CHECK_TRUE(key->has_rollover);
	CHECK_NUMBER(key->rollover.arrives_sequence, 65000);
	CHECK_NUMBER(key->rollover.ssrc, 0x1000);
	key = secure_key(&bench, call.media, MEDIA_CALLED, 0, KEY_LEAVES);
	CHECK_TRUE(key->has_rollover);
	CHECK_NUMBER(key->rollover.leaves, 3);
	// Fresh keys start afresh.
	CHECK_FALSE(secure_key(&bench, call.media, MEDIA_CALLER, 0, KEY_LEAVES)->has_rollover);
	CHECK_FALSE(secure_key(&bench, call.media, MEDIA_CALLED, 0, KEY_ARRIVES)->has_rollover);
	bench_end(&bench);
}

static void check_rollover(const struct bench *bench, const struct media *media,
			   enum media_side side, uint16_t rollover, uint16_t sequence)
{
	for (unsigned way = 0; way < KEY_WAYS; way++) {
		const struct fake_key *rtp = secure_key(bench, media, side, 0, (enum key_way)way);
		const struct fake_key *rtcp = secure_key(bench, media, side, 1, (enum key_way)way);
		CHECK_TRUE(rtp->has_rollover && rtcp->has_rollover);
		CHECK_NUMBER(rtp->count, 1);
		CHECK_NUMBER(rtp->rollover.ssrc, 0x1000u + side);
		CHECK_NUMBER(rtp->rollover.arrives, rollover);
		CHECK_NUMBER(rtp->rollover.arrives_sequence, sequence);
		CHECK_NUMBER(rtp->rollover.leaves, rollover + 1);
		CHECK_NUMBER(rtp->rollover.leaves_sequence, sequence + 1);
		CHECK_NUMBER(rtcp->rollover.ssrc, 0x1000u + side);
		CHECK_NUMBER(rtcp->rollover.arrives, 50 + rollover);
		CHECK_NUMBER(rtcp->rollover.leaves, 1060 + rollover); // no index is used twice
	}
}

static void a_dataplane_that_started_anew_goes_on_where_the_lost_one_was(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	let_pass(&bench, call.media, MEDIA_CALLER, 7, 1234);
	let_pass(&bench, call.media, MEDIA_CALLED, 9, 4321);
	secure_restart(&bench);
	check_call(&bench, &call);
	check_rollover(&bench, call.media, MEDIA_CALLER, 7, 1234);
	check_rollover(&bench, call.media, MEDIA_CALLED, 9, 4321);
	// Lost once more before a packet came: what the first one said still holds.
	secure_restart(&bench);
	check_rollover(&bench, call.media, MEDIA_CALLER, 7, 1234);
	let_pass(&bench, call.media, MEDIA_CALLER, 8, 1);
	secure_restart(&bench);
	check_call(&bench, &call);
	check_rollover(&bench, call.media, MEDIA_CALLER, 8, 1);
	check_rollover(&bench, call.media, MEDIA_CALLED, 9, 4321);
	bench_end(&bench);
}

static void a_call_without_packets_starts_afresh(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	secure_restart(&bench);
	check_call(&bench, &call);
	CHECK_NUMBER(secure_sent_count(&bench, MESSAGE_STREAM_ROLLOVER), 0);
	bench_end(&bench);
}

static void a_key_under_which_nothing_left_starts_afresh(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	let_pass(&bench, call.media, MEDIA_CALLER, 0, 77);
	uint32_t index = call.media->legs[MEDIA_CALLER].rtp_index;
	struct stream_view *view = fake_dataplane_view(bench.dataplane, index);
	view->leaves_rollover = view->leaves_sequence = 0; // held since it began
	secure_restart(&bench);
	check_call(&bench, &call);
	CHECK_TRUE(secure_key(&bench, call.media, MEDIA_CALLER, 0, KEY_ARRIVES)->has_rollover);
	CHECK_FALSE(secure_key(&bench, call.media, MEDIA_CALLER, 0, KEY_LEAVES)->has_rollover);
	bench_end(&bench);
}

static void the_last_index_of_rtcp_is_never_passed(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	let_pass(&bench, call.media, MEDIA_CALLER, 0, 1);
	uint32_t index = call.media->legs[MEDIA_CALLER].rtp_index + 1;
	fake_dataplane_view(bench.dataplane, index)->leaves_index = INT32_MAX - 5;
	secure_restart(&bench);
	CHECK_NUMBER(secure_key(&bench, call.media, MEDIA_CALLER, 1, KEY_LEAVES)->rollover.leaves,
		     INT32_MAX);
	bench_end(&bench);
}

static void keys_wait_for_room_with_their_open(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	fake_dataplane_set_room(bench.dataplane, 23); // four streams, six messages each at most
	struct secure_call call = secure_begin_call(&bench);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 0);
	fake_dataplane_set_room(bench.dataplane, 24);
	bench_wait(&bench, 5);
	check_call(&bench, &call);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 12);
	fake_dataplane_set_room(bench.dataplane, 0);
	bench_answer(call.media, MEDIA_CALLED,
		     SAVP("203.0.113.9", "6000", CRYPTO("1", S80, KEY_C)));
	media_connect(call.media);
	check_call(&bench, &call);
	fake_dataplane_set_room(bench.dataplane, FAKE_ROOM_ENDLESS);
	bench_wait(&bench, 5);
	call.called_said = secure_line_of("1 " S80 KEY_C);
	check_call(&bench, &call);
	bench_end(&bench);
}

static void a_side_that_turns_plain_loses_its_keys(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text answer;
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_AS_OFFERED, MEDIA_PLAIN);
	secure_exchange(media, CALLER_A, CALLED_SDP, NULL, &answer);
	struct media_sdes said = secure_line_of("1 " S80 KEY_A), heard = secure_line(answer.room);
	let_pass(&bench, media, MEDIA_CALLER, 5, 99);
	secure_exchange(media, CALLER_SDP, CALLED_SDP, NULL, &answer);
	assert_null(strstr(answer.room, "a=crypto"));
	for (unsigned kind = 0; kind < 2; kind++) {
		CHECK_FALSE(bench_sent(&bench, media, MEDIA_CALLER, kind)->flags &
			    STREAM_SECURE_ARRIVES);
		CHECK_FALSE(bench_sent(&bench, media, MEDIA_CALLED, kind)->flags &
			    STREAM_SECURE_LEAVES);
	}
	// And back: the peer goes on with its key where it was, we have another one.
	secure_exchange(media, CALLER_A, CALLED_SDP, NULL, &answer);
	CHECK_FALSE(media_key_is_equal(&media->legs[MEDIA_CALLER].session.own.key, &heard.key));
	secure_check_key(&bench, media, MEDIA_CALLER, KEY_ARRIVES, &said.key);
	CHECK_NUMBER(secure_key(&bench, media, MEDIA_CALLER, 0, KEY_ARRIVES)->rollover.arrives, 5);
	CHECK_NUMBER(fake_dataplane_unkeyed_count(bench.dataplane), 0);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_stream_has_its_keys_before_it_opens),
		TEST(a_plain_side_has_none),
		TEST(an_engine_gets_session_keys_of_rtp_and_rtcp),
		TEST(hold_resume_and_another_port_say_nothing_of_keys),
		TEST(a_new_key_of_a_peer_is_told_at_once_and_ours_stays),
		TEST(another_suite_needs_another_key_of_ours),
		TEST(a_refused_change_brings_the_former_keys_back),
		TEST(an_answer_with_another_key_than_the_early_one_counts),
		TEST(a_callers_keys_go_on_with_the_next_carrier),
		TEST(a_dataplane_that_started_anew_goes_on_where_the_lost_one_was),
		TEST(a_call_without_packets_starts_afresh),
		TEST(a_key_under_which_nothing_left_starts_afresh),
		TEST(the_last_index_of_rtcp_is_never_passed),
		TEST(keys_wait_for_room_with_their_open),
		TEST(a_side_that_turns_plain_loses_its_keys),
	};
	return RUN_TESTS(tests);
}
