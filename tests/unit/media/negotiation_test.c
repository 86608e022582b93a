// Offers and answers through both sides: what each hears, what is in force, what is mapped.

#include "tests/unit/media/bench.h"

static void each_side_hears_our_address_and_nothing_of_the_other(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_open(&bench);
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	const char *offer = bench_write_offer(media, MEDIA_CALLED, &text);
	CHECK_CONTAINS(offer, "c=IN IP4 192.0.2.1\r\n");
	CHECK_CONTAINS(offer, " RTP/AVP 0 101\r\n"); // MEDIA-023
	CHECK_CONTAINS(offer, "a=fmtp:101 0-15\r\n");
	assert_null(strstr(offer, "198.51.100.7"));
	assert_null(
		strstr(offer, " 4000 ")); // as a port; the random session id may hold the digits
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	const char *answer = bench_write_answer(media, MEDIA_CALLER, &text);
	CHECK_CONTAINS(answer, " RTP/AVP 0 101\r\n"); // the caller's number, not the called one's
	assert_null(strstr(answer, "203.0.113.9"));
	bench_end(&bench);
}

static void event_numbers_are_mapped_both_ways(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	// DTMF-003: towards the called one with its number 96; back with the caller's own.
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLER, 0);
	CHECK_NUMBER(message->open.payload_in, 101);
	CHECK_NUMBER(message->open.payload_out, 96);
	message = bench_sent(&bench, media, MEDIA_CALLED, 0);
	CHECK_NUMBER(message->open.payload_in, 101);
	CHECK_NUMBER(message->open.payload_out, 101);
	CHECK_NUMBER(bench_sent(&bench, media, MEDIA_CALLER, 1)->open.payload_in,
		     PAYLOAD_TYPE_NONE);
	bench_end(&bench);
}

static void events_are_offered_only_to_serve_the_other_side(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_open(&bench);
	bench_offer(media, MEDIA_CALLER, SDP("198.51.100.7", "4000", "\r\n"));
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text), " RTP/AVP 0\r\n");
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, SDP("203.0.113.9", "6000", "\r\n"));
	CHECK_CONTAINS(bench_write_answer(media, MEDIA_CALLER, &text), " RTP/AVP 0\r\n");
	media_connect(media);
	CHECK_NUMBER(bench_sent(&bench, media, MEDIA_CALLER, 0)->open.payload_in,
		     PAYLOAD_TYPE_NONE);
	bench_end(&bench);
}

static void hold_passes_through_and_back(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	bench_offer(media, MEDIA_CALLER, CALLER_SDP "a=sendonly\r\n");
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text), "a=sendonly\r\n");
	// A peer that answers what it must not is put right towards the other.
	bench_answer(media, MEDIA_CALLED, CALLED_SDP "a=sendrecv\r\n");
	CHECK_CONTAINS(bench_write_answer(media, MEDIA_CALLER, &text), "a=recvonly\r\n");
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text), "a=sendrecv\r\n");
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	CHECK_CONTAINS(bench_write_answer(media, MEDIA_CALLER, &text), "a=sendrecv\r\n");
	bench_end(&bench);
}

static void hold_in_the_old_form_stops_what_leaves_for_it(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	uint32_t generation = bench_sent(&bench, media, MEDIA_CALLED, 0)->stream.generation;
	bench_offer(media, MEDIA_CALLER, SDP("0.0.0.0", "4000", EVENTS("101")));
	const char *offer = bench_write_offer(media, MEDIA_CALLED, &text);
	CHECK_CONTAINS(offer, "a=sendonly\r\n");
	CHECK_CONTAINS(offer, "c=IN IP4 192.0.2.1\r\n"); // ours stays what it is
	bench_answer(media, MEDIA_CALLED, CALLED_SDP "a=recvonly\r\n");
	media_connect(media);
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLED, 0);
	CHECK_NUMBER(message->stream.generation, generation);
	CHECK_TRUE(message->flags & STREAM_NO_NEXT_HOP);
	CHECK_FALSE(bench_sent(&bench, media, MEDIA_CALLER, 0)->flags & STREAM_NO_NEXT_HOP);
	bench_check_address(&bench_sent(&bench, media, MEDIA_CALLER, 0)->open.source,
			    "198.51.100.7");
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	media_connect(media);
	CHECK_FALSE(bench_sent(&bench, media, MEDIA_CALLED, 0)->flags & STREAM_NO_NEXT_HOP);
	bench_end(&bench);
}

static void a_new_offer_changes_nothing_before_its_answer(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	fake_dataplane_forget_sent(bench.dataplane);
	bench_offer(media, MEDIA_CALLER, SDP("198.51.100.8", "4444", EVENTS("101")));
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	media_connect(media);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 0);
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	media_connect(media);
	// Its own streams know the new source, those towards it the new destination.
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLER, 0);
	bench_check_address(&message->open.source, "198.51.100.8");
	CHECK_TRUE(message->flags & STREAM_RELEARN);
	message = bench_sent(&bench, media, MEDIA_CALLED, 0);
	bench_check_address(&message->open.destination, "198.51.100.8:4444");
	CHECK_FALSE(message->flags & STREAM_RELEARN); // nothing of the caller's was learned there
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	bench_end(&bench);
}

static void a_refused_offer_leaves_the_former_state_in_force(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	struct media_figures figures;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	bench_offer(media, MEDIA_CALLER, SDP("198.51.100.8", "4444", "\r\n"));
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	// Even when a provisional answer had put it in force.
	bench_answer(media, MEDIA_CALLED, SDP("203.0.113.10", "7000", "\r\n"));
	media_connect(media);
	media_withdraw_offer(media);
	media_read(media, MEDIA_CALLER, &figures);
	bench_check_address(&figures.remote, "198.51.100.7:4000");
	bench_check_address(&bench_sent(&bench, media, MEDIA_CALLER, 0)->open.destination,
			    "203.0.113.9:6000");
	bench_check_address(&bench_sent(&bench, media, MEDIA_CALLED, 1)->open.destination,
			    "198.51.100.7:4001");
	media_withdraw_offer(media); // twice is harmless
	// The other side may ask now, and hears of the caller what is in force.
	bench_offer(media, MEDIA_CALLED, CALLED_SDP "a=sendonly\r\n");
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLER, &text), "a=sendonly\r\n");
	CHECK_CONTAINS(text.room, " RTP/AVP 0 101\r\n");
	bench_end(&bench);
}

static void an_offer_we_refuse_ourselves_changes_nothing(void **state)
{
	(void)state;
	struct bench bench;
	struct media_problem problem = { 0 };
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	CHECK_STATUS(media_receive_offer(media, MEDIA_CALLER,
					 TEXT("v=0\r\nc=IN IP4 198.51.100.8\r\n"
					      "m=audio 4000 RTP/AVP 8\r\n"),
					 &problem),
		     ERR_UNSUPPORTED);
	CHECK_STRING(problem.expected, "PCMU/8000");
	CHECK_STATUS(media_receive_offer(media, MEDIA_CALLER,
					 TEXT("v=0\r\nc=IN IP6 2001:db8::7\r\n"
					      "m=audio 4000 RTP/AVP 0\r\n"),
					 &problem),
		     ERR_NOT_ACCEPTABLE); // we told this side an IPv4 address
	CHECK_STATUS(
		media_receive_offer(media, MEDIA_CALLER,
				    TEXT("v=0\r\nc=IN IP4 198.51.100.8\r\nm=audio 4000 RTP/AVP 96"
					 "\r\na=rtpmap:96 PCMU/8000\r\n"),
				    &problem),
		ERR_UNSUPPORTED);
	CHECK_NUMBER(counter_get(&media_engine_counters(bench.engine)->offers_refused), 3);
	fake_dataplane_forget_sent(bench.dataplane);
	media_connect(media);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 0);
	bench_end(&bench);
}

static void two_early_answers_keep_our_ports(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench); // the first 183
	uint32_t index = media->legs[MEDIA_CALLER].rtp_index;
	bench_answer(media, MEDIA_CALLED, SDP("203.0.113.77", "7000", EVENTS("96"))); // the second
	(void)bench_write_answer(media, MEDIA_CALLER, &text);
	media_connect(media);
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLER, 0);
	bench_check_address(&message->open.destination, "203.0.113.77:7000");
	CHECK_NUMBER(message->open.out_index, media->legs[MEDIA_CALLED].rtp_index);
	CHECK_NUMBER(media->legs[MEDIA_CALLER].rtp_index, index);
	bench_end(&bench);
}

// RFC 3261 13.2.1: one answer before the call is taken, whatever the other side says meanwhile.
static void an_early_answer_says_all_the_offer_allows(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	char room[2048];
	struct writer writer = writer_of(room, sizeof(room));
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	bench_answer(media, MEDIA_CALLED, SDP("203.0.113.77", "7000", "\r\na=sendonly\r\n"));
	media_write_early(media, MEDIA_CALLER, &writer);
	CHECK_CONTAINS(writer_string_done(&writer), "a=sendrecv\r\n");
	CHECK_CONTAINS(room, "telephone-event");
	CHECK_CONTAINS(bench_write_answer(media, MEDIA_CALLER, &text), "a=sendonly\r\n");
	bench_end(&bench);
}

// What nobody else need be asked about: our ports and the other side stay as they are.
static void an_offer_can_be_taken_without_the_other_side(void **state)
{
	(void)state;
	struct bench bench;
	struct media_figures figures;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	media_accept_offer(media); // nothing is open: harmless
	bench_offer(media, MEDIA_CALLED, SDP("203.0.113.77", "7000", "\r\na=sendonly\r\n"));
	media_accept_offer(media);
	media_connect(media);
	media_read(media, MEDIA_CALLED, &figures);
	bench_check_address(&figures.remote, "203.0.113.77:7000");
	CHECK_TRUE(figures.is_held);
	bench_check_address(&bench_sent(&bench, media, MEDIA_CALLER, 0)->open.destination,
			    "203.0.113.77:7000");
	media_read(media, MEDIA_CALLER, &figures);
	bench_check_address(&figures.remote, "198.51.100.7:4000");
	bench_end(&bench);
}

static void the_next_carrier_starts_from_nothing(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench); // early media of the first carrier
	fake_dataplane_view(bench.dataplane, media->legs[MEDIA_CALLER].rtp_index)->packets = 7;
	media_forget(media, MEDIA_CALLED);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text), " RTP/AVP 0 101\r\n");
	bench_answer(media, MEDIA_CALLED, SDP("203.0.113.77", "7000", EVENTS("96")));
	media_connect(media);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	struct media_figures figures;
	media_read(media, MEDIA_CALLER, &figures);
	CHECK_NUMBER(figures.rtp.packets, 7); // what was counted stays counted
	bench_end(&bench);
}

static void other_lines_keep_their_places_for_the_whole_call(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_open(&bench);
	bench_offer(media, MEDIA_CALLER,
		    "v=0\r\nc=IN IP4 198.51.100.7\r\nm=video 5000 RTP/AVP 96\r\n"
		    "m=audio 4000 RTP/AVP 0\r\n");
	const char *offer = bench_write_offer(media, MEDIA_CALLED, &text);
	assert_null(strstr(offer, "video")); // the other side never hears of it
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	CHECK_CONTAINS(bench_write_answer(media, MEDIA_CALLER, &text),
		       "m=video 0 RTP/AVP 96\r\nm=audio ");
	bench_offer(media, MEDIA_CALLED, CALLED_SDP "a=sendonly\r\n");
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLER, &text),
		       "m=video 0 RTP/AVP 96\r\nm=audio ");
	bench_end(&bench);
}

static void a_late_offer_is_ours(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_open(&bench);
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text), " RTP/AVP 0 101\r\n");
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLER, &text), " RTP/AVP 0 96\r\n");
	bench_answer(media, MEDIA_CALLER, SDP("198.51.100.7", "4000", EVENTS("96")));
	media_connect(media);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	bench_end(&bench);
}

static void sides_of_two_families_meet(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 2);
	struct media *media = bench_open(&bench);
	bench_offer(media, MEDIA_CALLER,
		    "v=0\r\nc=IN IP6 2001:db8:7::7\r\nm=audio 4000 RTP/AVP 0\r\n");
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text), "c=IN IP4 192.0.2.1\r\n");
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	CHECK_CONTAINS(bench_write_answer(media, MEDIA_CALLER, &text), "c=IN IP6 2001:db8::1\r\n");
	media_connect(media);
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLED, 0);
	bench_check_address(&message->open.destination, "[2001:db8:7::7]:4000");
	CHECK_TRUE(message->open.out_index >= MEDIA_PORT_COUNT);
	CHECK_NUMBER(dataplane_worker_of(bench.dataplane, message->open.out_index),
		     dataplane_worker_of(bench.dataplane, message->stream.index));
	bench_end(&bench);
}

static void the_next_carrier_may_speak_another_family(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	fake_dataplane_view(bench.dataplane, media->legs[MEDIA_CALLED].rtp_index)->packets = 3;
	CHECK_STATUS(media_set_family(media, MEDIA_CALLED, ADDRESS_IPV6), ERR_NOT_ACCEPTABLE);
	media_forget(media, MEDIA_CALLED);
	CHECK_OK(media_set_family(media, MEDIA_CALLED, ADDRESS_IPV6));
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text), "c=IN IP6 2001:db8::1\r\n");
	bench_answer(media, MEDIA_CALLED,
		     "v=0\r\nc=IN IP6 2001:db8:9::9\r\nm=audio 6000 RTP/AVP 0\r\n");
	media_connect(media);
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLER, 0);
	bench_check_address(&message->open.destination, "[2001:db8:9::9]:6000");
	CHECK_NUMBER(message->open.out_index, media->legs[MEDIA_CALLED].rtp_index);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	media_close(media);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 1);
	CHECK_NUMBER(bench.last[MEDIA_CALLED].rtp.packets, 3);
	CHECK_NUMBER(media_ports_count(bench.engine->ports, MEDIA_PORT_HELD), 0);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_side_hears_our_address_and_nothing_of_the_other),
		TEST(event_numbers_are_mapped_both_ways),
		TEST(events_are_offered_only_to_serve_the_other_side),
		TEST(hold_passes_through_and_back),
		TEST(hold_in_the_old_form_stops_what_leaves_for_it),
		TEST(a_new_offer_changes_nothing_before_its_answer),
		TEST(a_refused_offer_leaves_the_former_state_in_force),
		TEST(an_offer_we_refuse_ourselves_changes_nothing),
		TEST(two_early_answers_keep_our_ports),
		TEST(an_early_answer_says_all_the_offer_allows),
		TEST(an_offer_can_be_taken_without_the_other_side),
		TEST(the_next_carrier_starts_from_nothing),
		TEST(the_next_carrier_may_speak_another_family),
		TEST(other_lines_keep_their_places_for_the_whole_call),
		TEST(a_late_offer_is_ours),
		TEST(sides_of_two_families_meet),
	};
	return RUN_TESTS(tests);
}
