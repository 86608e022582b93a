// The forms of a trunk's host, and the zone as text.

#include "fixture.h"

static void write_all(const struct names_plan *plan, const char *domain, char *room, size_t size)
{
	struct writer writer = writer_of(room, size);
	names_plan_write_head(plan, &writer);
	names_plan_write_domain(plan, text_of(domain), &writer);
	assert_non_null(writer_string_done(&writer));
}

// NET-010: every address of the edge, TTL 600 s. NET-017: as text, for any DNS server. API-005: 60 s.
// TERM-012 (in part), TERM-013 (in part): the global form, one of an edge, one of a legacy region.
static void the_zone_holds_every_form(void **state)
{
	(void)state;
	char room[4096];
	struct names_plan plan;
	fixture_plan(&plan, "", "api.example.com");
	CHECK_STRING(plan.zone, "example.com");
	CHECK_STRING(plan.marker, "trunkd pstn.example.com");
	write_all(&plan, "acme", room, sizeof room);
	CHECK_STRING(room, "$ORIGIN example.com.\n$TTL 600\n"
			   "api 60 IN AAAA 2001:db8::80\n"
			   "acme.pstn 600 IN A 198.51.100.3\n"
			   "acme.pstn 600 IN A 198.51.100.1\n"
			   "acme.pstn.dublin 600 IN A 198.51.100.3\n"
			   "acme.pstn.dublin 600 IN A 198.51.100.1\n"
			   "acme.pstn.ie1 600 IN A 198.51.100.3\n"
			   "acme.pstn.ie1 600 IN A 198.51.100.1\n");
}

// NET-010: an edge has the addresses of its own.
static void an_edge_has_its_own_addresses(void **state)
{
	(void)state;
	char room[4096];
	struct names_plan plan;
	fixture_plan_of(&plan, "", "", "203.0.113.9");
	write_all(&plan, "acme", room, sizeof room);
	CHECK_STRING(room, "$ORIGIN example.com.\n$TTL 600\n"
			   "acme.pstn 600 IN A 198.51.100.3\n"
			   "acme.pstn 600 IN A 198.51.100.1\n"
			   "acme.pstn.dublin 600 IN A 203.0.113.9\n"
			   "acme.pstn.ie1 600 IN A 203.0.113.9\n");
}

static void what_the_zone_cannot_hold_is_left_out(void **state)
{
	(void)state;
	char room[4096];
	struct names_plan plan;
	fixture_plan(&plan, "pstn.example.com", "api.example.com");
	CHECK_NUMBER(plan.form_count, 1);
	CHECK_NUMBER(plan.outside_count, 3); // two edges, the API
	write_all(&plan, "berlin.acme", room, sizeof room);
	CHECK_STRING(room, "$ORIGIN pstn.example.com.\n$TTL 600\n"
			   "berlin.acme 600 IN A 198.51.100.3\n"
			   "berlin.acme 600 IN A 198.51.100.1\n");
}

static void a_list_is_sorted_and_holds_each_once(void **state)
{
	(void)state;
	struct names_list *list = fixture_list("b a c a b");
	struct names_list *same = fixture_list("c b a"), *other = fixture_list("a b d");
	CHECK_NUMBER(list->count, 3);
	CHECK_STRING(list->domains[0], "a");
	CHECK_STRING(list->domains[2], "c");
	CHECK_TRUE(names_list_is_equal(list, same));
	CHECK_TRUE(!names_list_is_equal(list, other));
	names_list_destroy(list);
	names_list_destroy(same);
	names_list_destroy(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_zone_holds_every_form),
		TEST(an_edge_has_its_own_addresses),
		TEST(what_the_zone_cannot_hold_is_left_out),
		TEST(a_list_is_sorted_and_holds_each_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
