// Every message of tests/torture over the real scan, transactions and calls: from a customer, from a
// stranger, in the middle of a call.

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/table.h"
#include "fake/memory.h"
#include "torture/stage.h"

#define TAG_MARK "@@TAG@@"

static const struct sip_transaction_counters *counters_of(const struct stage *stage)
{
	return sip_transaction_counters(stage->node->transactions);
}

static void complain(const struct stage *stage, const struct torture_message *message,
		     const char *what)
{
	wire_print(&stage->node->wire, 12);
	fail_msg("%s %s (%s): %s", message->suite, message->name, message->section, what);
}

// ---- outside of calls

static void check_answered(struct stage *stage, const struct torture_message *message,
			   unsigned status)
{
	const struct wire_packet *answer = stage_take(stage, &stage->caller);
	char what[96];
	(void)snprintf(what, sizeof(what), "%u instead of %u",
		       answer != NULL ? answer->message.status : 0, status);
	if (answer == NULL || answer->message.status != status)
		complain(stage, message, what);
	if (!stage_is_silent(stage))
		complain(stage, message, "more than one answer");
}

static void check_call(struct stage *stage, const struct torture_message *message)
{
	const struct wire_packet *invite = stage_take(stage, &stage->carrier);
	if (invite == NULL)
		complain(stage, message, "no call");
	stage_answer(stage, invite, 486);
	if (stage_take(stage, &stage->carrier) == NULL)
		complain(stage, message, "the carrier's answer is not acknowledged");
	check_answered(stage, message, 486);
}

static uint64_t silent_count(const struct stage *stage, enum torture_reaction reaction)
{
	const struct sip_transaction_counters *counters = counters_of(stage);
	switch (reaction) {
	case TORTURE_WRONG_VIA:
		return counter_get(&counters->wrong_via);
	case TORTURE_WITHHELD:
		return counter_get(&counters->withheld);
	case TORTURE_MALFORMED:
		return counter_get(&counters->dropped_malformed);
	default:
		return counter_get(&counters->unknown_domain);
	}
}

static void check_reaction(struct stage *stage, const struct torture_message *message,
			   const struct torture_expected *expected)
{
	switch (expected->reaction) {
	case TORTURE_ANSWERED:
		check_answered(stage, message, expected->status);
		return;
	case TORTURE_CALL:
		if (message->family == 4)
			check_call(stage, message);
		else // the node has no IPv6
			check_answered(stage, message, 488);
		return;
	default:
		if (silent_count(stage, expected->reaction) != 1)
			complain(stage, message, "not counted as it should be");
		if (!stage_is_silent(stage))
			complain(stage, message, "answered");
	}
}

static void react(enum sip_protocol protocol)
{
	for (unsigned i = 0; i < torture_count; i++) {
		const struct torture_message *message = &torture_messages[i];
		struct stage stage;
		stage_open(&stage, protocol);
		stage_throw(&stage, &stage.caller, message->dialled);
		check_reaction(&stage, message,
			       protocol == SIP_UDP ? &message->datagram : &message->stream);
		stage_close(&stage);
	}
}

static void each_message_gets_its_reaction(void **state)
{
	(void)state;
	react(SIP_UDP);
}

// What a stream has framed is judged no other way.
static void each_message_gets_its_reaction_on_a_stream(void **state)
{
	(void)state;
	react(SIP_TCP);
}

// Users who are no numbers: refused for that, never for their grammar, and by nobody's crash.
static void messages_as_they_stand_in_the_rfc_are_understood(void **state)
{
	(void)state;
	for (unsigned i = 0; i < torture_count; i++) {
		const struct torture_message *message = &torture_messages[i];
		struct stage stage;
		stage_open(&stage, SIP_UDP);
		stage_throw(&stage, &stage.caller, message->plain);
		const struct torture_expected *expected = &message->datagram;
		if (expected->reaction != TORTURE_CALL && expected->status != 406 &&
		    expected->status != 415)
			check_reaction(&stage, message, expected);
		else if (counter_get(&counters_of(&stage)->rejected_malformed) != 0)
			complain(&stage, message, "malformed");
		stage_close(&stage);
	}
}

// SIP-027, hostile sources: an answer is no lever, and nothing a stranger says reaches a carrier.
static void a_stranger_gets_no_more_than_he_sent(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, SIP_UDP);
	for (unsigned i = 0; i < torture_count; i++) {
		const struct wire_packet *answer;
		size_t size = 0;
		stage_throw(&stage, &stage.stranger, torture_messages[i].dialled);
		while ((answer = stage_take(&stage, &stage.stranger)) != NULL)
			size += answer->size;
		if (size > torture_messages[i].dialled.size || !stage_is_silent(&stage))
			complain(&stage, &torture_messages[i], "too much of an answer");
	}
	CHECK_NUMBER(calls_count(stage.node->calls), 0);
	stage_close(&stage);
}

// ---- in the middle of a call

static struct text with_tag(struct text octets, const char *tag, char *room)
{
	const char *mark = memmem(octets.data, octets.size, TAG_MARK, sizeof(TAG_MARK) - 1);
	size_t before = mark != NULL ? (size_t)(mark - octets.data) : octets.size;
	size_t tag_size = mark != NULL ? strlen(tag) : 0;
	struct text after = text_cut(octets, mark != NULL ? before + sizeof(TAG_MARK) - 1 : before);
	memcpy(room, octets.data, before);
	memcpy(room + before, tag, tag_size);
	memcpy(room + before + tag_size, after.data, after.size);
	return (struct text){ room, before + tag_size + after.size };
}

// The carrier refuses whatever is passed on; all that may be said is one answer, acknowledged or not.
static void settle(struct stage *stage)
{
	const struct wire_packet *sent;
	while ((sent = stage_take(stage, &stage->carrier)) != NULL)
		if (sent->message.is_request && sent->message.method != SIP_ACK)
			stage_answer(stage, sent, 488);
	while ((sent = stage_take(stage, &stage->caller)) != NULL)
		if (sent->message.is_request)
			fail_msg("the caller is asked: %s", sent->octets);
}

static bool ends_a_call(const struct torture_message *message)
{
	return text_has_prefix(message->inside, TEXT("BYE "));
}

static void throw_in_a_call(struct stage *stage, const struct torture_message *message,
			    struct text octets, const char *tag, unsigned cseq)
{
	stage_throw(stage, &stage->caller, octets);
	settle(stage);
	node_wait(stage->node, 100);
	settle(stage);
	unsigned status = stage_ask(stage, "OPTIONS", cseq, tag);
	if (status != 200 || calls_count(stage->node->calls) != 1)
		complain(stage, message, "the call did not survive");
	settle(stage);
}

// Each in a call of its own, first beside it, then as one of its messages; then the call ends as it
// would have.
static void a_call_survives(enum sip_protocol protocol)
{
	char *room = memory_take(SIP_MESSAGE_MAX + 64);
	for (unsigned i = 0; i < torture_count; i++) {
		const struct torture_message *message = &torture_messages[i];
		struct stage stage;
		char tag[64];
		if (ends_a_call(message))
			continue;
		stage_open(&stage, protocol);
		assert_true(stage_call(&stage, tag));
		if (message->datagram.reaction != TORTURE_CALL) // there would be two
			throw_in_a_call(&stage, message, message->dialled, tag, 2);
		struct text inside = with_tag(message->inside, tag, room);
		throw_in_a_call(&stage, message, inside, tag, 2147483640);
		if (stage_ask(&stage, "BYE", 2147483641, tag) != 200)
			complain(&stage, message, "the call does not end");
		const struct wire_packet *bye = stage_take(&stage, &stage.carrier);
		if (bye == NULL || bye->message.method != SIP_BYE)
			complain(&stage, message, "the carrier is not told");
		stage_answer(&stage, bye, 200);
		stage_close(&stage);
	}
	free(room);
}

static void a_call_survives_each_message(void **state)
{
	(void)state;
	a_call_survives(SIP_UDP);
}

static void a_call_on_a_stream_survives_each_message(void **state)
{
	(void)state;
	a_call_survives(SIP_TCP);
}

int main(void)
{
	log_set_level(LOG_ERROR);
	const struct CMUnitTest tests[] = {
		TEST(each_message_gets_its_reaction),
		TEST(each_message_gets_its_reaction_on_a_stream),
		TEST(messages_as_they_stand_in_the_rfc_are_understood),
		TEST(a_stranger_gets_no_more_than_he_sent),
		TEST(a_call_survives_each_message),
		TEST(a_call_on_a_stream_survives_each_message),
	};
	return RUN_TESTS(tests);
}
