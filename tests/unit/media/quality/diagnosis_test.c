// Verdicts on one-way audio, row by row: what both sides counted, and the cause it tells.

#include "tests/check.h"

#include <string.h>

#include "media/quality/diagnosis.h"

#define S 1000000000ull
#define ANSWERED (100 * S)
#define NOW (130 * S)

struct bench {
	struct media_figures speaker, listener;
	struct diagnosis_mark mark;
	struct diagnosis_case one;
};

// 30 s into a call in which both talk, looked at over its last 5 s.
static void begin(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	bench->speaker = (struct media_figures){
		.sends = 1,
		.listens = 1,
		.rtp = { .packets = 1500, .first_ns = ANSWERED, .last_ns = NOW, .ttl_lowest = 60 },
	};
	bench->listener = bench->speaker;
	bench->mark.packets = 1250;
	bench->one = (struct diagnosis_case){ .speaker = &bench->speaker,
					      .listener = &bench->listener,
					      .now_ns = NOW,
					      .answered_ns = ANSWERED,
					      .mark = &bench->mark };
}

static void expect(struct bench *bench, enum diagnosis expected)
{
	enum diagnosis found = diagnosis_find(&bench->one);
	if (found != expected)
		fail_msg("it says %s, not %s", diagnosis_facts(found)->name,
			 diagnosis_facts(expected)->name);
}

static void nothing_accepted(struct bench *bench)
{
	bench->speaker.rtp.packets = 0;
	bench->speaker.rtp.first_ns = bench->speaker.rtp.last_ns = 0;
	bench->mark.packets = 0;
}

static void who_is_heard_has_no_verdict(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	expect(&bench, DIAGNOSIS_NONE);
	bench.speaker.rtp.drops[STREAM_DROP_TTL] = 100; // some are dropped, some arrive
	bench.speaker.rtp.drops[STREAM_DROP_SOURCE] = 100;
	bench.speaker.is_private = bench.listener.is_private = true; // and reach each other
	expect(&bench, DIAGNOSIS_NONE);
}

static void packets_dropped_for_one_cause_name_it(void **state)
{
	(void)state;
	static const struct {
		enum stream_drop drop;
		enum diagnosis expected;
	} rows[] = {
		{ STREAM_DROP_TTL, DIAGNOSIS_TTL },
		{ STREAM_DROP_AUTHENTICATION, DIAGNOSIS_AUTHENTICATION },
		{ STREAM_DROP_SOURCE, DIAGNOSIS_WRONG_SOURCE },
		{ STREAM_DROP_PAYLOAD_TYPE, DIAGNOSIS_PAYLOAD_TYPE },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench bench;
		begin(&bench);
		nothing_accepted(&bench);
		bench.speaker.rtp.drops[rows[i].drop] = 10;
		expect(&bench, rows[i].expected);
		bench.speaker.rtp.drops[rows[i].drop] = 9; // somebody's who tries ports
		expect(&bench, DIAGNOSIS_NOTHING_ARRIVES);
		bench.speaker.rtp.drops[rows[i].drop] = 500;
		bench.mark.drops[rows[i].drop] = 495; // all but five were dropped before
		expect(&bench, DIAGNOSIS_NOTHING_ARRIVES);
	}
}

static void the_first_cause_of_the_list_is_named(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	nothing_accepted(&bench);
	bench.speaker.rtp.drops[STREAM_DROP_PAYLOAD_TYPE] = 50;
	bench.speaker.rtp.drops[STREAM_DROP_SOURCE] = 50;
	expect(&bench, DIAGNOSIS_WRONG_SOURCE);
	bench.speaker.rtp.drops[STREAM_DROP_AUTHENTICATION] = 50;
	expect(&bench, DIAGNOSIS_AUTHENTICATION);
	bench.speaker.rtp.drops[STREAM_DROP_TTL] = 50;
	expect(&bench, DIAGNOSIS_TTL);
}

// MEDIA-013, MEDIA-024.
static void a_private_address_and_packets_from_elsewhere_are_one_cause(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	nothing_accepted(&bench);
	bench.speaker.is_private = true;
	expect(&bench, DIAGNOSIS_NOTHING_ARRIVES);
	bench.speaker.rtp.drops[STREAM_DROP_SOURCE] = 200;
	expect(&bench, DIAGNOSIS_PRIVATE_SOURCE);
	CHECK_NUMBER(diagnosis_facts(DIAGNOSIS_PRIVATE_SOURCE)->code, 32914);
	CHECK_TRUE(strstr(diagnosis_facts(DIAGNOSIS_PRIVATE_SOURCE)->fix, "symmetric RTP"));
}

static void what_came_and_stopped_is_told_after_ten_seconds(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	bench.mark.packets = bench.speaker.rtp.packets;
	bench.speaker.rtp.last_ns = NOW - 9 * S; // silence suppression makes such pauses
	expect(&bench, DIAGNOSIS_NONE);
	bench.speaker.rtp.last_ns = NOW - 10 * S;
	expect(&bench, DIAGNOSIS_STOPPED);
	bench.one.answered_ns = NOW - 8 * S; // resumed just now, nothing came since
	expect(&bench, DIAGNOSIS_NONE);
	bench.one.answered_ns = NOW - 10 * S;
	expect(&bench, DIAGNOSIS_STOPPED);
	bench.speaker.rtp.drops[STREAM_DROP_TTL] = 100; // stopped because they are dropped now
	expect(&bench, DIAGNOSIS_TTL);
}

static void silence_from_the_first_packet_on_is_a_cause(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	bench.speaker.rtp.silent = 1490;
	expect(&bench, DIAGNOSIS_SILENT);
	bench.speaker.rtp.silent = 1400; // said something once
	expect(&bench, DIAGNOSIS_NONE);
	bench.speaker.rtp.silent = 1500;
	bench.speaker.rtp.events = 1; // pressed a key
	expect(&bench, DIAGNOSIS_NONE);
	bench.speaker.rtp.events = 0;
	bench.one.answered_ns = NOW - 19 * S; // listens, as yet
	expect(&bench, DIAGNOSIS_NONE);
}

// MEDIA-012.
static void a_private_destination_that_shows_no_life_is_lost(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	bench.listener.is_private = true;
	bench.listener.rtp.packets = 0;
	expect(&bench, DIAGNOSIS_PRIVATE_DESTINATION);
	bench.one.is_symmetric_listener = true;
	expect(&bench, DIAGNOSIS_NONE);
	bench.one.is_symmetric_listener = false;
	bench.one.is_listener_near = true; // all of it is on our own network
	expect(&bench, DIAGNOSIS_NONE);
	bench.one.is_listener_near = false;
	bench.listener.rtcp.reports = 3; // it reports that it hears
	expect(&bench, DIAGNOSIS_NONE);
	bench.listener.rtcp.peer_fraction = 255;
	expect(&bench, DIAGNOSIS_PRIVATE_DESTINATION);
}

// MEDIA-015.
static void errors_that_come_back_are_a_cause(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	bench.listener.unreachable = 2;
	expect(&bench, DIAGNOSIS_NONE);
	bench.listener.unreachable = 3;
	expect(&bench, DIAGNOSIS_UNREACHABLE);
	bench.mark.unreachable = 3; // none lately
	expect(&bench, DIAGNOSIS_NONE);
}

static void forged_errors_are_not_believed_against_a_report(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	bench.listener.unreachable = 900;
	bench.listener.rtcp.reports = 4;
	bench.listener.rtcp.last_ns = NOW - 5 * S;
	bench.listener.rtcp.peer_fraction = 12; // it hears
	expect(&bench, DIAGNOSIS_NONE);
	bench.listener.rtcp.last_ns = NOW - 60 * S; // it did
	expect(&bench, DIAGNOSIS_UNREACHABLE);
}

static void reports_of_total_loss_are_a_cause(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	bench.listener.rtcp.reports = 4;
	bench.listener.rtcp.last_ns = NOW - 5 * S;
	bench.listener.rtcp.peer_fraction = 249;
	expect(&bench, DIAGNOSIS_NONE);
	bench.listener.rtcp.peer_fraction = 255;
	expect(&bench, DIAGNOSIS_NOT_RECEIVED);
	bench.listener.rtcp.last_ns = NOW - 20 * S; // an old report
	expect(&bench, DIAGNOSIS_NONE);
}

static void a_held_direction_is_no_one_way_audio(void **state)
{
	(void)state;
	struct bench bench;
	for (unsigned i = 0; i < 4; i++) {
		begin(&bench);
		nothing_accepted(&bench);
		expect(&bench, DIAGNOSIS_NOTHING_ARRIVES);
		bench.speaker.sends = i != 0;
		bench.listener.listens = i != 1;
		bench.speaker.is_held = i == 2;
		bench.listener.is_held = i == 3;
		expect(&bench, DIAGNOSIS_NONE);
	}
}

static void nothing_is_said_too_early(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	nothing_accepted(&bench);
	bench.one.answered_ns = NOW - 5 * S + 1;
	expect(&bench, DIAGNOSIS_NONE);
	bench.one.answered_ns = NOW - 5 * S;
	expect(&bench, DIAGNOSIS_NOTHING_ARRIVES);
	bench.one.is_final = true;
	bench.one.answered_ns = NOW - 2 * S;
	expect(&bench, DIAGNOSIS_NOTHING_ARRIVES);
	bench.one.answered_ns = NOW - 2 * S + 1;
	expect(&bench, DIAGNOSIS_NONE);
	bench.one.answered_ns = NOW + S; // a clock that was read later
	expect(&bench, DIAGNOSIS_NONE);
}

static void a_mark_is_what_was_counted(void **state)
{
	(void)state;
	struct bench bench;
	begin(&bench);
	bench.speaker.rtp.drops[STREAM_DROP_REPLAY] = 7;
	bench.listener.unreachable = 5;
	struct diagnosis_mark mark = diagnosis_mark(&bench.speaker, &bench.listener);
	CHECK_NUMBER(mark.packets, 1500);
	CHECK_NUMBER(mark.drops[STREAM_DROP_REPLAY], 7);
	CHECK_NUMBER(mark.unreachable, 5);
	bench.one.mark = NULL;
	expect(&bench, DIAGNOSIS_UNREACHABLE);
}

static void every_cause_has_a_name_a_code_and_a_fix_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 1; i < DIAGNOSIS_COUNT; i++) {
		const struct diagnosis_facts *facts = diagnosis_facts((enum diagnosis)i);
		CHECK_TRUE(facts->code > 32912 && facts->code < 32926);
		CHECK_TRUE(facts->name[0] != '\0' && facts->text[0] != '\0' &&
			   facts->fix[0] != '\0');
		for (unsigned other = 1; other < i; other++)
			CHECK_TRUE(diagnosis_facts((enum diagnosis)other)->code != facts->code);
	}
	CHECK_STRING(diagnosis_facts(DIAGNOSIS_NONE)->name, "none");
	CHECK_STRING(diagnosis_facts(DIAGNOSIS_COUNT)->name, "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_heard_has_no_verdict),
		TEST(packets_dropped_for_one_cause_name_it),
		TEST(the_first_cause_of_the_list_is_named),
		TEST(a_private_address_and_packets_from_elsewhere_are_one_cause),
		TEST(what_came_and_stopped_is_told_after_ten_seconds),
		TEST(silence_from_the_first_packet_on_is_a_cause),
		TEST(a_private_destination_that_shows_no_life_is_lost),
		TEST(errors_that_come_back_are_a_cause),
		cmocka_unit_test(forged_errors_are_not_believed_against_a_report),
		TEST(reports_of_total_loss_are_a_cause),
		TEST(a_held_direction_is_no_one_way_audio),
		TEST(nothing_is_said_too_early),
		TEST(a_mark_is_what_was_counted),
		TEST(every_cause_has_a_name_a_code_and_a_fix_of_its_own),
	};
	return RUN_TESTS(tests);
}
