// RTCP: what is read of the peers' reports, when a leg gets one of ours, and each field of that.

#include "tests/check.h"

#include <string.h>

#include "dataplane/stream/report.h"
#include "tests/unit/dataplane/fixture.h"

// Side A sends to stream 0 and hears 2, side B the other way round; their RTCP is one above.
#define SSRC_A 0xaaaa0001u
#define SSRC_B 0xbbbb0001u
#define MS 1000000ull

static struct fixture *pair_create(void)
{
	struct fixture *fixture = fixture_create();
	assert_non_null(fixture);
	for (uint32_t i = 0; i < 4; i++) {
		struct fixture_open open = { FIXTURE_OPEN };
		open.index = i;
		open.out_index = i ^ 2;
		open.flags = i % 2 ? STREAM_IS_RTCP : 0;
		assert_true(fixture_open(fixture, &open));
		report_begin(&fixture->table, &fixture->table.streams[i]);
	}
	return fixture;
}

static void sound(struct fixture *fixture, uint32_t index, uint16_t sequence)
{
	struct packet packet = { .index = index,
				 .kind = PACKET_RTP,
				 .ssrc = index == 0 ? SSRC_A : SSRC_B,
				 .sequence = sequence,
				 .timestamp = sequence * 160u,
				 .media_offset = 54,
				 .media_size = 160,
				 .size = 172 };
	stream_account(&fixture->table, &fixture->table.streams[index], &packet, fixture->frame);
}

static void pass(struct fixture *fixture, uint64_t ms)
{
	fixture->table.now_ns += ms * MS;
}

struct words { // a packet under construction, in 32-bit words
	uint8_t octets[256];
	size_t size;
};

static void add(struct words *words, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		words->octets[words->size++] = (uint8_t)(value >> (24 - 8 * i));
}

static void add_block(struct words *words, uint32_t ssrc, uint32_t last, uint32_t delay)
{
	add(words, ssrc);
	add(words, 0x40fffffe); // a quarter; two more than sent
	add(words, 70000);
	add(words, 24);
	add(words, last);
	add(words, delay);
}

static struct words receiver_report(uint32_t ssrc, uint32_t last, uint32_t delay)
{
	struct words words = { .size = 0 };
	add(&words, 0x81c90007);
	add(&words, 0x12345678);
	add_block(&words, ssrc, last, delay);
	return words;
}

static struct words sender_report(uint32_t ssrc, uint32_t middle)
{
	struct words words = { .size = 0 };
	add(&words, 0x80c80006);
	add(&words, ssrc);
	add(&words, middle >> 16 | 0xeeee0000);
	add(&words, middle << 16 | 0xeeee);
	for (unsigned i = 0; i < 3; i++)
		add(&words, i);
	return words;
}

static bool reads(struct fixture *fixture, uint32_t index, const struct words *words)
{
	struct stream *stream = &fixture->table.streams[index];
	return report_read(&fixture->table, stream, words->octets, words->size);
}

static uint32_t at(const uint8_t *octets, unsigned word)
{
	octets += word * 4;
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
	       octets[3];
}

static void what_a_peer_says_of_our_stream_is_kept(void **state)
{
	struct fixture *fixture = pair_create();
	const struct stream_view *view = &fixture->table.views[1];
	struct words ours = receiver_report(SSRC_B, 0, 0), other = receiver_report(SSRC_A, 0, 0);
	(void)state;
	assert_true(reads(fixture, 1, &ours)); // before any RTP it is about nothing we know
	CHECK_NUMBER(view->reports, 0);
	sound(fixture, 2, 1);
	assert_true(reads(fixture, 1, &other));
	CHECK_NUMBER(view->reports, 0);
	assert_true(reads(fixture, 1, &ours));
	CHECK_NUMBER(view->reports, 1);
	CHECK_NUMBER(view->peer_fraction, 64);
	assert_int_equal(view->peer_lost, -2);
	CHECK_NUMBER(view->peer_jitter, 24);
	CHECK_NUMBER(view->round_trip_us, 0);
	fixture_destroy(fixture);
}

static void a_relayed_report_tells_the_round_trip(void **state)
{
	struct fixture *fixture = pair_create();
	struct words sent = sender_report(SSRC_B, 0x22223333);
	struct words answer = receiver_report(SSRC_B, 0x22223333, 65536 / 50);
	(void)state;
	sound(fixture, 2, 1);
	assert_true(reads(fixture, 3, &sent));
	pass(fixture, 50);
	assert_true(reads(fixture, 1, &answer));
	assert_in_range(fixture->table.views[1].round_trip_us, 29900, 30100);
	fixture_destroy(fixture);
}

static void a_round_trip_that_cannot_be_is_not_believed(void **state)
{
	const struct { // LSR, DLSR
		uint32_t last, delay;
	} wrong[] = { { 0, 0 },
		      { 0x22223334, 0 },
		      { 0x22223333, 65536 },
		      { 0x22223333, 1u << 31 },
		      { 0x22223333, 0u - (31u << 16) } };
	struct fixture *fixture = pair_create();
	struct words sent = sender_report(SSRC_B, 0x22223333);
	(void)state;
	sound(fixture, 2, 1);
	assert_true(reads(fixture, 3, &sent));
	pass(fixture, 50);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct words answer = receiver_report(SSRC_B, wrong[i].last, wrong[i].delay);
		assert_true(reads(fixture, 1, &answer));
		CHECK_NUMBER(fixture->table.views[1].round_trip_us, 0);
	}
	struct words quick = receiver_report(SSRC_B, 0x22223333, 65536 / 20 + 10);
	assert_true(reads(fixture, 1, &quick));
	CHECK_NUMBER(fixture->table.views[1].round_trip_us, 1); // known, and next to nothing
	fixture_destroy(fixture);
}

static void every_other_packet_of_a_compound_is_passed_over(void **state)
{
	struct fixture *fixture = pair_create();
	struct words words = { .size = 0 };
	(void)state;
	sound(fixture, 2, 1);
	add(&words, 0x80c90001); // an empty RR, as RFC 3550 6.1 has it begin
	add(&words, 1);
	add(&words, 0x81cf0002); // XR
	add(&words, 1);
	add(&words, SSRC_B);
	add(&words, 0x80cc0002); // APP
	add(&words, 1);
	add(&words, 0x41424344);
	add(&words, 0x81c90008); // RR with an extension behind its block
	add(&words, 1);
	add_block(&words, SSRC_B, 0, 0);
	add(&words, 7);
	add(&words, 0xa1cb0002); // BYE, padded
	add(&words, 1);
	add(&words, 4);
	assert_true(reads(fixture, 1, &words));
	CHECK_NUMBER(fixture->table.views[1].reports, 1);
	fixture_destroy(fixture);
}

static void a_packet_of_reduced_size_is_one(void **state)
{
	struct fixture *fixture = pair_create();
	struct words words = { .size = 0 };
	(void)state;
	add(&words, 0x81cd0002); // RTPFB alone: RFC 5506 4.1
	add(&words, 1);
	add(&words, SSRC_B);
	assert_true(reads(fixture, 1, &words));
	fixture_destroy(fixture);
}

static void lengths_that_lie_are_refused(void **state)
{
	const uint32_t heads[] = {
		0x41c90001, // version 1
		0x80c90002, // one word too many
		0x80c90000, // one too few: what remains is no header
		0x81c90001, // a block that is not there
		0x80c80001, // an SR without its own part
		0xa0c90001, // padded by what is the SSRC's last octet
		0x80480001, // RTP
		0x80e00001, // above RTCP's types
	};
	struct fixture *fixture = pair_create();
	(void)state;
	for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct words words = { .size = 0 };
		add(&words, heads[i]);
		add(&words, 0x00000005);
		assert_false(reads(fixture, 1, &words));
	}
	struct words padded_within = { .size = 0 };
	add(&padded_within, 0xa0c90002);
	add(&padded_within, 1);
	add(&padded_within, 4);
	assert_true(reads(fixture, 1, &padded_within));
	add(&padded_within, 0x80c90001);
	add(&padded_within, 1);
	assert_false(reads(fixture, 1, &padded_within));
	const struct words nothing = { .size = 0 };
	assert_false(reads(fixture, 1, &nothing));
	fixture_destroy(fixture);
}

static void nothing_of_a_refused_packet_is_believed(void **state)
{
	struct fixture *fixture = pair_create();
	struct words words = receiver_report(SSRC_B, 0, 0);
	(void)state;
	sound(fixture, 2, 1);
	add(&words, 0x80c90009);
	assert_false(reads(fixture, 1, &words));
	CHECK_NUMBER(fixture->table.views[1].reports, 0);
	fixture_destroy(fixture);
}

// Milliseconds until a report about stream 0 is due, asked after a packet every 20 ms.
static unsigned wait_until_due(struct fixture *fixture, uint16_t *sequence)
{
	for (unsigned waited = 0; waited < 60000; waited += 20) {
		sound(fixture, 0, (*sequence)++);
		if (report_is_due(&fixture->table, &fixture->table.streams[0]))
			return waited;
		pass(fixture, 20);
	}
	return 60000;
}

static size_t write_to_a(struct fixture *fixture, uint8_t octets[static REPORT_ROOM])
{
	struct stream *out = NULL;
	memset(octets, 0x55, REPORT_ROOM);
	size_t size = report_write(&fixture->table, &fixture->table.streams[0], &out, octets);
	if (size > 0)
		assert_ptr_equal(out, &fixture->table.streams[3]);
	return size;
}

static void reports_come_every_five_seconds_more_or_less(void **state)
{
	struct fixture *fixture = pair_create();
	uint8_t octets[REPORT_ROOM];
	uint16_t sequence = 0;
	unsigned shortest = 60000, longest = 0, sum = 0;
	(void)state;
	pass(fixture, 30000); // it rang for a while
	assert_in_range(wait_until_due(fixture, &sequence), 1250, 3770);
	for (unsigned i = 0; i < 200; i++) {
		assert_true(write_to_a(fixture, octets) > 0);
		unsigned waited = wait_until_due(fixture, &sequence);
		assert_in_range(waited, 2500, 7520);
		shortest = waited < shortest ? waited : shortest;
		longest = waited > longest ? waited : longest;
		sum += waited;
	}
	assert_true(shortest < 3000 && longest > 7000); // RFC 3550 6.3.1 a: spread, or they meet
	assert_in_range(sum / 200, 4600, 5400);
	CHECK_NUMBER(fixture->table.views[1].generated, 200);
	CHECK_NUMBER(fixture->table.views[3].generated, 0);
	fixture_destroy(fixture);
}

static void none_is_due_while_the_peers_own_are_relayed(void **state)
{
	struct fixture *fixture = pair_create();
	uint8_t octets[REPORT_ROOM];
	uint16_t sequence = 0;
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		report_note_relayed(&fixture->table, &fixture->table.streams[3]);
		for (unsigned j = 0; j < 450; j++) {
			sound(fixture, 0, sequence++);
			assert_false(report_is_due(&fixture->table, &fixture->table.streams[0]));
			pass(fixture, 20);
		}
	}
	assert_in_range(wait_until_due(fixture, &sequence), 900, 8520); // 10 s after the last one
	assert_true(write_to_a(fixture, octets) > 0);
	fixture_destroy(fixture);
}

static void a_side_that_cannot_be_reached_gets_none(void **state)
{
	struct fixture *fixture = pair_create();
	uint8_t octets[REPORT_ROOM];
	uint16_t sequence = 0;
	(void)state;
	fixture->table.streams[3].flags |= STREAM_NO_NEXT_HOP;
	CHECK_NUMBER(wait_until_due(fixture, &sequence), 60000);
	CHECK_NUMBER(write_to_a(fixture, octets), 0);
	fixture->table.streams[3].flags &= (uint8_t)~STREAM_NO_NEXT_HOP;
	assert_true(write_to_a(fixture, octets) > 0);
	assert_true(fixture_close(fixture, 1, 7));
	CHECK_NUMBER(wait_until_due(fixture, &sequence), 60000);
	CHECK_NUMBER(write_to_a(fixture, octets), 0);
	fixture_destroy(fixture);
}

static void a_side_that_hears_something_gets_a_senders_report(void **state)
{
	struct fixture *fixture = pair_create();
	struct words arrived = sender_report(SSRC_A, 0x44445555);
	uint8_t octets[REPORT_ROOM];
	(void)state;
	for (uint16_t i = 0; i < 100; i++) {
		if (i % 10 != 3) // 10 of 100 are lost
			sound(fixture, 0, (uint16_t)(65500 + i));
		sound(fixture, 2, (uint16_t)(1000 + i));
		pass(fixture, 20);
	}
	assert_true(reads(fixture, 1, &arrived));
	pass(fixture, 500);
	fixture->table.views[2].octets = 100 * 172;
	size_t size = write_to_a(fixture, octets);
	CHECK_NUMBER(size, 52 + 28);
	CHECK_NUMBER(at(octets, 0), 0x81c8000c);
	CHECK_NUMBER(at(octets, 1), SSRC_B);
	CHECK_NUMBER(at(octets, 2), fixture->table.now_ns / 1000000000);
	CHECK_NUMBER(at(octets, 3), (fixture->table.now_ns % 1000000000 << 32) / 1000000000);
	CHECK_NUMBER(at(octets, 4), 1099 * 160 + 520 * 8); // 520 ms after the last packet
	CHECK_NUMBER(at(octets, 5), 100);
	CHECK_NUMBER(at(octets, 6), 16000);
	CHECK_NUMBER(at(octets, 7), SSRC_A);
	CHECK_NUMBER(at(octets, 8) >> 24, 256 * 10 / 100);
	CHECK_NUMBER(at(octets, 8) & 0xffffff, 10);
	CHECK_NUMBER(at(octets, 9), 65500 + 99);
	CHECK_NUMBER(at(octets, 10), 0);
	CHECK_NUMBER(at(octets, 11), 0x44445555);
	assert_in_range(at(octets, 12), 32767, 32769); // half a second
	CHECK_NUMBER(at(octets, 13), 0x81ca0006);
	CHECK_NUMBER(at(octets, 14), SSRC_B);
	CHECK_NUMBER(at(octets, 15) >> 16, 0x0110);
	CHECK_NUMBER(at(octets, 19) & 0xffff, 0);
	CHECK_NUMBER(octets[size], 0x55);
	fixture_destroy(fixture);
}

static void its_answer_tells_the_round_trip(void **state)
{
	struct fixture *fixture = pair_create();
	uint8_t octets[REPORT_ROOM];
	(void)state;
	sound(fixture, 0, 1);
	sound(fixture, 2, 1);
	assert_true(write_to_a(fixture, octets) > 0);
	pass(fixture, 120);
	uint32_t middle = at(octets, 2) << 16 | at(octets, 3) >> 16;
	struct words answer = receiver_report(SSRC_B, middle, 65536 / 10);
	assert_true(reads(fixture, 1, &answer));
	assert_in_range(fixture->table.views[1].round_trip_us, 19900, 20100);
	fixture_destroy(fixture);
}

static void a_side_that_hears_nothing_gets_a_receivers_report(void **state)
{
	struct fixture *fixture = pair_create();
	uint8_t octets[REPORT_ROOM], again[REPORT_ROOM];
	(void)state;
	sound(fixture, 0, 1);
	CHECK_NUMBER(write_to_a(fixture, octets), 32 + 28);
	CHECK_NUMBER(at(octets, 0), 0x81c90007);
	CHECK_NUMBER(at(octets, 1), at(octets, 9));
	CHECK_NUMBER(at(octets, 2), SSRC_A);
	CHECK_NUMBER(at(octets, 6), 0); // no SR of it was seen
	CHECK_NUMBER(at(octets, 7), 0);
	assert_true(at(octets, 1) != 0 && at(octets, 1) != SSRC_A);
	sound(fixture, 2, 1);
	pass(fixture, 10020); // B fell silent: for two intervals it is still a sender
	sound(fixture, 0, 2);
	CHECK_NUMBER(write_to_a(fixture, again), 32 + 28);
	CHECK_NUMBER(at(again, 1), at(octets, 1));
	assert_memory_equal(again + 32, octets + 32, 28); // its name stays, too
	fixture->table.views[0].ssrc = at(octets, 1); // the peer happens to take ours
	assert_true(write_to_a(fixture, again) > 0);
	assert_true(at(again, 1) != at(octets, 1));
	fixture_destroy(fixture);
}

static void names_of_two_streams_differ(void **state)
{
	struct fixture *fixture = pair_create();
	uint8_t to_a[REPORT_ROOM], to_b[REPORT_ROOM];
	struct stream *out = NULL;
	(void)state;
	sound(fixture, 0, 1);
	sound(fixture, 2, 1);
	assert_true(write_to_a(fixture, to_a) > 0);
	assert_true(report_write(&fixture->table, &fixture->table.streams[2], &out, to_b) > 0);
	assert_ptr_equal(out, &fixture->table.streams[1]);
	assert_memory_not_equal(to_a + 62, to_b + 62, 16);
	fixture_destroy(fixture);
}

static void loss_since_the_last_report_is_its_fraction(void **state)
{
	struct fixture *fixture = pair_create();
	uint8_t octets[REPORT_ROOM];
	(void)state;
	for (uint16_t i = 0; i < 10; i++)
		sound(fixture, 0, (uint16_t)(2 * i));
	assert_true(write_to_a(fixture, octets) > 0);
	CHECK_NUMBER(at(octets, 3), 256 * 9 / 19 << 24 | 9);
	for (uint16_t i = 19; i < 30; i++)
		sound(fixture, 0, i);
	assert_true(write_to_a(fixture, octets) > 0);
	CHECK_NUMBER(at(octets, 3), 9);
	for (uint16_t i = 0; i < 20; i++)
		sound(fixture, 0, 29); // copies: RFC 3550 A.3 counts them as received
	assert_true(write_to_a(fixture, octets) > 0);
	CHECK_NUMBER(at(octets, 3), (9 - 20) & 0xffffff);
	sound(fixture, 0, 2500);
	assert_true(write_to_a(fixture, octets) > 0);
	CHECK_NUMBER(at(octets, 3) >> 24, 256 * 2470 / 2471);
	fixture_destroy(fixture);
}

static void what_we_write_we_would_read(void **state)
{
	struct fixture *fixture = pair_create();
	struct stream *out = NULL;
	uint8_t octets[REPORT_ROOM];
	(void)state;
	sound(fixture, 0, 1);
	sound(fixture, 2, 1);
	size_t size = report_write(&fixture->table, &fixture->table.streams[0], &out, octets);
	assert_true(report_read(&fixture->table, &fixture->table.streams[3], octets, size));
	CHECK_NUMBER(fixture->table.views[3].reports, 1); // about A, whom B hears
	fixture_destroy(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_peer_says_of_our_stream_is_kept),
		TEST(a_relayed_report_tells_the_round_trip),
		TEST(a_round_trip_that_cannot_be_is_not_believed),
		TEST(every_other_packet_of_a_compound_is_passed_over),
		TEST(a_packet_of_reduced_size_is_one),
		TEST(lengths_that_lie_are_refused),
		TEST(nothing_of_a_refused_packet_is_believed),
		TEST(reports_come_every_five_seconds_more_or_less),
		TEST(none_is_due_while_the_peers_own_are_relayed),
		TEST(a_side_that_cannot_be_reached_gets_none),
		TEST(a_side_that_hears_something_gets_a_senders_report),
		TEST(its_answer_tells_the_round_trip),
		TEST(a_side_that_hears_nothing_gets_a_receivers_report),
		TEST(names_of_two_streams_differ),
		TEST(loss_since_the_last_report_is_its_fraction),
		TEST(what_we_write_we_would_read),
	};
	return RUN_TESTS(tests);
}
