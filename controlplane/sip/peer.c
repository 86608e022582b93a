// The other side of a dialog: one block that a message replaces as a whole.
// Runs on the control thread. Never keeps text of a message.

#include "sip/peer.h"

#include <stdlib.h>
#include <string.h>

#include "sip/message_uri.h"
#include "sip/value.h"

#define BLOCK_MAX 16384

// In the order the header lines have (RFC 3261 12.1.1), or backwards for the calling side (12.1.2).
bool sip_routes_collect(const struct sip_message *message, bool is_backwards,
			struct sip_routes *routes)
{
	struct text value;
	routes->count = 0;
	for (unsigned nth = 0;
	     (value = sip_message_header(message, "Record-Route", nth)).data != NULL; nth++) {
		do {
			struct sip_party route;
			struct text one = sip_value_list(&value);
			if (routes->count == SIP_ROUTES_MAX || !sip_party_split(one, &route) ||
			    route.uri.host.size == 0)
				return false;
			routes->values[routes->count++] = one;
		} while (value.data != NULL);
	}
	for (unsigned i = 0; is_backwards && i < routes->count / 2; i++) {
		struct text other = routes->values[routes->count - 1 - i];
		routes->values[routes->count - 1 - i] = routes->values[i];
		routes->values[i] = other;
	}
	return true;
}

static void write_route(struct writer *writer, struct text value)
{
	writer_text(writer, TEXT("Route: "));
	writer_text(writer, value);
	writer_text(writer, TEXT("\r\n"));
}

// RFC 3261 12.2.1.1: a first route without lr is a strict router; it becomes the Request-URI, and
// the target the last route.
static void write_routes(struct writer *writer, const struct sip_routes *routes,
			 struct sip_peer *peer, struct sip_uri *next_hop)
{
	struct sip_party first = { 0 };
	bool is_loose = true;
	unsigned from = 0;
	if (routes->count > 0 && sip_party_split(routes->values[0], &first)) {
		(void)sip_uri_parameter(&first.uri, "lr", &is_loose);
		*next_hop = first.uri;
	}
	peer->request_target = peer->target;
	if (!is_loose) {
		peer->request_target = writer_keep(writer, sip_uri_target(&first.uri));
		from = 1;
	}
	size_t start = writer->used;
	for (unsigned i = from; i < routes->count; i++)
		write_route(writer, routes->values[i]);
	if (!is_loose) {
		writer_text(writer, TEXT("Route: <"));
		writer_text(writer, peer->target);
		writer_text(writer, TEXT(">\r\n"));
	}
	peer->routes = (struct text){ writer->room + start, writer->used - start };
}

static void rebase(struct text *text, const char *from, const char *to)
{
	*text = (struct text){ to + (text->data - from), text->size };
}

enum status sip_peer_create(const struct sip_peer_facts *facts, struct sip_uri *out_next_hop,
			    struct sip_peer **out_peer)
{
	char room[BLOCK_MAX];
	struct writer writer = writer_of(room, sizeof(room));
	struct sip_peer made = { 0 };
	struct sip_uri next_hop = *facts->target;
	made.remote = writer_keep(&writer, facts->remote);
	made.tag = writer_keep(&writer, facts->tag);
	made.target = writer_keep(&writer, sip_uri_target(facts->target));
	write_routes(&writer, facts->routes, &made, &next_hop);
	if (writer.failed)
		return ERR_TOO_LARGE;
	struct sip_peer *peer = malloc(sizeof(*peer) + writer.used + 1);
	if (peer == NULL)
		return ERR_MEMORY;
	*peer = made;
	memcpy(peer->room, room, writer.used);
	struct text *texts[] = { &peer->remote, &peer->tag, &peer->target, &peer->request_target,
				 &peer->routes };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		rebase(texts[i], room, peer->room);
	*out_next_hop = next_hop;
	*out_peer = peer;
	return OK;
}

// The routes as they stand, for a change of the target alone. A strict router's set is turned back.
void sip_peer_read_routes(const struct sip_peer *peer, char *room, size_t size,
			  struct sip_routes *routes)
{
	struct text lines = peer->routes;
	struct writer writer = writer_of(room, size);
	bool is_strict = !text_is_equal(peer->request_target, peer->target);
	routes->count = 0;
	if (is_strict) {
		writer_char(&writer, '<');
		writer_text(&writer, peer->request_target);
		writer_char(&writer, '>');
		routes->values[routes->count++] = writer_done(&writer);
	}
	while (lines.size > 0 && routes->count < SIP_ROUTES_MAX) {
		struct text line = text_split(&lines, '\n');
		line.size -= 1; // CR
		routes->values[routes->count++] = text_cut(line, sizeof("Route: ") - 1);
	}
	if (is_strict && routes->count > 1)
		routes->count--; // the target
}

bool sip_peers_has(const struct sip_peer *peers, struct text tag)
{
	while (peers != NULL && !text_is_equal(peers->tag, tag))
		peers = peers->next;
	return peers != NULL;
}

struct sip_peer *sip_peers_take(struct sip_peer **peers, struct text tag)
{
	struct sip_peer **at = peers;
	while (*at != NULL && !text_is_equal((*at)->tag, tag))
		at = &(*at)->next;
	struct sip_peer *taken = *at;
	if (taken != NULL)
		*at = taken->next;
	return taken;
}

void sip_peers_put(struct sip_peer **peers, struct sip_peer *peer)
{
	unsigned count = 0;
	peer->next = *peers;
	*peers = peer;
	for (struct sip_peer **at = peers; *at != NULL; at = &(*at)->next) {
		if (count++ < SIP_PEERS_MAX)
			continue;
		free(*at);
		*at = NULL;
		break;
	}
}

void sip_peers_forget(struct sip_peer **peers)
{
	while (*peers != NULL) {
		struct sip_peer *peer = *peers;
		*peers = peer->next;
		free(peer);
	}
}
