// The mirror and its rules: whose host, address, user and number; what may be added, changed, removed.

#include "tests/unit/directory/world.h"

#include <string.h>

#include "config/edges.h"
#include "tests/check.h"
#include "tests/fake/allocation.h"

#define MD5_HEX "00112233445566778899aabbccddeeff"
#define SHA_HEX MD5_HEX MD5_HEX

struct world { // one customer with everything
	struct directory *directory;
	struct edges_config edges;
	char account[35], other[35], acl[35], list[35], trunk[35], number[35], prefix[35], user[35];
};

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	struct directory *directory = directory_create(TEXT("PSTN.example.com"));
	world->directory = directory;
	config_edges_fill_default(&world->edges);
	directory_follow(directory, &(struct directory_rules){ .edges = &world->edges });
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL), world->account);
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "Other", NULL), world->other);
	world_add(directory,
		  world_make(DIRECTORY_ACL, "account", world->account, "name", "office", NULL),
		  world->acl);
	world_add(directory,
		  world_make(DIRECTORY_ACL_ADDRESS, "acl", world->acl, "address", "192.0.2.0/28",
			     NULL),
		  world->prefix);
	world_add(directory,
		  world_make(DIRECTORY_CREDENTIAL_LIST, "account", world->account, "name", "phones",
			     NULL),
		  world->list);
	world_add(directory,
		  world_make(DIRECTORY_CREDENTIAL, "list", world->list, "user", "alice", "ha1_md5",
			     MD5_HEX, "ha1_sha256", SHA_HEX, "realm", WORLD_BASE, NULL),
		  world->user);
	world_add(directory,
		  world_make(DIRECTORY_TRUNK, "account", world->account, "domain", "acme", "acls",
			     world->acl, "credential_lists", world->list, "cps", "7", "name", "hq",
			     NULL),
		  world->trunk);
	world_add(directory,
		  world_make(DIRECTORY_NUMBER, "account", world->account, "e164", "+14155550100",
			     "trunk", world->trunk, NULL),
		  world->number);
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	directory_destroy(world->directory);
	test_free(world);
	return 0;
}

static void refuse(struct world *world, struct directory_object *object, bool is_new,
		   enum status expected, const char *field)
{
	struct directory_problem problem = { 0 };
	CHECK_STATUS(directory_check(world->directory, object, is_new, &problem), expected);
	CHECK_STRING(problem.field, field);
	CHECK_TRUE(problem.text[0]);
	directory_object_destroy(object);
}

static struct directory_object *edit(struct world *world, const char *sid)
{
	const struct directory_object *object =
		directory_find(world->directory, directory_kind_of_sid(text_of(sid)), text_of(sid));
	assert_non_null(object);
	return directory_object_copy(object);
}

// TERM-003, TERM-012, TERM-013, TERM-014.
static void a_host_finds_its_trunk(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *host;
		bool is_ours;
	} rows[] = {
		{ "acme.pstn.example.com", true },
		{ "ACME.Pstn.Example.COM", true },
		{ "acme.pstn.example.com.", true },
		{ "acme.pstn.dublin.example.com", true },
		{ "acme.pstn.Sao-Paulo.example.com", true },
		{ "acme.pstn.us1.example.com", true },
		{ "acme.pstn.paris.example.com", false },
		{ "acme.dublin.pstn.example.com", false },
		{ "pstn.example.com", false },
		{ ".pstn.example.com", false },
		{ "acmepstn.example.com", false },
		{ "x.acme.pstn.example.com", false },
		{ "acme.pstn.example.org", false },
		{ "acme", false },
		{ ".", false },
		{ "", false },
		{ "192.0.2.1", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct trunk *trunk =
			directory_trunk_by_host(world->directory, text_of(rows[i].host));
		if ((trunk != NULL) != rows[i].is_ours)
			fail_msg("%s", rows[i].host);
	}
	const struct trunk *trunk =
		directory_trunk_by_host(world->directory, TEXT("acme.pstn.example.com"));
	CHECK_STRING(trunk->sid, world->trunk);
	CHECK_STRING(trunk->account_sid, world->account);
	CHECK_STRING(trunk->name, "hq");
	CHECK_NUMBER(trunk->cps, 7);
	CHECK_NUMBER(trunk->acl_count, 1);
	CHECK_NUMBER(trunk->credential_list_count, 1);
	CHECK_TRUE(trunk->is_enabled && !trunk->has_symmetric_rtp);
	CHECK_TRUE(directory_trunk(world->directory, world->trunk) == trunk);
	CHECK_TRUE(directory_trunk(world->directory, world->account) == NULL);
	CHECK_STRING(directory_account(world->directory, world->account)->name, "Acme");
}

static void an_acl_holds_its_prefixes(void **state)
{
	struct world *world = *state;
	const struct trunk *trunk = directory_trunk(world->directory, world->trunk);
	struct address inside = world_address("192.0.2.15:5060");
	struct address outside = world_address("192.0.2.16:5060");
	struct address v6 = world_address("[2001:db8::1]:5060");
	CHECK_TRUE(directory_trunk_allows(world->directory, trunk, &inside));
	CHECK_FALSE(directory_trunk_allows(world->directory, trunk, &outside));
	CHECK_FALSE(directory_trunk_allows(world->directory, trunk, &v6));
	world_add(world->directory,
		  world_make(DIRECTORY_ACL_ADDRESS, "acl", world->acl, "address", "2001:db8::/32",
			     NULL),
		  NULL);
	CHECK_TRUE(directory_trunk_allows(world->directory, trunk, &v6));
	directory_drop(world->directory, world->prefix);
	CHECK_FALSE(directory_trunk_allows(world->directory, trunk, &inside));
	CHECK_TRUE(directory_trunk_allows(world->directory, trunk, &v6));
}

static void a_credential_is_found_by_list_and_user(void **state)
{
	struct world *world = *state;
	const struct trunk *trunk = directory_trunk(world->directory, world->trunk);
	const struct credential *alice =
		directory_trunk_credential(world->directory, trunk, TEXT("alice"));
	assert_non_null(alice);
	CHECK_NUMBER(alice->ha1_md5[1], 0x11);
	CHECK_NUMBER(alice->ha1_sha256[31], 0xff);
	CHECK_STRING(alice->realm, WORLD_BASE);
	CHECK_TRUE(!directory_trunk_credential(world->directory, trunk, TEXT("Alice")));
	CHECK_TRUE(!directory_trunk_credential(world->directory, trunk, TEXT("")));
	struct directory_object *bare = edit(world, world->trunk);
	world_set(bare, "credential_lists", "");
	CHECK_OK(directory_put(world->directory, bare));
	trunk = directory_trunk(world->directory, world->trunk);
	CHECK_TRUE(!directory_trunk_credential(world->directory, trunk, TEXT("alice")));
	CHECK_NUMBER(trunk->credential_list_count, 0);
}

static void a_number_knows_its_owner_and_trunk(void **state)
{
	struct world *world = *state;
	const struct number *number = directory_number(world->directory, TEXT("+14155550100"));
	CHECK_STRING(number->account_sid, world->account);
	CHECK_STRING(number->trunk_sid, world->trunk);
	CHECK_TRUE(!directory_number(world->directory, TEXT("14155550100")));
}

static void an_account_has_its_own_numbers_alone(void **state)
{
	struct world *world = *state;
	struct directory *directory = world->directory;
	char other[35];
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "other", NULL), other);
	const struct account *own = directory_account(directory, world->account);
	const struct account *others = directory_account(directory, other);
	struct directory_object *number = directory_object_copy(
		directory_find(directory, DIRECTORY_NUMBER, TEXT("+14155550100")));
	CHECK_TRUE(directory_has_number(directory, own, TEXT("+14155550100")));
	CHECK_TRUE(!directory_has_number(directory, own, TEXT("14155550100")));
	CHECK_TRUE(!directory_has_number(directory, others, TEXT("+14155550100")));
	world_set(number, "trunk", "");
	world_set(number, "account", other);
	CHECK_OK(directory_put(directory, number));
	CHECK_TRUE(!directory_has_number(directory, own, TEXT("+14155550100")));
	CHECK_TRUE(directory_has_number(directory, others, TEXT("+14155550100")));
	number = directory_object_copy(number);
	world_set(number, "account", ""); // into the stock
	CHECK_OK(directory_put(directory, number));
	CHECK_TRUE(!directory_has_number(directory, others, TEXT("+14155550100")));
	directory_drop(directory, number->sid);
	CHECK_TRUE(!directory_has_number(directory, others, TEXT("+14155550100")));
}

static void carriers_come_in_order(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *name, *priority, *weight, *enabled;
	} rows[] = {
		{ "d", "20", "1", "true" }, { "b", "10", "5", "true" }, { "x", "1", "1", "false" },
		{ "c", "10", "1", "true" }, { "a", "0", "1", "true" },
	};
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	char sid[35] = "";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		world_add(world->directory,
			  world_make(DIRECTORY_CARRIER, "name", rows[i].name, "address",
				     "192.0.2.7", "priority", rows[i].priority, "weight",
				     rows[i].weight, "enabled", rows[i].enabled, NULL),
			  sid);
	CHECK_NUMBER(directory_carriers(world->directory, carriers), 4);
	for (unsigned i = 0; i < 4; i++)
		CHECK_NUMBER(carriers[i]->name[0], "abcd"[i]);
	CHECK_STRING(carriers[0]->host, "192.0.2.7");
	directory_drop(world->directory, sid);
	CHECK_NUMBER(directory_carriers(world->directory, carriers), 3);
	CHECK_STRING(carriers[0]->name, "b");
	for (unsigned i = 3; i < DIRECTORY_CARRIERS_MAX; i++) {
		char name[8] = { 'm', (char)('A' + i), 0 };
		world_add(world->directory,
			  world_make(DIRECTORY_CARRIER, "name", name, "address", "192.0.2.8", NULL),
			  NULL);
	}
	CHECK_NUMBER(directory_carriers(world->directory, carriers), DIRECTORY_CARRIERS_MAX);
	refuse(world,
	       world_make(DIRECTORY_CARRIER, "name", "one more", "address", "192.0.2.9", NULL),
	       true, ERR_LIMIT, "enabled");
}

static void what_breaks_a_rule_is_refused_by_field(void **state)
{
	struct world *world = *state;
	const char *a = world->account, *o = world->other;
	refuse(world, world_make(DIRECTORY_TRUNK, "domain", "new", NULL), true, ERR_MALFORMED,
	       "account");
	refuse(world, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL), true, ERR_CONFLICT,
	       "name");
	refuse(world, world_make(DIRECTORY_TRUNK, "account", o, "domain", "ACME", NULL), true,
	       ERR_CONFLICT, "domain");
	refuse(world, world_make(DIRECTORY_TRUNK, "account", o, "acls", world->acl, NULL), true,
	       ERR_FORBIDDEN, "acls");
	refuse(world,
	       world_make(DIRECTORY_NUMBER, "account", o, "e164", "+4930123", "trunk", world->trunk,
			  NULL),
	       true, ERR_FORBIDDEN, "trunk");
	refuse(world,
	       world_make(DIRECTORY_TRUNK, "account", "AC0123456789abcdef0123456789abcdef", NULL),
	       true, ERR_NOT_FOUND, "account");
	refuse(world, world_make(DIRECTORY_NUMBER, "account", a, "e164", "+14155550100", NULL),
	       true, ERR_CONFLICT, "e164");
	refuse(world, world_make(DIRECTORY_CREDENTIAL, "list", world->list, "user", "bob", NULL),
	       true, ERR_MALFORMED, "password");
	refuse(world,
	       world_make(DIRECTORY_CREDENTIAL, "list", world->list, "user", "alice", "ha1_md5",
			  MD5_HEX, "ha1_sha256", SHA_HEX, "realm", "r", NULL),
	       true, ERR_CONFLICT, "user");
	refuse(world,
	       world_make(DIRECTORY_ACL_ADDRESS, "acl", world->acl, "address", "192.0.2.0/28",
			  NULL),
	       true, ERR_CONFLICT, "address");
}

static void a_change_keeps_identity_version_and_fixed_fields(void **state)
{
	struct world *world = *state;
	struct directory_object *object = edit(world, world->trunk);
	world_set(object, "account", world->other);
	refuse(world, object, false, ERR_CONFLICT, "account");
	object = edit(world, world->trunk);
	object->version++;
	refuse(world, object, false, ERR_CONFLICT, "version");
	refuse(world, edit(world, world->trunk), true, ERR_CONFLICT, "sid");
	refuse(world, world_make(DIRECTORY_TRUNK, "account", world->account, NULL), false,
	       ERR_NOT_FOUND, "sid");
	object = edit(world, world->trunk);
	world_set(object, "cps", "9");
	CHECK_OK(directory_check(world->directory, object, false, NULL));
	CHECK_OK(directory_put(world->directory, object));
	CHECK_NUMBER(directory_trunk(world->directory, world->trunk)->cps, 9);
	CHECK_NUMBER(directory_count(world->directory, DIRECTORY_TRUNK), 1);
}

// TERM-009: the parent first. TERM-010: of the same account. TERM-011: which keeps its name and its place.
static void a_sub_domain_needs_its_parent(void **state)
{
	struct world *world = *state;
	char sub[35];
	refuse(world, world_make(DIRECTORY_TRUNK, "account", world->account, "domain", "a.b", NULL),
	       true, ERR_CONFLICT, "domain");
	refuse(world,
	       world_make(DIRECTORY_TRUNK, "account", world->other, "domain", "a.acme", NULL), true,
	       ERR_FORBIDDEN, "domain");
	world_add(world->directory,
		  world_make(DIRECTORY_TRUNK, "account", world->account, "domain", "a.acme", NULL),
		  sub);
	CHECK_STRING(
		directory_trunk_by_host(world->directory, TEXT("a.acme.pstn.example.com"))->sid,
		sub);
	struct directory_object *parent = edit(world, world->trunk);
	world_set(parent, "domain", "renamed");
	refuse(world, parent, false, ERR_CONFLICT, "domain");
	struct directory_problem problem = { 0 };
	parent = edit(world, world->trunk);
	CHECK_STATUS(directory_check_removal(world->directory, parent, &problem), ERR_CONFLICT);
	CHECK_TRUE(strstr(problem.text, sub));
	directory_drop(world->directory, sub);
	world_set(parent, "domain", "below.acme"); // its own parent
	refuse(world, parent, false, ERR_CONFLICT, "domain");
}

static void what_is_used_cannot_be_removed(void **state)
{
	struct world *world = *state;
	const struct {
		const char *sid;
		enum status status;
		const char *user;
	} rows[] = {
		{ world->account, ERR_CONFLICT, world->trunk },
		{ world->acl, ERR_CONFLICT, world->trunk },
		{ world->list, ERR_CONFLICT, world->trunk },
		{ world->other, OK, NULL },
		{ world->trunk, OK, NULL }, // its number is kept, on no trunk (TRUNK-009)
		{ world->number, OK, NULL },
		{ world->user, OK, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct directory_object *object = edit(world, rows[i].sid);
		struct directory_problem problem = { 0 };
		CHECK_STATUS(directory_check_removal(world->directory, object, &problem),
			     rows[i].status);
		if (rows[i].user && !strstr(problem.text, rows[i].user))
			fail_msg("%s", problem.text);
		directory_object_destroy(object);
	}
}

static void references_may_be_given_by_name(void **state)
{
	struct world *world = *state;
	struct directory_problem problem = { 0 };
	struct directory_object *trunk = world_make(DIRECTORY_TRUNK, NULL);
	CHECK_OK(directory_set(world->directory, trunk, TEXT("account"), TEXT("Acme"), &problem));
	CHECK_TEXT(directory_object_get(trunk, "account"), world->account);
	CHECK_OK(directory_set(world->directory, trunk, TEXT("acls"), TEXT("office"), &problem));
	CHECK_TEXT(directory_object_get(trunk, "acls"), world->acl);
	CHECK_STATUS(
		directory_set(world->directory, trunk, TEXT("acls"), TEXT("office home"), &problem),
		ERR_MALFORMED);
	CHECK_STRING(problem.text, "'office home' is no SID or unique name of a known acl");
	CHECK_STATUS(directory_set(world->directory, trunk, TEXT("acount"), TEXT("x"), &problem),
		     ERR_NOT_FOUND);
	CHECK_OK(directory_set(world->directory, trunk, TEXT("acls"), TEXT(""), &problem));
	CHECK_OK(directory_set(world->directory, trunk, TEXT("cps"), TEXT("3"), &problem));
	directory_object_destroy(trunk);
}

static void objects_are_found_by_unique_words_and_walked_in_order(void **state)
{
	struct world *world = *state;
	struct directory *directory = world->directory;
	CHECK_STRING(directory_find(directory, DIRECTORY_TRUNK, TEXT("acme"))->sid, world->trunk);
	CHECK_STRING(directory_find(directory, DIRECTORY_TRUNK, TEXT("hq"))->sid, world->trunk);
	CHECK_STRING(directory_find(directory, DIRECTORY_CREDENTIAL, TEXT("alice"))->sid,
		     world->user);
	CHECK_TRUE(!directory_find(directory, DIRECTORY_TRUNK, text_of(world->account)));
	CHECK_TRUE(!directory_find(directory, DIRECTORY_TRUNK, TEXT("")));
	world_add(directory,
		  world_make(DIRECTORY_TRUNK, "account", world->account, "name", "hq", NULL), NULL);
	CHECK_TRUE(!directory_find(directory, DIRECTORY_TRUNK, TEXT("hq"))); // of two
	const struct directory_object *first = directory_next(directory, DIRECTORY_ACCOUNT, NULL);
	CHECK_STRING(first->sid, world->account);
	const struct directory_object *second = directory_next(directory, DIRECTORY_ACCOUNT, first);
	CHECK_STRING(second->sid, world->other);
	CHECK_TRUE(!directory_next(directory, DIRECTORY_ACCOUNT, second));
	struct directory_object *changed = edit(world, world->account);
	world_set(changed, "name", "Acme Inc");
	CHECK_OK(directory_put(directory, changed)); // keeps its place
	CHECK_STRING(directory_next(directory, DIRECTORY_ACCOUNT, NULL)->sid, world->account);
	CHECK_TRUE(!directory_find(directory, DIRECTORY_ACCOUNT, TEXT("Acme")));
}

static void advice_is_given_not_enforced(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *domain, *field;
		bool has_acl, has_list;
	} rows[] = {
		{ "", "domain", true, true },
		{ "solo", "credential_lists", false, false },
		{ "solo", "credential_lists", true, false },
		{ "a.acme", "domain", true, true },
		{ "solo", NULL, true, true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct directory_problem hint = { 0 };
		struct directory_object *trunk =
			world_make(DIRECTORY_TRUNK, "domain", rows[i].domain, "acls",
				   rows[i].has_acl ? world->acl : "", "credential_lists",
				   rows[i].has_list ? world->list : "", NULL);
		CHECK_TRUE(directory_hint(trunk, &hint) == (rows[i].field != NULL));
		CHECK_STRING(hint.field, rows[i].field ? rows[i].field : "");
		directory_object_destroy(trunk);
	}
}

static void a_swap_exchanges_everything(void **state)
{
	struct world *world = *state;
	struct directory *fresh = directory_create(TEXT(WORLD_BASE));
	world_add(fresh, world_make(DIRECTORY_CARRIER, "name", "c", "address", "192.0.2.1", NULL),
		  NULL);
	directory_swap(world->directory, fresh);
	directory_destroy(fresh);
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	CHECK_NUMBER(directory_carriers(world->directory, carriers), 1);
	CHECK_STRING(carriers[0]->name, "c");
	CHECK_NUMBER(directory_count(world->directory, DIRECTORY_TRUNK), 0);
	directory_empty(world->directory);
	CHECK_NUMBER(directory_carriers(world->directory, carriers), 0);
}

static void it_is_emptied_in_slices_too(void **state)
{
	struct world *world = *state; // of eight objects
	CHECK_FALSE(directory_shrink(world->directory, 5));
	CHECK_TRUE(directory_trunk(world->directory, world->trunk) == NULL);
	CHECK_TRUE(directory_number(world->directory, TEXT("+14155550100")) != NULL);
	CHECK_TRUE(directory_shrink(world->directory, 3));
	CHECK_NUMBER(directory_count(world->directory, DIRECTORY_NUMBER), 0);
}

static void a_failing_allocation_leaves_the_mirror_as_it_was(void **state)
{
	struct world *world = *state;
	for (unsigned n = 1; n <= 64; n++) {
		struct directory_object *trunk = edit(world, world->trunk);
		world_set(trunk, "domain", "x.acme");
		allocation_fail_at(n);
		enum status status = directory_put(world->directory, trunk);
		bool has_failed = allocation_has_failed();
		allocation_fail_at(0);
		const char *host =
			status == OK ? "x.acme.pstn.example.com" : "acme.pstn.example.com";
		CHECK_TRUE(status == OK || (status == ERR_MEMORY && has_failed));
		CHECK_STRING(directory_trunk_by_host(world->directory, text_of(host))->sid,
			     world->trunk);
		struct address inside = world_address("192.0.2.1");
		CHECK_TRUE(directory_trunk_allows(world->directory,
						  directory_trunk(world->directory, world->trunk),
						  &inside));
		if (!has_failed)
			return;
	}
	fail_msg("some allocation always fails");
}

static void an_incomplete_object_is_not_put(void **state)
{
	struct world *world = *state;
	CHECK_STATUS(
		directory_put(world->directory, world_make(DIRECTORY_TRUNK, "domain", "n", NULL)),
		ERR_MALFORMED);
	struct directory_object *object = world_make(DIRECTORY_ACCOUNT, "name", "n", NULL);
	memcpy(object->sid, world->trunk, sizeof(object->sid)); // of another kind
	CHECK_STATUS(directory_put(world->directory, object), ERR_MALFORMED);
	CHECK_TRUE(directory_trunk(world->directory, world->trunk) != NULL);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_host_finds_its_trunk),
		WORLD_TEST(an_acl_holds_its_prefixes),
		WORLD_TEST(a_credential_is_found_by_list_and_user),
		WORLD_TEST(a_number_knows_its_owner_and_trunk),
		WORLD_TEST(an_account_has_its_own_numbers_alone),
		WORLD_TEST(carriers_come_in_order),
		WORLD_TEST(what_breaks_a_rule_is_refused_by_field),
		WORLD_TEST(a_change_keeps_identity_version_and_fixed_fields),
		WORLD_TEST(a_sub_domain_needs_its_parent),
		WORLD_TEST(what_is_used_cannot_be_removed),
		WORLD_TEST(references_may_be_given_by_name),
		WORLD_TEST(objects_are_found_by_unique_words_and_walked_in_order),
		WORLD_TEST(advice_is_given_not_enforced),
		WORLD_TEST(a_swap_exchanges_everything),
		WORLD_TEST(it_is_emptied_in_slices_too),
		WORLD_TEST(a_failing_allocation_leaves_the_mirror_as_it_was),
		WORLD_TEST(an_incomplete_object_is_not_put),
	};
	return RUN_TESTS(tests);
}
