// The control thread behind the door: a guard in overload, a transport with real sockets, transactions.

#include "tests/check.h"

#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/wheel.h"
#include "config/guard.h"
#include "sip/guard/apart.h"
#include "sip/guard/guard.h"
#include "sip/message.h"
#include "sip/transaction.h"
#include "sip/transport.h"

#define HOST "office.example"

struct stage {
	struct clock clock;
	struct wheel *wheel;
	struct event_base *loop;
	struct guard_config config;
	struct sip_guard *guard;
	struct sip_transport *transport;
	struct sip_transactions *transactions;
	struct sip_server *server; // of the last INVITE
	struct sip_flow flow; // of who calls
	int calling;
	unsigned requests, cancels, sent;
};

static bool is_listed(void *context, const struct address *address)
{
	(void)context, (void)address;
	return true;
}

static void on_event(void *context, const struct sip_guard_event *event)
{
	(void)context, (void)event;
}

static void receive(void *context, struct text octets, const struct sip_flow *flow)
{
	struct stage *stage = context;
	stage->flow = *flow;
	sip_transaction_receive(stage->transactions, octets, flow);
}

static void refuse(void *context, struct text octets, const struct sip_flow *flow)
{
	struct stage *stage = context;
	sip_transaction_shed(stage->transactions, octets, flow);
}

static bool is_known(void *context, const struct sip_message *request)
{
	(void)context;
	return text_is_same(request->target.host, TEXT(HOST));
}

static void release(struct stage *stage)
{
	if (stage->server != NULL)
		sip_server_release(stage->server);
	stage->server = NULL;
}

static void on_request(void *context, struct sip_server *server, const struct sip_message *request)
{
	struct stage *stage = context;
	(void)request;
	release(stage);
	stage->server = server;
	stage->requests++;
}

static void on_cancelled(void *context, struct sip_server *server, const struct sip_message *cancel)
{
	struct stage *stage = context;
	(void)server, (void)cancel;
	stage->cancels++;
}

static enum status count_sent(void *context, struct text octets, struct sip_flow *flow)
{
	struct stage *stage = context;
	(void)octets, (void)flow;
	stage->sent++;
	return OK;
}

static void open_transactions(struct stage *stage)
{
	const struct sip_transaction_options options = {
		.clock = &stage->clock,
		.wheel = stage->wheel,
		.user = { .context = stage,
			  .is_known = is_known,
			  .request = on_request,
			  .cancelled = on_cancelled },
		.guard = stage->guard,
		.send = count_sent,
		.send_context = stage,
		.t1_ms = 500,
		.t2_ms = 4000,
		.t4_ms = 5000,
		.transactions_max = 64,
		.user_agent = "test",
	};
	sip_message_start();
	stage->transactions = sip_transactions_create(&options);
	assert_non_null(stage->transactions);
}

static void open_transport(struct stage *stage)
{
	struct address local;
	assert_true(address_parse(TEXT("127.0.0.1"), &local));
	local.port = 0;
	const struct sip_transport_options options = {
		.clock = &stage->clock,
		.wheel = stage->wheel,
		.addresses = &local,
		.address_count = 1,
		.user = { .context = stage, .receive = receive, .guard = stage->guard },
	};
	assert_int_equal(sip_transport_start(stage->loop, &options, &stage->transport), OK);
}

static struct stage *open_stage(void)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct sockaddr_storage kernel;
	assert_non_null(stage);
	clock_update(&stage->clock);
	stage->wheel = wheel_create(stage->clock.now_ms);
	stage->loop = event_base_new();
	stage->config = (struct guard_config){ .enabled = true,
					       .stranger_rate = 20,
					       .strangers_rate = 2000,
					       .peer_rate = 1000,
					       .known_minutes = 60,
					       .offences = 20,
					       .ban_s = 60,
					       .ban_max_s = 3600,
					       .queue_ms = 20,
					       .stale_ms = 60000 };
	const struct sip_guard_options options = { .clock = &stage->clock,
						   .config = &stage->config,
						   .receive = receive,
						   .shed = refuse,
						   .receive_context = stage,
						   .is_listed = is_listed,
						   .event = on_event };
	stage->guard = sip_guard_create(&options);
	assert_non_null(stage->guard);
	open_transactions(stage);
	open_transport(stage);
	socklen_t size =
		address_to_sockaddr(sip_transport_address(stage->transport, SIP_UDP, 0), &kernel);
	stage->calling = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(stage->calling, (struct sockaddr *)&kernel, size), 0);
	return stage;
}

static void close_stage(struct stage *stage)
{
	release(stage);
	sip_transport_stop(stage->transport);
	sip_transactions_destroy(stage->transactions);
	sip_guard_destroy(stage->guard);
	event_base_free(stage->loop);
	wheel_destroy(stage->wheel);
	close(stage->calling);
	free(stage);
}

// Every turn is a fifth of a second late.
static void be_overloaded(struct stage *stage)
{
	for (unsigned i = 0; i < 4; i++) {
		stage->clock.now_ms += 200;
		sip_guard_tick(stage->guard, 200000, stage->clock.now_ms * 1000);
		sip_transport_steer(stage->transport, sip_guard_has_door(stage->guard));
	}
}

static void send_request(struct stage *stage, const char *method, unsigned n)
{
	char room[1024];
	int size =
		snprintf(room, sizeof(room),
			 "%s sip:+4915550000001@" HOST " SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP h:5060;branch=z9hG4bK%u;rport\r\n"
			 "From: <sip:a@b.example>;tag=1\r\nTo: <sip:+4915550000001@" HOST ">\r\n"
			 "Call-ID: %u\r\nCSeq: 1 %s\r\nContact: <sip:a@h>\r\nMax-Forwards: 70\r\n"
			 "Content-Length: 0\r\nX-Much: %0*d\r\n\r\n",
			 method, n, n, method, 200, 0);
	assert_int_equal(send(stage->calling, room, (size_t)size, 0), size);
}

// Turns of the loop until the number is reached, or ten seconds are over.
static void until(struct stage *stage, const unsigned *number, unsigned wanted)
{
	for (unsigned i = 0; i < 10000 && *number < wanted; i++) {
		(void)event_base_loop(stage->loop, EVLOOP_NONBLOCK);
		(void)poll(NULL, 0, *number < wanted);
	}
	CHECK_NUMBER(*number, wanted);
}

static void wait_for_door(const struct stage *stage, uint64_t let_in)
{
	const struct sip_transport_counters *counters = sip_transport_counters(stage->transport);
	for (unsigned i = 0; i < 1000 && counter_get(&counters->door_let_in) < let_in; i++)
		(void)poll(NULL, 0, 10);
	CHECK_NUMBER(counter_get(&counters->door_let_in), let_in);
}

static void new_calls_come_by_it_in_overload(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	send_request(stage, "INVITE", 1);
	until(stage, &stage->requests, 1);
	wait_for_door(stage, 0);
	be_overloaded(stage);
	CHECK_TRUE(sip_guard_has_door(stage->guard));
	send_request(stage, "INVITE", 2);
	until(stage, &stage->requests, 2);
	wait_for_door(stage, 1);
	close_stage(stage);
}

// RFC 3261 9.1 forbids it, some do it: answered 481, the call would ring on.
static void a_cancel_of_what_waits_at_the_door_comes_again(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	const struct sip_transaction_counters *counters =
		sip_transaction_counters(stage->transactions);
	send_request(stage, "INVITE", 1);
	until(stage, &stage->requests, 1); // now the caller is known
	be_overloaded(stage);
	send_request(stage, "INVITE", 2);
	wait_for_door(stage, 1);
	stage->sent = 0;
	static const char cancel[] = "CANCEL sip:+4915550000001@" HOST " SIP/2.0\r\n"
				     "Via: SIP/2.0/UDP h:5060;branch=z9hG4bK2;rport\r\n"
				     "From: <sip:a@b.example>;tag=1\r\n"
				     "To: <sip:+4915550000001@" HOST ">\r\nCall-ID: 2\r\n"
				     "CSeq: 1 CANCEL\r\nMax-Forwards: 70\r\n\r\n";
	const struct sip_flow flow = stage->flow;
	sip_transaction_receive(stage->transactions, TEXT(cancel), &flow);
	CHECK_NUMBER(stage->sent, 0);
	CHECK_NUMBER(counter_get(&counters->early_cancels), 1);
	until(stage, &stage->requests, 2);
	sip_transaction_receive(stage->transactions, TEXT(cancel), &flow);
	CHECK_NUMBER(stage->cancels, 1);
	close_stage(stage);
}

// ---- where the kernel will not

static bool is_ours(int fd, const struct address *local)
{
	struct sockaddr_storage kernel;
	struct address bound;
	socklen_t size = sizeof(kernel);
	return getsockname(fd, (struct sockaddr *)&kernel, &size) == 0 &&
	       address_from_sockaddr((struct sockaddr *)&kernel, &bound) &&
	       address_is_equal(&bound, local);
}

static void lock_programs(const struct stage *stage)
{
	const struct address *local = sip_transport_address(stage->transport, SIP_UDP, 0);
	unsigned locked = 0;
	int on = 1;
	for (int fd = 3; fd < 256; fd++)
		if (is_ours(fd, local))
			locked += setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) == 0;
	assert_int_equal(locked, 2);
}

static void calls_come_in_where_the_program_cannot_be_changed(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	lock_programs(stage);
	be_overloaded(stage);
	CHECK_TRUE(!sip_guard_has_door(stage->guard));
	send_request(stage, "INVITE", 1);
	until(stage, &stage->requests, 1);
	wait_for_door(stage, 0);
	close_stage(stage);
}

static void a_guard_that_is_switched_off_has_no_door(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	stage->config.enabled = false;
	be_overloaded(stage);
	CHECK_TRUE(!sip_guard_has_door(stage->guard));
	for (unsigned i = 1; i <= 10; i++)
		send_request(stage, "INVITE", i);
	until(stage, &stage->requests, 10);
	wait_for_door(stage, 0);
	close_stage(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_calls_come_by_it_in_overload),
		TEST(a_cancel_of_what_waits_at_the_door_comes_again),
		TEST(calls_come_in_where_the_program_cannot_be_changed),
		TEST(a_guard_that_is_switched_off_has_no_door),
	};
	return RUN_TESTS(tests);
}
