// The ledger of ports: nothing is handed out twice, nothing is lost.

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "media/ports.h"
#include "tests/fake/dataplane.h"

#define QUARANTINE_MS 1000

struct bench {
	struct dataplane *dataplane;
	struct media_ports *ports;
};

static struct bench begin(unsigned workers, const char *const *addresses)
{
	struct bench bench = { .dataplane = fake_dataplane_create(workers, addresses) };
	bench.ports = media_ports_create(bench.dataplane, QUARANTINE_MS);
	assert_non_null(bench.ports);
	return bench;
}

static void end(struct bench *bench)
{
	media_ports_destroy(bench->ports);
	dataplane_detach(bench->dataplane);
}

static const char *const one[] = { "192.0.2.1", NULL };
static const char *const three[] = { "192.0.2.1", "2001:db8::1", "192.0.2.2", NULL };

static enum status take(struct bench *bench, uint64_t now_ms, uint32_t out_indexes[static 2])
{
	struct media_port_user user = { bench, "CA1", now_ms };
	return media_ports_take(bench->ports, ADDRESS_IPV4, &user, out_indexes);
}

static void a_call_gets_two_pairs_of_one_worker_and_address(void **state)
{
	(void)state;
	struct bench bench = begin(3, three);
	unsigned by_worker[3] = { 0 };
	for (unsigned i = 0; i < 300; i++) {
		uint32_t indexes[2];
		CHECK_OK(take(&bench, 0, indexes));
		struct address a = media_ports_address(bench.ports, indexes[0]);
		struct address b = media_ports_address(bench.ports, indexes[1]);
		CHECK_TRUE(address_is_same_host(&a, &b));
		CHECK_NUMBER(a.family, ADDRESS_IPV4);
		CHECK_TRUE(a.port % 2 == 0 && b.port % 2 == 0 && a.port != b.port);
		CHECK_TRUE(a.port >= MEDIA_PORT_FIRST && a.port < MEDIA_PORT_LAST);
		CHECK_NUMBER(dataplane_worker_of(bench.dataplane, indexes[0]),
			     dataplane_worker_of(bench.dataplane, indexes[1]));
		by_worker[dataplane_worker_of(bench.dataplane, indexes[0])]++;
		CHECK_TRUE(media_ports_holder(bench.ports, indexes[0]) == &bench);
		CHECK_TRUE(media_ports_holder(bench.ports, indexes[1] + 1) == &bench);
	}
	for (unsigned i = 0; i < 3; i++)
		CHECK_NUMBER(by_worker[i], 100);
	end(&bench);
}

static void all_pairs_are_handed_out_once_and_then_none(void **state)
{
	(void)state;
	struct bench bench = begin(2, one);
	static bool is_taken[MEDIA_PORT_COUNT];
	uint32_t indexes[2];
	memset(is_taken, 0, sizeof(is_taken));
	for (unsigned i = 0; i < 2500; i++) {
		CHECK_OK(take(&bench, 0, indexes));
		for (unsigned side = 0; side < 2; side++) {
			CHECK_FALSE(is_taken[indexes[side]]);
			is_taken[indexes[side]] = true;
		}
	}
	CHECK_STATUS(take(&bench, 0, indexes), ERR_LIMIT); // LIMIT-016
	CHECK_STATUS(media_ports_take(bench.ports, ADDRESS_IPV6,
				      &(struct media_port_user){ &bench, "", 0 }, indexes),
		     ERR_NOT_ACCEPTABLE);
	CHECK_NUMBER(media_ports_count(bench.ports, MEDIA_PORT_HELD), 5000);
	CHECK_NUMBER(media_ports_count(bench.ports, MEDIA_PORT_FREE), 0);
	end(&bench);
}

static void a_pair_rests_before_it_is_used_again(void **state)
{
	(void)state;
	struct bench bench = begin(1, one);
	uint32_t indexes[2], last[2];
	for (unsigned i = 0; i < 2500; i++)
		CHECK_OK(take(&bench, 0, last));
	media_ports_give(bench.ports, last[0], 500);
	media_ports_give(bench.ports, last[1], 500);
	CHECK_TRUE(media_ports_holder(bench.ports, last[0]) == NULL);
	CHECK_STATUS(take(&bench, 500 + QUARANTINE_MS - 1, indexes), ERR_LIMIT);
	CHECK_NUMBER(media_ports_count(bench.ports, MEDIA_PORT_RESTING), 2);
	CHECK_OK(take(&bench, 500 + QUARANTINE_MS, indexes));
	CHECK_TRUE(indexes[0] == last[0] && indexes[1] == last[1]);
	end(&bench);
}

static void a_pair_nobody_was_told_of_needs_no_rest(void **state)
{
	(void)state;
	struct bench bench = begin(1, one);
	uint32_t indexes[2], last[2];
	for (unsigned i = 0; i < 2500; i++)
		CHECK_OK(take(&bench, 0, last));
	media_ports_give_unused(bench.ports, last[0], 500);
	CHECK_STATUS(take(&bench, 500, indexes), ERR_LIMIT); // a call needs two
	media_ports_give_unused(bench.ports, last[1], 500);
	CHECK_NUMBER(media_ports_count(bench.ports, MEDIA_PORT_RESTING), 0);
	CHECK_NUMBER(media_ports_count(bench.ports, MEDIA_PORT_FREE), 2);
	CHECK_TRUE(media_ports_holder(bench.ports, last[0]) == NULL);
	CHECK_OK(take(&bench, 500, indexes));
	CHECK_TRUE(indexes[0] == last[0] && indexes[1] == last[1]);
	end(&bench);
}

static void the_order_of_ports_cannot_be_guessed(void **state)
{
	(void)state;
	struct bench a = begin(1, one), b = begin(1, one);
	unsigned same = 0;
	for (unsigned i = 0; i < 100; i++) {
		uint32_t from_a[2], from_b[2];
		CHECK_OK(take(&a, 0, from_a));
		CHECK_OK(take(&b, 0, from_b));
		same += from_a[0] == from_b[0];
	}
	CHECK_TRUE(same < 10);
	end(&a);
	end(&b);
}

static void a_leg_of_another_family_stays_on_the_worker(void **state)
{
	(void)state;
	struct bench bench = begin(3, three);
	uint32_t indexes[2], index;
	CHECK_OK(take(&bench, 0, indexes));
	CHECK_OK(media_ports_take_beside(bench.ports, indexes[0],
					 &(struct media_port_place){ ADDRESS_IPV6 },
					 &(struct media_port_user){ &bench, "CA1", 0 }, &index));
	CHECK_NUMBER(media_ports_address(bench.ports, index).family, ADDRESS_IPV6);
	CHECK_NUMBER(dataplane_worker_of(bench.dataplane, index),
		     dataplane_worker_of(bench.dataplane, indexes[0]));
	end(&bench);
}

// MEDIA-021
static void a_leg_may_want_an_address_of_an_edge(void **state)
{
	(void)state;
	struct bench bench = begin(3, three);
	struct media_port_user user = { &bench, "CA1", 0 };
	struct prefix edge = { .address = media_ports_address(bench.ports, 2 * MEDIA_PORT_COUNT),
			       .bits = 32 };
	struct media_port_place place = { edge.address.family, &edge, 1 };
	uint32_t indexes[2], index;
	CHECK_OK(take(&bench, 0, indexes));
	for (unsigned i = 0; i < 20; i++) {
		CHECK_OK(media_ports_take_beside(bench.ports, indexes[0], &place, &user, &index));
		CHECK_NUMBER(index / MEDIA_PORT_COUNT, 2);
	}
	CHECK_TRUE(prefix_parse(TEXT("203.0.113.0/24"), &edge));
	CHECK_STATUS(media_ports_take_beside(bench.ports, indexes[0], &place, &user, &index),
		     ERR_NOT_ACCEPTABLE);
	end(&bench);
}

// LIMIT-016: several media addresses are one supply, but for each family its own.
static void every_address_of_a_family_is_used_up_before_none_is_left(void **state)
{
	(void)state;
	struct bench bench = begin(2, three);
	unsigned by_place[3] = { 0 };
	uint32_t indexes[2];
	for (unsigned i = 0; i < 5000; i++) {
		CHECK_OK(take(&bench, 0, indexes));
		CHECK_NUMBER(indexes[0] / MEDIA_PORT_COUNT, indexes[1] / MEDIA_PORT_COUNT);
		by_place[indexes[0] / MEDIA_PORT_COUNT]++;
	}
	CHECK_STATUS(take(&bench, 0, indexes), ERR_LIMIT);
	CHECK_NUMBER(by_place[0], 2500);
	CHECK_NUMBER(by_place[1], 0); // IPv6
	CHECK_NUMBER(by_place[2], 2500);
	struct media_port_user user = { &bench, "CA2", 0 };
	for (unsigned i = 0; i < 2500; i++) {
		CHECK_OK(media_ports_take(bench.ports, ADDRESS_IPV6, &user, indexes));
		CHECK_NUMBER(indexes[0] / MEDIA_PORT_COUNT, 1);
	}
	CHECK_STATUS(media_ports_take(bench.ports, ADDRESS_IPV6, &user, indexes), ERR_LIMIT);
	CHECK_STATUS(media_ports_take_beside(bench.ports, indexes[0],
					     &(struct media_port_place){ ADDRESS_IPV4 }, &user,
					     indexes),
		     ERR_LIMIT);
	CHECK_NUMBER(media_ports_count(bench.ports, MEDIA_PORT_FREE), 0);
	end(&bench);
}

static void a_stream_is_found_by_the_address_it_sends_from(void **state)
{
	(void)state;
	struct bench bench = begin(2, three);
	static const struct {
		const char *text;
		uint32_t index;
	} rows[] = {
		{ "192.0.2.1:10000", 0 },
		{ "192.0.2.1:20000", MEDIA_PORT_COUNT - 1 },
		{ "[2001:db8::1]:10001", MEDIA_PORT_COUNT + 1 },
		{ "192.0.2.2:10002", 2 * MEDIA_PORT_COUNT + 2 },
		{ "192.0.2.1:9999", MEDIA_PORTS_NONE },
		{ "192.0.2.1:20001", MEDIA_PORTS_NONE },
		{ "192.0.2.1", MEDIA_PORTS_NONE },
		{ "192.0.2.9:10000", MEDIA_PORTS_NONE },
		{ "[2001:db8::2]:10000", MEDIA_PORTS_NONE },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address address;
		CHECK_TRUE(address_parse(text_of(rows[i].text), &address));
		CHECK_NUMBER(media_ports_find(bench.ports, &address), rows[i].index);
	}
	end(&bench);
}

static void holders_can_be_walked_oldest_first(void **state)
{
	(void)state;
	struct bench bench = begin(1, one);
	uint32_t indexes[2], position = MEDIA_PORTS_START;
	struct media_port_facts facts;
	CHECK_OK(media_ports_take(bench.ports, ADDRESS_IPV4,
				  &(struct media_port_user){ &bench, "CAold", 10 }, indexes));
	CHECK_OK(media_ports_take(bench.ports, ADDRESS_IPV4,
				  &(struct media_port_user){ &bench, "CAnew", 20 }, indexes));
	CHECK_TRUE(media_ports_next(bench.ports, MEDIA_PORT_HELD, &position));
	media_ports_read(bench.ports, position, &facts);
	CHECK_STRING(facts.call_sid, "CAold");
	CHECK_NUMBER(facts.since_ms, 10);
	unsigned count = 1;
	while (media_ports_next(bench.ports, MEDIA_PORT_HELD, &position))
		count++;
	CHECK_NUMBER(count, 4);
	media_ports_read(bench.ports, position, &facts);
	CHECK_STRING(facts.call_sid, "CAnew");
	CHECK_NUMBER(facts.rtp_index, indexes[1]);
	position = MEDIA_PORTS_START;
	for (count = 0; media_ports_next(bench.ports, MEDIA_PORT_FREE, &position); count++) {
		media_ports_read(bench.ports, position, &facts);
		CHECK_NUMBER(facts.state, MEDIA_PORT_FREE);
	}
	CHECK_NUMBER(count, 4996);
	end(&bench);
}

static void orphans_are_not_handed_out_but_can_be_claimed(void **state)
{
	(void)state;
	struct bench bench = begin(1, one);
	struct media_port_user user = { &bench, "CA2", 0 };
	uint32_t indexes[2];
	CHECK_TRUE(media_ports_mark_orphan(bench.ports, 4, 0));
	CHECK_FALSE(media_ports_mark_orphan(bench.ports, 5, 0)); // its RTCP: the pair is known
	CHECK_TRUE(media_ports_mark_orphan(bench.ports, 6, 0));
	CHECK_FALSE(media_ports_mark_orphan(bench.ports, MEDIA_PORT_COUNT - 1, 0)); // 20000
	CHECK_FALSE(media_ports_mark_orphan(bench.ports, UINT32_MAX, 0));
	for (unsigned i = 0; i < 2499; i++) {
		CHECK_OK(take(&bench, 0, indexes));
		CHECK_TRUE(indexes[0] != 4 && indexes[1] != 4 && indexes[0] != 6 &&
			   indexes[1] != 6);
	}
	CHECK_STATUS(take(&bench, 0, indexes), ERR_LIMIT);
	CHECK_TRUE(media_ports_claim(bench.ports, 4, &user));
	CHECK_FALSE(media_ports_claim(bench.ports, 4, &user));
	media_ports_give(bench.ports, 6, 0);
	CHECK_NUMBER(media_ports_count(bench.ports, MEDIA_PORT_ORPHAN), 0);
	CHECK_NUMBER(media_ports_count(bench.ports, MEDIA_PORT_RESTING), 1);
	end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_gets_two_pairs_of_one_worker_and_address),
		TEST(all_pairs_are_handed_out_once_and_then_none),
		TEST(a_pair_rests_before_it_is_used_again),
		TEST(a_pair_nobody_was_told_of_needs_no_rest),
		TEST(the_order_of_ports_cannot_be_guessed),
		TEST(a_leg_may_want_an_address_of_an_edge),
		TEST(a_leg_of_another_family_stays_on_the_worker),
		TEST(every_address_of_a_family_is_used_up_before_none_is_left),
		TEST(a_stream_is_found_by_the_address_it_sends_from),
		TEST(holders_can_be_walked_oldest_first),
		TEST(orphans_are_not_handed_out_but_can_be_claimed),
	};
	return RUN_TESTS(tests);
}
