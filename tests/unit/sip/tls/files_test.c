// Files: what is wrong is named, nothing changes for it, nothing leaks, and open streams go on.

#include "tests/check.h"

#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

struct wrong {
	size_t offset; // of the path in struct sip_tls_files
	const char *file, *says;
};

#define WRONG(field, file, says)                                                                   \
	{                                                                                          \
		offsetof(struct sip_tls_files, field), file, says                                  \
	}

static void refuse(struct fixture *fixture, const struct wrong *row)
{
	struct sip_tls_files files = fixture->files;
	struct sip_tls_problem problem;
	struct meeting meeting;
	char path[MAKER_PATH_SIZE];
	const char **field = (const char **)((char *)&files + row->offset);
	*field = row->file[0] == '/' || row->file[0] == '\0'
			 ? row->file
			 : maker_path(fixture->folder, row->file, path);
	CHECK_STATUS(sip_tls_reload(fixture->tls, &files, &problem), ERR_MALFORMED);
	if (strstr(problem.text, row->says) == NULL ||
	    (row->file[0] != '\0' && strstr(problem.text, row->file) == NULL))
		fail_msg("%s does not say %s of %s", problem.text, row->says, row->file);
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &meeting)); // as before
	fixture_part(&meeting);
}

static void write_encrypted(struct fixture *fixture)
{
	char path[MAKER_PATH_SIZE];
	char phrase[] = "secret";
	FILE *file = fopen(maker_path(fixture->folder, "rsa.key", path), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	file = fopen(maker_path(fixture->folder, "locked.key", path), "w");
	CHECK_TRUE(PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (unsigned char *)phrase, 6,
					NULL, NULL) == 1);
	fclose(file);
	EVP_PKEY_free(key);
}

static void what_is_wrong_is_named_and_changes_nothing(void **state)
{
	static const struct maker_order orders[] = {
		{ .name = "weak", .is_rsa = true, .bits = 1024 },
		{ .name = "unrelated", .is_rsa = true },
	};
	static const struct wrong rows[] = {
		WRONG(rsa_certificate, "nowhere.crt", "No such file"),
		WRONG(rsa_certificate, "rsa.key", "tls.rsa_certificate"),
		WRONG(rsa_certificate, "rsa.key", "no certificate in PEM form"),
		WRONG(rsa_certificate, "/tmp", "no file"),
		WRONG(rsa_certificate, "/dev/zero", "no file"),
		WRONG(rsa_certificate, "pipe", "no file"),
		WRONG(rsa_certificate, "damaged.crt", "cannot be read"),
		WRONG(rsa_certificate, "disordered.crt", "out of order"),
		WRONG(rsa_certificate, "", "key of no certificate"),
		WRONG(rsa_key, "nowhere.key", "No such file"),
		WRONG(rsa_key, "ca.crt", "no private key in PEM form"),
		WRONG(rsa_key, "unrelated.key", "not the key of the certificate"),
		WRONG(rsa_key, "ecdsa.key", "is no RSA key"),
		WRONG(rsa_key, "locked.key", "is encrypted"),
		WRONG(ecdsa_key, "rsa.key", "is no ECDSA key"),
		WRONG(certificate_directory, "nowhere", "cannot be listed"),
		WRONG(ca_file, "nowhere.pem", "tls.ca_file"),
		WRONG(ca_file, "rsa.key", "tls.ca_file"),
		WRONG(client_ca_file, "rsa.key", "tls.client_ca_file"),
		WRONG(ticket_key_file, "short", "32 octets"),
		WRONG(ticket_key_file, "nowhere", "openssl rand"),
	};
	struct fixture *fixture = *state;
	char path[MAKER_PATH_SIZE];
	for (unsigned i = 0; i < 2; i++)
		maker_make(fixture->folder, &orders[i]);
	write_encrypted(fixture);
	maker_write(fixture->folder, "short", "too short");
	maker_write(fixture->folder, "half",
		    "-----BEGIN CERTIFICATE-----\nMIIB!\n-----END CERTIFICATE-----\n");
	maker_join(fixture->folder, "damaged.crt", "rsa.crt", "half");
	maker_join(fixture->folder, "disordered.crt", "ca.crt", "rsa.crt");
	CHECK_TRUE(mkfifo(maker_path(fixture->folder, "pipe", path), 0600) == 0);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		refuse(fixture, &rows[i]);
	// A key that is too short for anybody's safety.
	struct sip_tls_files files = fixture->files;
	struct sip_tls_problem problem;
	char key[MAKER_PATH_SIZE];
	files.rsa_certificate = maker_path(fixture->folder, "weak.crt", path);
	files.rsa_key = maker_path(fixture->folder, "weak.key", key);
	CHECK_STATUS(sip_tls_reload(fixture->tls, &files, &problem), ERR_MALFORMED);
	CHECK_TRUE(strstr(problem.text, "key too small") != NULL);
	CHECK_TRUE(counter_get(&sip_tls_counters(fixture->tls)->reloads) == 0);
}

static void a_reload_shows_the_new_and_keeps_the_open(void **state)
{
	struct fixture *fixture = *state;
	struct meeting before, after;
	struct sip_tls_problem problem;
	struct sip_tls_expiry expiries[4];
	static const struct maker_order order = {
		.name = "ecdsa", .sans = "DNS:*.pstn.example", .issuer = "ca", .days = 90
	};
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &before));
	maker_make(fixture->folder, &order);
	CHECK_OK(sip_tls_reload(fixture->tls, &fixture->files, &problem));
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &after));
	CHECK_TRUE(X509_cmp(SSL_get0_peer_certificate(before.ssl),
			    SSL_get0_peer_certificate(after.ssl)) != 0);
	CHECK_TRUE(SSL_write(before.ssl, "still", 5) == 5);
	fixture_turn(fixture, &before, 20);
	CHECK_STRING(before.received, "still");
	fixture_part(&before);
	fixture_part(&after);
	CHECK_TRUE(sip_tls_expiries(fixture->tls, expiries, 4) == 2);
	CHECK_STRING(expiries[0].label, "ecdsa");
	int64_t days = (expiries[0].not_after_s - (int64_t)time(NULL) + 43200) / 86400;
	CHECK_TRUE(days == 90);
	CHECK_TRUE(sip_tls_expiries(fixture->tls, expiries, 1) == 1);
}

// The sanitizer looks for what is lost; this also for what is kept without need.
static void a_thousand_reloads_leak_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct sip_tls_problem problem;
	struct sip_tls_files wrong = fixture->files;
	wrong.ecdsa_key = fixture->paths[1];
	struct meeting meeting;
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &meeting)); // keeps the first one
	size_t before = 0;
	for (unsigned i = 0; i < 1000; i++) {
		if (i == 100)
			before = mallinfo2().uordblks;
		CHECK_OK(sip_tls_reload(fixture->tls, &fixture->files, &problem));
		if (i % 10 == 0)
			CHECK_STATUS(sip_tls_reload(fixture->tls, &wrong, &problem), ERR_MALFORMED);
	}
	CHECK_TRUE(counter_get(&sip_tls_counters(fixture->tls)->reloads) == 1000);
	CHECK_TRUE(mallinfo2().uordblks < before + 65536);
	fixture_part(&meeting);
}

static void facts_and_bundle_tell_what_is_shown(void **state)
{
	struct fixture *fixture = *state;
	CHECK_TRUE(sip_tls_can_accept(fixture->tls));
	CHECK_TRUE(sip_tls_certificate_count(fixture->tls) == 2);
	const struct sip_tls_certificate *facts = sip_tls_certificate(fixture->tls, 0);
	CHECK_STRING(facts->label, "ecdsa");
	CHECK_STRING(facts->subject, "CN=ecdsa");
	CHECK_STRING(facts->issuer, "CN=ca");
	CHECK_STRING(facts->names, "*.pstn.example, 127.0.0.1");
	CHECK_STRING(facts->key_type, "ECDSA 256");
	CHECK_TRUE(facts->is_default);
	CHECK_STRING(sip_tls_certificate(fixture->tls, 1)->key_type, "RSA 2048");
	char *bundle = sip_tls_write_bundle(fixture->tls);
	BIO *in = BIO_new_mem_buf(bundle, -1);
	X509 *ca = PEM_read_bio_X509(in, NULL, NULL, NULL);
	CHECK_TRUE(ca != NULL && X509_check_issued(ca, ca) == X509_V_OK);
	CHECK_TRUE(PEM_read_bio_X509(in, NULL, NULL, NULL) == NULL); // once, though it is over both
	CHECK_TRUE(strstr(bundle, "# CN=ca\n") != NULL);
	X509_free(ca);
	BIO_free(in);
	free(bundle);
}

static void without_certificates_nothing_is_accepted(void **state)
{
	struct fixture *fixture = *state;
	struct sip_tls_files files = { .ca_file = fixture->paths[4] };
	struct sip_tls_problem problem;
	CHECK_OK(sip_tls_reload(fixture->tls, &files, &problem));
	CHECK_FALSE(sip_tls_can_accept(fixture->tls));
	CHECK_TRUE(sip_tls_accept(fixture->tls, fixture->loop, -1, &(struct address){ 0 }) == NULL);
	CHECK_TRUE(sip_tls_certificate_count(fixture->tls) == 0);
	char *bundle = sip_tls_write_bundle(fixture->tls);
	CHECK_STRING(bundle, "");
	free(bundle);
}

static void a_folder_alone_will_do(void **state)
{
	struct fixture *fixture = *state;
	struct sip_tls_files files = { .certificate_directory = fixture->folder,
				       .ca_file = fixture->paths[4],
				       .has_tls13 = true };
	struct sip_tls_problem problem;
	struct meeting meeting;
	CHECK_OK(sip_tls_reload(fixture->tls, &files, &problem));
	CHECK_TRUE(sip_tls_certificate_count(fixture->tls) == 3); // ca, ecdsa, rsa
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &meeting));
	fixture_part(&meeting);
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TLS_TEST(what_is_wrong_is_named_and_changes_nothing),
		TLS_TEST(a_reload_shows_the_new_and_keeps_the_open),
		TLS_TEST(a_thousand_reloads_leak_nothing),
		TLS_TEST(facts_and_bundle_tell_what_is_shown),
		TLS_TEST(without_certificates_nothing_is_accepted),
		TLS_TEST(a_folder_alone_will_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
