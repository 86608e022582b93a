// What clients can agree on with us: suites, certificates, names, tickets (TLS-008 to -017).

#include "tests/check.h"

#include <openssl/sslerr.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "fixture.h"

static const char *const SUITES[] = {
	"ECDHE-ECDSA-AES128-GCM-SHA256",
	"ECDHE-RSA-AES128-GCM-SHA256",
	"ECDHE-ECDSA-AES128-SHA256",
	"ECDHE-RSA-AES128-SHA256",
	"ECDHE-ECDSA-AES256-GCM-SHA384",
	"ECDHE-RSA-AES256-GCM-SHA384",
	"ECDHE-ECDSA-AES256-SHA384",
	"ECDHE-RSA-AES256-SHA384",
	"AES128-GCM-SHA256",
	"AES128-SHA256",
	"AES128-SHA",
	"AES256-GCM-SHA384",
	"AES256-SHA256",
	"AES256-SHA",
};
#define SUITE_COUNT (sizeof SUITES / sizeof SUITES[0])

static SSL *peer_of(struct fixture *fixture, const char *suites, int version)
{
	SSL *peer = fixture_peer(fixture);
	CHECK_TRUE(SSL_set_cipher_list(peer, suites) == 1);
	CHECK_TRUE(SSL_set_min_proto_version(peer, version) == 1);
	CHECK_TRUE(SSL_set_max_proto_version(peer, version) == 1);
	return peer;
}

static void each_of_the_fourteen_suites_is_taken(void **state)
{
	struct fixture *fixture = *state;
	for (unsigned i = 0; i < SUITE_COUNT; i++) {
		struct meeting meeting;
		struct sip_tls_facts facts;
		if (!fixture_is_met(fixture, peer_of(fixture, SUITES[i], TLS1_2_VERSION), &meeting))
			fail_msg("%s is refused: %s", SUITES[i], fixture->failure_detail);
		sip_tls_read(meeting.ours, &facts);
		CHECK_STRING(facts.cipher, SUITES[i]);
		CHECK_TRUE(facts.version == SIP_TLS_1_2);
		fixture_part(&meeting);
	}
	CHECK_TRUE(counter_get(&sip_tls_counters(fixture->tls)->handshakes[2]) == SUITE_COUNT);
}

static bool is_ours(const char *name)
{
	for (unsigned i = 0; i < SUITE_COUNT; i++)
		if (strcmp(SUITES[i], name) == 0)
			return true;
	return false;
}

static void every_other_suite_of_the_library_is_refused(void **state)
{
	struct fixture *fixture = *state;
	SSL *all = peer_of(fixture, "ALL:eNULL:aNULL:@SECLEVEL=0", TLS1_2_VERSION);
	STACK_OF(SSL_CIPHER) *suites = SSL_get_ciphers(all);
	unsigned refused = 0;
	for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
		const SSL_CIPHER *suite = sk_SSL_CIPHER_value(suites, i);
		const char *name = SSL_CIPHER_get_name(suite);
		struct meeting meeting;
		if (is_ours(name) || strncmp(name, "TLS_", 4) == 0)
			continue; // TLS_: of 1.3, whatever the list says
		if (strstr(name, "PSK") != NULL || strstr(name, "SRP") != NULL)
			continue; // cannot be offered without a secret shared before
		if (fixture_is_met(fixture, peer_of(fixture, name, TLS1_2_VERSION), &meeting))
			fail_msg("%s is taken", name);
		refused++;
	}
	SSL_free(all);
	CHECK_TRUE(refused > 20);
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_CIPHER) == refused);
}

static void tls_1_3_is_spoken_unless_switched_off(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	struct sip_tls_facts facts;
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &meeting));
	sip_tls_read(meeting.ours, &facts);
	CHECK_TRUE(facts.version == SIP_TLS_1_3);
	CHECK_STRING(facts.server_name, "acme.pstn.example");
	fixture_part(&meeting);
	fixture->files.has_tls13 = false;
	fixture_restart(fixture);
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &meeting));
	sip_tls_read(meeting.ours, &facts);
	CHECK_TRUE(facts.version == SIP_TLS_1_2);
	fixture_part(&meeting);
	SSL *peer = fixture_peer(fixture);
	CHECK_TRUE(SSL_set_min_proto_version(peer, TLS1_3_VERSION) == 1);
	CHECK_FALSE(fixture_is_met(fixture, peer, &meeting));
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_VERSION) == 1);
}

static void what_is_sent_arrives(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &meeting));
	CHECK_TRUE(SSL_write(meeting.ssl, "OPTIONS", 7) == 7);
	fixture_turn(fixture, &meeting, 20);
	CHECK_STRING(meeting.received, "OPTIONS");
	fixture_part(&meeting);
}

// TLS-009
static void clients_of_one_key_type_find_their_certificate(void **state)
{
	static const struct {
		const char *algorithms;
		int type;
	} rows[] = { { "ECDSA+SHA256", EVP_PKEY_EC },
		     { "RSA-PSS+SHA256:RSA+SHA256", EVP_PKEY_RSA } };
	struct fixture *fixture = *state;
	for (unsigned i = 0; i < 2; i++) {
		for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
			struct meeting meeting;
			SSL *peer = fixture_peer(fixture);
			(void)SSL_set_max_proto_version(peer, version);
			CHECK_TRUE(SSL_set1_sigalgs_list(peer, rows[i].algorithms) == 1);
			CHECK_TRUE(fixture_is_met(fixture, peer, &meeting));
			EVP_PKEY *key = X509_get0_pubkey(SSL_get0_peer_certificate(meeting.ssl));
			CHECK_TRUE(EVP_PKEY_get_base_id(key) == rows[i].type);
			CHECK_TRUE(sk_X509_num(SSL_get_peer_cert_chain(meeting.ssl)) == 2);
			fixture_part(&meeting);
		}
	}
}

static void check_subject(struct fixture *fixture, const char *name, int type, const char *wanted)
{
	struct meeting meeting;
	char subject[64];
	SSL *peer = SSL_new(fixture->client);
	if (name != NULL)
		CHECK_TRUE(SSL_set_tlsext_host_name(peer, name) == 1);
	CHECK_TRUE(SSL_set1_sigalgs_list(peer, type == EVP_PKEY_RSA ? "RSA-PSS+SHA256"
								    : "ECDSA+SHA256") == 1);
	CHECK_TRUE(fixture_is_met(fixture, peer, &meeting));
	X509_NAME *seen = X509_get_subject_name(SSL_get0_peer_certificate(meeting.ssl));
	(void)X509_NAME_get_text_by_NID(seen, NID_commonName, subject, sizeof subject);
	CHECK_STRING(subject, wanted);
	fixture_part(&meeting);
}

// TLS-010 to -012: one wildcard label is not enough for all names, so further certificates join.
static void the_name_a_client_asks_for_chooses_the_certificate(void **state)
{
	struct fixture *fixture = *state;
	char further[MAKER_PATH_SIZE];
	static const struct maker_order orders[] = {
		{ .name = "edge", .sans = "DNS:*.PSTN.ashburn.example, DNS:a.b.pstn.example" },
		{ .name = "edge-rsa", .is_rsa = true, .sans = "DNS:*.pstn.ashburn.example" },
		{ .name = "domain", .is_rsa = true, .sans = "DNS:*.sip.example" },
	};
	(void)maker_path(fixture->folder, "further", further);
	fixture->files.certificate_directory = further;
	CHECK_TRUE(mkdir(further, 0700) == 0);
	for (unsigned i = 0; i < 3; i++)
		maker_make(further, &orders[i]);
	maker_write(further, "note.txt", "no certificate\n");
	fixture_restart(fixture);
	check_subject(fixture, "acme.pstn.example", EVP_PKEY_EC, "ecdsa");
	check_subject(fixture, "acme.pstn.ashburn.example", EVP_PKEY_EC, "edge");
	check_subject(fixture, "ACME.PSTN.ASHBURN.example", EVP_PKEY_RSA, "edge-rsa");
	check_subject(fixture, "a.b.pstn.example", EVP_PKEY_EC, "edge");
	check_subject(fixture, "x.sip.example", EVP_PKEY_RSA, "domain");
	check_subject(fixture, "a.b.sip.example", EVP_PKEY_EC, "ecdsa"); // two labels: the default
	check_subject(fixture, "other.example", EVP_PKEY_RSA, "rsa");
	check_subject(fixture, NULL, EVP_PKEY_EC, "ecdsa");
	CHECK_TRUE(sip_tls_covers(fixture->tls, TEXT("*.pstn.example")));
	CHECK_TRUE(sip_tls_covers(fixture->tls, TEXT("x.pstn.ashburn.example.")));
	CHECK_FALSE(sip_tls_covers(fixture->tls, TEXT("pstn.example")));
	CHECK_FALSE(sip_tls_covers(fixture->tls, TEXT("a.b.sip.example")));
	CHECK_FALSE(sip_tls_covers(fixture->tls, TEXT("")));
	CHECK_FALSE(sip_tls_covers(fixture->tls, TEXT(".pstn.example")));
	fixture->files.certificate_directory = NULL;
	fixture_restart(fixture);
}

static void renegotiation_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	SSL *peer = peer_of(fixture, "ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION);
	CHECK_TRUE(fixture_is_met(fixture, peer, &meeting));
	CHECK_TRUE(SSL_renegotiate(peer) == 1);
	(void)SSL_do_handshake(peer);
	fixture_turn(fixture, &meeting, 20);
	CHECK_TRUE(meeting.peer_reason == SSL_R_NO_RENEGOTIATION || meeting.has_ended[1]);
	CHECK_TRUE(counter_get(&sip_tls_counters(fixture->tls)->handshakes[2]) == 1);
	fixture_part(&meeting);
}

static void strangers(struct fixture *fixture, const char *octets, size_t size,
		      struct meeting *meeting)
{
	int fds[2];
	static const struct address remote = { .family = ADDRESS_IPV4, .port = 1 };
	CHECK_TRUE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	*meeting = (struct meeting){ .fd = -1 };
	meeting->ours = sip_tls_accept(fixture->tls, fixture->loop, fds[0], &remote);
	assert_non_null(meeting->ours);
	CHECK_TRUE(bufferevent_enable(meeting->ours, EV_READ | EV_WRITE) == 0);
	(void)!write(fds[1], octets, size);
	fixture_turn(fixture, meeting, 5);
	close(fds[1]);
	fixture_turn(fixture, meeting, 5);
	sip_tls_close(meeting->ours, false);
}

// TLS-016
static void failures_are_counted_by_reason(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	strangers(fixture, "OPTIONS sip:a@b SIP/2.0\r\n\r\n", 27, &meeting);
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_NOT_TLS) == 1);
	strangers(fixture, "GET / HTTP/1.1\r\n\r\n", 18, &meeting);
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_NOT_TLS) == 2);
	strangers(fixture, "", 0, &meeting);
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_CLOSED) == 1);
	CHECK_TRUE(fixture->failed == 3);
	SSL *peer = fixture_peer(fixture);
	SSL_set_verify(peer, SSL_VERIFY_PEER, NULL); // without any CA it trusts nobody
	CHECK_FALSE(fixture_is_met(fixture, peer, &meeting));
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_ALERT) == 1);
	CHECK_STRING(fixture->failure_detail, "tlsv1 alert unknown ca");
	CHECK_STRING(fixture->failure_name, "acme.pstn.example");
	CHECK_TRUE(fixture->failure.version == SIP_TLS_1_3);
	CHECK_TRUE(fixture->failure.remote.port == 40000);
}

static void a_flood_of_failures_is_told_in_part(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	for (unsigned i = 0; i < 300; i++)
		strangers(fixture, "x", 1, &meeting);
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_CLOSED) == 300);
	CHECK_TRUE(fixture->failed <= 100); // ten a second
	CHECK_TRUE(fixture->failed >= 10);
}

// The first words of a client, spoiled in every way chance finds.
static void a_spoiled_hello_harms_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	char hello[2048];
	BIO *out = BIO_new(BIO_s_mem()), *in = BIO_new(BIO_s_mem());
	SSL *peer = fixture_peer(fixture);
	SSL_set_bio(peer, in, out);
	SSL_set_connect_state(peer);
	(void)SSL_do_handshake(peer);
	int size = BIO_read(out, hello, sizeof hello);
	CHECK_TRUE(size > 100);
	for (unsigned i = 0; i < 1500; i++) {
		char spoiled[2048];
		memcpy(spoiled, hello, (size_t)size);
		for (unsigned j = 0; j <= i % 4; j++)
			spoiled[5 + random_below((uint32_t)size - 5)] = (char)random_number();
		strangers(fixture, spoiled, (size_t)size, &meeting);
	}
	SSL_free(peer);
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &meeting));
	fixture_part(&meeting);
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TLS_TEST(each_of_the_fourteen_suites_is_taken),
		TLS_TEST(every_other_suite_of_the_library_is_refused),
		TLS_TEST(tls_1_3_is_spoken_unless_switched_off),
		TLS_TEST(what_is_sent_arrives),
		TLS_TEST(clients_of_one_key_type_find_their_certificate),
		TLS_TEST(the_name_a_client_asks_for_chooses_the_certificate),
		TLS_TEST(renegotiation_is_refused),
		TLS_TEST(failures_are_counted_by_reason),
		TLS_TEST(a_flood_of_failures_is_told_in_part),
		TLS_TEST(a_spoiled_hello_harms_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
