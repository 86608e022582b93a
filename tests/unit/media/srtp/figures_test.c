// What is told of secure streams, and what never is.

#include "tests/unit/media/srtp/secure.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

static void strangers_and_forgers_are_told_with_their_address(void **state)
{
	(void)state;
	struct bench bench;
	struct address stranger, forger;
	struct media_figures figures;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	uint32_t index = call.media->legs[MEDIA_CALLED].rtp_index;
	struct message message = { .kind = MESSAGE_STREAM_REFUSED, .stream = { index, 1 } };
	CHECK_TRUE(address_parse(TEXT("192.0.2.66:1111"), &stranger));
	CHECK_TRUE(address_parse(TEXT("203.0.113.9:2222"), &forger));
	message.learned = stranger;
	fake_dataplane_tell_message(bench.dataplane, &message);
	message.kind = MESSAGE_STREAM_UNAUTHENTIC;
	message.learned = forger;
	fake_dataplane_tell_message(bench.dataplane, &message);
	message.stream.index++; // RTCP is no audio
	fake_dataplane_tell_message(bench.dataplane, &message);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.refused, 1);
	CHECK_NUMBER(bench.unauthentic, 1);
	media_read(call.media, MEDIA_CALLED, &figures);
	CHECK_TRUE(address_is_equal(&figures.refused, &stranger));
	CHECK_TRUE(address_is_equal(&figures.unauthentic, &forger));
	media_read(call.media, MEDIA_CALLER, &figures);
	CHECK_NUMBER(figures.refused.family, ADDRESS_NONE);
	bench_end(&bench);
}

static void what_comes_back_unreachable_is_counted_where_it_was_sent(void **state)
{
	(void)state;
	struct bench bench;
	struct media_figures figures;
	struct address rtp, rtcp;
	CHECK_TRUE(address_parse(TEXT("203.0.113.9:6000"), &rtp));
	CHECK_TRUE(address_parse(TEXT("203.0.113.9:6001"), &rtcp));
	bench_begin(&bench, 1);
	media_note_unreachable(bench.engine, 0, &rtp); // of nobody
	media_note_unreachable(bench.engine, UINT32_MAX, &rtp);
	struct media *media = bench_call(&bench);
	uint32_t index = media->legs[MEDIA_CALLED].rtp_index;
	media_note_unreachable(bench.engine, index, &rtp);
	media_note_unreachable(bench.engine, index + 1, &rtcp);
	media_note_unreachable(bench.engine, index, &rtcp); // nothing left there from that port
	media_note_unreachable(bench.engine, media->legs[MEDIA_CALLER].rtp_index, &rtp);
	media_read(media, MEDIA_CALLED, &figures);
	CHECK_NUMBER(figures.unreachable, 2);
	media_read(media, MEDIA_CALLER, &figures);
	CHECK_NUMBER(figures.unreachable, 0);
	bench_end(&bench);
}

static void figures_tell_what_a_side_wants(void **state)
{
	(void)state;
	struct bench bench;
	struct media_figures figures;
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	media_read(call.media, MEDIA_CALLER, &figures);
	CHECK_NUMBER(figures.suite, SUITE_AES_CM_32);
	CHECK_TRUE(figures.sends && figures.listens && !figures.is_held);
	secure_exchange(call.media, CALLER_PORT("4000", "a=sendonly\r\n"), CALLED_B, NULL, NULL);
	media_read(call.media, MEDIA_CALLER, &figures);
	CHECK_TRUE(figures.sends && !figures.listens && figures.is_held);
	bench_end(&bench);
}

// What is written to stderr meanwhile, the log's place, comes into the room.
static void listen_to_log(void (*speak)(void), char *room, size_t size)
{
	FILE *file = tmpfile();
	assert_non_null(file);
	int former = dup(STDERR_FILENO);
	(void)fflush(stderr);
	CHECK_TRUE(dup2(fileno(file), STDERR_FILENO) >= 0);
	log_set_level(LOG_DEBUG);
	speak();
	log_set_level(LOG_WARNING);
	(void)fflush(stderr);
	(void)dup2(former, STDERR_FILENO);
	(void)close(former);
	rewind(file);
	room[fread(room, 1, size - 1, file)] = 0;
	(void)fclose(file);
}

// A call that is refused keys, loses its dataplane and its addresses: all that media logs of a call.
static void lose_everything(void)
{
	static const char *const elsewhere[] = { "192.0.2.99", NULL };
	struct bench bench;
	struct media_problem problem = { 0 };
	secure_begin(&bench);
	struct secure_call call = secure_begin_call(&bench);
	CHECK_STATUS(media_receive_offer(call.media, MEDIA_CALLER,
					 TEXT(CALLER_PORT("4000", "") "m=x\r\n"), &problem),
		     ERR_MALFORMED);
	assert_null(strstr(problem.seen, "PS1uQ"));
	// Neither where nothing of it can be read, nor where a key stands in the wrong place.
	CHECK_STATUS(media_receive_offer(call.media, MEDIA_CALLER,
					 TEXT("v=0\r\n" CRYPTO("1", S80, KEY_A)), &problem),
		     ERR_MALFORMED);
	CHECK_STRING(problem.seen, "v=0..a=crypto:1 AES_CM_128_HMAC_SHA1_80 ");
	CHECK_STATUS(media_receive_offer(call.media, MEDIA_CALLER,
					 TEXT("v=0\r\nm=audio " KEY_A "\r\n"), &problem),
		     ERR_MALFORMED);
	CHECK_STRING(problem.seen, "m=audio ");
	secure_restart(&bench);
	struct dataplane *former = bench.dataplane;
	bench.dataplane = fake_dataplane_create(1, elsewhere);
	media_engine_attach(bench.engine, bench.dataplane);
	dataplane_detach(former);
	bench_end(&bench);
}

static void no_key_is_ever_logged(void **state)
{
	(void)state;
	static char room[65536];
	listen_to_log(lose_everything, room, sizeof(room));
	CHECK_CONTAINS(room, "media_ports_lost"); // it is the log
	assert_null(strstr(room, "inline"));
	assert_null(strstr(room, "PS1uQ")); // as base64, as octets
	assert_null(strstr(room, "WVNfX"));
	assert_null(strstr(room, "=-n@%"));
	assert_null(strstr(room, "3d2d6e40"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(strangers_and_forgers_are_told_with_their_address),
		TEST(what_comes_back_unreachable_is_counted_where_it_was_sent),
		TEST(figures_tell_what_a_side_wants),
		TEST(no_key_is_ever_logged),
	};
	return RUN_TESTS(tests);
}
