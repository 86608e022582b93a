// What user agents say: messages by RFC 3261, but for what a line asks to be otherwise.
// Runs on: the thread of the test.

#include "scenario/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/memory.h"
#include "scenario/body.h"
#include "scenario/proof.h"

#define MESSAGE_SIZE 8192

static bool lacks(const struct speech *speech, const char *part)
{
	for (unsigned i = 0; i < speech->without_count; i++) {
		if (strcmp(speech->without[i], part) == 0)
			return true;
	}
	return false;
}

static void keep(struct text *kept, struct text octets)
{
	char *copy = memory_take(octets.size + 1);
	memcpy(copy, octets.data, octets.size);
	free((char *)kept->data);
	*kept = (struct text){ copy, octets.size };
}

static void deliver(struct agents *agents, const struct party *party, struct text octets)
{
	const struct way *way = party->way;
	struct sip_flow flow = { .protocol = way->protocol,
				 .tls_version = way->tls_version,
				 .remote = party->address,
				 .connection = way->connection };
	(void)address_parse(TEXT(NODE_ADDRESS), &flow.local);
	flow.local.port = sip_protocol_port(way->protocol);
	wire_deliver(&agents->node->wire, agents->node->guard, octets, &flow);
}

static void line(struct writer *writer, const char *name, struct text value)
{
	writer_format(writer, "%s: %.*s\r\n", name, TEXT_FORMAT(value));
}

static bool write_end(struct party *party, const struct speech *speech, const char *sdp,
		      struct writer *writer)
{
	char room[2048];
	struct writer body = writer_of(room, sizeof(room));
	for (unsigned i = 0; i < speech->header_count; i++)
		writer_format(writer, "%s\r\n", speech->headers[i]);
	if (sdp != NULL && !lacks(speech, "sdp")) {
		party->sdp_version += !speech->is_unchanged;
		if (!body_write(sdp, party->agent->media_host, party->sdp_version, &body))
			return false;
		if (!lacks(speech, "content-type"))
			writer_string(writer, "Content-Type: application/sdp\r\n");
	}
	if (speech->content != NULL) {
		writer_format(writer, "Content-Type: %s\r\n", speech->content_type);
		writer_string(&body, speech->content);
	}
	struct text text = writer_done(&body);
	writer_format(writer, "Content-Length: %zu\r\n\r\n%.*s", text.size, TEXT_FORMAT(text));
	return !writer->failed && !body.failed;
}

static void write_contact(const struct party *party, const struct speech *speech,
			  struct writer *writer)
{
	if (speech->contact != NULL)
		writer_format(writer, "Contact: <%s>\r\n", speech->contact);
	else if (!lacks(speech, "contact"))
		writer_format(
			writer, "Contact: <sip:ua-%s@%s%s%s>\r\n", party->agent->name,
			party->agent->address, party->way->protocol != SIP_UDP ? ";transport=" : "",
			party->way->protocol != SIP_UDP ? sip_protocol_name(party->way->protocol)
							: "");
}

// ---- requests

static bool has_dialog(const struct party *party)
{
	return strstr(party->remote, ";tag=") != NULL;
}

static void open_dialog(struct party *party, const struct speech *speech)
{
	bool is_carrier = agent_is_carrier(party->agent);
	const char *usual = is_carrier ? "+81312345678" : NODE_NUMBER;
	const char *from = speech->from != NULL ? speech->from : usual;
	bool is_whole = strchr(from, '@') != NULL || strchr(from, '<') != NULL;
	char room[AGENT_TEXT_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	if (is_whole)
		writer_string(&writer, from);
	else
		writer_format(&writer, "<sip:%s@%s>", from,
			      is_carrier ? party->agent->host : NODE_DOMAIN);
	(void)snprintf(party->local, sizeof(party->local), "%s;tag=%s", writer_string_done(&writer),
		       party->local_tag);
	(void)snprintf(party->call_id, sizeof(party->call_id), "callid-%s", party->name);
}

// "+81…" is dialled at the trunk's own domain, by a carrier at our address.
static const char *uri_of(struct party *party, const struct speech *speech, char *room, size_t size)
{
	bool is_hop_ack = speech->method == SIP_ACK && party->answered != NULL &&
			  party->answered->message.status >= 300;
	if (speech->uri != NULL && strncmp(speech->uri, "sip", 3) != 0 &&
	    strncmp(speech->uri, "tel", 3) != 0) {
		(void)snprintf(room, size, "sip:%s@%s", speech->uri,
			       agent_is_carrier(party->agent) ? NODE_ADDRESS : NODE_DOMAIN);
		return room;
	}
	if (speech->uri != NULL)
		return speech->uri;
	if (speech->method == SIP_CANCEL || is_hop_ack || party->target[0] == '\0')
		return party->invite_uri;
	return party->target;
}

// ACK of a refusal and CANCEL belong to the INVITE's transaction; everything else has its own.
static bool is_of_invite(const struct party *party, const struct speech *speech)
{
	return speech->method == SIP_CANCEL ||
	       (speech->method == SIP_ACK && party->answered != NULL &&
		party->answered->message.status >= 300);
}

static void choose_branch(struct party *party, const struct speech *speech, char room[static 64])
{
	if (speech->branch != NULL)
		(void)snprintf(room, 64, "z9hG4bK-%s", speech->branch);
	else if (is_of_invite(party, speech))
		(void)snprintf(room, 64, "%s", party->invite_branch);
	else
		(void)snprintf(room, 64, "z9hG4bK-%s-%u", party->name, ++party->branches);
	for (char *at = room; *at; at++)
		*at = *at == '/' ? '.' : *at;
}

static uint32_t choose_cseq(struct party *party, const struct speech *speech)
{
	if (speech->cseq >= 0)
		return (uint32_t)speech->cseq;
	if (speech->method == SIP_ACK || speech->method == SIP_CANCEL)
		return party->invite_cseq;
	return ++party->cseq;
}

static void write_to(const struct party *party, const struct speech *speech, const char *uri,
		     struct writer *writer)
{
	if (speech->to_tag != NULL)
		writer_format(writer, "To: <%s>;tag=%s\r\n", uri, speech->to_tag);
	else if (speech->method == SIP_CANCEL && party->invite_to[0] != '\0')
		writer_format(writer, "To: %s\r\n", party->invite_to);
	else if (speech->method == SIP_ACK && is_of_invite(party, speech))
		line(writer, "To", party->answered->message.to_value);
	else if (has_dialog(party))
		writer_format(writer, "To: %s\r\n", party->remote);
	else
		writer_format(writer, "To: <%s>\r\n", uri);
}

// The nonce of the challenge whose algorithm it wants; false: there is none.
static bool take_nonce(struct party *party, const struct speech *speech)
{
	struct text value;
	if (speech->has_old_nonce)
		return party->nonce[0] != '\0';
	if (speech->nonce_of != NULL) {
		memcpy(party->nonce, speech->nonce_of->nonce, sizeof(party->nonce));
		party->nonce_count = speech->nonce_of->nonce_count;
		return party->nonce[0] != '\0';
	}
	if (party->challenge == NULL)
		return false;
	const struct sip_message *challenge = &party->challenge->message;
	for (unsigned nth = 0;
	     (value = sip_message_header(challenge, "Proxy-Authenticate", nth)).data; nth++) {
		char room[1024], nonce[sizeof(party->nonce)];
		(void)text_copy(value, room, sizeof(room));
		const char *at = strstr(room, "nonce=\"");
		if ((strstr(room, "SHA-256") != NULL) != speech->is_sha256 || at == NULL)
			continue;
		(void)snprintf(nonce, sizeof(nonce), "%.*s", (int)strcspn(at + 7, "\""), at + 7);
		if (strcmp(nonce, party->nonce) != 0)
			party->nonce_count = 0;
		memcpy(party->nonce, nonce, sizeof(nonce));
		return true;
	}
	return false;
}

static bool write_proof(struct party *party, const struct speech *speech, const char *uri,
			struct writer *writer)
{
	struct proof proof = { .user = speech->user,
			       .password = speech->password,
			       .realm = NODE_BASE_DOMAIN,
			       .nonce = party->nonce,
			       .uri = uri,
			       .method = "INVITE",
			       .is_sha256 = speech->is_sha256 };
	if (speech->user == NULL)
		return true;
	if (!take_nonce(party, speech))
		return false;
	if (!speech->has_same_count)
		party->nonce_count++;
	proof.nonce_count = party->nonce_count;
	proof_write(&proof, writer);
	return true;
}

// RFC 3262 7.2: which response the PRACK is of.
static bool write_rack(const struct party *party, const struct speech *speech,
		       struct writer *writer)
{
	if (speech->method != SIP_PRACK || lacks(speech, "rack"))
		return true;
	if (party->reliable == NULL)
		return false;
	const struct sip_message *response = &party->reliable->message;
	writer_format(writer, "RAck: %.*s %.*s\r\n",
		      TEXT_FORMAT(sip_message_header(response, "RSeq", 0)),
		      TEXT_FORMAT(response->cseq_value));
	return true;
}

static void remember_invite(struct party *party, const char *uri, const char *branch, uint32_t cseq)
{
	(void)snprintf(party->invite_uri, sizeof(party->invite_uri), "%s", uri);
	(void)snprintf(party->invite_branch, sizeof(party->invite_branch), "%s", branch);
	if (has_dialog(party))
		(void)snprintf(party->invite_to, sizeof(party->invite_to), "%s", party->remote);
	else
		(void)snprintf(party->invite_to, sizeof(party->invite_to), "<%.500s>", uri);
	party->invite_cseq = cseq;
	party->answered = NULL;
}

static void write_from(const struct party *party, const struct speech *speech,
		       struct writer *writer)
{
	const char *tag = speech->from_tag != NULL ? strstr(party->local, ";tag=") : NULL;
	if (tag != NULL)
		writer_format(writer, "From: %.*s;tag=%s\r\n", (int)(tag - party->local),
			      party->local, speech->from_tag);
	else
		writer_format(writer, "From: %s\r\n", party->local);
}

// Who has read that dialog's messages on the way can say as much as its party.
static void borrow_dialog(struct party *party, const struct party *other)
{
	memcpy(party->call_id, other->call_id, sizeof(party->call_id));
	memcpy(party->local, other->local, sizeof(party->local));
	memcpy(party->remote, other->remote, sizeof(party->remote));
	memcpy(party->target, other->target, sizeof(party->target));
	party->cseq = other->cseq + 1000;
}

static bool write_request(struct party *party, const struct speech *speech, struct writer *writer)
{
	char uri_room[AGENT_TEXT_SIZE], branch[64];
	struct text method = text_of(speech->method_text);
	if (speech->is_echo && party->asked[SIP_INVITE] == NULL)
		return false;
	if (speech->dialog_of != NULL)
		borrow_dialog(party, speech->dialog_of);
	if (party->call_id[0] == '\0')
		open_dialog(party, speech);
	const char *uri = uri_of(party, speech, uri_room, sizeof(uri_room));
	choose_branch(party, speech, branch);
	uint32_t cseq = choose_cseq(party, speech);
	writer_format(writer, "%.*s %s SIP/2.0\r\n", TEXT_FORMAT(method), uri);
	writer_format(writer, "Via: SIP/2.0/%s %s;branch=%s%s\r\n",
		      sip_protocol_via(party->way->protocol),
		      speech->via != NULL ? speech->via : party->agent->address, branch,
		      lacks(speech, "rport") ? "" : ";rport");
	if (!lacks(speech, "max-forwards"))
		writer_format(writer, "Max-Forwards: %d\r\n",
			      speech->max_forwards >= 0 ? speech->max_forwards : 70);
	if (speech->is_echo) {
		line(writer, "From", party->asked[SIP_INVITE]->message.from_value);
		line(writer, "To", party->asked[SIP_INVITE]->message.to_value);
		cseq = party->asked[SIP_INVITE]->message.cseq;
	} else {
		write_from(party, speech, writer);
		write_to(party, speech, uri, writer);
	}
	writer_format(writer, "Call-ID: %s\r\nCSeq: %u %.*s\r\n", party->call_id, cseq,
		      TEXT_FORMAT(method));
	write_contact(party, speech, writer);
	if (!is_of_invite(party, speech))
		writer_string(writer, party->routes);
	if (speech->method != SIP_ACK && speech->method != SIP_CANCEL)
		writer_format(writer, "User-Agent: box of %s\r\n", party->agent->name);
	if (!reference_write(speech, writer) || !write_rack(party, speech, writer) ||
	    !write_proof(party, speech, uri, writer))
		return false;
	if (speech->method == SIP_INVITE && !speech->is_echo)
		remember_invite(party, uri, branch, cseq);
	const char *usual = speech->method == SIP_INVITE ? "plain" : NULL;
	return write_end(party, speech, speech->sdp != NULL ? speech->sdp : usual, writer);
}

// ---- responses

static bool write_response(struct party *party, const struct speech *speech, struct writer *writer)
{
	const struct wire_packet *packet = party->asked[speech->method];
	if (packet == NULL)
		return false;
	const struct sip_message *request = &packet->message;
	bool is_invite = speech->method == SIP_INVITE, has_tag = request->to.tag.size > 0;
	struct text value;
	writer_format(writer, "SIP/2.0 %u %s\r\n", speech->status,
		      speech->reason != NULL ? speech->reason : sip_reason(speech->status));
	for (unsigned nth = 0; (value = sip_message_header(request, "Via", nth)).data; nth++)
		line(writer, "Via", speech->via != NULL ? text_of(speech->via) : value);
	line(writer, "From", request->from_value);
	writer_format(writer, "To: %.*s", TEXT_FORMAT(request->to_value));
	if (!has_tag && speech->status > 100 && !lacks(speech, "tag"))
		writer_format(writer, ";tag=%s",
			      speech->to_tag != NULL ? speech->to_tag : party->local_tag);
	writer_string(writer, "\r\n");
	line(writer, "Call-ID", request->call_id);
	if (!lacks(speech, "cseq"))
		line(writer, "CSeq", request->cseq_value);
	bool has_target = is_invite || speech->method == SIP_UPDATE;
	if (speech->contact != NULL || (has_target && speech->status > 100 && speech->status < 300))
		write_contact(party, speech, writer);
	const char *usual = is_invite && speech->status / 100 == 2 ? "plain" : NULL;
	return write_end(party, speech, speech->sdp != NULL ? speech->sdp : usual, writer);
}

bool agents_say(struct agents *agents, struct party *party, const struct speech *speech)
{
	char room[MESSAGE_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	struct text *kept =
		speech->status > 0 ? &party->replied[speech->method] : &party->said[speech->method];
	if (speech->is_again) {
		if (kept->data == NULL)
			return false;
		deliver(agents, party, *kept);
		return true;
	}
	bool is_written = speech->status > 0 ? write_response(party, speech, &writer)
					     : write_request(party, speech, &writer);
	if (!is_written || writer.failed)
		return false;
	keep(kept, writer_done(&writer));
	deliver(agents, party, writer_done(&writer));
	return true;
}
