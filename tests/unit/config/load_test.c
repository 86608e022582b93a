// The loader: values, defaults, and each kind of problem with its exact message.

#include "tests/unit/config/file.h"

#include "tests/fake/allocation.h"

#define PORT_ALLOWED "allowed: 1 to 65535"
#define LIST_ALLOWED "allowed: IPv4 and IPv6 addresses, at least one, 64 at most"

static void the_least_file_gets_every_default(void **state)
{
	(void)state;
	struct config *config = file_must_load(FILE_LEAST);
	CHECK_STRING(config->node.name, "trunkd");
	CHECK_STRING(config->history.file, "/var/lib/trunkd/history.db");
	CHECK_STRING(config->dataplane.socket, "/run/trunkd/dataplane.sock");
	CHECK_STRING(config->admin.socket, "/run/trunkd/trunkd.sock");
	CHECK_STRING(config->sip.realm, "pstn.trunkd.example");
	CHECK_NUMBER(config->sip.port, 5060);
	CHECK_NUMBER(config->sip.ack_timeout_s, 30);
	CHECK_NUMBER(config->sip.no_response_timeout_ms, 4000);
	CHECK_NUMBER(config->sip.max_call_duration_s, 86400);
	CHECK_NUMBER(config->media.min_ttl, 11);
	CHECK_NUMBER(config->limits.default_cps, 1);
	CHECK_NUMBER(config->admin.metrics_address.port, 9464);
	CHECK_NUMBER(config->sip.addresses.count, 1);
	CHECK_NUMBER(config->dataplane.cores.count, 0);
	CHECK_NUMBER(config->log.level, LOG_INFO);
	CHECK_TRUE(config->dataplane.start);
	config_destroy(config);
	config_destroy(NULL);
}

static void what_the_file_says_is_what_the_program_gets(void **state)
{
	(void)state;
	struct config *config = file_must_load(
		"# all kinds of values\n"
		"node: { state_directory: /srv/t, runtime_directory: \"/srv/r\", user: 'tr-1' }\n"
		"log:\n  level: error\n  format: json\n"
		"sip:\n  addresses:\n    - 192.0.2.1\n    - 2001:db8::1\n  port: 05070\n"
		"  base_domain: sip.example.com\n"
		"media: { addresses: 192.0.2.2 }\n"
		"dataplane:\n  port: pci:0000:03:00.1\n  workers: 2\n  cores: [2, 3]\n"
		"  polling: busy\n  huge_pages: off\n  start: false\n"
		"  addresses: [192.0.2.1/24, '2001:db8::1/64']\n  gateway: [192.0.2.254, fe80::1]\n"
		"redis:\n  url: redis://redis.example:6379\n"
		"admin: { metrics_address: '[::1]:9000' }\n");
	CHECK_STRING(config->history.file, "/srv/t/history.db");
	CHECK_STRING(config->admin.socket, "/srv/r/trunkd.sock");
	CHECK_STRING(config->node.user, "tr-1");
	CHECK_STRING(config->sip.realm, "sip.example.com");
	CHECK_NUMBER(config->log.level, LOG_ERROR);
	CHECK_NUMBER(config->log.format, LOG_JSON);
	CHECK_NUMBER(config->sip.addresses.count, 2);
	CHECK_NUMBER(config->sip.addresses.items[1].family, ADDRESS_IPV6);
	CHECK_NUMBER(config->sip.port, 5070);
	CHECK_NUMBER(config->dataplane.cores.items[1], 3);
	CHECK_NUMBER(config->dataplane.polling, CONFIG_POLLING_BUSY);
	CHECK_NUMBER(config->dataplane.huge_pages, CONFIG_HUGE_PAGES_OFF);
	CHECK_FALSE(config->dataplane.start);
	CHECK_NUMBER(config->dataplane.addresses.items[0].bits, 24);
	CHECK_NUMBER(config->dataplane.addresses.items[0].address.octets[3], 1);
	CHECK_NUMBER(config->dataplane.gateway.count, 2);
	CHECK_STRING(config->redis.url, "redis://redis.example:6379");
	CHECK_NUMBER(config->admin.metrics_address.port, 9000);
	config_destroy(config);
}

// ORIG-027, ORIG-028: the documented answers by default, and others where the file says so.
static void definitive_answers_are_those_about_the_called_party(void **state)
{
	(void)state;
	static const unsigned definitive[] = { 400, 404, 405, 410, 416, 482, 484, 486 };
	struct config *config = file_must_load(FILE_LEAST);
	for (unsigned status = 300; status < 700; status++) {
		bool is_listed = status >= 600;
		for (unsigned i = 0; i < sizeof(definitive) / sizeof(definitive[0]); i++)
			is_listed = is_listed || definitive[i] == status;
		CHECK_NUMBER(config_codes_have(&config->sip.definitive_codes, status), is_listed);
	}
	config_destroy(config);
	config = file_must_load("sip:\n  addresses: 192.0.2.1\n  definitive_codes: [486, 5xx]\n"
				"media: { addresses: 192.0.2.2 }\n"
				"dataplane: { port: 'af_packet:eth0' }\n");
	CHECK_TRUE(config_codes_have(&config->sip.definitive_codes, 486));
	CHECK_TRUE(config_codes_have(&config->sip.definitive_codes, 503));
	CHECK_FALSE(config_codes_have(&config->sip.definitive_codes, 404));
	CHECK_FALSE(config_codes_have(&config->sip.definitive_codes, 603));
	config_destroy(config);
}

// TERM-029: countries by code; a word that is none has its line.
static void countries_are_codes(void **state)
{
	(void)state;
	struct config *config = file_must_load(FILE_LEAST);
	const struct country_set *set = &config->accounts.voice_countries.set;
	CHECK_TRUE(country_set_has(set, country_of_code(TEXT("US"))));
	CHECK_TRUE(country_set_has(set, country_of_code(TEXT("CA"))));
	CHECK_FALSE(country_set_has(set, country_of_code(TEXT("JP"))));
	config_destroy(config);
	config = file_must_load(FILE_LEAST "accounts:\n  voice_countries: [jp, DE]\n");
	set = &config->accounts.voice_countries.set;
	CHECK_TRUE(country_set_has(set, country_of_code(TEXT("JP"))));
	CHECK_FALSE(country_set_has(set, country_of_code(TEXT("US"))));
	config_destroy(config);
	file_is_refused(FILE_LEAST "accounts:\n  voice_countries: [US, XX]\n",
			(const char *const[]){
				"t.yaml:8: accounts.voice_countries: \"XX\" is not a country; "
				"allowed: codes of two letters (ISO 3166-1), 001 for international "
				"networks, or all, 256 at most",
				NULL });
}

static void the_example_is_right(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct config_problems problems = { 0 };
	const char *path = getenv("CONFIG_EXAMPLE");
	assert_non_null(path);
	CHECK_OK(config_load(path, &config, &problems));
	CHECK_STRING(config->node.name, "trunkd1");
	config_destroy(config);
}

// Each row is added to the least file, whose sections it opens or goes on: dataplane stands last.
static void each_wrong_value_has_its_message(void **state)
{
	(void)state;
	static const struct {
		const char *lines;
		const char *message;
	} rows[] = {
		{ "  workers: 17\n",
		  "t.yaml:7: dataplane.workers: 17 is out of range; allowed: 1 to 16" },
		{ "  workers: 99999999999999999999\n",
		  "t.yaml:7: dataplane.workers: \"99999999999999999999\" is not a number; allowed: "
		  "1 to 16" },
		{ "  workers: two\n",
		  "t.yaml:7: dataplane.workers: \"two\" is not a number; allowed: 1 to 16" },
		{ "  workers: -1\n",
		  "t.yaml:7: dataplane.workers: \"-1\" is not a number; allowed: 1 to 16" },
		{ "  workers: 1.0\n",
		  "t.yaml:7: dataplane.workers: \"1.0\" is not a number; allowed: 1 to 16" },
		{ "  workers: '2'\n",
		  "t.yaml:7: dataplane.workers: is quoted text; allowed: 1 to 16" },
		{ "  workers: !!int 2\n",
		  "t.yaml:7: dataplane.workers: is quoted text; allowed: 1 to 16" },
		{ "  workers:\n", "t.yaml:7: dataplane.workers: has no value; allowed: 1 to 16" },
		{ "  workers: ~\n", "t.yaml:7: dataplane.workers: has no value; allowed: 1 to 16" },
		{ "  workers: [2]\n",
		  "t.yaml:7: dataplane.workers: is a list, not one value; allowed: 1 to 16" },
		{ "  workers:\n    count: [1, {}]\n",
		  "t.yaml:8: dataplane.workers: is a section, not a value; allowed: 1 to 16" },
		{ "  memory_mb: 1\n",
		  "t.yaml:7: dataplane.memory_mb: 1 is out of range; allowed: 64 to 65536 MB" },
		{ "  start: yes\n",
		  "t.yaml:7: dataplane.start: \"yes\" is not true or false; allowed: true, false" },
		{ "  polling: Busy\n", "t.yaml:7: dataplane.polling: \"Busy\" is not one of its "
				       "words; allowed: adaptive, busy" },
		{ "  socket: run/x\n", "t.yaml:7: dataplane.socket: \"run/x\" is not an absolute "
				       "path; allowed: a path that starts with /" },
		{ "  socket: ''\n", "t.yaml:7: dataplane.socket: \"\" is not an absolute path; "
				    "allowed: a path that starts with /" },
		{ "  program: x\n", "t.yaml:7: dataplane.program: \"x\" is not an absolute path; "
				    "allowed: a path that starts with /, or empty" },
		{ "  interface: a/b\n",
		  "t.yaml:7: dataplane.interface: \"a/b\" is not a plain word; "
		  "allowed: letters, digits, '.', '_' and '-'" },
		{ "  interface: \"a\\nb\"\n",
		  "t.yaml:7: dataplane.interface: \"a?b\" is not a plain word; "
		  "allowed: letters, digits, '.', '_' and '-'" },
		{ "  cores: [1, x]\n", "t.yaml:7: dataplane.cores: \"x\" is not a number; allowed: "
				       "numbers 0 to 1023, 64 at most" },
		{ "  cores:\n    - 1024\n", "t.yaml:8: dataplane.cores: 1024 is out of range; "
					    "allowed: numbers 0 to 1023, 64 at most" },
		{ "  cores: [[1]]\n",
		  "t.yaml:7: dataplane.cores: holds an item that is no single value; "
		  "allowed: numbers 0 to 1023, 64 at most" },
		{ "  addresses: 192.0.2.1\n",
		  "t.yaml:7: dataplane.addresses: \"192.0.2.1\" is not an address with a prefix "
		  "length; "
		  "allowed: addresses with a prefix length, as 192.0.2.1/24, 64 at most" },
		{ "  prot: 5\n", "t.yaml:7: dataplane.prot: unknown option; allowed: "
				 "dataplane.port is the nearest" },
		{ "  min_ttl: 5\n", "t.yaml:7: dataplane.min_ttl: unknown option; allowed: "
				    "media.min_ttl is the nearest" },
		{ "  qqqqqqqqqqqqqqqq: 5\n",
		  "t.yaml:7: dataplane.qqqqqqqqqqqqqqqq: unknown option; "
		  "allowed: what trunkd --describe options lists" },
		{ "  port: af_packet:eth1\n",
		  "t.yaml:7: dataplane.port: is given again; allowed: once, as on line 6" },
		{ "  [a, b]: 1\n",
		  "t.yaml:7: dataplane: has a name that is no text; allowed: option: value" },
		{ "media:\n  min_ttl: 3\n",
		  "t.yaml:7: media: is given again; allowed: once, as on line 3" },
		{ "nod:\n  name: a\n",
		  "t.yaml:7: nod: unknown section; allowed: node is the nearest" },
		{ "[a]: 1\n", "t.yaml:7: has a name that is no text; allowed: section:" },
		{ "redis: 5\n",
		  "t.yaml:7: redis: is a value, not a section; allowed: lines of option: value" },
		{ "redis:\n  url: http://a:1\n",
		  "t.yaml:8: redis.url: \"http://a:1\" is not a URL it knows; "
		  "allowed: unix:///PATH, redis://HOST:PORT, or empty" },
		{ "redis:\n  url: redis://a\n",
		  "t.yaml:8: redis.url: \"redis://a\" is not a URL it knows; "
		  "allowed: unix:///PATH, redis://HOST:PORT, or empty" },
		{ "admin:\n  metrics_address: 127.0.0.1\n",
		  "t.yaml:8: admin.metrics_address: \"127.0.0.1\" is not an address with a port; "
		  "allowed: ADDRESS:PORT or [IPV6-ADDRESS]:PORT" },
		{ "node:\n  name: &n a\n  user: *n\n",
		  "t.yaml:9: node.user: is an alias; "
		  "allowed: letters, digits, '.', '_' and '-', or empty" },
		{ "---\nnode:\n  name: a\n", "t.yaml:7: holds a second document; allowed: one" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char content[1024];
		struct writer writer = writer_of(content, sizeof(content));
		writer_string(&writer, FILE_LEAST);
		writer_string(&writer, rows[i].lines);
		const char *const messages[] = { rows[i].message, NULL };
		file_is_refused(writer_string_done(&writer), messages);
	}
}

static void wrong_drivers_and_domains_are_refused(void **state)
{
	(void)state;
	static const char *const drivers[] = { "eth0",
					       "pci:",
					       "pci:3:0.0",
					       "af_xdp:",
					       "af_xdp:a b",
					       "af_packet:sixteen-letters.",
					       "pci:0000:03:00-0",
					       "AF_XDP:eth0" };
	static const char *const domains[] = { "a..b", ".a",  "a.",      "-a",
					       "a-",   "a_b", "\"a b\"", "''" };
	for (size_t i = 0; i < 8; i++) {
		char content[512];
		struct config *config = NULL;
		struct config_problems problems = { 0 };
		snprintf(content, sizeof(content),
			 "sip: {addresses: 192.0.2.1, realm: %s}\nmedia: {addresses: 192.0.2.1}\n"
			 "dataplane: {port: '%s'}\n",
			 domains[i], drivers[i]);
		CHECK_STATUS(file_load(content, &config, &problems), ERR_MALFORMED);
		CHECK_NUMBER(problems.count, 2);
	}
}

// A card has to be named in full; what is no card has no device.
static void an_engine_is_a_name_or_a_card(void **state)
{
	(void)state;
	static const char *const right[] = { "auto", "off", "libsrtp2", "crypto_qat:0000:3d:01.0" };
	static const char *const wrong[] = { "crypto_qat",
					     "crypto_qat:3d:01.0",
					     "crypto_qat:0000:3D:01.0",
					     "crypto_qat:0000:3d:01",
					     "ipsec_mb:0000:3d:01.0",
					     "Auto",
					     "''",
					     "ipsec" };
	for (size_t i = 0; i < 12; i++) {
		bool is_right = i < 4;
		const char *engine = is_right ? right[i] : wrong[i - 4];
		char content[512];
		struct config *config = NULL;
		struct config_problems problems = { 0 };
		snprintf(content, sizeof(content),
			 "sip: {addresses: 192.0.2.1, realm: a.b}\nmedia: {addresses: 192.0.2.1}\n"
			 "dataplane: {port: 'af_packet:a', crypto: %s}\n",
			 engine);
		CHECK_STATUS(file_load(content, &config, &problems), is_right ? OK : ERR_MALFORMED);
		CHECK_NUMBER(problems.count, !is_right);
		if (is_right)
			CHECK_STRING(config->dataplane.crypto, engine);
		config_destroy(config);
	}
}

static void everything_wrong_is_reported_at_once(void **state)
{
	(void)state;
	static const char *const messages[] = {
		"t.yaml:2: sip.port: 70000 is out of range; " PORT_ALLOWED,
		"t.yaml:3: sip.addresses: is an empty list; " LIST_ALLOWED,
		"t.yaml:4: sipp: unknown section; allowed: sip is the nearest",
		"t.yaml:1: media.addresses: is missing; " LIST_ALLOWED,
		"t.yaml:6: dataplane.port: is missing; allowed: pci:DEVICE, af_xdp:INTERFACE, "
		"af_packet:INTERFACE",
		NULL,
	};
	file_is_refused("sip:\n  port: 70000\n  addresses: []\nsipp:\n  port: 1\ndataplane:\n",
			messages);
}

static void what_is_no_yaml_is_refused_where_it_ends(void **state)
{
	(void)state;
	static const char *const unclosed[] = {
		"t.yaml:2: sip.port: is a list, not one value; " PORT_ALLOWED,
		"t.yaml:3: is not YAML here: did not find expected ',' or ']'; allowed: sections "
		"of options",
		NULL,
	};
	static const char *const tab[] = {
		"t.yaml:2: is not YAML here: found character that cannot start any token; "
		"allowed: sections of options",
		NULL,
	};
	static const char *const empty[] = {
		"t.yaml:1: sip.addresses: is missing; " LIST_ALLOWED,
		"t.yaml:1: media.addresses: is missing; " LIST_ALLOWED,
		"t.yaml:1: dataplane.port: is missing; allowed: pci:DEVICE, af_xdp:INTERFACE, "
		"af_packet:INTERFACE",
		NULL,
	};
	file_is_refused("sip:\n  port: [1\n", unclosed);
	file_is_refused("sip:\n\tport: 1\n", tab);
	file_is_refused("", empty);
	file_is_refused("# nothing\n", empty);
}

static void a_list_longer_than_its_room_is_refused(void **state)
{
	(void)state;
	char content[4096];
	struct writer writer = writer_of(content, sizeof(content));
	writer_string(&writer, FILE_LEAST "  cores: [0");
	for (unsigned i = 1; i <= CONFIG_LIST_MAX; i++)
		writer_format(&writer, ", %u", i);
	writer_string(&writer, "]\n");
	static const char *const messages[] = {
		"t.yaml:7: dataplane.cores: has too many items; allowed: numbers 0 to 1023, 64 at "
		"most",
		"t.yaml:7: dataplane.cores: has not one core for each worker; "
		"allowed: dataplane.workers cores, or none",
		NULL,
	};
	file_is_refused(writer_string_done(&writer), messages);
}

static void more_problems_than_there_is_room_for_are_said_to_be_more(void **state)
{
	(void)state;
	char content[8192];
	struct writer writer = writer_of(content, sizeof(content));
	struct config *config = NULL;
	struct config_problems problems = { 0 };
	writer_string(&writer, FILE_LEAST);
	for (unsigned i = 0; i < 2 * CONFIG_PROBLEMS_MAX; i++)
		writer_format(&writer, "  wrong%u: 1\n", i);
	CHECK_STATUS(file_load(writer_string_done(&writer), &config, &problems), ERR_MALFORMED);
	CHECK_NUMBER(problems.count, CONFIG_PROBLEMS_MAX);
	CHECK_STRING(problems.messages[CONFIG_PROBLEMS_MAX - 1], "t.yaml: and more, not shown");
}

static void a_default_that_does_not_fit_must_be_given(void **state)
{
	(void)state;
	char content[1024], directory[CONFIG_TEXT_SIZE];
	struct config *config = NULL;
	struct config_problems problems = { 0 };
	memset(directory, 'd', sizeof(directory) - 1);
	directory[0] = '/';
	directory[sizeof(directory) - 1] = 0;
	snprintf(content, sizeof(content), FILE_LEAST "node:\n  state_directory: %s\n", directory);
	CHECK_STATUS(file_load(content, &config, &problems), ERR_MALFORMED);
	CHECK_STRING(problems.messages[0],
		     "t.yaml:1: history.file: is too long by default, give it; "
		     "allowed: a path that starts with /");
}

static void a_file_that_cannot_be_read_says_why(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct config_problems problems = { 0 };
	CHECK_STATUS(config_load("/nonexistent/t.yaml", &config, &problems), ERR_SYSTEM);
	CHECK_NUMBER(problems.count, 1);
	CHECK_STRING(problems.messages[0],
		     "/nonexistent/t.yaml: cannot be read: No such file or directory");
}

static void without_memory_it_says_so(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct config_problems problems = { 0 };
	for (unsigned i = 1; i <= 2; i++) {
		allocation_fail_at(i);
		enum status status = config_load(getenv("CONFIG_EXAMPLE"), &config, &problems);
		CHECK_TRUE(allocation_has_failed());
		assert_null(config);
		CHECK_STATUS(status, ERR_MEMORY);
	}
	allocation_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_least_file_gets_every_default),
		TEST(what_the_file_says_is_what_the_program_gets),
		TEST(definitive_answers_are_those_about_the_called_party),
		TEST(countries_are_codes),
		TEST(the_example_is_right),
		TEST(each_wrong_value_has_its_message),
		TEST(wrong_drivers_and_domains_are_refused),
		TEST(an_engine_is_a_name_or_a_card),
		TEST(everything_wrong_is_reported_at_once),
		TEST(what_is_no_yaml_is_refused_where_it_ends),
		TEST(a_list_longer_than_its_room_is_refused),
		TEST(more_problems_than_there_is_room_for_are_said_to_be_more),
		TEST(a_default_that_does_not_fit_must_be_given),
		TEST(a_file_that_cannot_be_read_says_why),
		TEST(without_memory_it_says_so),
	};
	return RUN_TESTS(tests);
}
