// The section edges: a list of sections, what stands in it, who has which name and address.

#include "tests/unit/config/file.h"

static struct address address(const char *text)
{
	struct address address;
	assert_true(address_parse(text_of(text), &address));
	return address;
}

// TERM-012, TERM-013, NET-016: without the section there are the eight names and their regions.
static void without_the_section_there_are_the_eight_names(void **state)
{
	(void)state;
	static const char *const names[][2] = { { "ashburn", "us1" },   { "umatilla", "us2" },
						{ "dublin", "ie1" },    { "frankfurt", "de1" },
						{ "singapore", "sg1" }, { "tokyo", "jp1" },
						{ "sao-paulo", "br1" }, { "sydney", "au1" } };
	struct config *config = file_must_load(FILE_LEAST);
	struct address anywhere = address("192.0.2.1:5060");
	CHECK_NUMBER(config->edges.count, 8);
	for (unsigned i = 0; i < 8; i++) {
		const struct edge_config *edge =
			config_edge_named(&config->edges, text_of(names[i][0]));
		assert_non_null(edge);
		CHECK_STRING(edge->name, names[i][0]);
		CHECK_TRUE(config_edge_named(&config->edges, text_of(names[i][1])) == edge);
		CHECK_TRUE(config_edge_has(edge, &anywhere) &&
			   config_edge_has_media(edge, &anywhere));
	}
	CHECK_TRUE(config_edge_named(&config->edges, TEXT("Tokyo")) != NULL);
	CHECK_TRUE(config_edge_named(&config->edges, TEXT("moon")) == NULL);
	CHECK_TRUE(config_edge_named(&config->edges, TEXT("")) == NULL);
	CHECK_TRUE(config_edge_at(&config->edges, &anywhere) == NULL);
	config_destroy(config);
	config = file_must_load("edges: []\n" FILE_LEAST);
	CHECK_NUMBER(config->edges.count, 0);
	config_destroy(config);
}

struct profile {
	const char *name, *signalling[2], *media[2];
};

static void check_profile(const struct edge_config *edge, const struct profile *row)
{
	struct address first = address(row->signalling[0]), last = address(row->signalling[1]);
	struct address next = first;
	CHECK_NUMBER(edge->signalling.count, 4); // NET-009
	for (unsigned i = 0; i < 4; i++, next.octets[3]++)
		CHECK_TRUE(address_is_same_host(&edge->signalling.items[i], &next));
	CHECK_TRUE(address_is_same_host(&edge->signalling.items[3], &last));
	CHECK_NUMBER(edge->media.count, row->media[1] ? 2 : 1);
	for (unsigned i = 0; i < edge->media.count; i++) {
		struct prefix prefix;
		CHECK_TRUE(prefix_parse(text_of(row->media[i]), &prefix));
		CHECK_NUMBER(edge->media.items[i].bits, prefix.bits);
		CHECK_TRUE(address_is_same_host(&edge->media.items[i].address, &prefix.address));
	}
	CHECK_TRUE(config_edge_has_media(edge, &first)); // NET-018
}

// NET-001 to NET-008, NET-009, NET-014: the documented addresses are a file among others.
static void the_profile_is_the_documented_one(void **state)
{
	(void)state;
	static const struct profile rows[] = {
		{ "ashburn", // NET-001
		  { "54.172.60.0", "54.172.60.3" },
		  { "54.172.60.0/23", "34.203.250.0/23" } },
		{ "umatilla", { "54.244.51.0", "54.244.51.3" }, { "54.244.51.0/24" } }, // NET-002
		{ "dublin", // NET-003
		  { "54.171.127.192", "54.171.127.195" },
		  { "54.171.127.192/26", "52.215.127.0/24" } },
		{ "frankfurt", // NET-004
		  { "35.156.191.128", "35.156.191.131" },
		  { "35.156.191.128/25" } },
		{ "tokyo", { "54.65.63.192", "54.65.63.195" }, { "54.65.63.192/26" } }, // NET-005
		{ "singapore", // NET-006
		  { "54.169.127.128", "54.169.127.131" },
		  { "54.169.127.128/26" } },
		{ "sydney", // NET-007
		  { "54.252.254.64", "54.252.254.67" },
		  { "54.252.254.64/26" } },
		{ "sao-paulo", // NET-008
		  { "177.71.206.192", "177.71.206.195" },
		  { "177.71.206.192/26" } },
	};
	struct config *config = NULL;
	struct config_problems problems = { 0 };
	const char *path = getenv("CONFIG_EDGES");
	assert_non_null(path);
	if (config_load(path, &config, &problems) != OK)
		fail_msg("%s", problems.messages[0]);
	CHECK_NUMBER(config->edges.count, 8);
	CHECK_NUMBER(config->sip.port, 5060);
	CHECK_NUMBER(config->sip.tls_port, 5061);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct edge_config *edge =
			config_edge_named(&config->edges, text_of(rows[i].name));
		assert_non_null(edge);
		check_profile(edge, &rows[i]);
	}
	// Another one is as good.
	config_destroy(config);
	config = file_must_load("edges:\n"
				"  - { name: Moon, regions: [lu1, lu2], signalling: 192.0.2.1 }\n"
				"  - name: mars\n    media: 198.51.100.0/24\n" FILE_LEAST);
	struct address moon = address("192.0.2.1:5061"), media = address("198.51.100.9"),
		       other = address("192.0.2.9");
	CHECK_NUMBER(config->edges.count, 2);
	CHECK_STRING(config_edge_named(&config->edges, TEXT("LU2"))->name, "moon");
	CHECK_STRING(config_edge_at(&config->edges, &moon)->name, "moon");
	CHECK_FALSE(config_edge_has(&config->edges.items[0], &other));
	CHECK_TRUE(config_edge_has_media(&config->edges.items[1], &media));
	CHECK_FALSE(config_edge_has_media(&config->edges.items[1], &other));
	CHECK_TRUE(config_edge_named(&config->edges, TEXT("tokyo")) == NULL);
	config_destroy(config);
}

#define ACME "AC0123456789abcdef0123456789abcdef"
#define OTHER "AC00000000000000000000000000000001"

// NET-013, ORIG-044: a connection is of the accounts it lists; a public place is everybody's, but by its name
// alone.
static void a_connection_is_open_to_the_accounts_it_lists(void **state)
{
	(void)state;
	static const struct {
		const char *tnx, *edge, *account;
		bool is_open;
	} rows[] = {
		{ "", "", OTHER, true },
		{ "", "public", OTHER, true },
		{ "public", "", OTHER, false }, // it is no connection
		{ "", "private", OTHER, false },
		{ "", "private", ACME, true },
		{ "tnx01", "", OTHER, false },
		{ "TNX01", "", ACME, true },
		{ "tnx01", "public", OTHER, false }, // tnx comes first
		{ "tnx02", "public", OTHER, true }, // it is nobody's, so the edge counts
		{ "tnx02", "private", OTHER, false },
		{ "elsewhere", "", OTHER, true }, // it has no addresses that we know: not used
	};
	struct config *config = file_must_load(
		"edges:\n"
		"  - { name: public, signalling: 192.0.2.1 }\n"
		"  - { name: private, regions: [tnx01], signalling: 10.0.0.1, accounts: [" ACME
		"] }\n"
		"  - { name: elsewhere, accounts: [" ACME "] }\n" FILE_LEAST);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (config_edge_is_open(&config->edges, rows[i].tnx, rows[i].edge,
					text_of(rows[i].account)) != rows[i].is_open)
			fail_msg("row %u", i);
	config_destroy(config);
	file_is_refused("edges:\n  - { name: a, accounts: [acme] }\n" FILE_LEAST,
			(const char *const[]){
				"t.yaml:2: edges.accounts: \"acme\" is not an account's SID; "
				"allowed: AC and 32 digits of 0-9 and a-f, as show accounts has "
				"them, 64 at most",
				NULL });
}

// An account is added without a restart, at whichever edge.
static void accounts_of_each_edge_are_live(void **state)
{
	(void)state;
	struct config_problems problems = { 0 };
	struct config *running = file_must_load("edges:\n  - name: a\n  - name: b\n" FILE_LEAST);
	struct config *fresh = file_must_load("edges:\n  - name: a\n  - { name: b, accounts: [" ACME
					      "] }\n" FILE_LEAST);
	CHECK_OK(config_adopt(running, fresh, &problems));
	CHECK_NUMBER(running->edges.items[0].accounts.count, 0);
	CHECK_NUMBER(running->edges.items[1].accounts.count, 1);
	CHECK_STRING(running->edges.items[1].accounts.items[0], ACME);
	config_destroy(running);
	config_destroy(fresh);
}

static void what_is_wrong_with_an_edge_has_its_line(void **state)
{
	(void)state;
	file_is_refused(
		"edges:\n  - name: a\n    regions: [b]\n    signalling: 192.0.2.1\n  - regions: "
		"[c]\n"
		"  - name: B\n    regions: [d.e]\n    name: f\n    color: red\n"
		"  - 7\n  - name: g\n    signalling: 192.0.2.1\n" FILE_LEAST,
		(const char *const[]){
			"t.yaml:5: edges.name: is missing; allowed: letters, digits and inner "
			"dashes, 63 at most",
			"t.yaml:7: edges.regions: \"d.e\" is not a label of a domain name; "
			"allowed: "
			"letters, digits and inner dashes, 8 at most",
			"t.yaml:8: edges.name: is given again; allowed: once, as on line 6",
			"t.yaml:9: edges.color: unknown option; allowed: what trunkd --describe "
			"options lists",
			"t.yaml:10: edges: is a value, not a section; allowed: lines of option: "
			"value",
			"t.yaml:10: edges.name: is missing; allowed: letters, digits and inner "
			"dashes, 63 at most",
			"t.yaml:6: edges.name: is another edge's name or region; allowed: each "
			"once",
			"t.yaml:11: edges.signalling: holds an address of another edge; allowed: "
			"each once",
			NULL });
	file_is_refused("edges:\n  name: a\n" FILE_LEAST,
			(const char *const[]){ "t.yaml:2: edges: is no list; allowed: a list of "
					       "sections, each with lines of option: value",
					       NULL });
}

static void edges_need_a_restart(void **state)
{
	(void)state;
	struct config_problems problems = { 0 };
	struct config *running = file_must_load("edges: [{ name: a }, { name: b }]\n" FILE_LEAST);
	struct config *same = file_must_load("edges: [{ name: a }, { name: B }]\n" FILE_LEAST);
	struct config *fresh = file_must_load("edges: [{ name: a }, { name: c }]\n" FILE_LEAST);
	CHECK_OK(config_adopt(running, same, &problems));
	CHECK_STATUS(config_adopt(running, fresh, &problems), ERR_CONFLICT);
	CHECK_NUMBER(problems.count, 1);
	CHECK_TRUE(strstr(problems.messages[0], "edges.name") != NULL);
	config_destroy(running);
	config_destroy(same);
	config_destroy(fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_the_section_there_are_the_eight_names),
		TEST(the_profile_is_the_documented_one),
		TEST(a_connection_is_open_to_the_accounts_it_lists),
		TEST(accounts_of_each_edge_are_live),
		TEST(what_is_wrong_with_an_edge_has_its_line),
		TEST(edges_need_a_restart),
	};
	return RUN_TESTS(tests);
}
