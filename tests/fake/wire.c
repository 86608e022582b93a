// The network of a test. Judges what the product sends: whole, framed, with what RFC 3261 8.1.1 and
// 8.2.6 ask for.
// Runs on: the thread of the test.

#include "fake/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/memory.h"
#include "sip/transaction.h"

void wire_init(struct wire *wire, const struct clock *clock)
{
	*wire = (struct wire){ .clock = clock };
}

void wire_clear(struct wire *wire)
{
	for (unsigned i = 0; i < wire->count; i++) {
		free(wire->packets[i]->octets);
		free(wire->packets[i]);
	}
	free(wire->packets);
	*wire = (struct wire){ 0 };
}

static struct wire_packet *keep(struct wire *wire, struct text octets, const struct sip_flow *flow)
{
	if (wire->count == wire->room) {
		wire->room = wire->room ? wire->room * 2 : 64;
		wire->packets = memory_grow(wire->packets, wire->room * sizeof(*wire->packets));
	}
	struct wire_packet *packet = memory_take(sizeof(*packet));
	packet->octets = memory_take(octets.size + 1);
	memcpy(packet->octets, octets.data, octets.size);
	packet->octets[octets.size] = '\0';
	packet->size = octets.size;
	packet->source = flow->local;
	packet->destination = flow->remote;
	packet->protocol = flow->protocol;
	packet->connection = flow->connection;
	packet->at_ms = wire->clock->now_ms;
	wire->packets[wire->count++] = packet;
	return packet;
}

static const char *fault_of(const struct wire_packet *packet)
{
	const struct sip_message *message = &packet->message;
	uint64_t length = 0;
	if (message->via_count == 0 || message->call_id.size == 0 || message->cseq_value.size == 0)
		return "no Via, Call-ID or CSeq";
	if (message->from_value.size == 0 || message->to_value.size == 0)
		return "no From or To";
	if (!text_to_unsigned(sip_message_header(message, "Content-Length", 0), SIP_MESSAGE_MAX,
			      &length) ||
	    length != message->body.size)
		return "Content-Length is not the body's";
	if (message->body.size > 0 && message->content_type.size == 0)
		return "a body without Content-Type";
	if (message->is_request && sip_message_header(message, "Max-Forwards", 0).data == NULL)
		return "a request without Max-Forwards";
	if (message->is_request && message->method == SIP_INVITE && !message->contact.is_present)
		return "an INVITE without Contact";
	if (!message->is_request && message->status > 100 && message->to.tag.size == 0)
		return "a response without To tag";
	if (!message->is_request && message->method == SIP_INVITE && message->status / 100 == 2 &&
	    !message->contact.is_present)
		return "a 2xx to INVITE without Contact";
	return NULL;
}

enum status wire_send(void *context, struct text octets, struct sip_flow *flow)
{
	struct wire *wire = context;
	if (address_is_equal(&flow->remote, &wire->unreachable))
		return ERR_SYSTEM;
	struct wire_packet *packet = keep(wire, octets, flow);
	struct text kept = { packet->octets, packet->size };
	const char *fault =
		sip_message_parse(kept, &packet->message) ? fault_of(packet) : "it cannot be read";
	if (fault != NULL && wire->problem[0] == '\0')
		(void)snprintf(wire->problem, sizeof(wire->problem), "%s: \"%.*s\"", fault,
			       (int)strcspn(packet->octets, "\r\n"), packet->octets);
	return OK;
}

void wire_deliver(struct wire *wire, struct sip_guard *guard, struct text octets,
		  const struct sip_flow *flow)
{
	struct wire_packet *packet = keep(wire, octets, flow);
	packet->source = flow->remote;
	packet->destination = flow->local;
	packet->is_inbound = true;
	packet->is_taken = true;
	char *copy = memory_take(octets.size + (octets.size == 0));
	memcpy(copy, octets.data, octets.size);
	sip_guard_receive(guard, (struct text){ copy, octets.size }, flow);
	free(copy);
}

void wire_print(const struct wire *wire, unsigned count)
{
	unsigned first = wire->count > count ? wire->count - count : 0;
	for (unsigned i = first; i < wire->count; i++) {
		const struct wire_packet *packet = wire->packets[i];
		const struct address *peer =
			packet->is_inbound ? &packet->source : &packet->destination;
		char room[ADDRESS_TEXT_SIZE];
		const char *cseq = strstr(packet->octets, "CSeq:");
		printf("  %9.3f s  %-20s %c %.*s   (%.*s)%s\n", (double)packet->at_ms / 1000,
		       address_string(peer, room), packet->is_inbound ? '>' : '<',
		       (int)strcspn(packet->octets, "\r\n"), packet->octets,
		       cseq ? (int)strcspn(cseq, "\r\n") : 0, cseq ? cseq : "",
		       packet->is_taken ? "" : "   not looked at");
	}
}
