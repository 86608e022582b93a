// Handshakes over a socket pair. Runs on the thread of the test.

#include "fixture.h"

#include "tests/check.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define TURNS 200

static bool allow(void *context, struct text server_name)
{
	struct fixture *fixture = context;
	fixture->asked++;
	CHECK_TRUE(text_copy(server_name, fixture->asked_name, sizeof fixture->asked_name));
	return fixture->allows_deprecated;
}

static void note_failure(void *context, const struct sip_tls_failure *failure)
{
	struct fixture *fixture = context;
	fixture->failed++;
	CHECK_STRING(failure->known_as, failure->is_ours ? "CRthem" : "");
	fixture->failure = *failure;
	text_copy_cut(failure->server_name, fixture->failure_name, sizeof fixture->failure_name);
	text_copy_cut(text_of(failure->detail), fixture->failure_detail,
		      sizeof fixture->failure_detail);
}

static bool find_peer(void *context, const struct sip_flow *flow, struct sip_tls_peer *out_peer)
{
	struct fixture *fixture = context;
	CHECK_TRUE(flow->remote.port != 0);
	*out_peer = fixture->peer;
	return true;
}

int fixture_setup(void **state)
{
	static const struct maker_order orders[] = {
		{ .name = "ca", .is_ca = true },
		{ .name = "rsa", .is_rsa = true, .sans = "DNS:*.pstn.example", .issuer = "ca" },
		{ .name = "ecdsa", .sans = "DNS:*.pstn.example, IP:127.0.0.1", .issuer = "ca" },
	};
	static const char *const names[] = { "rsa.crt", "rsa.key", "ecdsa.crt", "ecdsa.key",
					     "ca.crt" };
	struct fixture *fixture = calloc(1, sizeof *fixture);
	log_set_level(LOG_ERROR);
	maker_start(fixture->folder);
	for (unsigned i = 0; i < sizeof orders / sizeof orders[0]; i++)
		maker_make(fixture->folder, &orders[i]);
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)maker_path(fixture->folder, names[i], fixture->paths[i]);
	fixture->files = (struct sip_tls_files){ .rsa_certificate = fixture->paths[0],
						 .rsa_key = fixture->paths[1],
						 .ecdsa_certificate = fixture->paths[2],
						 .ecdsa_key = fixture->paths[3],
						 .ca_file = fixture->paths[4],
						 .has_tls13 = true,
						 .prefers_own_order = true };
	fixture->user = (struct sip_tls_user){ .allows_deprecated = allow,
					       .failed = note_failure,
					       .find_peer = find_peer,
					       .context = fixture };
	fixture->loop = event_base_new();
	fixture->client = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(fixture->client, 0);
	(void)SSL_CTX_set_min_proto_version(fixture->client, TLS1_VERSION);
	fixture_start(fixture);
	*state = fixture;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	sip_tls_destroy(fixture->tls);
	SSL_CTX_free(fixture->client);
	event_base_free(fixture->loop);
	maker_stop(fixture->folder);
	free(fixture);
	return 0;
}

void fixture_start(struct fixture *fixture)
{
	struct sip_tls_problem problem;
	enum status status =
		sip_tls_create(&fixture->files, &fixture->user, &fixture->tls, &problem);
	if (status != OK)
		fail_msg("%s: %s", status_name(status), problem.text);
}

void fixture_restart(struct fixture *fixture)
{
	sip_tls_destroy(fixture->tls);
	fixture_start(fixture);
}

SSL *fixture_peer(struct fixture *fixture)
{
	SSL *peer = SSL_new(fixture->client);
	assert_non_null(peer);
	CHECK_TRUE(SSL_set_tlsext_host_name(peer, "acme.pstn.example") == 1);
	return peer;
}

static void note_event(struct meeting *meeting, unsigned side, short what)
{
	if ((what & BEV_EVENT_CONNECTED) != 0)
		meeting->is_open[side] = true;
	else
		meeting->has_ended[side] = true;
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
	struct meeting *meeting = context;
	note_event(meeting, stream == meeting->theirs, what);
}

static void on_read(struct bufferevent *stream, void *context)
{
	struct meeting *meeting = context;
	size_t used = strlen(meeting->received);
	used += bufferevent_read(stream, meeting->received + used,
				 sizeof meeting->received - 1 - used);
	meeting->received[used] = '\0';
}

static void listen_to(struct bufferevent *stream, struct meeting *meeting)
{
	assert_non_null(stream);
	bufferevent_setcb(stream, on_read, NULL, on_event, meeting);
	CHECK_TRUE(bufferevent_enable(stream, EV_READ | EV_WRITE) == 0);
}

static void begin(struct fixture *fixture, struct meeting *meeting, int fds[static 2])
{
	static const struct address remote = { .family = ADDRESS_IPV4,
					       .port = 40000,
					       .octets = { 127, 0, 0, 1 } };
	CHECK_TRUE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	*meeting = (struct meeting){ .fd = -1 };
	meeting->ours = sip_tls_accept(fixture->tls, fixture->loop, fds[0], &remote);
	listen_to(meeting->ours, meeting);
}

void fixture_meet(struct fixture *fixture, SSL *peer, struct meeting *out_meeting)
{
	int fds[2];
	begin(fixture, out_meeting, fds);
	out_meeting->ssl = peer;
	out_meeting->fd = fds[1];
	CHECK_TRUE(SSL_set_fd(peer, fds[1]) == 1);
	SSL_set_connect_state(peer);
	fixture_turn(fixture, out_meeting, TURNS);
}

void fixture_meet_ourselves(struct fixture *fixture, struct meeting *out_meeting)
{
	static const struct sip_flow flow = {
		.protocol = SIP_TLS,
		.remote = { .family = ADDRESS_IPV4, .port = 5061, .octets = { 127, 0, 0, 1 } },
		.peer = "CRthem"
	};
	struct sip_tls_peer peer;
	int fds[2];
	begin(fixture, out_meeting, fds);
	sip_tls_find_peer(fixture->tls, &flow, &peer);
	out_meeting->theirs =
		sip_tls_connect(fixture->tls, fixture->loop, fds[1], &flow.remote, &peer);
	if (out_meeting->theirs == NULL) {
		close(fds[1]);
		out_meeting->has_ended[1] = true;
		return;
	}
	listen_to(out_meeting->theirs, out_meeting);
	fixture_turn(fixture, out_meeting, TURNS);
}

static void turn_peer(struct meeting *meeting)
{
	char room[256];
	if (meeting->ssl == NULL || meeting->has_ended[1])
		return;
	ERR_clear_error();
	int result = meeting->is_open[1] ? SSL_read(meeting->ssl, room, sizeof room)
					 : SSL_do_handshake(meeting->ssl);
	int error = SSL_get_error(meeting->ssl, result);
	if (!meeting->is_open[1] && result == 1)
		meeting->is_open[1] = true;
	if (result <= 0 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
		meeting->has_ended[1] = true;
		meeting->peer_reason = ERR_GET_REASON(ERR_peek_error());
	}
	ERR_clear_error();
}

void fixture_turn(struct fixture *fixture, struct meeting *meeting, unsigned turns)
{
	for (unsigned i = 0; i < turns; i++) {
		turn_peer(meeting);
		(void)event_base_loop(fixture->loop, EVLOOP_NONBLOCK);
	}
}

void fixture_part(struct meeting *meeting)
{
	if (meeting->ours != NULL)
		sip_tls_close(meeting->ours, false);
	if (meeting->theirs != NULL)
		sip_tls_close(meeting->theirs, false);
	if (meeting->ssl != NULL) {
		SSL_set_shutdown(meeting->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_free(meeting->ssl);
		close(meeting->fd);
	}
	*meeting = (struct meeting){ .fd = -1 };
}

bool fixture_is_met(struct fixture *fixture, SSL *peer, struct meeting *out_meeting)
{
	fixture_meet(fixture, peer, out_meeting);
	bool is_open = out_meeting->is_open[0] && out_meeting->is_open[1] &&
		       !out_meeting->has_ended[0] && !out_meeting->has_ended[1];
	if (!is_open)
		fixture_part(out_meeting);
	return is_open;
}

uint64_t fixture_failures(const struct fixture *fixture, enum sip_tls_reason reason)
{
	return counter_get(&sip_tls_counters(fixture->tls)->failures[reason]);
}
