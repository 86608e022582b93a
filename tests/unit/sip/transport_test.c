// Two whole ends over real loopback sockets: a call from INVITE to BYE through transport,
// transactions and dialogs, and the transport's first looks at what is no SIP.

#include "tests/check.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wheel.h"
#include "sip/dialog.h"
#include "sip/transaction.h"
#include "sip/transport.h"

struct end {
	struct event_base *loop;
	struct clock clock;
	struct wheel *wheel;
	struct sip_transport *transport;
	struct sip_transactions *transactions;
	struct sip_dialogs *dialogs;
	struct address address;
	struct sip_dialog *dialog;
	struct sip_server *server;
	unsigned received, acks, byes, byes_answered;
};

static void count_and_pass(void *context, struct text octets, const struct sip_flow *flow)
{
	struct end *end = context;
	end->received++;
	clock_update(&end->clock);
	wheel_run(end->wheel, end->clock.now_ms);
	sip_transaction_receive(end->transactions, octets, flow);
}

static bool is_known(void *context, const struct sip_message *request)
{
	(void)context;
	return text_is_same(request->target.host, TEXT("127.0.0.1"));
}

static void on_request(void *context, struct sip_server *server, const struct sip_message *request)
{
	struct end *end = context;
	char contact[96];
	struct writer writer = writer_of(contact, sizeof(contact));
	struct sip_answer answer = { .status = 200 };
	if (request->method == SIP_BYE) {
		assert_ptr_equal(sip_dialog_find(end->dialogs, request), end->dialog);
		CHECK_TRUE(sip_dialog_accepts(end->dialog, request));
		end->byes++;
		CHECK_OK(sip_server_reply(server, &answer));
		sip_server_release(server);
		return;
	}
	CHECK_OK(sip_dialog_open_server(end->dialogs, request, sip_server_to_tag(server), end,
					&end->dialog));
	end->server = server;
	writer_string(&writer, "Contact: <sip:b@");
	address_write(&end->address, &writer);
	writer_string(&writer, ">\r\n");
	answer.headers = writer_done(&writer);
	answer.content_type = TEXT("text/plain");
	answer.body = TEXT("hello");
	CHECK_OK(sip_server_reply(server, &(struct sip_answer){ .status = 180 }));
	CHECK_OK(sip_server_reply(server, &answer));
}

static void on_cancelled(void *context, struct sip_server *server, const struct sip_message *cancel)
{
	(void)context, (void)server, (void)cancel;
	fail_msg("nothing was cancelled");
}

static void on_acknowledged(void *context, const struct sip_message *ack)
{
	struct end *end = context;
	assert_ptr_equal(sip_dialog_find(end->dialogs, ack), end->dialog);
	end->acks++;
	sip_server_acknowledged(end->server);
	sip_server_release(end->server);
	end->server = NULL;
}

static void on_response(void *context, struct sip_client *client, void *owner,
			const struct sip_message *response)
{
	struct end *end = context;
	struct sip_request request;
	assert_ptr_equal(owner, end);
	if (response->method == SIP_BYE) {
		CHECK_NUMBER(response->status, 200);
		end->byes_answered++;
		event_base_loopbreak(end->loop);
		return;
	}
	CHECK_OK(sip_dialog_update(end->dialog, response));
	if (response->status < 200)
		return;
	CHECK_TEXT(response->body, "hello");
	sip_client_forget(client);
	sip_dialog_request(end->dialog, SIP_ACK, 1, &request);
	CHECK_OK(sip_client_send_ack(end->transactions, &request));
	sip_dialog_request(end->dialog, SIP_BYE, 0, &request);
	CHECK_NUMBER(request.cseq, 2);
	CHECK_OK(sip_client_send(end->transactions, &request, (struct sip_client_limits){ 0 }, end,
				 &client));
}

static void on_failed(void *context, struct sip_client *client, void *owner,
		      enum sip_failure failure)
{
	(void)context, (void)client, (void)owner;
	fail_msg("failed: %d", failure);
}

static void open_end(struct end *end, struct event_base *loop)
{
	*end = (struct end){ .loop = loop };
	clock_update(&end->clock);
	end->wheel = wheel_create(end->clock.now_ms);
	end->dialogs = sip_dialogs_create(16);
	CHECK_TRUE(address_parse(TEXT("127.0.0.1"), &end->address));
	struct sip_transport_options options = { .clock = &end->clock,
						 .wheel = end->wheel,
						 .addresses = &end->address,
						 .address_count = 1,
						 .receive_buffer_bytes = 1 << 20,
						 .user = { end, count_and_pass, NULL, NULL } };
	CHECK_OK(sip_transport_start(loop, &options, &end->transport));
	end->address = *sip_transport_address(end->transport, SIP_UDP, 0);
	struct sip_transaction_options transactions = {
		.clock = &end->clock,
		.wheel = end->wheel,
		.user = { end, is_known, on_request, on_cancelled, on_acknowledged, on_response,
			  on_failed, NULL },
		.send = sip_transport_send,
		.send_context = end->transport,
		.t1_ms = 500,
		.t2_ms = 4000,
		.t4_ms = 5000,
		.transactions_max = 100,
		.user_agent = "trunkd",
	};
	end->transactions = sip_transactions_create(&transactions);
	assert_non_null(end->transactions);
}

static void close_end(struct end *end)
{
	sip_dialogs_destroy(end->dialogs);
	sip_transactions_destroy(end->transactions);
	sip_transport_stop(end->transport);
	wheel_destroy(end->wheel);
}

static void stop_waiting(struct event_base *loop)
{
	const struct timeval longest = { 5, 0 };
	event_base_loopexit(loop, &longest);
}

static void a_call_goes_from_invite_to_bye(void **state)
{
	(void)state;
	struct event_base *loop = event_base_new();
	struct end alice, bob;
	char target[80];
	struct writer writer = writer_of(target, sizeof(target));
	struct sip_request request;
	struct sip_client *client;
	sip_message_start();
	open_end(&alice, loop);
	open_end(&bob, loop);
	writer_string(&writer, "sip:b@");
	address_write(&bob.address, &writer);
	struct sip_dialog_call call = { TEXT("\"A\" <sip:a@127.0.0.1>"),
					TEXT("<sip:b@127.0.0.1>"),
					writer_done(&writer),
					{ SIP_UDP, 0, alice.address, bob.address, 0 } };
	CHECK_OK(sip_dialog_open_client(alice.dialogs, &call, &alice, &alice.dialog));
	sip_dialog_request(alice.dialog, SIP_INVITE, 0, &request);
	request.headers = TEXT("Contact: <sip:a@127.0.0.1>\r\n");
	CHECK_OK(sip_client_send(alice.transactions, &request, (struct sip_client_limits){ 0 },
				 &alice, &client));
	stop_waiting(loop);
	event_base_dispatch(loop);
	CHECK_NUMBER(bob.acks, 1);
	CHECK_NUMBER(bob.byes, 1);
	CHECK_NUMBER(alice.byes_answered, 1);
	CHECK_NUMBER(bob.received, 3); // INVITE, ACK, BYE
	CHECK_NUMBER(alice.received, 3); // 180, 200, 200: no 100, as 180 came at once
	CHECK_NUMBER(counter_get(&sip_transport_counters(alice.transport)->sent), 3);
	sip_dialog_close(alice.dialog);
	sip_dialog_close(bob.dialog);
	CHECK_NUMBER(sip_dialogs_count(bob.dialogs), 0);
	close_end(&alice);
	close_end(&bob);
	event_base_free(loop);
}

static void what_is_no_sip_goes_no_further(void **state)
{
	(void)state;
	struct event_base *loop = event_base_new();
	struct end end;
	struct sockaddr_storage kernel;
	sip_message_start();
	open_end(&end, loop);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t size = address_to_sockaddr(&end.address, &kernel);
	static const struct text datagrams[] = { TEXT("\r\n\r\n"), TEXT("\r\n"), TEXT("\0\0\0\0"),
						 TEXT(""),
						 TEXT(" INVITE sip:a@b SIP/2.0\r\n\r\n") };
	for (unsigned i = 0; i < sizeof(datagrams) / sizeof(datagrams[0]); i++)
		CHECK_NUMBER(sendto(fd, datagrams[i].data, datagrams[i].size, 0,
				    (struct sockaddr *)&kernel, size),
			     datagrams[i].size);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	const struct sip_transport_counters *counters = sip_transport_counters(end.transport);
	CHECK_NUMBER(counter_get(&counters->received), 5);
	CHECK_NUMBER(counter_get(&counters->keepalives), 2);
	CHECK_NUMBER(counter_get(&counters->malformed), 3);
	CHECK_NUMBER(end.received, 0);
	close(fd);
	close_end(&end);
	event_base_free(loop);
}

static void a_flood_is_read_in_bounded_turns(void **state)
{
	(void)state;
	struct event_base *loop = event_base_new();
	struct end end;
	struct sockaddr_storage kernel;
	sip_message_start();
	open_end(&end, loop);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t size = address_to_sockaddr(&end.address, &kernel);
	for (unsigned i = 0; i < 200; i++)
		CHECK_NUMBER(sendto(fd, "junk", 4, 0, (struct sockaddr *)&kernel, size), 4);
	event_base_loop(loop, EVLOOP_ONCE);
	CHECK_NUMBER(end.received, 128);
	event_base_loop(loop, EVLOOP_ONCE);
	CHECK_NUMBER(end.received, 200);
	CHECK_NUMBER(counter_get(&sip_transaction_counters(end.transactions)->dropped_malformed),
		     200);
	close(fd);
	close_end(&end);
	event_base_free(loop);
}

static void an_address_that_cannot_be_had_refuses_the_start(void **state)
{
	(void)state;
	struct event_base *loop = event_base_new();
	struct address addresses[2];
	struct sip_transport *transport = NULL;
	CHECK_TRUE(address_parse(TEXT("127.0.0.1"), &addresses[0]));
	CHECK_TRUE(address_parse(TEXT("203.0.113.77:5060"), &addresses[1]));
	struct sip_transport_options options = { .addresses = addresses,
						 .address_count = 2,
						 .user.receive = count_and_pass };
	CHECK_STATUS(sip_transport_start(loop, &options, &transport), ERR_SYSTEM);
	assert_null(transport);
	sip_transport_stop(NULL);
	event_base_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_goes_from_invite_to_bye),
		TEST(what_is_no_sip_goes_no_further),
		TEST(a_flood_is_read_in_bounded_turns),
		TEST(an_address_that_cannot_be_had_refuses_the_start),
	};
	return RUN_TESTS(tests);
}
