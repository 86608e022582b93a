// The last INVITEs: how many, whose, and that nothing secret is among them.

#include "call/replay/ring.h"

#include <stdio.h>
#include <string.h>

#include "tests/check.h"

#define RESPONSE "1fa9c0e8d3b4a5967788990011223344"
#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

static const char head[] = "INVITE sip:+%u@acme.example SIP/2.0\r\n"
			   "Via: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
			   "From: <sip:a@acme.example>;tag=1\r\nTo: <sip:x@acme.example>\r\n"
			   "Call-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@203.0.113.10>\r\n%s"
			   "Content-Length: %zu\r\n\r\n%s";

struct invite {
	char octets[SIP_MESSAGE_MAX];
	struct sip_message message;
};

static void make(struct invite *invite, unsigned number, const char *headers, const char *body)
{
	int size = snprintf(invite->octets, sizeof(invite->octets), head, number, headers,
			    strlen(body), body);
	struct text octets = { invite->octets, (size_t)size };
	assert_true(size > 0 && (size_t)size < sizeof(invite->octets));
	assert_true(sip_message_parse(octets, &invite->message));
}

static void add(struct replay_ring *ring, unsigned number, bool is_stranger)
{
	static struct invite invite;
	char sid[8];
	snprintf(sid, sizeof(sid), "CA%u", number);
	make(&invite, number, "", "");
	struct replay_fate fate = { number, number, sid, is_stranger ? REFUSED_SOURCE : REFUSED_NOT,
				    is_stranger };
	replay_ring_add(ring, &invite.message, &fate);
}

static void the_oldest_goes_for_the_newest(void **state)
{
	(void)state;
	struct replay_ring *ring = replay_ring_create(4);
	for (unsigned i = 1; i <= 6; i++)
		add(ring, i, false);
	CHECK_NUMBER(replay_ring_count(ring), 4);
	for (unsigned nth = 0; nth < 4; nth++)
		CHECK_NUMBER(replay_ring_at(ring, nth)->now_ms, nth + 3);
	CHECK_TRUE(replay_ring_at(ring, 4) == NULL);
	CHECK_TRUE(replay_ring_find(ring, TEXT("CA2")) == NULL);
	CHECK_NUMBER(replay_ring_find(ring, TEXT("CA5"))->now_ms, 5);
	replay_ring_destroy(ring);
}

// All of these have the same Call-ID.
static void several_are_found_by_one_call_id(void **state)
{
	(void)state;
	struct replay_ring *ring = replay_ring_create(4);
	const struct replay_entry *found[2];
	add(ring, 1, false);
	CHECK_NUMBER(replay_ring_find_call_id(ring, TEXT("1"), found, 2), 1);
	CHECK_STRING(found[0]->sid, "CA1");
	add(ring, 2, false);
	add(ring, 100, true);
	CHECK_NUMBER(replay_ring_find_call_id(ring, TEXT("1"), found, 2),
		     3); // two of them are told
	CHECK_STRING(found[0]->sid, "CA100");
	CHECK_NUMBER(replay_ring_find_call_id(ring, TEXT("2"), found, 2), 0);
	CHECK_NUMBER(replay_ring_find_call_id(ring, TEXT_NONE, found, 2), 0);
	CHECK_NUMBER(replay_ring_find_call_id(NULL, TEXT("1"), found, 2), 0);
	replay_ring_destroy(ring);
}

static void strangers_push_nobody_else_out(void **state)
{
	(void)state;
	struct replay_ring *ring = replay_ring_create(4);
	add(ring, 1, false);
	for (unsigned i = 100; i < 200; i++)
		add(ring, i, true);
	CHECK_NUMBER(replay_ring_count(ring), 3); // a quarter, and one
	assert_non_null(replay_ring_find(ring, TEXT("CA1")));
	assert_non_null(replay_ring_find(ring, TEXT("CA199")));
	replay_ring_destroy(ring);
}

static void one_that_is_refused_after_all_says_so(void **state)
{
	(void)state;
	struct replay_ring *ring = replay_ring_create(4);
	for (unsigned i = 1; i <= 6; i++)
		add(ring, i, false);
	replay_ring_settle(ring, TEXT("CA4"), REFUSED_CPS);
	replay_ring_settle(ring, TEXT("CA1"), REFUSED_CPS); // gone
	CHECK_NUMBER(replay_ring_find(ring, TEXT("CA4"))->cause, REFUSED_CPS);
	CHECK_NUMBER(replay_ring_find(ring, TEXT("CA5"))->cause, REFUSED_NOT);
	replay_ring_destroy(ring);
}

static void secrets_are_struck_out_and_the_message_stays_sound(void **state)
{
	(void)state;
	static struct invite invite;
	struct replay_ring *ring = replay_ring_create(4);
	make(&invite, 1,
	     "Proxy-Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", "
	     "uri=\"sip:b\", Response = \"" RESPONSE "\", algorithm=MD5\r\n"
	     "Content-Type: application/sdp\r\n",
	     "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20\r\n"
	     "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n");
	replay_ring_add(ring, &invite.message,
			&(struct replay_fate){ 1, 1, "CA1", REFUSED_NOT, false });
	const struct replay_entry *entry = replay_ring_at(ring, 0);
	CHECK_NUMBER(entry->size, invite.message.raw.size);
	CHECK_TRUE(entry->has_digest);
	CHECK_TRUE(memmem(entry->octets, entry->size, RESPONSE, 8) == NULL);
	CHECK_TRUE(memmem(entry->octets, entry->size, KEY, 8) == NULL);
	CHECK_TRUE(memmem(entry->octets, entry->size, "|2^20\r\n", 7) != NULL);
	struct sip_message message;
	CHECK_TRUE(sip_message_parse((struct text){ entry->octets, entry->size }, &message));
	replay_ring_destroy(ring);
}

static void add_large(struct replay_ring *ring, unsigned number, size_t size)
{
	static struct invite invite;
	static char body[SIP_MESSAGE_MAX];
	char sid[8];
	snprintf(sid, sizeof(sid), "CA%u", number);
	memset(body, 'a' + (int)(number % 26), size);
	body[size] = 0;
	make(&invite, number, "Content-Type: text/plain\r\n", body);
	replay_ring_add(ring, &invite.message,
			&(struct replay_fate){ number, number, sid, REFUSED_NOT, false });
}

// Every message that is kept is whole, and the newest always is.
static void check_whole(const struct replay_ring *ring, unsigned newest)
{
	unsigned count = replay_ring_count(ring);
	CHECK_TRUE(count > 0);
	for (unsigned nth = 0; nth < count; nth++) {
		const struct replay_entry *entry = replay_ring_at(ring, nth);
		struct sip_message message;
		char letter = (char)('a' + (int)(entry->now_ms % 26));
		CHECK_NUMBER(entry->now_ms, newest - (count - 1 - nth)); // no gap
		CHECK_TRUE(
			sip_message_parse((struct text){ entry->octets, entry->size }, &message));
		for (size_t i = 0; i < message.body.size; i++)
			assert_int_equal(message.body.data[i], letter);
	}
}

static void large_ones_are_kept_whole_and_push_out_no_more_than_they_must(void **state)
{
	(void)state;
	struct replay_ring *ring = replay_ring_create(4);
	add_large(ring, 1, 60000);
	check_whole(ring, 1);
	add_large(ring, 2, 4000);
	CHECK_NUMBER(replay_ring_count(ring), 2); // beside each other
	add_large(ring, 3, 4000);
	CHECK_NUMBER(replay_ring_count(ring), 2);
	CHECK_NUMBER(replay_ring_crowded(ring), 1);
	check_whole(ring, 3);
	replay_ring_destroy(ring);
	ring = replay_ring_create(40);
	for (unsigned i = 1; i < 500; i++) {
		add_large(ring, i, (size_t)i * 7919 % (i % 7 == 0 ? 64000 : 3000));
		check_whole(ring, i);
	}
	CHECK_TRUE(replay_ring_crowded(ring) > 0);
	replay_ring_destroy(ring);
}

static void without_a_ring_nothing_is_kept(void **state)
{
	(void)state;
	assert_null(replay_ring_create(0));
	add(NULL, 1, false);
	replay_ring_settle(NULL, TEXT("CA1"), REFUSED_CPS);
	CHECK_NUMBER(replay_ring_count(NULL), 0);
	CHECK_TRUE(replay_ring_find(NULL, TEXT("CA1")) == NULL);
	CHECK_NUMBER(replay_ring_crowded(NULL), 0);
	replay_ring_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_goes_for_the_newest),
		cmocka_unit_test(several_are_found_by_one_call_id),
		cmocka_unit_test(strangers_push_nobody_else_out),
		cmocka_unit_test(one_that_is_refused_after_all_says_so),
		cmocka_unit_test(secrets_are_struck_out_and_the_message_stays_sound),
		cmocka_unit_test(large_ones_are_kept_whole_and_push_out_no_more_than_they_must),
		cmocka_unit_test(without_a_ring_nothing_is_kept),
	};
	sip_message_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
