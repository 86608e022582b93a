// What becomes of whom at the door: who is let in, who hears 503, and who hears nothing.

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/door/answer.h"

#define HOST "office.example"
#define MOST 20
#define CREDENTIALS "Proxy-Authorization: Digest username=\"a\"\r\n"

struct stage {
	struct sip_guard_apart *apart;
	struct sip_door_keeper *keeper;
	struct sip_flow flow;
	char invite[2048], room[8192];
	struct text answer; // to the last
};

static struct stage *open_stage(void)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	assert_non_null(stage);
	stage->apart = calloc(1, sizeof(*stage->apart));
	stage->keeper = calloc(1, sizeof(*stage->keeper));
	assert_true(stage->apart != NULL && stage->keeper != NULL);
	stage->keeper->apart = stage->apart;
	stage->keeper->now_us = 1000000;
	stage->flow.protocol = SIP_UDP;
	assert_true(address_parse(TEXT("192.0.2.7:5060"), &stage->flow.remote));
	sip_guard_apart_follow(stage->apart, MOST, 1000, 1);
	sip_guard_apart_note(stage->apart, &stage->flow.remote, TEXT(HOST));
	return stage;
}

static void close_stage(struct stage *stage)
{
	free(stage->apart);
	free(stage->keeper);
	free(stage);
}

struct call {
	const char *id, *host, *to_tag, *more; // NULL: the usual ones; more: header lines
};

static struct text write_request(struct stage *stage, const char *method, const struct call *call)
{
	const char *host = call->host != NULL ? call->host : HOST;
	int size = snprintf(
		stage->invite, sizeof(stage->invite),
		"%s sip:+4915550000001@%s SIP/2.0\r\n"
		"Via: SIP/2.0/UDP h;branch=z9hG4bK%s;rport\r\nFrom: <sip:a@b.example>;tag=1\r\n"
		"To: <sip:+4915550000001@%s>%s\r\nCall-ID: %s\r\nCSeq: 1 %s\r\n"
		"Contact: <sip:a@h>\r\nMax-Forwards: 70\r\n%sContent-Length: 0\r\nX: %0*d\r\n\r\n",
		method, host, call->id, host, call->to_tag != NULL ? call->to_tag : "", call->id,
		method, call->more != NULL ? call->more : "", 200, 0);
	return (struct text){ stage->invite, (size_t)size };
}

static enum sip_door_fate judge(struct stage *stage, struct text octets, unsigned waiting)
{
	struct writer writer = writer_of(stage->room, sizeof(stage->room));
	stage->answer = TEXT_NONE;
	return sip_door_judge(stage->keeper, octets, &stage->flow, waiting, &writer,
			      &stage->answer);
}

static enum sip_door_fate ask(struct stage *stage, const struct call *call, unsigned waiting)
{
	return judge(stage, write_request(stage, "INVITE", call), waiting);
}

static uint64_t turned_away(const struct stage *stage)
{
	return atomic_load(&stage->apart->turned_away);
}

static bool answer_has(struct stage *stage, const char *part)
{
	return stage->answer.size > 0 &&
	       memmem(stage->answer.data, stage->answer.size, part, strlen(part)) != NULL;
}

static void as_many_come_in_as_may_wait(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, 0), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, MOST - 1), SIP_DOOR_LET_IN);
	CHECK_NUMBER(turned_away(stage), 0);
	CHECK_NUMBER(ask(stage, &(struct call){ "3" }, MOST), SIP_DOOR_REFUSED);
	CHECK_NUMBER(turned_away(stage), 1);
	close_stage(stage);
}

static void who_is_refused_hears_when_to_ask_again(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, MOST), SIP_DOOR_REFUSED);
	CHECK_TRUE(text_has_prefix(stage->answer, TEXT("SIP/2.0 503 Service Unavailable\r\n")));
	CHECK_TRUE(answer_has(stage, "\r\nRetry-After: "));
	CHECK_TRUE(answer_has(stage, ";received=192.0.2.7;rport=5060"));
	CHECK_TRUE(answer_has(stage, "\r\nCall-ID: 1\r\n"));
	CHECK_TRUE(answer_has(stage, "To: <sip:+4915550000001@" HOST ">;tag="));
	CHECK_TRUE(stage->answer.size < write_request(stage, "INVITE", &(struct call){ "1" }).size);
	close_stage(stage);
}

// Somebody might be working on what would hear that it is refused. It has no privilege either: whoever has
// seen one INVITE could fill the queue with it.
static void a_repeat_of_what_was_let_in_is_never_refused(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, 0), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, MOST - 1), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, MOST), SIP_DOOR_DROPPED);
	// Taken by the control thread, before there was overload.
	sip_guard_taken_note(&stage->apart->taken, &stage->flow.remote,
			     TEXT("SIP/2.0/UDP h;branch=z9hG4bK2;rport"), TEXT("2"));
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, MOST - 1), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, SIP_GUARD_WAITING_MAX), SIP_DOOR_DROPPED);
	CHECK_NUMBER(turned_away(stage), 0); // no new calls
	CHECK_NUMBER(ask(stage, &(struct call){ "3" }, SIP_GUARD_WAITING_MAX - 1),
		     SIP_DOOR_REFUSED);
	close_stage(stage);
}

// RFC 3261 8.2.7: let in later, it would ring where the caller has heard 503.
static void every_copy_of_what_was_refused_is_refused(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	char first[2048];
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, MOST), SIP_DOOR_REFUSED);
	struct text answer = { first, stage->answer.size };
	memcpy(first, stage->answer.data, answer.size);
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, 0), SIP_DOOR_REFUSED);
	CHECK_TRUE(text_is_equal(stage->answer, answer));
	CHECK_NUMBER(turned_away(stage), 1); // one call
	sip_guard_apart_follow(stage->apart, 0, 1000, 2); // it is over
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, 0), SIP_DOOR_REFUSED);
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, 0), SIP_DOOR_LET_IN);
	close_stage(stage);
}

static void who_was_challenged_goes_before_who_was_not(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	const struct call begun = { .id = "1", .more = CREDENTIALS };
	CHECK_NUMBER(ask(stage, &begun, 2 * MOST), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, 2 * MOST), SIP_DOOR_REFUSED);
	const struct call other = { .id = "3", .more = begun.more };
	CHECK_NUMBER(ask(stage, &other, 10 * MOST), SIP_DOOR_REFUSED);
	close_stage(stage);
}

// Some send their credentials at once, and anybody can write that header.
static void credentials_push_nobody_out(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	unsigned ahead = 0, again = 0;
	char id[32];
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(id, sizeof(id), "begun-%u", i);
		ahead += ask(stage, &(struct call){ .id = id, .more = CREDENTIALS }, MOST) ==
			 SIP_DOOR_LET_IN;
	}
	CHECK_NUMBER(ahead, 256);
	for (unsigned i = 0; i < 100; i++) { // each of these may be challenged
		snprintf(id, sizeof(id), "new-%u", i);
		CHECK_NUMBER(ask(stage, &(struct call){ id }, 0), SIP_DOOR_LET_IN);
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "more-%u", i);
		again += ask(stage, &(struct call){ .id = id, .more = CREDENTIALS }, MOST) ==
			 SIP_DOOR_LET_IN;
	}
	CHECK_NUMBER(again, 100);
	const struct call like_all = { .id = "last", .more = CREDENTIALS };
	CHECK_NUMBER(ask(stage, &like_all, MOST - 1), SIP_DOOR_LET_IN);
	close_stage(stage);
}

// Until the control thread has read all that came before the door opened.
static void what_may_wait_elsewhere_too_hears_nothing_at_first(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	const struct call begun = { .id = "1",
				    .more = "Proxy-Authorization: Digest username=\"a\"\r\n" };
	atomic_store(&stage->apart->settled_us, stage->keeper->now_us + 1);
	CHECK_NUMBER(ask(stage, &begun, 10 * MOST), SIP_DOOR_DROPPED);
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, MOST), SIP_DOOR_REFUSED);
	stage->keeper->now_us++;
	CHECK_NUMBER(ask(stage, &begun, 10 * MOST), SIP_DOOR_REFUSED);
	close_stage(stage);
}

// A source may have less waiting than may wait, if it is the only one as well: the room grows then.
static void who_calls_too_often_leaves_room_to_others(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	struct sip_flow flooding = stage->flow;
	_Atomic uint32_t *waiting = sip_door_waiting_of(stage->keeper, &flooding.remote);
	atomic_store(waiting, MOST * 3 / 4 - 1);
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, MOST * 3 / 4 - 1), SIP_DOOR_LET_IN);
	atomic_store(waiting, MOST * 3 / 4);
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, MOST * 3 / 4), SIP_DOOR_REFUSED);
	stage->flow.remote.octets[3]++;
	sip_guard_apart_note(stage->apart, &stage->flow.remote, TEXT(HOST));
	CHECK_NUMBER(ask(stage, &(struct call){ "3" }, MOST - 1), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &(struct call){ "4" }, MOST), SIP_DOOR_REFUSED);
	stage->flow = flooding;
	const struct call begun = { .id = "5", .more = CREDENTIALS };
	CHECK_NUMBER(ask(stage, &begun, MOST * 3 / 4),
		     SIP_DOOR_LET_IN); // of its four times the room
	close_stage(stage);
}

// One more of that source is let in, or not.
static bool knocks(struct stage *stage, unsigned source, unsigned *waiting)
{
	static unsigned count;
	char id[16];
	snprintf(id, sizeof(id), "%u", count++);
	stage->flow.remote.octets[3] = (uint8_t)source;
	sip_guard_apart_note(stage->apart, &stage->flow.remote, TEXT(HOST));
	if (ask(stage, &(struct call){ id }, *waiting) != SIP_DOOR_LET_IN)
		return false;
	atomic_fetch_add(sip_door_waiting_of(stage->keeper, &stage->flow.remote), 1);
	(*waiting)++;
	return true;
}

static void however_many_call_too_often_who_calls_seldom_comes_in(void **state)
{
	(void)state;
	static const unsigned all_of_them[] = { 1, 2, 5 }, together[] = { 90, 103, 113 };
	for (unsigned i = 0; i < 3; i++) {
		struct stage *stage = open_stage();
		unsigned waiting = 0;
		sip_guard_apart_follow(stage->apart, 120, 1000, 1);
		for (unsigned n = 0; n < 1000; n++)
			(void)knocks(stage, 1 + n % all_of_them[i], &waiting);
		if (waiting < together[i] || waiting > together[i] + 2)
			fail_msg("%u of %u", waiting, all_of_them[i]);
		CHECK_TRUE(knocks(stage, 200, &waiting));
		close_stage(stage);
	}
}

static void use_up_newcomers(struct stage *stage)
{
	const struct call any = { .id = "new", .host = "any.example" };
	CHECK_NUMBER(ask(stage, &any, SIP_GUARD_WAITING_MAX - 1), SIP_DOOR_LET_IN);
}

// Others, who are known, fill the room all the time.
static void a_peer_that_was_not_seen_lately_comes_in_once_a_second(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	stage->flow.remote.octets[3]++;
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, SIP_GUARD_WAITING_MAX), SIP_DOOR_DROPPED);
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, 4 * MOST), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, 4 * MOST), SIP_DOOR_DROPPED);
	stage->keeper->now_us += 1000000;
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, 4 * MOST), SIP_DOOR_LET_IN);
	unsigned let_in = 0;
	for (unsigned i = 0; i < 100000; i++) { // made-up addresses
		memcpy(stage->flow.remote.octets, &i, sizeof(i));
		let_in += ask(stage, &(struct call){ "3" }, MOST) == SIP_DOOR_LET_IN;
	}
	CHECK_TRUE(let_in > 0 && let_in <= SIP_DOOR_SHARES);
	close_stage(stage);
}

static void who_is_not_known_has_half_the_room_and_hears_nothing(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	const struct call elsewhere = { .id = "1", .host = "elsewhere.example" };
	use_up_newcomers(stage);
	CHECK_NUMBER(ask(stage, &elsewhere, MOST / 2 - 1), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &elsewhere, MOST / 2), SIP_DOOR_DROPPED);
	CHECK_NUMBER(stage->answer.size, 0);
	stage->flow.remote.octets[3]++;
	use_up_newcomers(stage);
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, MOST / 2 - 1), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &(struct call){ "2" }, MOST / 2), SIP_DOOR_DROPPED);
	CHECK_NUMBER(turned_away(stage), 2);
	close_stage(stage);
}

static void what_is_no_sip_is_left_to_the_guard_while_there_is_room(void **state)
{
	(void)state;
	static const char *const octets[] = { "INVITE sip:", "INVITE sip:1@h SIP/2.0\r\n\r\n",
					      "ACK sip:1@h SIP/2.0\r\n\r\n",
					      "INVITE sip:1@h SIP/2.0\r\nVia: x\r\n y\r\n\r\n" };
	struct stage *stage = open_stage();
	use_up_newcomers(stage);
	for (unsigned i = 0; i < sizeof(octets) / sizeof(octets[0]); i++) {
		CHECK_NUMBER(judge(stage, text_of(octets[i]), 0), SIP_DOOR_LET_IN);
		CHECK_NUMBER(judge(stage, text_of(octets[i]), MOST / 2), SIP_DOOR_DROPPED);
	}
	close_stage(stage);
}

static void a_change_of_a_call_is_not_refused_from_here(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	const struct call within = { .id = "1", .to_tag = ";tag=2" };
	CHECK_NUMBER(ask(stage, &within, 2 * MOST), SIP_DOOR_LET_IN);
	CHECK_NUMBER(ask(stage, &(struct call){ .id = "2", .to_tag = ";tag=2" }, 10 * MOST),
		     SIP_DOOR_DROPPED);
	close_stage(stage);
}

// An ACK for what the control thread said has to reach it; the others are of no use to anybody.
static void an_ack_for_an_answer_of_the_door_ends_here(void **state)
{
	(void)state;
	char tag[64];
	struct stage *stage = open_stage();
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, MOST), SIP_DOOR_REFUSED);
	const char *before = "@" HOST ">";
	const char *start = memmem(stage->answer.data, stage->answer.size, before, strlen(before));
	assert_non_null(start);
	start += strlen(before);
	const char *end = strchr(start, '\r');
	snprintf(tag, sizeof(tag), "%.*s", (int)(end - start), start);
	const struct call refused = { .id = "1", .to_tag = tag },
			  other = { .id = "2", .to_tag = tag }, bare = { .id = "1" };
	CHECK_NUMBER(judge(stage, write_request(stage, "ACK", &refused), 0), SIP_DOOR_DROPPED);
	CHECK_NUMBER(judge(stage, write_request(stage, "ACK", &other), 2 * MOST), SIP_DOOR_LET_IN);
	CHECK_NUMBER(judge(stage, write_request(stage, "ACK", &bare), 2 * MOST), SIP_DOOR_LET_IN);
	CHECK_NUMBER(turned_away(stage), 1);
	close_stage(stage);
}

static void an_ack_of_a_call_that_came_in_comes_in_and_a_flood_of_others_does_not(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	const struct call call = { .id = "1" }, none = { .id = "2" };
	CHECK_NUMBER(judge(stage, write_request(stage, "ACK", &none), 4 * MOST), SIP_DOOR_DROPPED);
	// Of a stranger, when it came in: it has 407 now.
	stage->flow.remote.octets[3]++;
	CHECK_NUMBER(judge(stage, write_request(stage, "ACK", &call), MOST / 2), SIP_DOOR_DROPPED);
	sip_guard_taken_note(&stage->apart->taken, &stage->flow.remote,
			     TEXT("SIP/2.0/UDP h;branch=z9hG4bK1;rport"), TEXT("1"));
	struct text ack = write_request(stage, "ACK", &call);
	CHECK_NUMBER(judge(stage, ack, SIP_GUARD_WAITING_MAX - 1), SIP_DOOR_LET_IN);
	CHECK_NUMBER(judge(stage, ack, SIP_GUARD_WAITING_MAX), SIP_DOOR_DROPPED);
	CHECK_NUMBER(judge(stage, write_request(stage, "ACK", &none), MOST / 2), SIP_DOOR_DROPPED);
	CHECK_NUMBER(judge(stage, write_request(stage, "ACK", &none), 0), SIP_DOOR_LET_IN);
	close_stage(stage);
}

static void answers_to_one_source_have_a_bound(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	unsigned answers = 0;
	for (unsigned i = 0; i < 3000; i++) {
		char id[16];
		snprintf(id, sizeof(id), "%u", i);
		answers += ask(stage, &(struct call){ id }, MOST) == SIP_DOOR_REFUSED;
	}
	CHECK_NUMBER(answers, 1000); // guard.peer_rate
	CHECK_NUMBER(turned_away(stage), 3000);
	close_stage(stage);
}

static void when_it_is_over_all_come_in(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	sip_guard_apart_follow(stage->apart, 0, 1000, 2);
	CHECK_NUMBER(ask(stage, &(struct call){ "1" }, SIP_GUARD_WAITING_MAX - 1), SIP_DOOR_LET_IN);
	close_stage(stage);
}

static void callers_are_forgotten_after_two_turns(void **state)
{
	(void)state;
	struct sip_guard_apart *apart = calloc(1, sizeof(*apart));
	struct address one, other;
	assert_non_null(apart);
	assert_true(address_parse(TEXT("192.0.2.1:5060"), &one) &&
		    address_parse(TEXT("192.0.2.2:5060"), &other));
	uint64_t now_ms = SIP_GUARD_APART_TURN_MS;
	sip_guard_apart_follow(apart, 0, 1000, now_ms);
	sip_guard_apart_note(apart, &one, TEXT("Office.Example"));
	CHECK_TRUE(sip_guard_apart_knows(apart, &one, TEXT(HOST)));
	CHECK_TRUE(!sip_guard_apart_knows(apart, &other, TEXT(HOST)));
	CHECK_TRUE(!sip_guard_apart_knows(apart, &one, TEXT("b.example")));
	sip_guard_apart_follow(apart, 0, 1000, now_ms += SIP_GUARD_APART_TURN_MS);
	CHECK_TRUE(sip_guard_apart_knows(apart, &one, TEXT(HOST)));
	sip_guard_apart_follow(apart, 0, 1000, now_ms += SIP_GUARD_APART_TURN_MS);
	CHECK_TRUE(!sip_guard_apart_knows(apart, &one, TEXT(HOST)));
	sip_guard_apart_note(apart, &one, TEXT(HOST));
	sip_guard_apart_forget(apart);
	CHECK_TRUE(!sip_guard_apart_knows(apart, &one, TEXT(HOST)));
	free(apart);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(as_many_come_in_as_may_wait),
		TEST(who_is_refused_hears_when_to_ask_again),
		TEST(a_repeat_of_what_was_let_in_is_never_refused),
		TEST(every_copy_of_what_was_refused_is_refused),
		TEST(who_was_challenged_goes_before_who_was_not),
		TEST(credentials_push_nobody_out),
		TEST(what_may_wait_elsewhere_too_hears_nothing_at_first),
		TEST(who_calls_too_often_leaves_room_to_others),
		TEST(however_many_call_too_often_who_calls_seldom_comes_in),
		TEST(a_peer_that_was_not_seen_lately_comes_in_once_a_second),
		TEST(who_is_not_known_has_half_the_room_and_hears_nothing),
		TEST(what_is_no_sip_is_left_to_the_guard_while_there_is_room),
		TEST(a_change_of_a_call_is_not_refused_from_here),
		TEST(an_ack_for_an_answer_of_the_door_ends_here),
		TEST(an_ack_of_a_call_that_came_in_comes_in_and_a_flood_of_others_does_not),
		TEST(answers_to_one_source_have_a_bound),
		TEST(when_it_is_over_all_come_in),
		TEST(callers_are_forgotten_after_two_turns),
	};
	return RUN_TESTS(tests);
}
