// Connections that we open: whom we believe, what we show, what we remember.

#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#include "fixture.h"

static bool is_met(struct fixture *fixture, struct sip_tls_facts *out_facts)
{
	struct meeting meeting;
	fixture_meet_ourselves(fixture, &meeting);
	bool is_open = meeting.is_open[0] && meeting.is_open[1] && !meeting.has_ended[0] &&
		       !meeting.has_ended[1];
	if (is_open && out_facts != NULL)
		sip_tls_read(meeting.theirs, out_facts);
	fixture_part(&meeting);
	return is_open;
}

static void want(struct fixture *fixture, const char *name, bool is_verified)
{
	fixture->peer = (struct sip_tls_peer){ .is_verified = is_verified };
	CHECK_TRUE(text_copy(text_of(name), fixture->peer.name, sizeof fixture->peer.name));
}

static void a_peer_must_have_a_right_certificate(void **state)
{
	struct fixture *fixture = *state;
	struct sip_tls_facts facts;
	want(fixture, "gateway.pstn.example", true);
	CHECK_TRUE(is_met(fixture, &facts));
	CHECK_TRUE(facts.is_verified);
	CHECK_STRING(facts.subject, "CN=ecdsa");
	CHECK_STRING(facts.server_name, "gateway.pstn.example");
	want(fixture, "", true); // its address, 127.0.0.1, is in the ECDSA one
	CHECK_TRUE(is_met(fixture, &facts));
	want(fixture, "127.0.0.1", true);
	CHECK_TRUE(is_met(fixture, &facts));
	want(fixture, "gateway.other.example", true);
	CHECK_FALSE(is_met(fixture, NULL));
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_CERTIFICATE) == 1);
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_ALERT) == 1); // the other end of the same
	want(fixture, "gateway.other.example", false);
	CHECK_TRUE(is_met(fixture, &facts));
	CHECK_FALSE(facts.is_verified);
}

static void a_stranger_ca_makes_no_right_certificate(void **state)
{
	struct fixture *fixture = *state;
	static const struct maker_order other = { .name = "other", .is_ca = true };
	maker_make(fixture->folder, &other);
	fixture->files.ca_file = maker_path(fixture->folder, "other.crt", fixture->paths[6]);
	fixture_restart(fixture);
	want(fixture, "gateway.pstn.example", true);
	CHECK_FALSE(is_met(fixture, NULL));
	CHECK_TRUE(fixture->failed == 2);
	CHECK_TRUE(fixture_failures(fixture, SIP_TLS_CERTIFICATE) == 1);
	want(fixture, "gateway.pstn.example", false);
	CHECK_TRUE(is_met(fixture, NULL));
}

static void other_cas_are_believed_after_a_reload(void **state)
{
	struct fixture *fixture = *state;
	struct sip_tls_problem problem;
	static const struct maker_order other = { .name = "other", .is_ca = true };
	maker_make(fixture->folder, &other);
	want(fixture, "gateway.pstn.example", true);
	CHECK_TRUE(is_met(fixture, NULL));
	for (unsigned i = 0; i < 2; i++) { // the second finds the file as it was
		CHECK_OK(sip_tls_reload(fixture->tls, &fixture->files, &problem));
		CHECK_TRUE(is_met(fixture, NULL));
	}
	maker_join(fixture->folder, "ca.crt", "other.crt", "other.key");
	CHECK_OK(sip_tls_reload(fixture->tls, &fixture->files, &problem));
	CHECK_FALSE(is_met(fixture, NULL));
	maker_join(fixture->folder, "ca.crt", "other.crt",
		   "rsa.crt"); // which has the first CA behind it
	CHECK_OK(sip_tls_reload(fixture->tls, &fixture->files, &problem));
	CHECK_TRUE(is_met(fixture, NULL));
}

// By destination and by rules: a session of an unverified connection is none of a verified one.
static void sessions_are_brought_back(void **state)
{
	struct fixture *fixture = *state;
	struct sip_tls_facts facts;
	for (unsigned tls13 = 0; tls13 < 2; tls13++) {
		fixture->files.has_tls13 = tls13 == 1;
		fixture_restart(fixture);
		want(fixture, "gateway.pstn.example", false);
		CHECK_TRUE(is_met(fixture, &facts));
		CHECK_FALSE(facts.is_resumed);
		CHECK_TRUE(is_met(fixture, &facts));
		CHECK_TRUE(facts.is_resumed);
		CHECK_TRUE(is_met(fixture, &facts));
		CHECK_TRUE(facts.is_resumed);
		want(fixture, "gateway.pstn.example", true);
		CHECK_TRUE(is_met(fixture, &facts));
		CHECK_FALSE(facts.is_resumed);
		want(fixture, "another.pstn.example", true);
		CHECK_TRUE(is_met(fixture, &facts));
		CHECK_FALSE(facts.is_resumed);
		want(fixture, "gateway.pstn.example", true);
		CHECK_TRUE(is_met(fixture, &facts));
		CHECK_TRUE(facts.is_resumed);
		CHECK_TRUE(facts.is_verified);
	}
}

static void a_client_certificate_is_shown_and_seen(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	struct sip_tls_facts facts;
	char path[MAKER_PATH_SIZE];
	static const struct maker_order order = { .name = "node", .issuer = "ca" };
	maker_make(fixture->folder, &order);
	fixture->files.client_ca_file = fixture->paths[4];
	fixture_restart(fixture);
	want(fixture, "gateway.pstn.example", true);
	CHECK_TRUE(is_met(fixture, NULL)); // optional (TLS-014)
	want(fixture, "gateway.pstn.example", true);
	(void)text_copy(text_of(maker_path(fixture->folder, "node.crt", path)),
			fixture->peer.certificate, sizeof fixture->peer.certificate);
	(void)text_copy(text_of(maker_path(fixture->folder, "node.key", path)), fixture->peer.key,
			sizeof fixture->peer.key);
	for (unsigned i = 0; i < 2; i++) { // the second resumes, and still knows whom it met
		fixture_meet_ourselves(fixture, &meeting);
		CHECK_TRUE(meeting.is_open[0] && meeting.is_open[1]);
		sip_tls_read(meeting.ours, &facts);
		CHECK_STRING(facts.subject, "CN=node");
		CHECK_TRUE(facts.is_verified);
		CHECK_TRUE(facts.is_resumed == (i == 1));
		fixture_part(&meeting);
	}
}

static void a_strange_client_certificate_is_let_in_and_not_verified(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	struct sip_tls_facts facts;
	char path[MAKER_PATH_SIZE];
	static const struct maker_order order = { .name = "self" };
	maker_make(fixture->folder, &order);
	fixture->files.client_ca_file = fixture->paths[4];
	fixture_restart(fixture);
	maker_join(fixture->folder, "self.pem", "self.crt", "self.key"); // key in the same file
	want(fixture, "gateway.pstn.example", true);
	(void)text_copy(text_of(maker_path(fixture->folder, "self.pem", path)),
			fixture->peer.certificate, sizeof fixture->peer.certificate);
	fixture_meet_ourselves(fixture, &meeting);
	CHECK_TRUE(meeting.is_open[0] && meeting.is_open[1]);
	sip_tls_read(meeting.ours, &facts);
	CHECK_STRING(facts.subject, "CN=self");
	CHECK_FALSE(facts.is_verified);
	fixture_part(&meeting);
}

static void a_client_certificate_that_is_missing_stops_the_connection(void **state)
{
	struct fixture *fixture = *state;
	struct meeting meeting;
	want(fixture, "gateway.pstn.example", true);
	(void)text_copy(TEXT("/nowhere/x.crt"), fixture->peer.certificate,
			sizeof fixture->peer.certificate);
	fixture_meet_ourselves(fixture, &meeting);
	CHECK_TRUE(meeting.theirs == NULL);
	fixture_part(&meeting);
}

// TLS-005
static void old_versions_are_spoken_where_the_carrier_needs_them(void **state)
{
	struct fixture *fixture = *state;
	struct sip_tls_facts facts;
	fixture->files.has_tls13 = false;
	fixture->allows_deprecated = true;
	fixture_restart(fixture);
	want(fixture, "gateway.pstn.example", true);
	fixture->peer.allows_deprecated = true;
	CHECK_TRUE(is_met(fixture, &facts));
	CHECK_TRUE(facts.version == SIP_TLS_1_2); // never lower than need be
}

static void many_destinations_take_bounded_room(void **state)
{
	struct fixture *fixture = *state;
	struct sip_tls_facts facts;
	char name[64];
	for (unsigned i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof name, "g%u.pstn.example", i);
		want(fixture, name, true);
		CHECK_TRUE(is_met(fixture, NULL));
	}
	CHECK_TRUE(is_met(fixture, &facts)); // the latest is there
	CHECK_TRUE(facts.is_resumed);
}

// Who may be spoken to on a connection that was made for somebody at the same address (RFC 5922 7.3 would
// have the certificate looked at for each): who demands as much, or less.
static void a_connection_does_for_the_same_demand_or_less(void **state)
{
	static const struct sip_tls_peer named = { .name = "a.example", .is_verified = true },
					 unverified = { .name = "a.example" },
					 other = { .name = "b.example", .is_verified = true },
					 by_address = { .is_verified = true }, anybody = { 0 },
					 shown = { .name = "a.example",
						   .is_verified = true,
						   .certificate = "c",
						   .key = "k" },
					 old = { .name = "a.example",
						 .is_verified = true,
						 .allows_deprecated = true };
	static const struct {
		const struct sip_tls_peer *made, *wanted;
		uint16_t version;
		bool does;
	} rows[] = {
		{ &named, &named, 0, true },
		{ &named, &unverified, 0, true },
		{ &named, &anybody, 0, true },
		{ &unverified, &named, 0, false },
		{ &anybody, &named, 0, false },
		{ &anybody, &by_address, 0, false },
		{ &by_address, &by_address, 0, true },
		{ &named, &other, 0, false },
		{ &by_address, &named, 0, false },
		{ &named, &by_address, 0, false },
		{ &shown, &shown, 0, true },
		{ &shown, &named, 0, false }, // to whom we are nobody in particular
		{ &named, &shown, 0, false },
		{ &named, &old, 0, true },
		{ &old, &named, 0, false }, // may yet become TLS 1.0
		{ &old, &named, 0x0302, false },
		{ &old, &named, SIP_TLS_1_2, true },
		{ &old, &old, 0x0302, true },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_TRUE(sip_tls_does_for(rows[i].made, rows[i].version, rows[i].wanted) ==
			   rows[i].does);
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TLS_TEST(a_peer_must_have_a_right_certificate),
		TLS_TEST(a_stranger_ca_makes_no_right_certificate),
		TLS_TEST(other_cas_are_believed_after_a_reload),
		TLS_TEST(sessions_are_brought_back),
		TLS_TEST(a_client_certificate_is_shown_and_seen),
		TLS_TEST(a_strange_client_certificate_is_let_in_and_not_verified),
		TLS_TEST(a_client_certificate_that_is_missing_stops_the_connection),
		TLS_TEST(old_versions_are_spoken_where_the_carrier_needs_them),
		TLS_TEST(many_destinations_take_bounded_room),
		cmocka_unit_test(a_connection_does_for_the_same_demand_or_less),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
