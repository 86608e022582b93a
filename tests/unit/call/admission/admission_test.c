// Numbers, and what of an INVITE lets it in. Runs on the thread of the test.

#include "call/admission/admission.h"

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
	struct clock clock;
	struct calls calls;
	char account[35], trunk[35];
};

static void open_world(struct world *world)
{
	world->directory = directory_create(TEXT(WORLD_BASE));
	world->clock = (struct clock){ .now_ms = 5000000 };
	world->calls = (struct calls){ .directory = world->directory,
				       .clock = &world->clock,
				       .dialogs = sip_dialogs_create(16) };
	world->calls.digest = sip_digest_create(&world->clock, TEXT(WORLD_BASE), 120);
	assert_true(world->calls.dialogs != NULL && world->calls.digest != NULL);
	char other[35], acl[35], *account = world->account, *trunk = world->trunk;
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

static void close_world(struct world *world)
{
	sip_digest_destroy(world->calls.digest);
	sip_dialogs_destroy(world->calls.dialogs);
	directory_destroy(world->directory);
}

struct invite {
	const char *user; // of the Request-URI
	const char *from; // NULL: our number
	const char *headers;
	const char *source; // NULL: 203.0.113.10
	enum refusal_cause cause;
	const char *caller_id; // when it is admitted
};

#define OCTETS_SIZE 2048

static void write_invite(const struct invite *row, char octets[static OCTETS_SIZE],
			 struct sip_message *out_message)
{
	int size = snprintf(octets, OCTETS_SIZE,
			    "INVITE sip:%s%sacme." WORLD_BASE " SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bK1\r\n"
			    "Max-Forwards: 70\r\nFrom: <sip:%s@acme.example>;tag=1\r\n"
			    "To: <sip:x@acme.example>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
			    "Contact: <sip:a@203.0.113.10>\r\n%sContent-Length: 0\r\n\r\n",
			    row->user, row->user[0] != '\0' ? "@" : "",
			    row->from ? row->from : OUR_NUMBER, row->headers ? row->headers : "");
	assert_true(size > 0 && size < OCTETS_SIZE);
	if (!sip_message_parse((struct text){ octets, (size_t)size }, out_message))
		fail_msg("cannot be read:\n%s", octets);
	out_message->flow.remote = world_address(row->source ? row->source : "203.0.113.10");
}

static void admit(struct world *world, const struct invite *row)
{
	char octets[OCTETS_SIZE];
	struct sip_message message;
	struct admitted admitted;
	struct refusal refusal;
	write_invite(row, octets, &message);
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
	close_world(&world);
}

// What an explanation does: check by check, as far as they say yes. Returns the name of the one that
// does not, and "" when all of them do.
static const char *walk(struct world *world, const struct invite *row,
			enum admission *out_admission)
{
	char octets[OCTETS_SIZE];
	struct sip_message message;
	struct admission_case admission_case;
	const struct admission_check *check;
	write_invite(row, octets, &message);
	admission_begin(&admission_case, &world->calls, &message, true);
	*out_admission = ADMITTED;
	for (unsigned nth = 0; (check = admission_check(nth)) != NULL; nth++) {
		*out_admission = check->judge(&admission_case);
		if (*out_admission != ADMITTED)
			return check->name;
	}
	CHECK_STRING(admission_case.admitted.caller_id, OUR_NUMBER);
	return "";
}

// Section C: what is looked at first decides, and each check says which it is.
static void checks_are_asked_by_name_in_their_order(void **state)
{
	(void)state;
	static const struct {
		struct invite invite;
		const char *name;
	} rows[] = {
		{ { .user = "+81312345678" }, "" },
		{ { .user = "1", .from = "1", .headers = "Require: x\r\n", .source = "192.0.2.1" },
		  "source_address" },
		{ { .user = "1", .from = "1", .headers = "Require: x\r\nAccept: a/b\r\n" },
		  "extensions" },
		{ { .user = "1", .from = "1", .headers = "Accept: a/b\r\n" }, "accept" },
		{ { .user = "1", .from = "1" }, "called_number" },
		{ { .user = "+81312345678", .from = "1" }, "caller_id" },
	};
	struct world world;
	enum admission admission;
	open_world(&world);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_STRING(walk(&world, &rows[i].invite, &admission), rows[i].name);
	for (unsigned nth = 0; admission_check(nth) != NULL; nth++) {
		const struct admission_check *check = admission_check(nth);
		CHECK_TRUE(check->name[0] != '\0' && check->rows[0] != '\0');
		for (unsigned other = 0; other < nth; other++)
			CHECK_TRUE(strcmp(check->name, admission_check(other)->name) != 0);
	}
	close_world(&world);
}

static struct text hex_md5(const char *a, const char *b, const char *c, char room[static 33])
{
	struct sip_digest_secret secret;
	struct writer writer = writer_of(room, 33);
	sip_digest_derive(text_of(a), text_of(b), text_of(c), &secret); // H(a:b:c)
	for (unsigned i = 0; i < sizeof(secret.md5); i++)
		writer_format(&writer, "%02x", secret.md5[i]);
	return writer_done(&writer);
}

#define CALLED "+81312345678"

// A digest of "bob" for the nonce of a challenge made just now.
static void write_digest(struct world *world, const char *ha1, char *room, size_t size)
{
	char challenge[1024], nonce[64], ha2[33], rest[128], response[33];
	struct address source = world_address("203.0.113.10");
	struct writer writer = writer_of(challenge, sizeof(challenge));
	sip_digest_challenge(world->calls.digest, &source, false, &writer);
	const char *at = writer_string_done(&writer);
	assert_non_null(at);
	assert_true(sscanf(strstr(at, "nonce=\"") + 7, "%63[^\"]", nonce) == 1);
	(void)hex_md5("INVITE", "sip", CALLED "@acme." WORLD_BASE, ha2);
	(void)snprintf(rest, sizeof(rest), "00000001:c:auth:%s", ha2);
	(void)hex_md5(ha1, nonce, rest, response);
	(void)snprintf(room, size,
		       "Proxy-Authorization: Digest username=\"bob\", realm=\"" WORLD_BASE
		       "\", nonce=\"%s\", uri=\"sip:" CALLED "@acme." WORLD_BASE
		       "\", qop=auth, nc=00000001, cnonce=\"c\", response=\"%s\"\r\n",
		       nonce, response);
}

static enum admission admit_digest(struct world *world, const struct invite *row)
{
	char octets[OCTETS_SIZE];
	struct sip_message message;
	struct admitted admitted;
	struct refusal refusal;
	write_invite(row, octets, &message);
	return call_admit(&world->calls, &message, &admitted, &refusal);
}

static void add_bob(struct world *world, char ha1[static 33])
{
	char list[35], other[65];
	memset(other, '0', 64);
	other[64] = '\0';
	(void)hex_md5("bob", WORLD_BASE, "secret", ha1);
	world_add(
		world->directory,
		world_make(DIRECTORY_CREDENTIAL_LIST, "account", world->account, "name", "l", NULL),
		list);
	world_add(world->directory,
		  world_make(DIRECTORY_CREDENTIAL, "list", list, "user", "bob", "ha1_md5", ha1,
			     "ha1_sha256", other, "realm", WORLD_BASE, NULL),
		  NULL);
	world_add(world->directory,
		  world_make(DIRECTORY_TRUNK, "account", world->account, "domain", "acme",
			     "credential_lists", list, NULL),
		  world->trunk);
}

// AUTH-021 and its other side: who asks about an old call must neither use its nonce up nor need a new one.
static void asking_uses_up_no_nonce(void **state)
{
	(void)state;
	char headers[1024], ha1[33];
	struct invite invite = { .user = CALLED, .headers = headers };
	enum admission admission;
	struct world world;
	open_world(&world);
	directory_drop(world.directory, world.trunk);
	add_bob(&world, ha1);
	write_digest(&world, ha1, headers, sizeof(headers));
	for (unsigned i = 0; i < 3; i++)
		CHECK_STRING(walk(&world, &invite, &admission), "");
	CHECK_NUMBER(admit_digest(&world, &invite), ADMITTED);
	CHECK_NUMBER(admit_digest(&world, &invite), ADMISSION_CHALLENGE_STALE);
	world.clock.now_ms += 3600000;
	CHECK_STRING(walk(&world, &invite, &admission), "");
	// A challenge is no refusal: an explanation may go on behind it.
	headers[0] = '\0';
	CHECK_STRING(walk(&world, &invite, &admission), "credentials");
	CHECK_NUMBER(admission, ADMISSION_CHALLENGE);
	write_digest(&world, "0123", headers, sizeof(headers));
	CHECK_STRING(walk(&world, &invite, &admission), "credentials");
	CHECK_NUMBER(admission, ADMISSION_REFUSED);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(e164_is_plus_and_up_to_fifteen_digits),
		TEST(admission_follows_its_rows),
		TEST(checks_are_asked_by_name_in_their_order),
		TEST(asking_uses_up_no_nonce),
	};
	sip_message_start();
	return RUN_TESTS(tests);
}
