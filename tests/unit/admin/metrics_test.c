// The exposition obeys the rules of Prometheus, and every series is there once, with a value.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "admin/metrics.h"
#include "fake.h"

static bool is_like(const char *text, const char *pattern)
{
	regex_t regex;
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	bool is_match = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return is_match;
}

static void names_follow_the_rules_and_are_unique(void **state)
{
	(void)state;
	assert_true(admin_metrics_count() > 50);
	for (unsigned i = 0; i < admin_metrics_count(); i++) {
		struct admin_metrics_row row = admin_metrics_row(i);
		assert_true(is_like(row.name, "^(trunkd|process)_[a-z0-9]+(_[a-z0-9]+)*$"));
		bool is_total = is_like(row.name, "_total$");
		assert_true(is_total == (row.type == ADMIN_METRICS_COUNTER));
		assert_false(is_like(row.name, "_(ms|us|ns|octets|milliseconds|kilobytes)(_|$)"));
		assert_true(is_like(row.help, "^[^\\\"]+\\.$"));
		assert_false(is_like(row.label, "sid|call|number|address|from|to"));
		for (unsigned other = 0; other < i; other++)
			assert_string_not_equal(row.name, admin_metrics_row(other).name);
	}
}

// What promtool looks at: each line, HELP and TYPE once and before the samples, no sample twice.
static void check_line(char *line, char *family, size_t size)
{
	if (line[0] == '#') {
		assert_true(is_like(line, "^# HELP [a-z_0-9]+ [^\\]+$") ||
			    is_like(line, "^# TYPE [a-z_0-9]+ (counter|gauge)$"));
		snprintf(family, size, "%.*s", (int)strcspn(line + 7, " "), line + 7);
		return;
	}
	assert_true(is_like(
		line, "^[a-z_0-9]+(\\{[a-z]+=\"([^\"\\]|\\\\[\"\\])*\"(,[a-z]+=\"[^\"\\]*\")*\\})? "
		      "[0-9]+(\\.[0-9]+)?(e[+-]?[0-9]+)?$"));
	assert_int_equal(strncmp(line, family, strlen(family)), 0);
	assert_true(line[strlen(family)] == ' ' || line[strlen(family)] == '{');
}

static void the_exposition_is_well_formed(void **state)
{
	struct fake *fake = *state;
	char *page = admin_metrics_write(&fake->context), *rest = page, *line, family[128] = "";
	unsigned helps = 0, types = 0, samples = 0;
	assert_non_null(page);
	assert_int_equal(page[strlen(page) - 1], '\n');
	char *copy = strdup(page);
	while ((line = strsep(&rest, "\n")) && line[0]) {
		check_line(line, family, sizeof(family));
		helps += strncmp(line, "# HELP", 6) == 0;
		types += strncmp(line, "# TYPE", 6) == 0;
		if (line[0] == '#')
			continue;
		samples++;
		line[strcspn(line, " ") + 1] = 0; // name and labels, up to the value
		char sample[256];
		snprintf(sample, sizeof(sample), "\n%s", line);
		assert_null(strstr(strstr(copy, sample) + 1, sample));
	}
	assert_int_equal(helps, admin_metrics_count());
	assert_int_equal(types, admin_metrics_count());
	assert_true(samples > admin_metrics_count());
	free(copy);
	free(page);
}

static void figures_come_from_their_counters(void **state)
{
	static const char *const LINES[] = {
		"\ntrunkd_build_info{version=\"0.1.0\"} 1\n",
		"\ntrunkd_sip_messages_received_total 99\n",
		"\ntrunkd_sip_requests_received_total{method=\"INVITE\"} 11\n",
		"\ntrunkd_sip_responses_sent_total{class=\"1xx\"} 4\n",
		"\ntrunkd_call_troubles_total{reason=\"cps\"} 3\n",
		"\ntrunkd_sip_connections 2\n",
		"\ntrunkd_sip_connections_closed_total{cause=\"idle\"} 3\n",
		"\ntrunkd_calls_started_total{direction=\"termination\"} 7\n",
		"\ntrunkd_carrier_up{carrier=\"gate-\\\"1\\\"\\\\east\"} 0\n",
		"\ntrunkd_carrier_up{carrier=\"gate-2\"} 1\n",
		"\ntrunkd_media_ports 5000\n",
		"\ntrunkd_media_ports_leaked 2\n",
		"\ntrunkd_one_way_audio_total{cause=\"ttl\",direction=\"to_pbx\"} 6\n",
		"\ntrunkd_one_way_audio{cause=\"not_received\",direction=\"to_pstn\"} 0\n",
		"\ntrunkd_media_icmp_heard 0\n",
		"\ntrunkd_store_changes_total 5\n",
		"\ntrunkd_directory_objects{kind=\"trunk\"} 0\n",
		"\ntrunkd_worker_packets_total{worker=\"1\",verdict=\"forwarded\"} 1001\n",
		"\ntrunkd_worker_packets_total{worker=\"0\",verdict=\"drop_crypto_full\"} 9\n",
		"\ntrunkd_worker_polls_total{worker=\"0\"} 50\n",
		"\ntrunkd_dataplane_streams 8\n",
		"\ntrunkd_dataplane_attached 1\n",
		"\ntrunkd_loop_worst_seconds 0.025000\n",
		"\ntrunkd_ready 1\n",
	};
	struct fake *fake = *state;
	counter_set(&fake->context.loop_worst_us, 25000);
	char *page = admin_metrics_write(&fake->context);
	for (unsigned i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++)
		if (!strstr(page, LINES[i]))
			fail_msg("not there: %s", LINES[i]);
	free(page);
}

static void a_node_without_its_parts_still_has_a_page(void **state)
{
	struct fake *fake = *state;
	(void)admin_replace_dataplane(&fake->context, NULL);
	struct admin_context bare = { .clock = &fake->clock };
	char *page = admin_metrics_write(&bare);
	assert_non_null(strstr(page, "\ntrunkd_dataplane_attached 0\n"));
	assert_non_null(strstr(page, "\ntrunkd_ready 0\n"));
	assert_null(strstr(page, "\ntrunkd_calls "));
	free(page);
}

static void the_reference_page_has_every_series(void **state)
{
	(void)state;
	char *page = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&page, &size);
	admin_metrics_describe(out);
	fclose(out);
	for (unsigned i = 0; i < admin_metrics_count(); i++)
		assert_non_null(strstr(page, admin_metrics_row(i).name));
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)
		TEST(names_follow_the_rules_and_are_unique),
		TEST(the_exposition_is_well_formed),
		TEST(figures_come_from_their_counters),
		TEST(a_node_without_its_parts_still_has_a_page),
		TEST(the_reference_page_has_every_series),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
