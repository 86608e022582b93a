// Numbers, and what of an INVITE lets it in. Runs on the thread of the test.

#include "call/admit.h"

#include <stdio.h>
#include <string.h>

#include "directory/object.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"

#define OUR_NUMBER "+14155550100"

// TERM-016, TERM-018.
static void e164_is_plus_and_up_to_fifteen_digits(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is_e164;
	} rows[] = {
		{ "+15005551212", true },
		{ "15005551212", false },
		{ "5005551212", false },
		{ "+12", true },
		{ "+1", false },
		{ "+", false },
		{ "", false },
		{ "+123456789012345", true },
		{ "+1234567890123456", false },
		{ "+0312345678", false },
		{ "+1 5005551212", false },
		{ "+1-500-555-1212", false },
		{ "+1500555121a", false },
		{ "++15005551212", false },
		{ "+1500555121\xd9\xa1", false },
		{ "+15005551212 ", false },
		{ "+(1)5005551212", false },
		{ "+15005551212#", false },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (call_is_e164(text_of(rows[i].text)) != rows[i].is_e164)
			fail_msg("\"%s\" is taken for %s", rows[i].text,
				 rows[i].is_e164 ? "no number" : "a number");
	}
	// A zero inside is not an end.
	CHECK_FALSE(call_is_e164(TEXT("+1500555\0")));
}

struct world {
	struct directory *directory;
	struct calls calls;
};

static void open_world(struct world *world)
{
	world->directory = directory_create(TEXT(WORLD_BASE));
	world->calls = (struct calls){ .directory = world->directory };
	char account[35], other[35], acl[35], trunk[35];
	world_add(world->directory, world_make(DIRECTORY_ACCOUNT, "name", "acme", NULL), account);
	world_add(world->directory, world_make(DIRECTORY_ACCOUNT, "name", "other", NULL), other);
	world_add(world->directory,
		  world_make(DIRECTORY_ACL, "account", account, "name", "office", NULL), acl);
	world_add(world->directory,
		  world_make(DIRECTORY_ACL_ADDRESS, "acl", acl, "address", "203.0.113.0/28", NULL),
		  NULL);
	world_add(world->directory,
		  world_make(DIRECTORY_TRUNK, "account", account, "domain", "acme", "acls", acl,
			     NULL),
		  trunk);
	world_add(world->directory,
		  world_make(DIRECTORY_NUMBER, "account", account, "e164", OUR_NUMBER, "trunk",
			     trunk, NULL),
		  NULL);
	world_add(world->directory,
		  world_make(DIRECTORY_NUMBER, "account", other, "e164", "+14155550199", NULL),
		  NULL);
}

struct invite {
	const char *user; // of the Request-URI
	const char *from; // NULL: our number
	const char *headers;
	const char *source; // NULL: 203.0.113.10
	enum refusal_cause cause;
	const char *caller_id; // when it is admitted
};

static void admit(struct world *world, const struct invite *row)
{
	char octets[2048];
	struct sip_message message;
	struct admitted admitted;
	struct refusal refusal;
	int size = snprintf(octets, sizeof(octets),
			    "INVITE sip:%s%sacme." WORLD_BASE " SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bK1\r\n"
			    "Max-Forwards: 70\r\nFrom: <sip:%s@acme.example>;tag=1\r\n"
			    "To: <sip:x@acme.example>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
			    "Contact: <sip:a@203.0.113.10>\r\n%sContent-Length: 0\r\n\r\n",
			    row->user, row->user[0] != '\0' ? "@" : "",
			    row->from ? row->from : OUR_NUMBER, row->headers ? row->headers : "");
	assert_true(size > 0 && (size_t)size < sizeof(octets));
	if (!sip_message_parse((struct text){ octets, (size_t)size }, &message))
		fail_msg("cannot be read:\n%s", octets);
	message.flow.remote = world_address(row->source ? row->source : "203.0.113.10");
	enum admission admission = call_admit(&world->calls, &message, &admitted, &refusal);
	if (refusal.cause != row->cause)
		fail_msg("%s from %s: %s, not %s", row->user, row->from ? row->from : OUR_NUMBER,
			 refusal_row(refusal.cause)->label, refusal_row(row->cause)->label);
	CHECK_NUMBER(admission, row->cause == REFUSED_NOT ? ADMITTED : ADMISSION_REFUSED);
	if (row->cause == REFUSED_NOT)
		CHECK_STRING(admitted.caller_id, row->caller_id ? row->caller_id : OUR_NUMBER);
	else
		assert_true(refusal.header[0] != '\0' && refusal.expected[0] != '\0');
}

#define RPID "Remote-Party-ID: "
#define PAI "P-Asserted-Identity: "

static void admission_follows_its_rows(void **state)
{
	(void)state;
	static const struct invite rows[] = {
		{ .user = "+81312345678" },
		{ .user = "%2B81312345678" },
		{ .user = "%2b81312345678" },
		{ .user = "+81312345678", .from = "%2B14155550100" },
		{ .user = "0312345678", .cause = REFUSED_CALLED_NUMBER },
		{ .user = "81312345678", .cause = REFUSED_CALLED_NUMBER },
		{ .user = "", .cause = REFUSED_CALLED_NUMBER },
		{ .user = "+8131234567%38", .cause = REFUSED_CALLED_NUMBER },
		{ .user = "+81312345678;phone-context=x", .cause = REFUSED_CALLED_NUMBER },
		{ .user = "+8131234567890123", .cause = REFUSED_CALLED_NUMBER },
		{ .user = "+81312345678", .from = "+14155550199", .cause = REFUSED_CALLER_ID },
		{ .user = "+81312345678", .from = "14155550100", .cause = REFUSED_CALLER_ID_FORM },
		{ .user = "+81312345678", .from = "4155550100", .cause = REFUSED_CALLER_ID_FORM },
		{ .user = "+81312345678", .from = "anonymous", .cause = REFUSED_CALLER_ID_FORM },
		{ .user = "+81312345678",
		  .from = "anonymous",
		  .headers = PAI "<sip:" OUR_NUMBER "@x.example>\r\n" },
		{ .user = "+81312345678",
		  .from = "anonymous",
		  .headers = PAI "<tel:" OUR_NUMBER ">\r\n" },
		{ .user = "+81312345678",
		  .from = "anonymous",
		  .headers = RPID "\"A\" <sip:" OUR_NUMBER "@x.example>;party=calling\r\n" },
		{ .user = "+81312345678",
		  .from = "anonymous",
		  .headers = PAI "<sip:+14155550199@x.example>\r\n",
		  .cause = REFUSED_CALLER_ID },
		{ .user = "+81312345678",
		  .headers = RPID "<sip:+14155550199@x.example>\r\n",
		  .cause = REFUSED_CALLER_ID },
		{ .user = "+81312345678",
		  .headers = RPID "<<<\r\n",
		  .cause = REFUSED_CALLER_ID_FORM },
		{ .user = "+81312345678", .headers = RPID "<sip:" OUR_NUMBER "@x.example>\r\n" },
		// A right From decides; P-Asserted-Identity is only asked when there is none.
		{ .user = "+81312345678", .headers = PAI "<sip:+14155550199@x.example>\r\n" },
		{ .user = "+81312345678", .source = "203.0.113.16", .cause = REFUSED_SOURCE },
		// The order of section C: the source before the numbers.
		{ .user = "0312345678",
		  .from = "1",
		  .source = "198.51.100.1",
		  .cause = REFUSED_SOURCE },
	};
	struct world world;
	open_world(&world);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		admit(&world, &rows[i]);
	directory_destroy(world.directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(e164_is_plus_and_up_to_fifteen_digits),
		TEST(admission_follows_its_rows),
	};
	sip_message_start();
	return RUN_TESTS(tests);
}
