// TLS as a transport: what a client has to do before it costs us anything, turns of handshakes, and
// messages both ways, over real loopback sockets.

#include "tests/unit/sip/transport/stage.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/sip/tls/fixture.h"

#define MESSAGE "OPTIONS sip:a@x SIP/2.0\r\nl: 0\r\n\r\n"
#define ANSWER "SIP/2.0 200 OK\r\nl: 0\r\n\r\n"
#define PEERS 20

static const struct sip_transport_limits usual = { 0 };

static int connect_tls(struct stage *stage)
{
	struct address tcp = stage->tcp;
	stage->tcp = stage->tls;
	int fd = stage_connect(stage, "127.0.0.1");
	stage->tcp = tcp;
	return fd;
}

// How many connections are in that state.
static unsigned count_in(const struct stage *stage, const char *state)
{
	struct sip_connection_facts facts;
	unsigned position = 0, count = 0;
	while (sip_transport_next(stage->transport, &position, &facts))
		count += strcmp(facts.state, state) == 0;
	return count;
}

static SSL *begin(struct fixture *fixture, int fd)
{
	SSL *peer = fixture_peer(fixture);
	SSL_set_fd(peer, fd);
	SSL_set_connect_state(peer);
	(void)SSL_do_handshake(peer); // its first words
	return peer;
}

static bool finish(struct stage *stage, SSL *peer)
{
	for (unsigned i = 0; i < 100; i++) {
		if (SSL_do_handshake(peer) == 1)
			return true;
		stage_run(stage);
	}
	return false;
}

static struct text hear(struct stage *stage, SSL *peer, char *room, size_t wanted)
{
	size_t size = 0;
	for (unsigned i = 0; i < 100 && size < wanted; i++) {
		int came = SSL_read(peer, room + size, (int)(wanted - size));
		if (came > 0)
			size += (size_t)came;
		else
			stage_run(stage);
	}
	return (struct text){ room, size };
}

static void messages_travel_by_tls(void **state)
{
	struct fixture *fixture = *state;
	struct stage stage;
	struct sip_connection_facts facts;
	unsigned position = 0;
	char room[64];
	stage_open(&stage, "127.0.0.1", usual, fixture->tls);
	stage.reply = TEXT(ANSWER);
	int fd = connect_tls(&stage);
	SSL *peer = begin(fixture, fd);
	CHECK_TRUE(finish(&stage, peer));
	CHECK_TRUE(SSL_write(peer, "\r\n\r\n", 4) == 4); // SIP-026
	CHECK_TEXT(hear(&stage, peer, room, 2), "\r\n");
	CHECK_TRUE(SSL_write(peer, MESSAGE, sizeof(MESSAGE) - 1) > 0);
	CHECK_TEXT(hear(&stage, peer, room, sizeof(ANSWER) - 1), ANSWER);
	CHECK_NUMBER(stage.flow.protocol, SIP_TLS);
	CHECK_NUMBER(stage.flow.tls_version, SIP_TLS_1_3);
	CHECK_TRUE(address_is_equal(&stage.flow.local, &stage.tls));
	CHECK_TRUE(sip_transport_next(stage.transport, &position, &facts));
	CHECK_STRING(facts.cipher, SSL_get_cipher_name(peer));
	CHECK_STRING(facts.rank, "spoken");
	SSL_free(peer);
	close(fd);
	stage_until(&stage, &stage.broken, 1);
	stage_close(&stage);
}

#define BURST 40 // messages, each in a record of its own

// They come in one read, of which libevent sees the first; the answers leave in few records.
static void records_that_come_together_are_all_read_and_answered_together(void **state)
{
	struct fixture *fixture = *state;
	struct stage stage;
	char room[4096];
	size_t size = 0;
	unsigned records = 0;
	stage_open(&stage, "127.0.0.1", usual, fixture->tls);
	stage.reply = TEXT(ANSWER);
	int fd = connect_tls(&stage);
	SSL *peer = begin(fixture, fd);
	assert_true(finish(&stage, peer));
	stage_run(&stage);
	for (unsigned i = 0; i < BURST; i++)
		assert_int_equal(SSL_write(peer, MESSAGE, sizeof(MESSAGE) - 1),
				 sizeof(MESSAGE) - 1);
	stage_until(&stage, &stage.messages, BURST);
	for (unsigned i = 0; i < 100 && size < BURST * (sizeof(ANSWER) - 1); i++) {
		int came = SSL_read(peer, room + size, (int)(sizeof(room) - size)); // one record
		records += came > 0;
		size += came > 0 ? (size_t)came : 0;
		stage_run(&stage);
	}
	CHECK_NUMBER(size, BURST * (sizeof(ANSWER) - 1));
	assert_true(records <= BURST / 4);
	SSL_free(peer);
	close(fd);
	stage_close(&stage);
}

// Words and goodbye in one read, and the socket stays open: its peer waits for ours.
static void a_goodbye_right_behind_the_words_is_heard(void **state)
{
	struct fixture *fixture = *state;
	struct stage stage;
	char room[64];
	stage_open(&stage, "127.0.0.1", usual, fixture->tls);
	stage.reply = TEXT(ANSWER);
	int fd = connect_tls(&stage);
	SSL *peer = begin(fixture, fd);
	assert_true(finish(&stage, peer));
	stage_run(&stage);
	assert_true(SSL_write(peer, MESSAGE, sizeof(MESSAGE) - 1) > 0);
	(void)SSL_shutdown(peer);
	stage_until(&stage, &stage.messages, 1);
	struct text heard = hear(&stage, peer, room, sizeof(ANSWER) - 1);
	assert_true(text_is_equal(heard, TEXT(ANSWER)));
	for (unsigned i = 0; i < 100 && stage_closed(&stage, SIP_CLOSE_PEER) == 0; i++)
		stage_run(&stage);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_PEER), 1);
	SSL_free(peer);
	close(fd);
	stage_close(&stage);
}

static void who_says_nothing_gets_no_handshake(void **state)
{
	struct fixture *fixture = *state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", usual, fixture->tls);
	int fd = connect_tls(&stage);
	CHECK_NUMBER(count_in(&stage, "greeted"), 1);
	stage_write(fd, TEXT("\x16\x03\x01\x02\x00half of a hello"));
	stage_run(&stage);
	CHECK_NUMBER(count_in(&stage, "greeted"), 1); // as cheap as before
	CHECK_NUMBER(count_in(&stage, "shaking"), 0);
	stage_pass(&stage, 5100);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_HANDSHAKE), 1);
	CHECK_TRUE(stage_is_closed(&stage, fd));
	close(fd);
	stage_close(&stage);
}

static void who_stops_in_his_handshake_is_closed_in_time(void **state)
{
	struct fixture *fixture = *state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", usual, fixture->tls);
	int fd = connect_tls(&stage);
	SSL *peer = begin(fixture, fd);
	stage_run(&stage);
	CHECK_NUMBER(count_in(&stage, "shaking"), 1);
	stage_pass(&stage, 5100);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_HANDSHAKE), 1);
	CHECK_NUMBER(counter_get(&sip_tls_counters(fixture->tls)->failures[SIP_TLS_TIMEOUT]), 1);
	SSL_free(peer);
	close(fd);
	stage_close(&stage);
}

static void who_speaks_no_tls_is_closed(void **state)
{
	struct fixture *fixture = *state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", usual, fixture->tls);
	int fd = connect_tls(&stage);
	stage_write(fd, TEXT(MESSAGE));
	stage_run(&stage);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_HANDSHAKE), 1);
	close(fd);
	fd = connect_tls(&stage);
	close(fd); // says nothing and goes
	stage_run(&stage);
	CHECK_NUMBER(counter_get(&stage.counters->connections), 0);
	CHECK_NUMBER(stage.messages, 0);
	stage_close(&stage);
}

// Twenty at once: no turn of the loop begins more than eight.
static void handshakes_take_turns(void **state)
{
	struct fixture *fixture = *state;
	struct stage stage;
	int fds[PEERS];
	SSL *peers[PEERS];
	stage_open(&stage, "127.0.0.1",
		   (struct sip_transport_limits){ .connections_max = 64, .per_source_max = 64 },
		   fixture->tls);
	for (unsigned i = 0; i < PEERS; i++)
		fds[i] = connect_tls(&stage);
	for (unsigned i = 0; i < PEERS; i++)
		peers[i] = begin(fixture, fds[i]);
	unsigned before = 0;
	for (unsigned turn = 0; turn < 10; turn++) {
		(void)event_base_loop(stage.loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		unsigned begun = count_in(&stage, "shaking") + count_in(&stage, "open");
		CHECK_TRUE(begun <= before + 8);
		before = begun;
	}
	for (unsigned i = 0; i < PEERS; i++) {
		CHECK_TRUE(finish(&stage, peers[i]));
		SSL_free(peers[i]);
	}
	stage_run(&stage);
	CHECK_NUMBER(count_in(&stage, "open"), PEERS);
	for (unsigned i = 0; i < PEERS; i++)
		close(fds[i]);
	stage_close(&stage);
}

// The first certificate opens the port and the last one that goes closes it, without a restart; whoever is
// connected stays.
static void the_port_is_open_while_there_is_a_certificate(void **state)
{
	struct fixture *fixture = *state;
	struct stage stage;
	struct sip_tls_problem problem;
	struct sip_tls_files files = fixture->files, none = { .has_tls13 = true };
	fixture->files = none;
	fixture_restart(fixture);
	stage_open(&stage, "127.0.0.1", usual, fixture->tls);
	CHECK_TRUE(sip_transport_address(stage.transport, SIP_TLS, 0) == NULL);
	CHECK_OK(sip_transport_follow_tls(stage.transport));
	CHECK_TRUE(sip_transport_address(stage.transport, SIP_TLS, 0) == NULL);
	CHECK_OK(sip_tls_reload(fixture->tls, &files, &problem));
	for (unsigned i = 0; i < 2; i++) // the second finds it open
		CHECK_OK(sip_transport_follow_tls(stage.transport));
	stage.tls = *sip_transport_address(stage.transport, SIP_TLS, 0);
	int fd = connect_tls(&stage);
	SSL *peer = begin(fixture, fd);
	CHECK_TRUE(finish(&stage, peer));
	CHECK_OK(sip_tls_reload(fixture->tls, &none, &problem));
	CHECK_OK(sip_transport_follow_tls(stage.transport));
	CHECK_TRUE(sip_transport_address(stage.transport, SIP_TLS, 0) == NULL);
	CHECK_TRUE(sip_transport_address(stage.transport, SIP_TCP, 0) != NULL);
	CHECK_TRUE(SSL_write(peer, MESSAGE, sizeof(MESSAGE) - 1) > 0);
	stage_until(&stage, &stage.messages, 1);
	SSL_free(peer);
	close(fd);
	stage_close(&stage);
}

// By the name of the flow: "strict" must have a right certificate, anybody else need not.
static bool find_strict(void *context, const struct sip_flow *flow, struct sip_tls_peer *out_peer)
{
	(void)context;
	*out_peer = (struct sip_tls_peer){ .is_verified = strcmp(flow->peer, "strict") == 0 };
	return true;
}

static void run_both(struct stage *ours, struct stage *theirs)
{
	for (unsigned i = 0; i < 50; i++) {
		stage_run(theirs);
		stage_run(ours);
	}
}

static uint64_t send_as(struct stage *ours, struct stage *theirs, struct sip_flow *flow,
			const char *peer)
{
	(void)text_copy(text_of(peer), flow->peer, sizeof flow->peer);
	CHECK_OK(stage_send(ours, TEXT(MESSAGE), flow));
	uint64_t connection = flow->connection;
	run_both(ours, theirs);
	return connection;
}

// TLS-010: what was demanded when it was made decides who may speak on it.
static void a_connection_is_shared_by_those_who_demand_no_more(void **state)
{
	struct fixture *fixture = *state;
	struct stage ours, theirs;
	fixture->user.find_peer = find_strict;
	fixture_restart(fixture);
	stage_open(&theirs, "127.0.0.1", usual, fixture->tls);
	stage_open(&ours, "127.0.0.2", usual, fixture->tls);
	const struct sip_flow fresh = { .protocol = SIP_TLS,
					.local = ours.tls,
					.remote = theirs.tls };
	struct sip_flow flow = fresh;
	uint64_t loose = send_as(&ours, &theirs, &flow, "loose");
	CHECK_NUMBER(theirs.messages, 1);
	flow = fresh;
	uint64_t strict = send_as(&ours, &theirs, &flow, "strict");
	CHECK_TRUE(strict != loose);
	CHECK_NUMBER(theirs.messages, 2);
	flow = fresh;
	CHECK_NUMBER(send_as(&ours, &theirs, &flow, "strict"), strict);
	flow.connection = loose; // its own, but more is demanded now than then
	CHECK_NUMBER(send_as(&ours, &theirs, &flow, "strict"), strict);
	flow.connection = loose; // the answer to what came on it
	CHECK_NUMBER(send_as(&ours, &theirs, &flow, ""), loose);
	CHECK_NUMBER(theirs.messages, 5);
	CHECK_NUMBER(counter_get(&ours.counters->opened), 2);
	stage_close(&ours);
	stage_close(&theirs);
}

static bool find_anybody(void *context, const struct sip_flow *flow, struct sip_tls_peer *out_peer)
{
	(void)context, (void)flow;
	*out_peer = (struct sip_tls_peer){ .is_verified = false };
	return true;
}

static void we_connect_by_tls_and_say_what_waited(void **state)
{
	struct fixture *fixture = *state;
	struct stage ours, theirs;
	fixture->user.find_peer = find_anybody;
	fixture_restart(fixture);
	stage_open(&theirs, "127.0.0.1", usual, fixture->tls);
	stage_open(&ours, "127.0.0.2", usual, fixture->tls);
	theirs.reply = TEXT(ANSWER);
	struct sip_flow flow = { .protocol = SIP_TLS, .local = ours.tls, .remote = theirs.tls };
	CHECK_OK(stage_send(&ours, TEXT(MESSAGE), &flow));
	CHECK_OK(stage_send(&ours, TEXT(MESSAGE), &flow));
	for (unsigned i = 0; i < 100 && ours.messages < 2; i++) {
		stage_run(&theirs);
		stage_run(&ours);
	}
	CHECK_NUMBER(theirs.messages, 2);
	CHECK_NUMBER(ours.messages, 2);
	CHECK_NUMBER(ours.flow.connection, flow.connection);
	CHECK_NUMBER(ours.flow.tls_version, SIP_TLS_1_3);
	CHECK_NUMBER(counter_get(&theirs.counters->accepted), 1);
	stage_close(&ours);
	stage_close(&theirs);
}

// Whoever connects from a carrier's address and port has shown no certificate.
static void nobody_is_called_on_a_connection_that_he_made_by_tls(void **state)
{
	struct fixture *fixture = *state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", usual, fixture->tls);
	int fd = connect_tls(&stage);
	SSL *peer = begin(fixture, fd);
	CHECK_TRUE(finish(&stage, peer));
	CHECK_TRUE(SSL_write(peer, MESSAGE, sizeof(MESSAGE) - 1) > 0);
	stage_until(&stage, &stage.messages, 1);
	struct sip_flow flow = stage.flow;
	CHECK_OK(
		stage_send(&stage, TEXT(MESSAGE), &flow)); // by its id: what belongs to its dialogs
	CHECK_NUMBER(flow.connection, stage.flow.connection);
	flow.connection = 0;
	CHECK_OK(stage_send(&stage, TEXT(MESSAGE), &flow));
	CHECK_TRUE(flow.connection != stage.flow.connection);
	CHECK_NUMBER(counter_get(&stage.counters->opened), 1);
	SSL_free(peer);
	close(fd);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_travel_by_tls, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(
			records_that_come_together_are_all_read_and_answered_together,
			fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_goodbye_right_behind_the_words_is_heard,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(who_says_nothing_gets_no_handshake, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(who_stops_in_his_handshake_is_closed_in_time,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(who_speaks_no_tls_is_closed, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(handshakes_take_turns, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(the_port_is_open_while_there_is_a_certificate,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_connection_is_shared_by_those_who_demand_no_more,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			nobody_is_called_on_a_connection_that_he_made_by_tls, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(we_connect_by_tls_and_say_what_waited,
						fixture_setup, fixture_teardown),
	};
	return RUN_TESTS(tests);
}
