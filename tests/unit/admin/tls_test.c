// What the operator sees of TLS: certificates, how long they last, what is offered, the bundle.

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/metrics.h"
#include "fake.h"
#include "sip/tls/tls.h"
#include "tests/unit/sip/tls/maker.h"

struct world {
	struct fake fake;
	char folder[MAKER_PATH_SIZE], certificate[MAKER_PATH_SIZE], key[MAKER_PATH_SIZE];
	struct sip_tls_files files;
	struct sip_tls *tls;
};

static int start(void **state)
{
	static const struct maker_order orders[] = {
		{ .name = "ca", .is_ca = true },
		{ .name = "own", .sans = "DNS:*.pstn.example", .issuer = "ca", .days = 20 },
	};
	struct world *world = calloc(1, sizeof *world);
	struct sip_tls_problem problem;
	fake_make(&world->fake);
	clock_update(&world->fake.clock);
	maker_start(world->folder);
	for (unsigned i = 0; i < 2; i++)
		maker_make(world->folder, &orders[i]);
	world->files.ecdsa_certificate = maker_path(world->folder, "own.crt", world->certificate);
	world->files.ecdsa_key = maker_path(world->folder, "own.key", world->key);
	world->files.ca_file = world->certificate;
	CHECK_OK(sip_tls_create(&world->files, NULL, &world->tls, &problem));
	world->fake.context.tls = world->tls;
	world->fake.config.tls.tls13 = true;
	(void)text_copy(TEXT("pstn.example"), world->fake.config.sip.base_domain,
			sizeof world->fake.config.sip.base_domain);
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	sip_tls_destroy(world->tls);
	maker_stop(world->folder);
	fake_remove(&world->fake);
	free(world);
	return 0;
}

static const char *string_at(const json_t *object, const char *key)
{
	const char *string = json_string_value(json_object_get(object, key));
	return string ? string : "";
}

static void certificates_and_offers_are_listed(void **state)
{
	struct world *world = *state;
	json_t *answer = fake_ask(&world->fake, "show tls");
	const json_t *rows = json_object_get(answer, "certificates");
	CHECK_TRUE(json_array_size(rows) == 1);
	const json_t *row = json_array_get(rows, 0);
	CHECK_STRING(string_at(row, "certificate"), "ecdsa");
	CHECK_STRING(string_at(row, "names"), "*.pstn.example");
	CHECK_STRING(string_at(row, "issuer"), "CN=ca");
	CHECK_STRING(string_at(row, "key"), "ECDSA 256");
	CHECK_STRING(string_at(row, "file"), world->certificate);
	json_int_t days = json_integer_value(json_object_get(row, "days_left"));
	CHECK_TRUE(days == 19 || days == 20);
	CHECK_STRING(string_at(answer, "covered"), "*.pstn.example: yes");
	CHECK_TRUE(json_array_size(json_object_get(answer, "suites")) == 14);
	CHECK_TRUE(json_array_size(json_object_get(answer, "suites_1.3")) == 3);
	CHECK_TRUE(json_array_size(json_object_get(answer, "versions")) == 2);
	CHECK_TRUE(json_object_size(json_object_get(answer, "failed")) == SIP_TLS_REASON_COUNT);
	json_decref(answer);
}

static void status_warns_before_a_certificate_ends(void **state)
{
	struct world *world = *state;
	json_t *answer = fake_ask(&world->fake, "status");
	const json_t *tls = json_object_get(answer, "tls");
	CHECK_TRUE(json_is_true(json_object_get(tls, "listening")));
	CHECK_TRUE(strstr(string_at(tls, "warning"), "certificate ecdsa expires in ") != NULL);
	CHECK_TRUE(strstr(string_at(tls, "warning"), world->certificate) != NULL);
	json_decref(answer);
	world->fake.clock.wall_ms += 21ull * 86400000;
	answer = fake_ask(&world->fake, "status");
	tls = json_object_get(answer, "tls");
	CHECK_TRUE(strstr(string_at(tls, "warning"), "has expired") != NULL);
	json_decref(answer);
	world->fake.clock.wall_ms -= 60ull * 86400000;
	answer = fake_ask(&world->fake, "status");
	CHECK_TRUE(json_object_get(json_object_get(answer, "tls"), "warning") == NULL);
	json_decref(answer);
}

static void without_certificates_status_says_why_nothing_listens(void **state)
{
	struct world *world = *state;
	struct sip_tls_files files = { .ca_file = world->certificate };
	struct sip_tls_problem problem;
	CHECK_OK(sip_tls_reload(world->tls, &files, &problem));
	json_t *answer = fake_ask(&world->fake, "status");
	CHECK_TRUE(strstr(string_at(json_object_get(answer, "tls"), "listening"),
			  "no certificate is configured") != NULL);
	json_decref(answer);
	CHECK_STRING(fake_code(&world->fake, "show tls ca"), "ERR_NOT_FOUND");
}

static void the_bundle_is_printed(void **state)
{
	struct world *world = *state;
	json_t *answer = fake_ask(&world->fake, "show tls ca");
	CHECK_TRUE(strstr(string_at(answer, "pem"), "# CN=ca\n-----BEGIN CERTIFICATE-----") !=
		   NULL);
	json_decref(answer);
}

static void metrics_tell_when_certificates_end(void **state)
{
	struct world *world = *state;
	char line[128];
	(void)snprintf(line, sizeof line,
		       "\ntrunkd_tls_certificate_expiry_seconds{certificate=\"ecdsa\"} %lld\n",
		       (long long)sip_tls_certificate(world->tls, 0)->not_after_s);
	char *page = admin_metrics_write(&world->fake.context);
	CHECK_TRUE(strstr(page, line) != NULL);
	CHECK_TRUE(strstr(page, "\ntrunkd_tls_handshakes_total{version=\"1.3\"} 0\n") != NULL);
	CHECK_TRUE(strstr(page, "\ntrunkd_tls_handshakes_failed_total{reason=\"cipher\"} 0\n") !=
		   NULL);
	free(page);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(certificates_and_offers_are_listed),
		WORLD_TEST(status_warns_before_a_certificate_ends),
		WORLD_TEST(without_certificates_status_says_why_nothing_listens),
		WORLD_TEST(the_bundle_is_printed),
		WORLD_TEST(metrics_tell_when_certificates_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
