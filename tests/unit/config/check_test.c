// The rules across options, each with its exact message.

#include "tests/unit/config/file.h"

static void each_broken_rule_has_its_message(void **state)
{
	(void)state;
	static const struct {
		const char *sip, *media, *dataplane, *rest;
		const char *message;
	} rows[] = {
		{ "addresses: [192.0.2.1, 192.0.2.1]", NULL, NULL, NULL,
		  "t.yaml:1: sip.addresses: holds an address twice; allowed: each once" },
		{ "addresses: 0.0.0.0", NULL, NULL, NULL,
		  "t.yaml:1: sip.addresses: holds the unspecified address; allowed: addresses that "
		  "peers reach" },
		{ "addresses: 'fe80::1'", NULL, NULL, NULL,
		  "t.yaml:1: sip.addresses: holds a link-local address; allowed: addresses that "
		  "peers "
		  "reach beyond one link" },
		{ "addresses: 'ff02::1'", NULL, NULL, NULL,
		  "t.yaml:1: sip.addresses: holds a multicast address; allowed: addresses that "
		  "peers "
		  "reach" },
		{ "addresses: '::ffff:192.0.2.1'", NULL, NULL, NULL,
		  "t.yaml:1: sip.addresses: holds an IPv4 address in the form of IPv6; allowed: "
		  "that "
		  "address as such" },
		{ NULL, "addresses: 255.255.255.255", NULL, NULL,
		  "t.yaml:2: media.addresses: holds a multicast or broadcast address; allowed: "
		  "addresses that peers reach" },
		{ NULL, "addresses: '::'", NULL, NULL,
		  "t.yaml:2: media.addresses: holds the unspecified address; allowed: addresses "
		  "that peers reach" },
		{ "addresses: 192.0.2.1, t1_ms: 900, t2_ms: 899", NULL, NULL, NULL,
		  "t.yaml:1: sip.t2_ms: is less than sip.t1_ms; allowed: sip.t1_ms or more" },
		{ "addresses: 192.0.2.1, port: 10000", "addresses: 192.0.2.1", NULL, NULL,
		  "t.yaml:1: sip.port: is a port of media on an address of media; allowed: outside "
		  "10000 to 20000" },
		{ "addresses: 192.0.2.1, tls_port: 5060", NULL, NULL, NULL,
		  "t.yaml:1: sip.tls_port: is sip.port; allowed: a port of its own" },
		{ NULL, NULL, "port: 'af_packet:a', workers: 2, cores: 1", NULL,
		  "t.yaml:3: dataplane.cores: has not one core for each worker; "
		  "allowed: dataplane.workers cores, or none" },
		{ NULL, NULL, "port: 'af_packet:a', workers: 2, cores: [1, 1]", NULL,
		  "t.yaml:3: dataplane.cores: holds a core twice; allowed: each once" },
		{ NULL, NULL, "port: 'af_packet:a', interface: sixteen-letters.", NULL,
		  "t.yaml:3: dataplane.interface: is too long; allowed: 15 characters" },
		{ NULL, NULL, "port: 'af_xdp:a', addresses: 192.0.2.1/24", NULL,
		  "t.yaml:3: dataplane.addresses: has no interface to go to, af_xdp makes none; "
		  "allowed: nothing with af_xdp" },
		{ NULL, NULL, "port: 'af_xdp:a', gateway: 192.0.2.1", NULL,
		  "t.yaml:3: dataplane.gateway: has no interface to go to, af_xdp makes none; "
		  "allowed: nothing with af_xdp" },
		{ NULL, NULL, "port: 'af_packet:a', addresses: 192.0.2.1/24, gateway: 198.51.100.1",
		  NULL,
		  "t.yaml:3: dataplane.gateway: is in no network of dataplane.addresses; "
		  "allowed: a neighbour in one of them" },
		{ NULL, NULL, "port: 'af_packet:a', addresses: 192.0.2.1/24, gateway: 'fe80::1'",
		  NULL,
		  "t.yaml:3: dataplane.gateway: is in no network of dataplane.addresses; "
		  "allowed: a neighbour in one of them" },
		{ NULL, NULL,
		  "port: 'af_packet:a', addresses: 192.0.2.1/24, gateway: [192.0.2.3, 192.0.2.2]",
		  NULL,
		  "t.yaml:3: dataplane.gateway: is given twice for one family; "
		  "allowed: one IPv4 and one IPv6 address" },
		{ NULL, NULL, NULL, "redis: {password_file: /x}\n",
		  "t.yaml:4: redis.password_file: is for the Redis of redis.url, which is empty; "
		  "allowed: nothing without it" },
		{ NULL, NULL, NULL, "redis: {addresses: [192.0.2.7]}\n",
		  "t.yaml:4: redis.addresses: are further ones of redis.url, which is empty; "
		  "allowed: nothing without it" },
		{ NULL, NULL, NULL, "limits: {default_cps: 5, max_cps: 4}\n",
		  "t.yaml:4: limits.default_cps: is more than limits.max_cps; allowed: "
		  "limits.max_cps or less" },
		{ NULL, NULL, NULL, "names: {servers: 192.0.2.53}\n",
		  "t.yaml:4: names.servers: needs names.key_file; allowed: with a file that holds "
		  "a "
		  "TSIG key" },
		{ NULL, NULL, NULL, "notify: {mail_server: smtp://mail.example.com}\n",
		  "t.yaml:4: notify.mail_server: needs notify.mail_sender; allowed: a server with "
		  "it" },
		{ NULL, NULL, NULL, "notify: {mail_user: trunkd}\n",
		  "t.yaml:4: notify.mail_user: needs notify.mail_password_file, and that needs it; "
		  "allowed: both or none" },
		{ NULL, NULL, NULL, "notify: {verifications: mailto:ops@example.com}\n",
		  "t.yaml:4: notify.verifications: needs notify.mail_server; allowed: mailto: with "
		  "it, or https://" },
		{ NULL, NULL, NULL, "notify: {mail_sender: \"a@b> x\"}\n",
		  "t.yaml:4: notify.mail_sender: \"a@b> x\" is not an address of e-mail; allowed: "
		  "NAME@DOMAIN, or empty" },
		{ NULL, NULL, NULL, "notify: {mail_server: \"smtp://host/x\"}\n",
		  "t.yaml:4: notify.mail_server: \"smtp://host/x\" is not a mail server; allowed: "
		  "smtp://HOST[:PORT], smtps://HOST[:PORT], or empty" },
		{ NULL, NULL, NULL, "cnam: {source: http}\n",
		  "t.yaml:4: cnam.source: needs cnam.url; allowed: http with it" },
		{ NULL, NULL, NULL, "cnam: {source: file}\n",
		  "t.yaml:4: cnam.source: needs cnam.file; allowed: file with it" },
		{ NULL, NULL, NULL, "names: {zone: example.net}\n",
		  "t.yaml:4: names.zone: does not hold sip.base_domain; allowed: it, or a domain "
		  "above it" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char content[1024];
		snprintf(content, sizeof(content), "sip: {%s}\nmedia: {%s}\ndataplane: {%s}\n%s",
			 rows[i].sip ? rows[i].sip : "addresses: 192.0.2.1",
			 rows[i].media ? rows[i].media : "addresses: 192.0.2.2",
			 rows[i].dataplane ? rows[i].dataplane : "port: 'af_packet:eth0'",
			 rows[i].rest ? rows[i].rest : "");
		const char *const messages[] = { rows[i].message, NULL };
		file_is_refused(content, messages);
	}
}

static void sockets_must_fit_the_kernels_limit(void **state)
{
	(void)state;
	static const char *const forms[] = {
		"  socket: %s\n",
		"admin:\n  socket: %s\n",
		"redis:\n  url: unix://%s\n",
	};
	char path[200];
	for (size_t size = 107; size <= 108; size++) {
		memset(path, 'p', sizeof(path));
		path[0] = '/';
		path[size] = 0;
		for (size_t i = 0; i < 3; i++) {
			char content[1024];
			struct config *config = NULL;
			struct config_problems problems = { 0 };
			struct writer writer = writer_of(content, sizeof(content));
			struct text rest = text_of(forms[i]);
			writer_string(&writer, FILE_LEAST);
			writer_text(&writer, text_split(&rest, '%'));
			writer_string(&writer, path);
			writer_char(&writer, '\n');
			enum status expected = size == 107 ? OK : ERR_MALFORMED;
			CHECK_STATUS(file_load(writer_string_done(&writer), &config, &problems),
				     expected);
			CHECK_NUMBER(problems.count, size == 107 ? 0 : 1);
			config_destroy(config);
		}
	}
}

static void what_keeps_the_rules_is_taken(void **state)
{
	(void)state;
	config_destroy(file_must_load(
		"sip: {addresses: 192.0.2.1, port: 10000}\nmedia: {addresses: 192.0.2.2}\n"
		"dataplane: {port: 'af_packet:a', addresses: ['192.0.2.1/24', '2001:db8::1/64'],"
		" gateway: ['192.0.2.254', 'fe80::1']}\n"));
	config_destroy(
		file_must_load("sip: {addresses: 192.0.2.1}\nmedia: {addresses: "
			       "192.0.2.1}\ndataplane: {port: 'af_xdp:a'}\n"
			       "redis: {url: 'unix:///run/r.sock', password_file: /x,"
			       " addresses: [192.0.2.7, '192.0.2.8:6380', '2001:db8::7']}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_broken_rule_has_its_message),
		TEST(sockets_must_fit_the_kernels_limit),
		TEST(what_keeps_the_rules_is_taken),
	};
	return RUN_TESTS(tests);
}
