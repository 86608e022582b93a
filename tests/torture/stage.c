// Three parties around one node, as plain as can be: no timers, no retransmissions of theirs.
// Runs on the thread of the test.

#include "torture/stage.h"

#include <stdio.h>
#include <string.h>

#include "tests/check.h"

#include "call/call.h"
#include "call/table.h"
#include "fake/dataplane.h"
#include "fake/history.h"

#define SDP(address)                                                                               \
	"v=0\r\no=- 1 1 IN IP4 " address "\r\ns=-\r\nc=IN IP4 " address                            \
	"\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

static struct sip_flow flow_to(const char *remote, enum sip_protocol protocol)
{
	struct sip_flow flow = { .protocol = protocol, .connection = protocol == SIP_UDP ? 0 : 1 };
	assert_true(address_parse(text_of(remote), &flow.remote));
	assert_true(address_parse(TEXT(NODE_ADDRESS), &flow.local));
	return flow;
}

void stage_open(struct stage *stage, enum sip_protocol protocol)
{
	static char *const fast[] = { "cps=1000" };
	struct directory_problem problem;
	*stage = (struct stage){ .node = node_create() };
	assert_true(node_set(stage->node, "trunk", "acme", fast, 1, &problem));
	stage->caller = flow_to("203.0.113.10:5060", protocol);
	stage->carrier = flow_to("198.51.100.11:5060", SIP_UDP);
	stage->stranger = flow_to("203.0.113.66:5066", protocol);
}

void stage_close(struct stage *stage)
{
	struct node *node = stage->node;
	const struct sip_transaction_counters *counters =
		sip_transaction_counters(node->transactions);
	node_outlive(node);
	CHECK_NUMBER(calls_count(node->calls), 0);
	CHECK_NUMBER(sip_dialogs_count(node->dialogs), 0);
	CHECK_NUMBER(counter_get(&counters->server_count), 0);
	CHECK_NUMBER(counter_get(&counters->client_count), 0);
	CHECK_NUMBER(fake_dataplane_open_count(node->dataplane), 0);
	CHECK_NUMBER(counter_get(&media_engine_counters(node->media)->ports_used), 0);
	CHECK_NUMBER(fake_history_open_count(node->history), 0);
	node_destroy(node);
}

void stage_throw(struct stage *stage, const struct sip_flow *from, struct text octets)
{
	wire_deliver(&stage->node->wire, stage->node->guard, octets, from);
	node_wait(stage->node, WHEEL_TICK_MS);
}

// On a stream the port is where a new connection would go.
static bool is_news(const struct wire_packet *packet, const struct sip_flow *to)
{
	bool is_there = sip_flow_is_reliable(to)
				? packet->connection == to->connection &&
					  address_is_same_host(&packet->destination, &to->remote)
				: address_is_equal(&packet->destination, &to->remote);
	return !packet->is_inbound && !packet->is_taken && is_there &&
	       strncmp(packet->octets, "SIP/2.0 100", 11) != 0;
}

const struct wire_packet *stage_take(struct stage *stage, const struct sip_flow *to)
{
	const struct wire *wire = &stage->node->wire;
	for (unsigned i = stage->seen; i < wire->count; i++) {
		if (!is_news(wire->packets[i], to))
			continue;
		wire->packets[i]->is_taken = true;
		return wire->packets[i];
	}
	return NULL;
}

bool stage_is_silent(struct stage *stage)
{
	const struct wire *wire = &stage->node->wire;
	for (unsigned i = stage->seen; i < wire->count; i++)
		if (!wire->packets[i]->is_taken &&
		    strncmp(wire->packets[i]->octets, "SIP/2.0 100", 11) != 0)
			return false;
	stage->seen = wire->count;
	return true;
}

void stage_answer(struct stage *stage, const struct wire_packet *request, unsigned status)
{
	char room[4096];
	struct writer writer = writer_of(room, sizeof(room));
	const struct sip_message *message = &request->message;
	writer_format(&writer, "SIP/2.0 %u X\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s", status,
		      TEXT_FORMAT(message->via.whole), TEXT_FORMAT(message->from_value),
		      TEXT_FORMAT(message->to_value));
	writer_string(&writer, message->to.tag.size > 0 ? "" : ";tag=carrier");
	writer_format(&writer, "\r\nCall-ID: %.*s\r\nCSeq: %.*s\r\n", TEXT_FORMAT(message->call_id),
		      TEXT_FORMAT(message->cseq_value));
	if (status / 100 == 2 && message->method == SIP_INVITE)
		writer_format(&writer,
			      "Contact: <sip:c@198.51.100.11>\r\nContent-Type: application/sdp\r\n"
			      "Content-Length: %zu\r\n\r\n%s",
			      sizeof(SDP("198.51.100.11")) - 1, SDP("198.51.100.11"));
	else
		writer_string(&writer, "Content-Length: 0\r\n\r\n");
	assert_false(writer.failed);
	stage_throw(stage, &stage->carrier, writer_done(&writer));
}

// ---- a call

static void write_request(struct writer *writer, const char *method, unsigned cseq, const char *tag,
			  const char *body)
{
	writer_format(writer,
		      "%s sip:+81312345678@" NODE_DOMAIN " SIP/2.0\r\n"
		      "Via: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bKstage%s%u\r\n"
		      "From: <sip:" NODE_NUMBER "@" NODE_DOMAIN ">;tag=torture-tag\r\n"
		      "To: <sip:+81312345678@" NODE_DOMAIN ">%s%s\r\nCall-ID: torture-call\r\n"
		      "CSeq: %u %s\r\nMax-Forwards: 70\r\nContact: <sip:a@203.0.113.10>\r\n",
		      method, method, cseq, tag[0] ? ";tag=" : "", tag, cseq, method);
	if (body[0] != '\0')
		writer_string(writer, "Content-Type: application/sdp\r\n");
	writer_format(writer, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
}

static void say(struct stage *stage, const char *method, unsigned cseq, const char *tag,
		const char *body)
{
	char room[2048];
	struct writer writer = writer_of(room, sizeof(room));
	write_request(&writer, method, cseq, tag, body);
	assert_false(writer.failed);
	stage_throw(stage, &stage->caller, writer_done(&writer));
}

static void acknowledge(struct stage *stage, const char *tag)
{
	char room[1024];
	struct writer writer = writer_of(room, sizeof(room));
	writer_format(&writer,
		      "ACK sip:trunkd@" NODE_ADDRESS " SIP/2.0\r\n"
		      "Via: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bKstageack\r\n"
		      "From: <sip:" NODE_NUMBER "@" NODE_DOMAIN ">;tag=torture-tag\r\n"
		      "To: <sip:+81312345678@" NODE_DOMAIN ">;tag=%s\r\nCall-ID: torture-call\r\n"
		      "CSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		      tag);
	stage_throw(stage, &stage->caller, writer_done(&writer));
}

bool stage_call(struct stage *stage, char tag[static 64])
{
	say(stage, "INVITE", 1, "", SDP("203.0.113.10"));
	const struct wire_packet *invite = stage_take(stage, &stage->carrier);
	if (invite == NULL)
		return false;
	stage_answer(stage, invite, 200);
	const struct wire_packet *ok = stage_take(stage, &stage->caller);
	const struct wire_packet *ack = stage_take(stage, &stage->carrier);
	if (ok == NULL || ok->message.status != 200 || ack == NULL ||
	    !text_copy(ok->message.to.tag, tag, 64))
		return false;
	acknowledge(stage, tag);
	return stage_is_silent(stage) && calls_count(stage->node->calls) == 1;
}

unsigned stage_ask(struct stage *stage, const char *method, unsigned cseq, const char *tag)
{
	say(stage, method, cseq, tag, "");
	const struct wire_packet *answer = stage_take(stage, &stage->caller);
	return answer != NULL ? answer->message.status : 0;
}
