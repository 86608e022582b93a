// TLS 1.0 and 1.1: refused, or taken where our side says so (TLS-002, TLS-003, TLS-006, TLS-015); and
// sessions that resume.

#include "tests/check.h"

#include <openssl/sslerr.h>
#include <string.h>

#include "fixture.h"

static SSL *old_peer(struct fixture *fixture, int version)
{
	SSL *peer = fixture_peer(fixture);
	CHECK_TRUE(SSL_set_cipher_list(peer, "ALL@SECLEVEL=0") == 1);
	CHECK_TRUE(SSL_set_max_proto_version(peer, version) == 1);
	return peer;
}

static void old_versions_are_refused_by_default(void **state)
{
	struct fixture *fixture = *state;
	for (int version = TLS1_VERSION; version <= TLS1_1_VERSION; version++) {
		struct meeting meeting;
		fixture_meet(fixture, old_peer(fixture, version), &meeting);
		CHECK_FALSE(meeting.is_open[0] || meeting.is_open[1]);
		CHECK_TRUE(meeting.peer_reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
		fixture_part(&meeting);
		CHECK_STRING(fixture->asked_name, "acme.pstn.example");
		CHECK_TRUE(fixture->failure.version == version);
		CHECK_TRUE(fixture->failure.reason == SIP_TLS_DEPRECATED);
	}
	CHECK_TRUE(fixture->asked == 2);
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_DEPRECATED) == 2);
	CHECK_STRING(sip_tls_version_text(SIP_TLS_1_0), "1.0");
	CHECK_STRING(sip_tls_version_text(0), "none");
	CHECK_STRING(sip_tls_version_text(0x0200), "unknown");
}

static void old_versions_are_taken_where_a_setting_says_so(void **state)
{
	struct fixture *fixture = *state;
	fixture->allows_deprecated = true;
	for (int version = TLS1_VERSION; version <= TLS1_1_VERSION; version++) {
		struct meeting meeting;
		struct sip_tls_facts facts;
		CHECK_TRUE(fixture_is_met(fixture, old_peer(fixture, version), &meeting));
		sip_tls_read(meeting.ours, &facts);
		CHECK_TRUE(facts.version == version);
		CHECK_TRUE(strcmp(facts.cipher, "AES128-SHA") == 0 ||
			   strcmp(facts.cipher, "AES256-SHA") ==
				   0); // the only two of TLS-008 for it
		fixture_part(&meeting);
	}
	CHECK_TRUE(counter_get(&sip_tls_counters(fixture->tls)->handshakes[0]) == 1);
	CHECK_TRUE(counter_get(&sip_tls_counters(fixture->tls)->handshakes[1]) == 1);
}

static void nobody_is_asked_about_a_client_that_can_do_better(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	fixture->allows_deprecated = true;
	CHECK_TRUE(fixture_is_met(fixture, fixture_peer(fixture), &meeting));
	CHECK_TRUE(SSL_version(meeting.ssl) == TLS1_3_VERSION);
	fixture_part(&meeting);
	CHECK_TRUE(fixture_is_met(fixture, old_peer(fixture, TLS1_2_VERSION), &meeting));
	CHECK_TRUE(SSL_version(meeting.ssl) == TLS1_2_VERSION);
	fixture_part(&meeting);
	CHECK_TRUE(fixture->asked == 0);
}

static void without_anybody_to_ask_old_versions_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	fixture->allows_deprecated = true;
	fixture->user = (struct sip_tls_user){ 0 };
	fixture_restart(fixture);
	CHECK_FALSE(fixture_is_met(fixture, old_peer(fixture, TLS1_VERSION), &meeting));
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_DEPRECATED) == 1);
}

// One connection, whose session comes out.
static SSL_SESSION *first_session(struct fixture *fixture, int version)
{
	struct meeting meeting;
	SSL *peer = fixture_peer(fixture);
	CHECK_TRUE(SSL_set_max_proto_version(peer, version) == 1);
	CHECK_TRUE(fixture_is_met(fixture, peer, &meeting));
	CHECK_FALSE(SSL_session_reused(peer));
	SSL_SESSION *session = SSL_get1_session(peer);
	CHECK_TRUE(SSL_SESSION_has_ticket(session));
	fixture_part(&meeting);
	return session;
}

static bool is_resumed(struct fixture *fixture, SSL_SESSION *session, int version)
{
	struct meeting meeting;
	struct sip_tls_facts facts;
	SSL *peer = fixture_peer(fixture);
	CHECK_TRUE(SSL_set_max_proto_version(peer, version) == 1);
	CHECK_TRUE(SSL_set_session(peer, session) == 1);
	CHECK_TRUE(fixture_is_met(fixture, peer, &meeting));
	sip_tls_read(meeting.ours, &facts);
	bool is_reused = SSL_session_reused(peer) == 1;
	CHECK_TRUE(facts.is_resumed == is_reused);
	fixture_part(&meeting);
	return is_reused;
}

static void a_session_is_resumed_after_its_connection_and_a_reload(void **state)
{
	struct fixture *fixture = *state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct sip_tls_problem problem;
		SSL_SESSION *session = first_session(fixture, version);
		CHECK_TRUE(is_resumed(fixture, session, version));
		CHECK_OK(sip_tls_reload(fixture->tls, &fixture->files, &problem));
		CHECK_TRUE(is_resumed(fixture, session, version));
		SSL_SESSION_free(session);
	}
	CHECK_TRUE(counter_get(&sip_tls_counters(fixture->tls)->resumed) == 4);
}

static void nodes_with_the_same_secret_resume_each_others_sessions(void **state)
{
	struct fixture *fixture = *state;
	SSL_SESSION *session = first_session(fixture, TLS1_3_VERSION);
	fixture_restart(fixture); // other random keys
	CHECK_FALSE(is_resumed(fixture, session, TLS1_3_VERSION));
	SSL_SESSION_free(session);
	maker_write(fixture->folder, "secret", "0123456789012345678901234567890123456789\n");
	fixture->files.ticket_key_file = maker_path(fixture->folder, "secret", fixture->paths[6]);
	fixture_restart(fixture);
	session = first_session(fixture, TLS1_2_VERSION);
	fixture_restart(fixture);
	CHECK_TRUE(is_resumed(fixture, session, TLS1_2_VERSION));
	maker_write(fixture->folder, "secret", "another secret of thirty-two octets or more\n");
	fixture_restart(fixture);
	CHECK_FALSE(is_resumed(fixture, session, TLS1_2_VERSION));
	SSL_SESSION_free(session);
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TLS_TEST(old_versions_are_refused_by_default),
		TLS_TEST(old_versions_are_taken_where_a_setting_says_so),
		TLS_TEST(nobody_is_asked_about_a_client_that_can_do_better),
		TLS_TEST(without_anybody_to_ask_old_versions_are_refused),
		TLS_TEST(a_session_is_resumed_after_its_connection_and_a_reload),
		TLS_TEST(nodes_with_the_same_secret_resume_each_others_sessions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
