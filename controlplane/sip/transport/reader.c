// Reading a connection: framing, and who hears of what was found.
// Runs on the control thread. Never closes a connection: an answer may doom it, no more.

#include "sip/transport/reader.h"

#include <event2/buffer.h>

#include "sip/guard/guard.h"
#include "sip/tls/tls.h"
#include "sip/transport/connections.h"
#include "sip/transport/sender.h"

#define PONGS_MAX 4 // for what is read at once
#define READS_MAX 8 // of one stream before others have their turn

static void note_message(struct connection *connection, size_t size)
{
	struct sip_transport_counters *counters = connection->connections->counters;
	enum connection_rank rank = connection->rank;
	counter_add(&counters->received, 1);
	counter_add(&counters->received_octets, size);
	connection->received++;
	connection->heard_ms = connection_now(connection);
	connection->message_ms = 0;
	connections_rank(connection, rank == CONNECTION_STRANGER ? CONNECTION_SPOKEN : rank);
}

static void take_message(struct connection *connection, struct text octets)
{
	const struct sip_transport_user *user = &connection->connections->options->user;
	struct sip_flow flow = connection->flow;
	note_message(connection, octets.size);
	if (user->guard != NULL)
		sip_guard_receive(user->guard, octets, &flow);
	else
		user->receive(user->context, octets, &flow);
}

// One answer says that we are there (RFC 5626 3.5.1); thousands in one read would cost a segment each.
static void answer_ping(struct connection *connection, unsigned *pongs)
{
	counter_add(&connection->connections->counters->keepalives, 1);
	connection->heard_ms = connection_now(connection);
	if (++*pongs <= PONGS_MAX)
		(void)sender_send(connection, TEXT("\r\n"));
}

static void refuse(struct connection *connection, struct text head)
{
	const struct sip_transport_user *user = &connection->connections->options->user;
	struct sip_transport_counters *counters = connection->connections->counters;
	const struct frame *frame = &connection->frame;
	struct sip_flow flow = connection->flow;
	counter_add(frame->status == 513 ? &counters->too_large : &counters->malformed, 1);
	if (user->refuse != NULL)
		user->refuse(user->context, head, &flow, frame->status, frame->reason);
}

// What comes of one look at what has arrived; true: there may be more.
static bool take(struct connection *connection, enum frame_verdict verdict, struct text found,
		 unsigned *pongs)
{
	switch (verdict) {
	case FRAME_MORE:
		return false;
	case FRAME_BLANK:
		break;
	case FRAME_PING:
		answer_ping(connection, pongs);
		break;
	case FRAME_MESSAGE:
		take_message(connection, found);
		break;
	case FRAME_REFUSE:
		refuse(connection, found);
		return false;
	case FRAME_ALIEN:
		counter_add(&connection->connections->counters->malformed, 1);
		return false;
	}
	// An answer may have been too much, or the last.
	return connection->state == CONNECTION_OPEN && !connection->is_dismissed;
}

static enum frame_verdict read_all(struct connection *connection, struct evbuffer *input)
{
	enum frame_verdict verdict = FRAME_MORE;
	unsigned pongs = 0;
	bool is_more = true;
	while (is_more) {
		size_t there = evbuffer_get_length(input), size = 0;
		if (there == 0 || there < frame_wanted(&connection->frame))
			return FRAME_MORE;
		const unsigned char *octets = evbuffer_pullup(input, -1);
		if (octets == NULL)
			return FRAME_ALIEN; // no memory: nobody goes on from here
		struct text text = { (const char *)octets, there };
		verdict = frame_read(&connection->frame, text, &size);
		is_more = take(connection, verdict, (struct text){ text.data, size }, &pongs);
		(void)evbuffer_drain(input, size);
	}
	return verdict;
}

// Of TLS there may be more than the loop knows of.
static bool has_more(struct connection *connection)
{
	if (connection->flow.protocol != SIP_TLS || connection->state != CONNECTION_OPEN)
		return false;
	enum sip_tls_more more = sip_tls_more(connection->stream);
	if (more == SIP_TLS_GOODBYE || more == SIP_TLS_BROKEN) {
		connection->is_over = true;
		sender_await(connection);
	}
	return more == SIP_TLS_SOME;
}

enum frame_verdict reader_run(struct connection *connection, struct evbuffer *input)
{
	enum frame_verdict verdict = read_all(connection, input);
	for (unsigned i = 0; i < READS_MAX; i++) {
		if (verdict != FRAME_MORE || connection->is_dismissed || !has_more(connection))
			return verdict;
		verdict = read_all(connection, input);
	}
	connection->is_unread = true;
	sender_await(connection);
	return verdict;
}
