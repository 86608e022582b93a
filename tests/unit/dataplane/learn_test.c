// Symmetric RTP over time: what is learned, what outlives a message, what starts it again.

#include "tests/check.h"

#include <string.h>

#include "tests/unit/dataplane/fixture.h"

#define NAT "203.0.113.9:40000"
#define NAT_MOVED "203.0.113.9:40002"
#define STRANGER "203.0.113.66:5555"
#define SDP "10.0.0.5:5004"
#define MAC_OF_FRAMES 0x0d

struct world {
	struct fixture *fixture;
	struct fixture_open there, back; // the PBX's stream, and the one that goes to it
};

static void set_up(struct world *world, bool has_back)
{
	world->fixture = fixture_create();
	assert_non_null(world->fixture);
	world->there = (struct fixture_open){ FIXTURE_OPEN, .flags = STREAM_SYMMETRIC };
	world->there.source = SDP;
	world->back = (struct fixture_open){ FIXTURE_OPEN };
	world->back.index = 2;
	world->back.out_index = 0;
	world->back.source = "192.0.2.20:6000";
	world->back.destination = SDP;
	world->back.next_hop = 0x0a;
	CHECK_TRUE(fixture_open(world->fixture, &world->there));
	CHECK_TRUE(!has_back || fixture_open(world->fixture, &world->back));
}

static void tear_down(struct world *world)
{
	fixture_destroy(world->fixture);
}

static unsigned run(struct world *world, const char *source, uint16_t first, unsigned count)
{
	unsigned accepted = 0;
	for (unsigned i = 0; i < count; i++)
		accepted += fixture_rtp(world->fixture, 0, source, (uint16_t)(first + i)) ==
			    VERDICT_FORWARDED;
	return accepted;
}

static bool goes_to(const struct world *world, const char *destination, uint8_t next_hop)
{
	struct address address;
	const struct stream *stream = &world->fixture->table.streams[2];
	return address_parse(text_of(destination), &address) &&
	       stream_is_destination(stream, &address) && stream->next_hop[5] == next_hop;
}

static void three_in_a_row_are_believed(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	CHECK_NUMBER(run(&world, NAT, 65535, 2), 0); // over the wrap, too
	CHECK_TRUE(goes_to(&world, SDP, 0x0a));
	CHECK_NUMBER(run(&world, NAT, 1, 5), 5);
	CHECK_TRUE(goes_to(&world, NAT, MAC_OF_FRAMES));
	CHECK_TRUE(fixture_tells(world.fixture, MESSAGE_STREAM_STARTED, 0, 7));
	CHECK_TRUE(fixture_tells(world.fixture, MESSAGE_STREAM_LEARNED, 0, 7));
	tear_down(&world);
}

static void a_stranger_between_does_not_hinder_the_first_flow(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	for (uint16_t i = 0; i < 3; i++) {
		(void)run(&world, NAT, i, 1);
		CHECK_NUMBER(run(&world, STRANGER, (uint16_t)(i * 9), 1), 0);
	}
	CHECK_TRUE(goes_to(&world, NAT, MAC_OF_FRAMES));
	tear_down(&world);
}

static void a_candidate_that_fell_silent_makes_room(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	CHECK_NUMBER(run(&world, STRANGER, 1, 2), 0);
	CHECK_NUMBER(run(&world, NAT, 1, 3), 0); // held for the other
	world.fixture->table.now_ns += (STREAM_CANDIDATE_HOLD_MS + 1) * 1000000ull;
	CHECK_NUMBER(run(&world, NAT, 4, 3), 1);
	CHECK_TRUE(goes_to(&world, NAT, MAC_OF_FRAMES));
	tear_down(&world);
}

static void a_stream_opened_later_leaves_for_what_was_learned(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, false);
	CHECK_NUMBER(run(&world, NAT, 1, 3), 1);
	CHECK_TRUE(fixture_open(world.fixture, &world.back));
	CHECK_TRUE(goes_to(&world, NAT, 0x0a));
	tear_down(&world);
}

static void a_message_that_knows_it_not_yet_changes_nothing_learned(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	CHECK_NUMBER(run(&world, NAT, 1, 3), 1);
	world.back.next_hop = 0x1a; // SDP's neighbour changed
	CHECK_TRUE(fixture_open(world.fixture, &world.back));
	CHECK_TRUE(fixture_open(world.fixture, &world.there));
	CHECK_TRUE(goes_to(&world, NAT, MAC_OF_FRAMES));
	CHECK_NUMBER(run(&world, NAT, 4, 1), 1);
	CHECK_NUMBER(world.fixture->table.views[0].source_is_learned, 1);
	tear_down(&world);
}

static void control_names_the_next_hop_of_what_was_learned(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	CHECK_NUMBER(run(&world, NAT, 1, 3), 1);
	world.back.destination = NAT;
	world.back.next_hop = 0x2a;
	CHECK_TRUE(fixture_open(world.fixture, &world.back));
	CHECK_TRUE(goes_to(&world, NAT, 0x2a));
	tear_down(&world);
}

static void learning_ends_the_wait_for_a_next_hop(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, false);
	world.back.flags = STREAM_NO_NEXT_HOP;
	CHECK_TRUE(fixture_open(world.fixture, &world.back));
	CHECK_NUMBER(run(&world, NAT, 1, 3), 1);
	CHECK_TRUE(goes_to(&world, NAT, MAC_OF_FRAMES));
	CHECK_FALSE(world.fixture->table.streams[2].flags & STREAM_NO_NEXT_HOP);
	tear_down(&world);
}

static void a_moved_source_is_learned_again_only_when_told(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	CHECK_NUMBER(run(&world, NAT, 1, 3), 1);
	CHECK_NUMBER(run(&world, NAT_MOVED, 4, 9), 0);
	world.there.flags |= STREAM_RELEARN;
	CHECK_TRUE(fixture_open(world.fixture, &world.there));
	CHECK_NUMBER(world.fixture->table.views[0].source_is_learned, 0);
	CHECK_NUMBER(run(&world, NAT_MOVED, 20, 3), 1);
	CHECK_TRUE(goes_to(&world, NAT_MOVED, MAC_OF_FRAMES));
	tear_down(&world);
}

static void forgetting_restores_the_destination_of_the_message(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	CHECK_NUMBER(run(&world, NAT, 1, 3), 1);
	world.back.flags = STREAM_RELEARN;
	CHECK_TRUE(fixture_open(world.fixture, &world.back));
	CHECK_TRUE(goes_to(&world, SDP, 0x0a));
	tear_down(&world);
}

static void a_stream_that_leaves_elsewhere_leaves_for_its_message(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	CHECK_NUMBER(run(&world, NAT, 1, 3), 1);
	world.back.out_index = MEDIA_PORT_COUNT; // of the IPv6 address
	world.back.destination = "[2001:db8::9]:5004";
	CHECK_TRUE(fixture_open(world.fixture, &world.back));
	CHECK_TRUE(goes_to(&world, "[2001:db8::9]:5004", 0x0a));
	tear_down(&world);
}

static void an_authentic_packet_settles_the_source_at_once(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	world.there.flags |= STREAM_SECURE_ARRIVES;
	CHECK_TRUE(fixture_open(world.fixture, &world.there));
	CHECK_NUMBER(fixture_sealed(world.fixture, 0, NAT, 9), VERDICT_FORWARDED);
	CHECK_TRUE(goes_to(&world, NAT, MAC_OF_FRAMES));
	CHECK_NUMBER(fixture_sealed(world.fixture, 0, STRANGER, 10), VERDICT_DROP_WRONG_SOURCE);
	CHECK_NUMBER(fixture_sealed(world.fixture, 0, SDP, 11), VERDICT_DROP_WRONG_SOURCE);
	CHECK_NUMBER(fixture_sealed(world.fixture, 0, NAT, 12), VERDICT_FORWARDED);
	CHECK_TRUE(goes_to(&world, NAT, MAC_OF_FRAMES));
	tear_down(&world);
}

static void not_even_an_authentic_packet_sends_media_to_ourselves(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	world.there.flags |= STREAM_SECURE_ARRIVES;
	CHECK_TRUE(fixture_open(world.fixture, &world.there));
	CHECK_NUMBER(fixture_sealed(world.fixture, 0, "198.51.100.1:4000", 9),
		     VERDICT_DROP_WRONG_SOURCE);
	CHECK_NUMBER(fixture_sealed(world.fixture, 0, "224.0.0.9:4000", 9),
		     VERDICT_DROP_WRONG_SOURCE);
	CHECK_TRUE(goes_to(&world, SDP, 0x0a));
	tear_down(&world);
}

static void a_given_source_is_kept_whoever_is_authentic(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	world.there.flags = STREAM_SECURE_ARRIVES;
	CHECK_TRUE(fixture_open(world.fixture, &world.there));
	CHECK_NUMBER(fixture_sealed(world.fixture, 0, NAT, 9), VERDICT_DROP_WRONG_SOURCE);
	CHECK_TRUE(goes_to(&world, SDP, 0x0a));
	CHECK_NUMBER(fixture_sealed(world.fixture, 0, SDP, 9), VERDICT_FORWARDED);
	tear_down(&world);
}

static void those_not_believed_yet_are_no_news_and_those_after_are(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, true);
	CHECK_NUMBER(run(&world, NAT, 1, 2), 0);
	CHECK_TRUE(fixture_is_silent(world.fixture));
	CHECK_NUMBER(run(&world, NAT, 3, 1), 1);
	CHECK_NUMBER(run(&world, STRANGER, 1, 3), 0);
	CHECK_TRUE(fixture_tells(world.fixture, MESSAGE_STREAM_STARTED, 0, 7));
	CHECK_TRUE(fixture_tells(world.fixture, MESSAGE_STREAM_LEARNED, 0, 7));
	CHECK_TRUE(fixture_names(world.fixture, MESSAGE_STREAM_REFUSED, STRANGER));
	CHECK_TRUE(fixture_is_silent(world.fixture));
	tear_down(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(three_in_a_row_are_believed),
		TEST(a_stranger_between_does_not_hinder_the_first_flow),
		TEST(a_candidate_that_fell_silent_makes_room),
		TEST(a_stream_opened_later_leaves_for_what_was_learned),
		TEST(a_message_that_knows_it_not_yet_changes_nothing_learned),
		TEST(control_names_the_next_hop_of_what_was_learned),
		TEST(learning_ends_the_wait_for_a_next_hop),
		TEST(a_moved_source_is_learned_again_only_when_told),
		TEST(forgetting_restores_the_destination_of_the_message),
		TEST(a_stream_that_leaves_elsewhere_leaves_for_its_message),
		TEST(an_authentic_packet_settles_the_source_at_once),
		TEST(not_even_an_authentic_packet_sends_media_to_ourselves),
		TEST(a_given_source_is_kept_whoever_is_authentic),
		TEST(those_not_believed_yet_are_no_news_and_those_after_are),
	};
	return RUN_TESTS(tests);
}
