// Dialogs by RFC 3261 12. What never changes of one is copied behind it in one allocation; what a
// message of the peer changes (tag, target, routes) is a second block, replaced as a whole.
// Runs on the control thread. Never keeps text of a message.

#include "sip/dialog.h"

#include <stdlib.h>
#include <string.h>

#include "base/index/index.h"
#include "sip/flow/aim.h"
#include "sip/flow/follow.h"
#include "sip/message_uri.h"
#include "sip/peer.h"
#include "sip/shard/shard.h"
#include "sip/value.h"

#define TAG_OCTETS 10
#define CALL_ID_OCTETS 16

struct sip_dialogs {
	struct index by_key; // what a peer's messages name (key_of)
	struct sip_home home;
	struct sip_resolver *resolver; // NULL: names of peers are not looked up
};

struct sip_dialog {
	struct index_node node;
	bool is_established; // the route set stands, and who the peer is
	struct sip_dialogs *dialogs;
	void *owner;
	struct sip_peer *peer;
	struct sip_peer *forks; // others that answered before the call was taken
	struct text local; // our header value, tag included
	struct text base; // as the calling side: the peer's header value before it has a tag
	struct sip_flow known; // where the peer was first met
	struct sip_flow flow; // where requests go
	struct sip_follow *follow; // looks for that
	uint32_t local_cseq;
	struct text call_id;
	char tag[SIP_TAG_SIZE];
	char room[];
};

struct sip_dialogs *sip_dialogs_create(unsigned expected)
{
	struct sip_dialogs *dialogs = calloc(1, sizeof(*dialogs));
	if (dialogs != NULL && index_init(&dialogs->by_key, expected) != OK) {
		free(dialogs);
		return NULL;
	}
	return dialogs;
}

void sip_dialogs_destroy(struct sip_dialogs *dialogs)
{
	size_t place = 0;
	struct index_node *node;
	if (dialogs == NULL)
		return;
	while ((node = index_next(&dialogs->by_key, &place, NULL)) != NULL)
		sip_dialog_close(index_entry(node, struct sip_dialog, node));
	index_clear(&dialogs->by_key);
	free(dialogs);
}

void sip_dialogs_place(struct sip_dialogs *dialogs, const struct sip_home *home)
{
	dialogs->home = *home;
}

void sip_dialogs_follow(struct sip_dialogs *dialogs, struct sip_resolver *resolver)
{
	dialogs->resolver = resolver;
}

unsigned sip_dialogs_count(const struct sip_dialogs *dialogs)
{
	return (unsigned)dialogs->by_key.count;
}

// ---- where requests go

static void aim(struct sip_dialog *dialog, const struct sip_uri *next_hop)
{
	const struct sip_dialogs *dialogs = dialog->dialogs;
	sip_flow_aim(&dialog->known, next_hop, &dialogs->home, &dialog->flow);
	sip_follow_start(dialogs->resolver, next_hop, &dialogs->home, &dialog->flow,
			 &dialog->follow);
}

// ---- the peer's part

static bool is_tag(const struct sip_peer *peer, struct text tag)
{
	return text_is_equal(peer->tag, tag);
}

// It waits while our requests go to another one.
static void put_fork(struct sip_dialog *dialog, struct sip_peer *peer)
{
	sip_follow_stop(&dialog->follow);
	peer->flow = dialog->flow;
	sip_peers_put(&dialog->forks, peer);
}

// Puts a new block in place of the one before, or beside it, when it is another fork's; its text may
// borrow from the old one.
static enum status set_peer(struct sip_dialog *dialog, const struct sip_peer_facts *facts)
{
	struct sip_uri next_hop;
	struct sip_peer *made;
	enum status status = sip_peer_create(facts, &next_hop, &made);
	if (status != OK)
		return status;
	struct sip_peer *former = dialog->peer;
	bool is_fork = former != NULL && former->tag.size > 0 && !is_tag(former, made->tag);
	struct sip_peer *known = is_fork ? sip_peers_take(&dialog->forks, made->tag) : former;
	if (known != NULL) {
		made->cseq = known->cseq;
		made->has_cseq = known->has_cseq;
	}
	if (is_fork)
		put_fork(dialog, former);
	aim(dialog, &next_hop);
	free(known);
	dialog->peer = made;
	return OK;
}

// A fork that asks something is who our requests go to from now on.
static void turn_to(struct sip_dialog *dialog, struct text tag)
{
	struct sip_peer *fork =
		is_tag(dialog->peer, tag) ? NULL : sip_peers_take(&dialog->forks, tag);
	if (fork == NULL)
		return;
	put_fork(dialog, dialog->peer);
	dialog->peer = fork;
	sip_follow_stop(&dialog->follow);
	dialog->flow = fork->flow;
}

static bool is_contact(const struct sip_party *contact)
{
	return contact->is_present && contact->uri.host.size > 0 && sip_uri_is_valid(&contact->uri);
}

// ---- opening

static enum status create(struct sip_dialogs *dialogs, struct text call_id, struct text local,
			  struct text base, struct sip_dialog **out_dialog)
{
	size_t size = call_id.size + local.size + base.size + SIP_TAG_SIZE + sizeof(";tag=");
	struct sip_dialog *dialog = calloc(1, sizeof(*dialog) + size);
	if (dialog == NULL)
		return ERR_MEMORY;
	struct writer writer = writer_of(dialog->room, size);
	dialog->dialogs = dialogs;
	dialog->call_id = writer_keep(&writer, call_id);
	dialog->base = writer_keep(&writer, base);
	dialog->local = writer_keep(&writer, local); // its tag follows at once
	*out_dialog = dialog;
	return OK;
}

// What stands for a dialog in the index: Call-ID and our tag; and once it is established, whose tag can
// change no more, the peer's as well. So what belongs to it is told by one line of the index, and the dialog
// itself, which among many lies far away, is not looked at.
static struct hash_words key_of(struct text call_id, struct text local_tag, struct text remote_tag,
				bool is_established)
{
	struct hash hash = hash_start();
	hash_text(&hash, call_id);
	hash_text(&hash, local_tag);
	if (is_established)
		hash_text(&hash, remote_tag);
	return hash_finish_words(&hash);
}

static void file(struct sip_dialog *dialog)
{
	index_add(&dialog->dialogs->by_key, &dialog->node,
		  key_of(dialog->call_id, text_of(dialog->tag), dialog->peer->tag,
			 dialog->is_established));
}

static void enter(struct sip_dialog *dialog)
{
	struct text tag = text_of(dialog->tag);
	// The room behind the local value was counted for this.
	char *end = (char *)dialog->local.data + dialog->local.size;
	struct writer writer = writer_of(end, sizeof(";tag=") + SIP_TAG_SIZE);
	writer_text(&writer, TEXT(";tag="));
	writer_text(&writer, tag);
	dialog->local.size += writer.used;
	file(dialog);
}

static void discard(struct sip_dialog *dialog)
{
	sip_peers_forget(&dialog->forks);
	free(dialog->peer);
	sip_follow_stop(&dialog->follow);
	free(dialog);
}

bool sip_dialog_can_open(const struct sip_message *invite)
{
	struct sip_routes routes;
	return is_contact(&invite->contact) && invite->from.tag.size > 0 &&
	       invite->to.tag.size == 0 && sip_routes_collect(invite, false, &routes);
}

enum status sip_dialog_open_server(struct sip_dialogs *dialogs, const struct sip_message *invite,
				   const char *local_tag, void *owner,
				   struct sip_dialog **out_dialog)
{
	struct sip_dialog *dialog;
	struct sip_routes routes;
	if (!is_contact(&invite->contact) || invite->from.tag.size == 0 ||
	    invite->to.tag.size > 0 || !sip_routes_collect(invite, false, &routes))
		return ERR_MALFORMED;
	enum status status = create(dialogs, invite->call_id, invite->to_value, TEXT_NONE, &dialog);
	if (status != OK)
		return status;
	dialog->owner = owner;
	dialog->known = invite->flow;
	dialog->is_established = true;
	const struct sip_peer_facts facts = { invite->from_value, invite->from.tag,
					      &invite->contact.uri, &routes };
	status = set_peer(dialog, &facts);
	if (status == OK) {
		dialog->peer->cseq = invite->cseq;
		dialog->peer->has_cseq = true;
	}
	if (status == OK && !text_copy(text_of(local_tag), dialog->tag, sizeof(dialog->tag)))
		status = ERR_TOO_LARGE;
	if (status != OK) {
		discard(dialog);
		return status;
	}
	enter(dialog);
	*out_dialog = dialog;
	return OK;
}

void sip_dialog_name_peer(struct sip_dialog *dialog, const char *name)
{
	(void)text_copy(text_of(name), dialog->known.peer, sizeof(dialog->known.peer));
	(void)text_copy(text_of(name), dialog->flow.peer, sizeof(dialog->flow.peer));
}

enum status sip_dialog_open_client(struct sip_dialogs *dialogs, const struct sip_dialog_call *call,
				   void *owner, struct sip_dialog **out_dialog)
{
	struct sip_dialog *dialog;
	struct sip_uri target;
	const struct sip_routes none = { .count = 0 };
	char call_id[SIP_SHARD_DIGITS + 2 * CALL_ID_OCTETS];
	struct writer id_writer = writer_of(call_id, sizeof(call_id));
	if (sip_uri_split(call->target, &target) != SIP_URI_OK)
		return ERR_MALFORMED;
	sip_shard_write(dialogs->home.shard, CALL_ID_OCTETS, &id_writer);
	enum status status =
		create(dialogs, writer_done(&id_writer), call->local, call->remote, &dialog);
	if (status != OK)
		return status;
	struct writer tag_writer = writer_of(dialog->tag, sizeof(dialog->tag));
	sip_shard_write(dialogs->home.shard, TAG_OCTETS, &tag_writer);
	(void)writer_string_done(&tag_writer);
	dialog->owner = owner;
	dialog->known = call->flow;
	const struct sip_peer_facts facts = { dialog->base, TEXT_NONE, &target, &none };
	status = set_peer(dialog, &facts);
	if (status != OK) {
		discard(dialog);
		return status;
	}
	sip_follow_stop(&dialog->follow); // whoever calls has looked already
	dialog->flow = call->flow;
	enter(dialog);
	*out_dialog = dialog;
	return OK;
}

void sip_dialog_close(struct sip_dialog *dialog)
{
	if (dialog == NULL)
		return;
	index_remove(&dialog->dialogs->by_key, &dialog->node);
	discard(dialog);
}

// ---- what messages change

static enum status refresh_target(struct sip_dialog *dialog, const struct sip_message *message)
{
	char room[SIP_MESSAGE_MAX / 16];
	struct sip_routes routes;
	struct sip_peer *peer = dialog->peer;
	if (!is_contact(&message->contact))
		return ERR_MALFORMED;
	sip_peer_read_routes(peer, room, sizeof(room), &routes);
	const struct sip_peer_facts facts = { peer->remote, peer->tag, &message->contact.uri,
					      &routes };
	return set_peer(dialog, &facts);
}

// An early dialog's routes are made anew by each response until a 2xx settles them (13.2.2.4).
static enum status establish(struct sip_dialog *dialog, const struct sip_message *response)
{
	struct sip_routes routes;
	struct sip_uri target;
	bool is_final = response->status >= 200;
	if (is_contact(&response->contact))
		target = response->contact.uri;
	else if (is_final || sip_uri_split(dialog->peer->target, &target) != SIP_URI_OK)
		return ERR_MALFORMED;
	if (!sip_routes_collect(response, true, &routes))
		return ERR_MALFORMED;
	const struct sip_peer_facts facts = { response->to_value, response->to.tag, &target,
					      &routes };
	enum status status = set_peer(dialog, &facts);
	if (status == OK && is_final) {
		index_remove(&dialog->dialogs->by_key, &dialog->node);
		dialog->is_established = true;
		file(dialog);
		sip_peers_forget(&dialog->forks); // who answers as well is none of this dialog's
	}
	return status;
}

enum status sip_dialog_update(struct sip_dialog *dialog, const struct sip_message *message)
{
	if (message->is_request)
		return refresh_target(dialog, message);
	if (message->status >= 300)
		return OK;
	if (message->to.tag.size == 0)
		return message->status < 200 ? OK : ERR_MALFORMED;
	if (!dialog->is_established)
		return establish(dialog, message);
	return message->status < 200 ? OK : refresh_target(dialog, message);
}

// A peer that has connected anew is reached there. By TLS whoever must show a certificate has shown none on a
// connection of its own: it is connected to.
static void follow(struct sip_dialog *dialog, const struct sip_flow *flow)
{
	bool is_named = dialog->known.peer[0] != '\0' && flow->protocol == SIP_TLS;
	if (flow->connection == 0 || is_named)
		return;
	if (dialog->known.protocol == flow->protocol)
		dialog->known.connection = flow->connection;
	if (dialog->flow.protocol == flow->protocol)
		dialog->flow.connection = flow->connection;
}

bool sip_dialog_accepts(struct sip_dialog *dialog, const struct sip_message *request)
{
	if (request->method == SIP_ACK || request->method == SIP_CANCEL)
		return true;
	turn_to(dialog, request->from.tag);
	if (dialog->peer->has_cseq && request->cseq <= dialog->peer->cseq)
		return false;
	dialog->peer->cseq = request->cseq;
	dialog->peer->has_cseq = true;
	follow(dialog, &request->flow);
	return true;
}

// ---- finding

struct key {
	struct text local_tag, remote_tag, call_id;
	bool is_request;
};

static struct sip_dialog *find_filed(const struct sip_dialogs *dialogs, const struct key *key,
				     bool is_established)
{
	struct index_node *node =
		index_find(&dialogs->by_key,
			   key_of(key->call_id, key->local_tag, key->remote_tag, is_established));
	return node != NULL ? index_entry(node, struct sip_dialog, node) : NULL;
}

// Before the 2xx any fork may answer, under its own tag or without one.
static bool is_of_early(const struct sip_dialog *dialog, const struct key *key)
{
	return !key->is_request || is_tag(dialog->peer, key->remote_tag) ||
	       sip_peers_has(dialog->forks, key->remote_tag);
}

static struct sip_dialog *find(const struct sip_dialogs *dialogs, const struct key *key)
{
	if (key->local_tag.size == 0)
		return NULL;
	struct sip_dialog *dialog = find_filed(dialogs, key, true);
	if (dialog != NULL)
		return dialog;
	dialog = find_filed(dialogs, key, false);
	return dialog != NULL && is_of_early(dialog, key) ? dialog : NULL;
}

struct sip_dialog *sip_dialog_find_tags(const struct sip_dialogs *dialogs, struct text call_id,
					struct text local_tag, struct text remote_tag)
{
	const struct key key = { .local_tag = local_tag,
				 .remote_tag = remote_tag,
				 .call_id = call_id,
				 .is_request = true };
	return find(dialogs, &key);
}

struct sip_dialog *sip_dialog_find(const struct sip_dialogs *dialogs,
				   const struct sip_message *message)
{
	bool is_request = message->is_request;
	const struct key key = {
		.local_tag = is_request ? message->to.tag : message->from.tag,
		.remote_tag = is_request ? message->from.tag : message->to.tag,
		.call_id = message->call_id,
		.is_request = is_request,
	};
	return find(dialogs, &key);
}

// ---- reading and asking

void *sip_dialog_owner(const struct sip_dialog *dialog)
{
	return dialog->owner;
}

struct text sip_dialog_call_id(const struct sip_dialog *dialog)
{
	return dialog->call_id;
}

struct text sip_dialog_remote_target(const struct sip_dialog *dialog)
{
	return dialog->peer->target;
}

bool sip_dialog_is_confirmed(const struct sip_dialog *dialog)
{
	return dialog->peer->tag.size > 0;
}

const struct sip_flow *sip_dialog_flow(const struct sip_dialog *dialog)
{
	return &dialog->flow;
}

uint32_t sip_dialog_local_cseq(const struct sip_dialog *dialog)
{
	return dialog->local_cseq;
}

void sip_dialog_request(struct sip_dialog *dialog, enum sip_method method, uint32_t cseq,
			struct sip_request *out_request)
{
	bool is_own = method != SIP_ACK && method != SIP_CANCEL;
	*out_request = (struct sip_request){
		.method = method,
		.target = dialog->peer->request_target,
		.from = dialog->local,
		.to = dialog->peer->remote,
		.call_id = dialog->call_id,
		.cseq = is_own ? ++dialog->local_cseq : cseq,
		.routes = dialog->peer->routes,
		.max_forwards = 70,
		.flow = dialog->flow,
	};
	out_request->flow.is_led =
		dialog->known.peer[0] == '\0' &&
		!address_is_same_host(&dialog->flow.remote, &dialog->known.remote);
}
