// Whatever order messages come in and whatever they look like, all of one call reach one shard.

#include <stdio.h>
#include <string.h>

#include "sip/shard/shard.h"
#include "tests/check.h"

#define COUNT 7

static unsigned shard_of(const char *octets)
{
	return sip_shard_of(text_of(octets), COUNT);
}

static void our_names_say_their_shard(void **state)
{
	char room[40], message[256];
	(void)state;
	for (unsigned shard = 0; shard < COUNT; shard++) {
		struct writer writer = writer_of(room, sizeof(room));
		sip_shard_write(shard, 8, &writer);
		CHECK_NUMBER(writer.used, 18);
		room[18] = '\0';
		(void)snprintf(
			message, sizeof(message),
			"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK%s;rport\r\n\r\n",
			room);
		CHECK_NUMBER(shard_of(message), shard);
		(void)snprintf(
			message, sizeof(message),
			"BYE sip:x SIP/2.0\r\nv: a\r\nTo: \"x;tag=06z\" <sip:b;tag=05z>;tag=%s\r\n"
			"Call-ID: 1\r\n\r\n",
			room);
		CHECK_NUMBER(shard_of(message), shard);
	}
}

static void forms_of_a_header_make_no_difference(void **state)
{
	(void)state;
	CHECK_NUMBER(shard_of("BYE x SIP/2.0\r\nt:<sip:b>;tag=04aa\r\n\r\n"), 4);
	CHECK_NUMBER(shard_of("BYE x SIP/2.0\r\nTO : <sip:b>\r\n ;x=y ; TAG = 04aa\r\n\r\n"), 4);
	CHECK_NUMBER(shard_of("\r\n\r\nBYE x SIP/2.0\r\nTo: sip:b;tag=04aa\r\n\r\n"), 4);
	CHECK_NUMBER(shard_of("SIP/2.0 200 OK\r\nv:SIP/2.0/UDP a;branch=z9hG4bK04aa, b\r\n\r\n"),
		     4);
}

// RFC 3261 9.1, 17.1.1.3: CANCEL and retransmissions have the INVITE's Call-ID and From tag.
static void what_has_no_name_of_ours_goes_by_call_id_and_from_tag(void **state)
{
	unsigned seen = 0;
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		char invite[256], cancel[256];
		(void)snprintf(invite, sizeof(invite),
			       "INVITE sip:x SIP/2.0\r\nTo: <sip:b>\r\nFrom: <sip:a>;tag=%u\r\n"
			       "Call-ID: c%u\r\n\r\n",
			       i, i);
		(void)snprintf(cancel, sizeof(cancel),
			       "CANCEL sip:x SIP/2.0\r\ni: c%u \r\nf: \"A\" <sip:a> ; tag=%u\r\n"
			       "t: <sip:b>\r\n\r\n",
			       i, i);
		CHECK_NUMBER(shard_of(invite), shard_of(cancel));
		CHECK_TRUE(shard_of(invite) < COUNT);
		seen |= 1u << shard_of(invite);
	}
	CHECK_NUMBER(seen, (1u << COUNT) - 1);
}

static void garbage_has_a_shard_too(void **state)
{
	static const char *const all[] = {
		"",
		"\r\n",
		"SIP/",
		"SIP/2.0",
		"SIP/2.0 200 OK\r\nVia",
		"SIP/2.0 200 OK\r\nVia: ;branch=\r\n",
		"SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bKff\r\n\r\n",
		"BYE x SIP/2.0\r\nTo: <>;tag=zz1\r\n",
		"BYE x SIP/2.0\r\nTo:\r\nFrom:\r\nCall-ID:\r\n",
		":::::",
		"\n\n\n \n",
		"BYE\nTo: <a\n >",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct text whole = text_of(all[i]);
		for (; whole.size > 0; whole.size--)
			CHECK_TRUE(sip_shard_of(whole, COUNT) < COUNT);
		CHECK_NUMBER(sip_shard_of(text_of(all[i]), 1), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(our_names_say_their_shard),
		TEST(forms_of_a_header_make_no_difference),
		TEST(what_has_no_name_of_ours_goes_by_call_id_and_from_tag),
		TEST(garbage_has_a_shard_too),
	};
	return RUN_TESTS(tests);
}
