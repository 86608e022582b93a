// Loss, order and jitter against what RFC 3550 A.1, A.3 and A.8 make of them.

#include "tests/check.h"

#include "dataplane/stream/figures.h"
#include "dataplane/message.h"
#include "dataplane/packet.h"

struct flow {
	struct figures figures;
	struct stream_view view;
	uint32_t ssrc;
};

static void add(struct flow *flow, uint16_t sequence)
{
	struct packet packet = { .sequence = sequence,
				 .ssrc = flow->ssrc,
				 .timestamp = sequence * 160u };
	flow->view.packets++;
	figures_add(&flow->figures, &flow->view, &packet, NULL, sequence * 160u);
}

static void a_wrap_is_no_loss(void **state)
{
	struct flow flow = { 0 };
	(void)state;
	for (unsigned i = 0; i < 200000; i++)
		add(&flow, (uint16_t)(60000 + i));
	CHECK_NUMBER(flow.view.expected, 200000);
	CHECK_NUMBER(flow.view.reordered + flow.view.duplicates, 0);
	CHECK_NUMBER(flow.view.jitter, 0);
}

static void gaps_are_expected_and_late_packets_fill_them(void **state)
{
	const uint16_t order[] = { 1, 2, 5, 4, 3, 8 };
	struct flow flow = { 0 };
	(void)state;
	for (unsigned i = 0; i < 6; i++)
		add(&flow, order[i]);
	CHECK_NUMBER(flow.view.expected, 8);
	CHECK_NUMBER(flow.view.packets, 6); // so two are lost
	CHECK_NUMBER(flow.view.reordered, 2);
}

static void copies_are_told_from_late_packets(void **state)
{
	const uint16_t order[] = { 10, 10, 12, 11, 11, 12, 10, 80, 15, 14 };
	struct flow flow = { 0 };
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		add(&flow, order[i]);
	CHECK_NUMBER(flow.view.duplicates, 4);
	CHECK_NUMBER(flow.view.reordered, 3); // 11, and after 80 also 15 and 14
}

static void a_restart_counts_on_from_its_second_packet(void **state)
{
	struct flow flow = { 0 };
	(void)state;
	for (uint16_t i = 100; i < 110; i++)
		add(&flow, i);
	add(&flow, 40000); // alone it is not believed
	CHECK_NUMBER(flow.view.expected, 10);
	for (uint16_t i = 20000; i < 20010; i++)
		add(&flow, i);
	CHECK_NUMBER(flow.view.expected, 20);
}

static void each_ssrc_adds_what_it_expected(void **state)
{
	struct flow flow = { 0 };
	(void)state;
	for (flow.ssrc = 0; flow.ssrc < 3; flow.ssrc++)
		for (uint16_t i = 0; i < 10; i++)
			add(&flow, (uint16_t)(i * 2));
	CHECK_NUMBER(flow.view.expected, 3 * 19);
	CHECK_NUMBER(flow.view.ssrc_changes, 2);
	CHECK_NUMBER(flow.view.ssrc, 2);
}

// RFC 3550 A.8's integer form, done here in floating point.
static void jitter_follows_its_formula(void **state)
{
	struct flow flow = { 0 };
	double jitter = 0;
	uint32_t transit_before = 0;
	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		uint32_t arrival = i * 160 + i * i % 97;
		struct packet packet = { .sequence = (uint16_t)i, .timestamp = i * 160 };
		flow.view.packets++;
		figures_add(&flow.figures, &flow.view, &packet, NULL, arrival);
		double change = (double)(arrival - i * 160) - transit_before;
		if (i > 0)
			jitter += ((change < 0 ? -change : change) - jitter) / 16;
		transit_before = arrival - i * 160;
	}
	assert_true(flow.view.jitter / 16.0 > jitter - 1 && flow.view.jitter / 16.0 < jitter + 1);
}

static void events_say_nothing_of_jitter_and_are_no_change_of_codec(void **state)
{
	const uint8_t going[4] = { 5, 10, 0, 160 };
	struct flow flow = { 0 };
	(void)state;
	for (uint16_t i = 0; i < 60; i++) {
		struct packet packet = { .sequence = i,
					 .timestamp = i / 6 * 800u,
					 .payload_type = 101,
					 .media_size = 4 };
		flow.view.packets++;
		figures_add(&flow.figures, &flow.view, &packet, going, i * 160u);
	}
	CHECK_NUMBER(flow.view.jitter, 0);
	CHECK_NUMBER(flow.view.payload_changes, 0);
	CHECK_NUMBER(flow.view.payload_last, 101);
}

static void counters_of_few_bits_stay_at_their_greatest(void **state)
{
	struct flow flow = { 0 };
	(void)state;
	for (unsigned i = 0; i < 70000; i++) {
		flow.ssrc = i;
		add(&flow, 10);
		add(&flow, 10);
		add(&flow, 9);
		figures_note_type(&flow.figures, &flow.view, i % 2 ? 0 : 8);
	}
	CHECK_NUMBER(flow.view.duplicates, UINT16_MAX);
	CHECK_NUMBER(flow.view.reordered, UINT16_MAX);
	CHECK_NUMBER(flow.view.ssrc_changes, UINT16_MAX);
	CHECK_NUMBER(flow.view.payload_changes, UINT8_MAX);
}

static void another_codec_is_a_change_and_the_way_back_another(void **state)
{
	const uint8_t types[] = { 0, 0, 8, 8, 0, 18, 18 };
	struct flow flow = { 0 };
	(void)state;
	for (unsigned i = 0; i < 7; i++)
		figures_note_type(&flow.figures, &flow.view, types[i]);
	CHECK_NUMBER(flow.view.payload_changes, 3);
}

static uint32_t silent_after(const uint8_t *payload, uint16_t size)
{
	struct flow flow = { .view.packets = 1 };
	struct packet packet = { .media_size = size };
	figures_add(&flow.figures, &flow.view, &packet, payload, 0);
	return flow.view.silent;
}

// Every code of mu-law, alone in a packet, by its value as G.711 decodes it.
static void silence_is_what_lies_within_24_of_zero(void **state)
{
	uint8_t payload[160];
	unsigned quiet = 0;
	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		unsigned inverted = ~code & 0x7f;
		int value = (int)(((inverted & 15) * 2 + 33) << (inverted >> 4)) * 4 - 132;
		for (unsigned i = 0; i < sizeof(payload); i++)
			payload[i] = (uint8_t)code;
		uint32_t silent = silent_after(payload, sizeof(payload));
		CHECK_NUMBER(silent, value <= 24);
		quiet += silent;
	}
	CHECK_NUMBER(quiet, 8);
}

static void a_sound_at_either_end_is_heard(void **state)
{
	uint8_t payload[160];
	(void)state;
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = i % 2 ? 0xff : 0x7e;
	CHECK_NUMBER(silent_after(payload, 160), 1);
	CHECK_NUMBER(silent_after(payload, 8), 1);
	CHECK_NUMBER(silent_after(payload, 7), 0); // too little to say so
	CHECK_NUMBER(silent_after(NULL, 160), 0);
	payload[3] = 0x60;
	CHECK_NUMBER(silent_after(payload, 160), 0);
	payload[3] = 0xff;
	payload[159] = 0x20;
	CHECK_NUMBER(silent_after(payload, 160), 0);
}

static void a_new_time_base_is_no_jitter(void **state)
{
	struct flow flow = { 0 };
	(void)state;
	for (uint16_t i = 0; i < 100; i++) {
		struct packet packet = { .sequence = i,
					 .timestamp = i * 160u + (i >= 50 ? 0x40000000u : 0) };
		flow.view.packets++;
		figures_add(&flow.figures, &flow.view, &packet, NULL, i * 160u);
	}
	CHECK_NUMBER(flow.view.jitter, 0);
	CHECK_NUMBER(flow.figures.transit, 0u - 0x40000000u); // and it is the one that counts
}

static void loss_is_told_of_the_present_ssrc(void **state)
{
	struct flow flow = { .ssrc = 1 };
	(void)state;
	for (uint16_t i = 0; i < 10; i++)
		add(&flow, (uint16_t)(i * 2));
	CHECK_NUMBER(figures_lost(&flow.figures, &flow.view), 9);
	flow.ssrc = 2;
	for (uint16_t i = 65530; i != 10; i++)
		if (i % 4 != 3)
			add(&flow, i);
	CHECK_NUMBER(figures_lost(&flow.figures, &flow.view), 4);
	CHECK_NUMBER(figures_extended_max(&flow.figures), 65536 + 9);
	CHECK_NUMBER(flow.view.sequence, 9);
	CHECK_NUMBER(flow.view.expected - flow.view.packets, 9 + 4);
	add(&flow, 30000);
	add(&flow, 30001); // a restart of the same SSRC starts its loss again
	CHECK_NUMBER(figures_lost(&flow.figures, &flow.view), 0);
	CHECK_NUMBER(flow.view.expected - flow.view.packets, 9 + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wrap_is_no_loss),
		TEST(gaps_are_expected_and_late_packets_fill_them),
		TEST(copies_are_told_from_late_packets),
		TEST(a_restart_counts_on_from_its_second_packet),
		TEST(each_ssrc_adds_what_it_expected),
		TEST(jitter_follows_its_formula),
		TEST(events_say_nothing_of_jitter_and_are_no_change_of_codec),
		TEST(counters_of_few_bits_stay_at_their_greatest),
		TEST(another_codec_is_a_change_and_the_way_back_another),
		TEST(silence_is_what_lies_within_24_of_zero),
		TEST(a_sound_at_either_end_is_heard),
		TEST(a_new_time_base_is_no_jitter),
		TEST(loss_is_told_of_the_present_ssrc),
	};
	return RUN_TESTS(tests);
}
