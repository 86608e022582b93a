// What user agents remember of their dialogs. Runs on the thread of the test.

#include "scenario/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// No address may be part of another one's text: agents_leak looks for them.
static const struct agent agents_known[AGENT_COUNT] = {
	{ "alice", "203.0.113.10", "203.0.113.10:5060", "203.0.113.177", "10.77.0.10" },
	{ "pbx1", "203.0.113.21", "203.0.113.21:5060", "203.0.113.121", "10.77.0.21" },
	{ "pbx2", "203.0.113.32", "203.0.113.32:5060", "203.0.113.132", "10.77.0.32" },
	{ "mallory", "203.0.113.66", "203.0.113.66:5066", "203.0.113.188", "10.77.0.66" },
	{ "carrier1", "198.51.100.11", "198.51.100.11:5060", "198.51.100.177", "10.88.0.11" },
	{ "carrier2", "198.51.100.22", "198.51.100.22:5060", "198.51.100.188", "10.88.0.22" },
	{ "carrier3", "198.51.100.33", "198.51.100.33:5062", "198.51.100.199", "10.88.0.33" },
	{ "carrierlan", "10.88.0.44", "10.88.0.44:5060", "198.51.100.166", "10.88.0.45" },
};

const struct agent *agent_at(unsigned index)
{
	return index < AGENT_COUNT ? &agents_known[index] : NULL;
}

const struct agent *agent_find(struct text name)
{
	for (unsigned i = 0; i < AGENT_COUNT; i++) {
		if (text_is_equal(name, text_of(agents_known[i].name)))
			return &agents_known[i];
	}
	return NULL;
}

struct way *agents_way(struct agents *agents, const struct agent *agent)
{
	return &agents->ways[agent - agents_known];
}

static void forget(const struct party *party)
{
	for (unsigned method = 0; method < SIP_METHOD_COUNT; method++) {
		free((char *)party->said[method].data);
		free((char *)party->replied[method].data);
	}
}

void agents_clear(struct agents *agents)
{
	for (unsigned i = 0; i < agents->count; i++)
		forget(&agents->parties[i]);
	agents->count = 0;
}

void agents_next_round(struct agents *agents)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < agents->count; i++) {
		if (strstr(agents->parties[i].name, "/each.") != NULL)
			forget(&agents->parties[i]);
		else
			agents->parties[kept++] = agents->parties[i];
	}
	agents->count = kept;
	agents->round++;
}

struct party *agents_party(struct agents *agents, const char *word)
{
	char name[24];
	bool is_each = strstr(word, "/each") != NULL;
	(void)snprintf(name, sizeof(name), is_each ? "%s.%u" : "%s", word, agents->round);
	for (unsigned i = 0; i < agents->count; i++) {
		if (strcmp(agents->parties[i].name, name) == 0)
			return &agents->parties[i];
	}
	struct text rest = text_of(name);
	const struct agent *agent = agent_find(text_split(&rest, '/'));
	if (agent == NULL || agents->count == AGENT_PARTIES_MAX)
		return NULL;
	struct party *party = &agents->parties[agents->count++];
	*party = (struct party){ .agent = agent, .way = agents_way(agents, agent) };
	(void)snprintf(party->name, sizeof(party->name), "%s", name);
	(void)snprintf(party->local_tag, sizeof(party->local_tag), "tag-%s", name);
	for (char *at = party->local_tag; *at; at++)
		*at = *at == '/' ? '.' : *at; // a tag is a token
	(void)address_parse(text_of(agent->address), &party->address);
	return party;
}

static bool is_of(const struct party *party, const struct wire_packet *packet)
{
	return text_is_equal(text_of(party->call_id), packet->message.call_id);
}

static bool is_anyones(const struct agents *agents, const struct party *party,
		       const struct wire_packet *packet)
{
	for (unsigned i = 0; i < agents->count; i++) {
		const struct party *other = &agents->parties[i];
		if (other->agent == party->agent && is_of(other, packet))
			return true;
	}
	return false;
}

struct wire_packet *agents_next(struct agents *agents, const struct party *party)
{
	const struct wire *wire = &agents->node->wire;
	for (unsigned i = 0; i < wire->count; i++) {
		struct wire_packet *packet = wire->packets[i];
		if (packet->is_taken || !address_is_equal(&packet->destination, &party->address))
			continue;
		if (is_of(party, packet) ||
		    (party->call_id[0] == '\0' && !is_anyones(agents, party, packet)))
			return packet;
	}
	return NULL;
}

static void copy(struct text text, char *room)
{
	if (!text_copy(text, room, AGENT_TEXT_SIZE))
		printf("too long for a test: %.*s\n", TEXT_FORMAT(text));
}

// RFC 3261 12.1: the asked side keeps the order of Record-Route, the asking side turns it round.
static void keep_routes(struct party *party, const struct sip_message *message)
{
	struct writer writer = writer_of(party->routes, sizeof(party->routes));
	unsigned count = 0;
	while (sip_message_header(message, "Record-Route", count).data != NULL)
		count++;
	for (unsigned i = 0; i < count; i++) {
		unsigned nth = message->is_request ? i : count - 1 - i;
		struct text value = sip_message_header(message, "Record-Route", nth);
		writer_format(&writer, "Route: %.*s\r\n", TEXT_FORMAT(value));
	}
	(void)writer_string_done(&writer);
}

static void hear_request(struct party *party, const struct wire_packet *packet)
{
	const struct sip_message *request = &packet->message;
	party->asked[request->method] = packet;
	if (party->call_id[0] == '\0') {
		copy(request->call_id, party->call_id);
		copy(request->from_value, party->remote);
		(void)snprintf(party->local, sizeof(party->local), "%.*s;tag=%s",
			       TEXT_FORMAT(request->to_value), party->local_tag);
		keep_routes(party, request);
	}
	if (request->method == SIP_INVITE && request->contact.is_present)
		copy(request->contact.uri.whole, party->target);
}

static void hear_response(struct party *party, const struct wire_packet *packet)
{
	const struct sip_message *response = &packet->message;
	if (response->method != SIP_INVITE || response->status == 100)
		return;
	party->answered = packet;
	if (sip_message_header(response, "RSeq", 0).data != NULL)
		party->reliable = packet;
	if (response->status == 407)
		party->challenge = packet;
	if (response->status >= 300)
		return;
	copy(response->to_value, party->remote);
	if (response->contact.is_present)
		copy(response->contact.uri.whole, party->target);
	keep_routes(party, response);
}

void agents_hear(struct party *party, struct wire_packet *packet)
{
	packet->is_taken = true;
	if (packet->message.is_request)
		hear_request(party, packet);
	else
		hear_response(party, packet);
}

static bool is_in(const struct wire_packet *packet, const char *text)
{
	return text[0] != '\0' && memmem(packet->octets, packet->size, text, strlen(text)) != NULL;
}

static const struct agent *receiver_of(const struct wire_packet *packet)
{
	char room[ADDRESS_TEXT_SIZE];
	const char *text = address_string(&packet->destination, room);
	for (unsigned i = 0; i < AGENT_COUNT; i++) {
		if (strcmp(agents_known[i].address, text) == 0)
			return &agents_known[i];
	}
	return NULL;
}

static const char *leaks_agent(const struct agent *other, const struct wire_packet *packet)
{
	if (is_in(packet, other->host))
		return other->host;
	if (is_in(packet, other->media_host))
		return other->media_host;
	if (is_in(packet, other->inner))
		return other->inner;
	return is_in(packet, other->name) ? other->name : NULL;
}

bool agent_is_carrier(const struct agent *agent)
{
	return strncmp(agent->name, "carrier", 7) == 0;
}

// What an agent has in its own dialog, a proxy of it may know.
static bool is_of_agent(const struct agents *agents, const struct agent *agent,
			const struct wire_packet *packet)
{
	for (unsigned i = 0; i < agents->count; i++)
		if (agents->parties[i].agent == agent && is_of(&agents->parties[i], packet))
			return true;
	return false;
}

const char *agents_leak(const struct agents *agents, const struct wire_packet *packet)
{
	const struct agent *receiver = receiver_of(packet);
	if (receiver == NULL)
		return "(sent to nobody of this story)";
	for (unsigned i = 0; i < AGENT_COUNT; i++) {
		const struct agent *other = &agents_known[i];
		bool is_other = other != receiver && !is_of_agent(agents, other, packet);
		const char *leak = is_other ? leaks_agent(other, packet) : NULL;
		if (leak != NULL)
			return leak;
	}
	for (unsigned i = 0; i < agents->count; i++) {
		const struct party *party = &agents->parties[i];
		if (is_of_agent(agents, party->agent, packet))
			continue;
		if (party->agent != receiver && is_in(packet, party->call_id))
			return party->call_id;
		const char *tag = strstr(party->remote, ";tag=");
		if (party->agent != receiver && tag != NULL && is_in(packet, tag + 5))
			return tag + 5;
	}
	return agent_is_carrier(receiver) && is_in(packet, NODE_DOMAIN) ? NODE_DOMAIN : NULL;
}
