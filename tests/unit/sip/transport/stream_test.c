// Connections over real loopback sockets: framing, reuse, opening, and every way to lose one.

#include "tests/unit/sip/transport/stage.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE "OPTIONS sip:a@x SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nl: 3\r\n\r\nabc"
#define OTHER "BYE sip:a@x SIP/2.0\r\nl: 0\r\n\r\n"
#define ANSWER "SIP/2.0 200 OK\r\nl: 0\r\n\r\n"

static const struct sip_transport_limits usual = { 0 };

// SIP-026, B1-16
static void a_ping_is_answered_by_a_pong(void **state)
{
	(void)state;
	struct stage stage;
	char room[16];
	stage_open(&stage, "127.0.0.1", usual, NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT("\r\n\r"));
	stage_run(&stage);
	CHECK_NUMBER(recv(fd, room, sizeof(room), MSG_DONTWAIT), (unsigned long long)-1);
	stage_write(fd, TEXT("\n"));
	CHECK_TEXT(stage_read(&stage, fd, room, 2), "\r\n");
	stage_run(&stage);
	CHECK_NUMBER(recv(fd, room, sizeof(room), MSG_DONTWAIT), (unsigned long long)-1);
	CHECK_NUMBER(counter_get(&stage.counters->keepalives), 1);
	CHECK_NUMBER(stage.messages, 0);
	close(fd);
	stage_close(&stage);
}

static void a_flood_of_pings_is_answered_by_a_few_pongs(void **state)
{
	(void)state;
	struct stage stage;
	char pings[4000], room[64];
	stage_open(&stage, "127.0.0.1", usual, NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	for (unsigned i = 0; i < sizeof(pings); i += 2)
		memcpy(pings + i, "\r\n", 2);
	stage_write(fd, (struct text){ pings, sizeof(pings) });
	stage_run(&stage);
	CHECK_NUMBER(counter_get(&stage.counters->keepalives), sizeof(pings) / 4);
	CHECK_NUMBER(recv(fd, room, sizeof(room), MSG_DONTWAIT), 8);
	stage_write(fd, TEXT("\r\n\r\n")); // whoever asks later is answered
	CHECK_TEXT(stage_read(&stage, fd, room, 2), "\r\n");
	close(fd);
	stage_close(&stage);
}

static void a_message_arrives_whole_however_it_is_cut(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", usual, NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	struct text message = TEXT(MESSAGE);
	for (size_t cut = 1; cut < message.size; cut++) {
		stage_write(fd, (struct text){ message.data, cut });
		stage_run(&stage);
		CHECK_NUMBER(stage.messages, cut - 1);
		stage_write(fd, text_cut(message, cut));
		stage_until(&stage, &stage.messages, (unsigned)cut);
		CHECK_STRING(stage.last, MESSAGE);
	}
	CHECK_NUMBER(stage.flow.protocol, SIP_TCP);
	CHECK_TRUE(address_is_equal(&stage.flow.local, &stage.tcp));
	CHECK_NUMBER(counter_get(&stage.counters->accepted), 1);
	close(fd);
	stage_close(&stage);
}

static void messages_in_one_piece_arrive_one_by_one(void **state)
{
	(void)state;
	struct stage stage;
	char room[3 * (sizeof(ANSWER) - 1) + 1];
	stage_open(&stage, "127.0.0.1", usual, NULL);
	stage.reply = TEXT(ANSWER);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT(MESSAGE OTHER "\r\n" MESSAGE "OPTI"));
	CHECK_TEXT(stage_read(&stage, fd, room, 3 * (sizeof(ANSWER) - 1)), ANSWER ANSWER ANSWER);
	CHECK_NUMBER(stage.messages, 3);
	CHECK_NUMBER(counter_get(&stage.counters->sent), 3);
	close(fd);
	stage_close(&stage);
}

static void a_message_without_a_sure_end_is_answered_and_nothing_behind_it_read(void **state)
{
	(void)state;
	struct stage stage;
	char room[128];
	stage_open(&stage, "127.0.0.1", usual, NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT("OPTIONS sip:a@x SIP/2.0\r\nl: 0\r\nl: 30\r\n\r\n" OTHER));
	CHECK_TEXT(stage_read(&stage, fd, room, sizeof(room)),
		   "SIP/2.0 400 Bad\r\nContent-Length: 0\r\n\r\n");
	CHECK_NUMBER(stage.refused, 1);
	CHECK_NUMBER(stage.status, 400);
	CHECK_STRING(stage.last, "OPTIONS sip:a@x SIP/2.0\r\nl: 0\r\nl: 30\r\n\r\n");
	CHECK_NUMBER(stage.messages, 0);
	CHECK_NUMBER(stage.broken, 1);
	close(fd);
	stage_run(&stage);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_MALFORMED), 1);
	CHECK_NUMBER(counter_get(&stage.counters->connections), 0);
	stage_close(&stage);
}

static void whoever_stays_after_a_refusal_is_closed_all_the_same(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", usual, NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT("OPTIONS sip:a@x SIP/2.0\r\n\r\n"));
	stage_until(&stage, &stage.refused, 1);
	stage_write(fd, TEXT(MESSAGE MESSAGE));
	stage_pass(&stage, 1000);
	CHECK_NUMBER(counter_get(&stage.counters->connections), 1);
	stage_pass(&stage, 1100);
	CHECK_NUMBER(counter_get(&stage.counters->connections), 0);
	CHECK_NUMBER(stage.messages, 0);
	close(fd);
	stage_close(&stage);
}

static void who_is_dismissed_hears_the_answer_and_says_nothing_more(void **state)
{
	(void)state;
	struct stage stage;
	char room[128];
	stage_open(&stage, "127.0.0.1", usual, NULL);
	stage.reply = TEXT("SIP/2.0 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
	stage.dismisses = true;
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT(MESSAGE MESSAGE MESSAGE));
	CHECK_TEXT(stage_read(&stage, fd, room, sizeof(room)),
		   "SIP/2.0 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
	CHECK_NUMBER(stage.messages, 1);
	CHECK_NUMBER(stage.broken, 1);
	close(fd);
	stage_run(&stage);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_REFUSED), 1);
	CHECK_NUMBER(counter_get(&stage.counters->connections), 0);
	stage_close(&stage);
}

static void what_is_no_sip_is_closed_without_a_word(void **state)
{
	(void)state;
	static const struct text aliens[] = { TEXT("GET / HTTP/1.1\r\n\r\n"),
					      TEXT("\x16\x03\x01\x02"), TEXT("\0\0\0\0") };
	struct stage stage;
	char room[16];
	stage_open(&stage, "127.0.0.1", usual, NULL);
	for (unsigned i = 0; i < 3; i++) {
		int fd = stage_connect(&stage, "127.0.0.1");
		stage_write(fd, aliens[i]);
		CHECK_NUMBER(stage_read(&stage, fd, room, sizeof(room)).size, 0);
		CHECK_TRUE(stage_is_closed(&stage, fd));
		close(fd);
	}
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_ALIEN), 3);
	CHECK_NUMBER(stage.refused, 0);
	stage_close(&stage);
}

static void who_shuts_his_side_still_hears_what_was_said(void **state)
{
	(void)state;
	struct stage stage;
	char room[64];
	stage_open(&stage, "127.0.0.1", usual, NULL);
	stage.reply = TEXT(ANSWER);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT(MESSAGE));
	CHECK_TRUE(shutdown(fd, SHUT_WR) == 0);
	CHECK_TEXT(stage_read(&stage, fd, room, sizeof(room)), ANSWER);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_PEER), 1);
	CHECK_NUMBER(stage.broken, 1);
	close(fd);
	stage_close(&stage);
}

// ---- reuse and opening

// SIP-028: by the connection's id, and by the peer's address alone.
static void a_request_to_a_peer_goes_by_the_connection_it_made(void **state)
{
	(void)state;
	struct stage stage;
	char room[2 * sizeof(OTHER)];
	stage_open(&stage, "127.0.0.1", usual, NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT(MESSAGE));
	stage_until(&stage, &stage.messages, 1);
	struct sip_flow flow = stage.flow;
	flow.remote.port = 9; // where nobody listens: the connection counts
	CHECK_OK(stage_send(&stage, TEXT(OTHER), &flow));
	CHECK_NUMBER(flow.connection, stage.flow.connection);
	flow = stage.flow;
	flow.connection = 0;
	CHECK_OK(stage_send(&stage, TEXT(OTHER), &flow));
	CHECK_NUMBER(flow.connection, stage.flow.connection);
	CHECK_TEXT(stage_read(&stage, fd, room, 2 * (sizeof(OTHER) - 1)), OTHER OTHER);
	CHECK_NUMBER(counter_get(&stage.counters->opened), 0);
	close(fd);
	stage_close(&stage);
}

static void a_new_peer_is_connected_to_from_our_address(void **state)
{
	(void)state;
	struct stage stage;
	struct sip_flow flow = { .protocol = SIP_TCP };
	struct sockaddr_storage kernel;
	socklen_t size = sizeof(kernel);
	struct address peer;
	char room[3 * sizeof(OTHER)];
	stage_open(&stage, "127.0.0.3", usual, NULL);
	int listening = stage_listen("127.0.0.1", 8, &flow.remote);
	flow.local = stage.tcp;
	struct sip_flow second = flow;
	CHECK_OK(stage_send(&stage, TEXT(OTHER), &flow));
	CHECK_OK(stage_send(&stage, TEXT(OTHER), &second)); // waits with the first
	CHECK_TRUE(flow.connection != 0);
	CHECK_NUMBER(second.connection, flow.connection);
	int fd = accept(listening, (struct sockaddr *)&kernel, &size);
	CHECK_TRUE(fd >= 0 && address_from_sockaddr((struct sockaddr *)&kernel, &peer));
	CHECK_TRUE(address_is_same_host(&peer, &stage.tcp));
	CHECK_TEXT(stage_read(&stage, fd, room, 2 * (sizeof(OTHER) - 1)), OTHER OTHER);
	CHECK_NUMBER(counter_get(&stage.counters->opened), 1);
	stage_write(fd, TEXT(ANSWER));
	stage_until(&stage, &stage.messages, 1);
	CHECK_NUMBER(stage.flow.connection, flow.connection);
	CHECK_TRUE(address_is_equal(&stage.flow.local, &stage.tcp));
	close(fd);
	stage_until(&stage, &stage.broken, 1);
	CHECK_NUMBER(stage.broken_id, flow.connection);
	uint64_t former = flow.connection;
	CHECK_OK(stage_send(&stage, TEXT(OTHER), &flow)); // again, on a new one
	CHECK_TRUE(flow.connection != former);
	fd = accept(listening, NULL, NULL);
	CHECK_TEXT(stage_read(&stage, fd, room, sizeof(OTHER) - 1), OTHER);
	close(fd);
	close(listening);
	stage_close(&stage);
}

// D-20
static void a_refused_connection_is_told_later(void **state)
{
	(void)state;
	struct stage stage;
	struct sip_flow flow = { .protocol = SIP_TCP };
	stage_open(&stage, "127.0.0.1", usual, NULL);
	close(stage_listen("127.0.0.1", 1, &flow.remote));
	flow.local = stage.tcp;
	if (stage_send(&stage, TEXT(OTHER), &flow) == OK) { // or the kernel knows at once
		stage_until(&stage, &stage.broken, 1);
		CHECK_NUMBER(stage.broken_id, flow.connection);
		CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_CONNECT), 1);
	}
	CHECK_NUMBER(counter_get(&stage.counters->connections), 0);
	stage_close(&stage);
}

static void a_connection_that_does_not_come_about_is_given_up_in_time(void **state)
{
	(void)state;
	struct stage stage;
	struct sip_flow flow = { .protocol = SIP_TCP };
	stage_open(&stage, "127.0.0.1", usual, NULL);
	int listening = stage_listen("127.0.0.1", 0, &flow.remote);
	flow.local = stage.tcp;
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(&flow.remote, &kernel);
	int fills[4]; // the queue of who is not accepted: the kernel is silent to more
	for (unsigned i = 0; i < 4; i++) {
		fills[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fills[i], (struct sockaddr *)&kernel, size);
	}
	CHECK_OK(stage_send(&stage, TEXT(OTHER), &flow));
	stage_pass(&stage, 3900);
	CHECK_NUMBER(stage.broken, 0);
	stage_pass(&stage, 200);
	CHECK_NUMBER(stage.broken, 1);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_CONNECT), 1);
	for (unsigned i = 0; i < 4; i++)
		close(fills[i]);
	close(listening);
	stage_close(&stage);
}

static void there_is_no_way_from_an_address_that_is_not_ours(void **state)
{
	(void)state;
	struct stage stage;
	struct sip_flow flow = { .protocol = SIP_TCP };
	stage_open(&stage, "127.0.0.1", usual, NULL);
	CHECK_TRUE(address_parse(TEXT("127.0.0.7:5060"), &flow.local));
	flow.remote = stage.tcp;
	CHECK_STATUS(stage_send(&stage, TEXT(OTHER), &flow), ERR_SYSTEM);
	flow.local = stage.tcp;
	flow.protocol = SIP_TLS; // not configured
	CHECK_STATUS(stage_send(&stage, TEXT(OTHER), &flow), ERR_SYSTEM);
	stage_close(&stage);
}

static void two_ends_of_ipv6_talk(void **state)
{
	(void)state;
	struct stage stage;
	char room[sizeof(ANSWER)];
	stage_open(&stage, "::1", usual, NULL);
	stage.reply = TEXT(ANSWER);
	int fd = stage_connect(&stage, "::1");
	stage_write(fd, TEXT(MESSAGE));
	CHECK_TEXT(stage_read(&stage, fd, room, sizeof(ANSWER) - 1), ANSWER);
	CHECK_NUMBER(stage.flow.remote.family, ADDRESS_IPV6);
	close(fd);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ping_is_answered_by_a_pong),
		TEST(a_flood_of_pings_is_answered_by_a_few_pongs),
		TEST(a_message_arrives_whole_however_it_is_cut),
		TEST(messages_in_one_piece_arrive_one_by_one),
		TEST(a_message_without_a_sure_end_is_answered_and_nothing_behind_it_read),
		TEST(whoever_stays_after_a_refusal_is_closed_all_the_same),
		TEST(who_is_dismissed_hears_the_answer_and_says_nothing_more),
		TEST(what_is_no_sip_is_closed_without_a_word),
		TEST(who_shuts_his_side_still_hears_what_was_said),
		TEST(a_request_to_a_peer_goes_by_the_connection_it_made),
		TEST(a_new_peer_is_connected_to_from_our_address),
		TEST(a_refused_connection_is_told_later),
		TEST(a_connection_that_does_not_come_about_is_given_up_in_time),
		TEST(there_is_no_way_from_an_address_that_is_not_ours),
		TEST(two_ends_of_ipv6_talk),
	};
	return RUN_TESTS(tests);
}
