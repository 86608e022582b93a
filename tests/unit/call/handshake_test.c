// Old TLS by account, and who hears of a failed handshake. TLS-003 to -007, D-4. Runs on the thread of
// the test.

#include "call/handshake/handshake.h"

#include <string.h>

#include "config/config.h"
#include "directory/object.h"
#include "sip/tls/peer.h"
#include "tests/check.h"
#include "tests/fake/history.h"
#include "tests/unit/directory/world.h"

static const struct config config; // no bound of alerts

struct world {
	struct directory *directory;
	struct clock clock;
	struct calls calls;
	struct sip_tls_user user;
	char accounts[2][35], trunks[2][35], acls[2][35];
};

static void add_customer(struct world *world, unsigned nth, const char *name, const char *address)
{
	struct directory *directory = world->directory;
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", name, NULL),
		  world->accounts[nth]);
	world_add(directory,
		  world_make(DIRECTORY_ACL, "account", world->accounts[nth], "name", "l", NULL),
		  world->acls[nth]);
	world_add(directory,
		  world_make(DIRECTORY_ACL_ADDRESS, "acl", world->acls[nth], "address", address,
			     NULL),
		  NULL);
	world_add(directory,
		  world_make(DIRECTORY_TRUNK, "account", world->accounts[nth], "domain", name,
			     "acls", world->acls[nth], NULL),
		  world->trunks[nth]);
}

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	world->directory = directory_create(TEXT(WORLD_BASE));
	world->calls = (struct calls){ .directory = world->directory,
				       .clock = &world->clock,
				       .config = &config,
				       .history = fake_history_create() };
	add_customer(world, 0, "acme", "203.0.113.0/28");
	add_customer(world, 1, "other", "192.0.2.0/28");
	call_handshake_fill_user(&world->calls, &world->user);
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	CHECK_TRUE(fake_history_take_alert(world->calls.history) == NULL);
	fake_history_destroy(world->calls.history);
	directory_destroy(world->directory);
	test_free(world);
	return 0;
}

static void set(struct world *world, unsigned nth, const char *value)
{
	struct directory_object *object = directory_object_copy(
		directory_find(world->directory, DIRECTORY_ACCOUNT, text_of(world->accounts[nth])));
	world_set(object, "deprecated_tls", value);
	CHECK_OK(directory_put(world->directory, object));
}

static bool allows(struct world *world, const char *name)
{
	return world->user.allows_deprecated(world->user.context, text_of(name));
}

static void old_tls_is_shaken_hands_with_while_an_account_wants_it(void **state)
{
	struct world *world = *state;
	CHECK_FALSE(allows(world, ""));
	CHECK_FALSE(allows(world, "acme." WORLD_BASE));
	set(world, 0, "true");
	CHECK_TRUE(allows(world, "acme." WORLD_BASE));
	CHECK_FALSE(allows(world, "other." WORLD_BASE)); // early: the name says whose it is
	CHECK_TRUE(allows(world, "")); // later, at the first request
	CHECK_TRUE(allows(world, "192.0.2.1"));
	set(world, 1, "true");
	set(world, 0, "false");
	CHECK_FALSE(allows(world, "acme." WORLD_BASE));
	CHECK_TRUE(allows(world, "other." WORLD_BASE));
	set(world, 1, "true"); // again: counts once
	set(world, 1, "false");
	CHECK_FALSE(allows(world, ""));
	set(world, 1, "true");
	directory_drop(world->directory, world->accounts[1]);
	CHECK_FALSE(allows(world, ""));
	set(world, 0, "true");
	directory_empty(world->directory);
	CHECK_FALSE(allows(world, ""));
}

static void an_account_without_the_setting_needs_tls_1_2(void **state)
{
	static const struct {
		enum sip_protocol protocol;
		uint16_t version;
		bool is_fit;
	} rows[] = { { SIP_UDP, 0, true },           { SIP_TCP, 0, true },
		     { SIP_TLS, 0x0301, false },     { SIP_TLS, 0x0302, false },
		     { SIP_TLS, SIP_TLS_1_2, true }, { SIP_TLS, SIP_TLS_1_3, true } };
	struct world *world = *state;
	struct refusal refusal;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sip_flow flow = { .protocol = rows[i].protocol,
					 .tls_version = rows[i].version,
					 .remote = world_address("203.0.113.7:5061") };
		const struct account *account =
			directory_account(world->directory, world->accounts[0]);
		CHECK_TRUE(call_handshake_is_fit(&flow, account, &refusal) == rows[i].is_fit);
		CHECK_TRUE(call_handshake_is_fit(&flow, NULL, &refusal) == rows[i].is_fit);
		if (!rows[i].is_fit)
			CHECK_TRUE(strstr(refusal.seen, "from 203.0.113.7:5061") != NULL);
		set(world, 0, "true");
		account = directory_account(world->directory, world->accounts[0]);
		CHECK_TRUE(call_handshake_is_fit(&flow, account, &refusal));
		set(world, 0, "false");
	}
}

static void note(struct world *world, enum sip_tls_reason reason, const char *name,
		 const char *source)
{
	struct sip_tls_failure failure = { .reason = reason,
					   .remote = world_address(source),
					   .version = SIP_TLS_1_0,
					   .server_name = text_of(name),
					   .detail = sip_tls_reason_text(reason) };
	world->user.failed(world->user.context, &failure);
}

static void check_alert(struct world *world, uint32_t code, unsigned account, const char *trunk)
{
	const struct history_alert *alert = fake_history_take_alert(world->calls.history);
	CHECK_TRUE(alert != NULL);
	CHECK_NUMBER(alert->code, code);
	CHECK_STRING(alert->account_sid, world->accounts[account]);
	CHECK_STRING(alert->trunk_sid, trunk);
	CHECK_TRUE(strstr(alert->seen, "TLS 1.0 at most, from ") == alert->seen);
	CHECK_TRUE(strstr(alert->seen, alert->source) != NULL);
}

// TLS-007
static void a_customer_that_can_be_named_hears_of_its_handshake(void **state)
{
	struct world *world = *state;
	note(world, SIP_TLS_DEPRECATED, "acme." WORLD_BASE, "198.51.100.9:1");
	check_alert(world, 32222, 0, world->trunks[0]);
	note(world, SIP_TLS_CIPHER, "", "192.0.2.3:1");
	check_alert(world, 32940, 1, "");
	note(world, SIP_TLS_CLOSED, "elsewhere.example", "198.51.100.9:1"); // nobody's
	note(world, SIP_TLS_CIPHER, "", "192.0.2.3:2"); // the same again: once a minute
	world->clock.now_ms += 60001;
	note(world, SIP_TLS_CIPHER, "", "192.0.2.3:3");
	check_alert(world, 32940, 1, "");
	// An address in lists of two accounts names neither.
	world_add(world->directory,
		  world_make(DIRECTORY_ACL_ADDRESS, "acl", world->acls[0], "address", "192.0.2.3",
			     NULL),
		  NULL);
	world->clock.now_ms += 60001;
	note(world, SIP_TLS_CIPHER, "", "192.0.2.3:4");
}

// A carrier is what it was called as (`sid`), wherever it has led us.
static bool finds(struct world *world, const char *sid, const char *address,
		  struct sip_tls_peer *out_peer)
{
	struct sip_flow flow = { .protocol = SIP_TLS, .remote = world_address(address) };
	CHECK_TRUE(text_copy(text_of(sid), flow.peer, sizeof flow.peer));
	return world->user.find_peer(world->user.context, &flow, out_peer);
}

static void carriers_have_rules_of_their_own(void **state)
{
	struct world *world = *state;
	struct sip_tls_peer peer;
	char named[35], other[35];
	world_add(
		world->directory,
		world_make(DIRECTORY_CARRIER, "name", "c", "address", "sip.carrier.example", NULL),
		named);
	CHECK_TRUE(finds(world, named, "198.51.100.20:5061", &peer));
	CHECK_TRUE(peer.is_verified && !peer.allows_deprecated && peer.certificate[0] == '\0');
	CHECK_STRING(peer.name, "sip.carrier.example");
	world_add(world->directory,
		  world_make(DIRECTORY_CARRIER, "name", "d", "address", "198.51.100.21:5061",
			     "tls_verify", "false", "deprecated_tls", "true", "tls_certificate",
			     "/etc/trunkd/d.crt", "tls_key", "/etc/trunkd/d.key", NULL),
		  other);
	CHECK_TRUE(finds(world, other, "198.51.100.99:5061", &peer)); // where its Contact led
	CHECK_TRUE(!peer.is_verified && peer.allows_deprecated);
	CHECK_STRING(peer.certificate, "/etc/trunkd/d.crt");
	CHECK_STRING(peer.key, "/etc/trunkd/d.key");
	directory_drop(world->directory, named);
	CHECK_FALSE(finds(world, named, "198.51.100.20:5061", &peer)); // so it has to prove all
}

// TLS-005, TLS-014: a PBX, whose own certificate nobody looks at, gets old TLS as its account has it. It
// names the address of a carrier in vain: our certificate for that carrier is not for its dialog.
static void a_customer_is_met_with_its_own_certificate(void **state)
{
	struct world *world = *state;
	struct sip_tls_peer peer;
	world_add(world->directory,
		  world_make(DIRECTORY_CARRIER, "name", "d", "address", "198.51.100.21:5061",
			     "tls_certificate", "/etc/trunkd/d.crt", "tls_key", "/etc/trunkd/d.key",
			     NULL),
		  NULL);
	CHECK_TRUE(finds(world, "", "198.51.100.21:5061", &peer));
	CHECK_TRUE(!peer.is_verified && peer.certificate[0] == '\0' && peer.key[0] == '\0');
	CHECK_TRUE(finds(world, "", "203.0.113.9:5061", &peer));
	CHECK_TRUE(!peer.is_verified && !peer.allows_deprecated);
	set(world, 0, "true");
	CHECK_TRUE(finds(world, "", "203.0.113.9:5061", &peer));
	CHECK_TRUE(peer.allows_deprecated);
	CHECK_TRUE(finds(world, "", "192.0.2.3:5061", &peer));
	CHECK_FALSE(peer.allows_deprecated);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(old_tls_is_shaken_hands_with_while_an_account_wants_it),
		WORLD_TEST(an_account_without_the_setting_needs_tls_1_2),
		WORLD_TEST(a_customer_that_can_be_named_hears_of_its_handshake),
		WORLD_TEST(carriers_have_rules_of_their_own),
		WORLD_TEST(a_customer_is_met_with_its_own_certificate),
	};
	return RUN_TESTS(tests);
}
