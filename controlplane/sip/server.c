// Server transactions. A transaction ends by its timers; its memory goes when it has ended, its user
// has released it, and no callback about it is running.
// Runs on the control thread. Nothing here may touch a transaction after settle().

#include "sip/server.h"

#include <stdlib.h>
#include <string.h>

#include "sip/dialog.h"
#include "sip/shard/shard.h"
#include "sip/write.h"

#define TAG_OCTETS 10

enum server_state {
	TRYING, // nothing sent yet
	PROCEEDING, // a provisional response sent
	COMPLETED, // a final response sent, other than 2xx to INVITE
	CONFIRMED, // and acknowledged
	ACCEPTED, // 2xx to INVITE sent (RFC 6026)
	ENDED,
};

struct sip_server {
	struct index_node node, merge_node;
	struct wheel_timer repeat_timer; // G, or the repeats of a 2xx
	struct wheel_timer end_timer; // H, I, J, L
	struct sip_transactions *transactions;
	void *owner;
	enum server_state state;
	uint32_t interval_ms; // of the repeat timer
	size_t request_size;
	unsigned busy; // callbacks running
	bool is_released, is_cancelled, has_merge;
	enum sip_method method;
	uint32_t cseq;
	struct sip_write_echo echo; // borrows from `echoed`, as the next two do
	struct text branch, call_id; // of which a refusal makes its tag
	char *echoed; // on the heap, until the final answer: what comes then is most of its life
	struct text stored; // the last response, on the heap
	struct sip_flow flow; // the remote port is the one of Via: for when the connection is gone
	char to_tag[SIP_TAG_SIZE];
};

// ---- keys

static bool has_cookie(struct text branch)
{
	return branch.size > 7 && text_has_prefix(branch, TEXT("z9hG4bK"));
}

// Without the magic cookie (RFC 2543) the branch says nothing: the whole Via stands for it (RFC 3261 17.2.3).
static struct text branch_of(const struct sip_message *request)
{
	return has_cookie(request->via.branch) ? request->via.branch : request->via.whole;
}

// What makes a request the transaction's (RFC 3261 17.2.3): branch, sent-by, method; without the cookie
// Call-ID and CSeq too. And the host it comes from: behind NATs many have one sent-by, some of them count
// their branches, and nobody shall end or swallow what is another's.
static struct hash_words key_of(const struct sip_message *request, enum sip_method method)
{
	bool is_new = has_cookie(request->via.branch);
	const struct address *source = &request->flow.remote;
	struct hash hash = hash_start();
	hash_text(&hash, (struct text){ (const char *)source->octets, sizeof(source->octets) });
	hash_number(&hash, (uint64_t)is_new << 32 | (uint64_t)request->via.port << 8 | method);
	hash_text(&hash, branch_of(request));
	hash_text_same(&hash, request->via.host);
	if (!is_new) {
		hash_number(&hash, request->cseq);
		hash_text(&hash, request->call_id);
	}
	return hash_finish_words(&hash);
}

struct sip_server *sip_server_find(const struct sip_transactions *transactions,
				   const struct sip_message *request, enum sip_method method)
{
	struct index_node *node = index_find(&transactions->servers, key_of(request, method));
	return node != NULL ? index_entry(node, struct sip_server, node) : NULL;
}

static struct hash_words merge_key_of(const struct sip_message *request, enum sip_method method)
{
	struct hash hash = hash_start();
	hash_number(&hash, (uint64_t)request->cseq << 8 | method);
	hash_text(&hash, request->call_id);
	hash_text(&hash, request->from.tag);
	return hash_finish_words(&hash);
}

bool sip_server_is_merged(const struct sip_transactions *transactions,
			  const struct sip_message *request)
{
	if (request->to.tag.size > 0 || request->from.tag.size == 0)
		return false;
	return index_find(&transactions->merges, merge_key_of(request, request->method)) != NULL;
}

bool sip_server_is_of_another(const struct sip_transactions *transactions,
			      const struct sip_message *cancel)
{
	return index_find(&transactions->merges, merge_key_of(cancel, SIP_INVITE)) != NULL;
}

// ---- life

static void settle(struct sip_server *server)
{
	if (server->state != ENDED || !server->is_released || server->busy > 0)
		return;
	free((char *)server->stored.data);
	free(server->echoed);
	free(server);
}

static void drop_stored(struct sip_server *server)
{
	free((char *)server->stored.data);
	server->stored = TEXT_NONE;
}

static void end(struct sip_server *server)
{
	struct sip_transactions *transactions = server->transactions;
	if (server->state == ENDED)
		return;
	server->state = ENDED;
	wheel_stop(&server->repeat_timer);
	wheel_stop(&server->end_timer);
	index_remove(&transactions->servers, &server->node);
	if (server->has_merge)
		index_remove(&transactions->merges, &server->merge_node);
	counter_set(&transactions->counters.server_count, transactions->servers.count);
	settle(server);
}

static void drop_echo(struct sip_server *server)
{
	free(server->echoed);
	server->echoed = NULL;
	server->echo = (struct sip_write_echo){ 0 };
	server->branch = server->call_id = TEXT_NONE;
}

static void put_stored(struct sip_server *server)
{
	if (server->stored.size > 0)
		(void)sip_transaction_put(server->transactions, server->stored, &server->flow);
}

// Timer G, and the repeats of a 2xx: T1, doubling up to T2 (RFC 3261 17.2.1, 13.3.1.4).
static void on_repeat(struct wheel_timer *timer, void *context)
{
	struct sip_server *server = context;
	struct sip_transactions *transactions = server->transactions;
	uint32_t longest_ms = transactions->options.t2_ms;
	server->interval_ms *= 2;
	if (server->interval_ms > longest_ms)
		server->interval_ms = longest_ms;
	counter_add(&transactions->counters.retransmissions_out, 1);
	sip_transaction_time(transactions, timer, server->interval_ms);
	put_stored(server);
}

// Timers H, I, J and L.
static void on_end(struct wheel_timer *timer, void *context)
{
	struct sip_server *server = context;
	(void)timer;
	if (server->state == COMPLETED && server->method == SIP_INVITE)
		counter_add(&server->transactions->counters.timeouts, 1); // H: never acknowledged
	end(server);
}

static void rebase(struct text *text, const char *from, const char *to)
{
	*text = sip_transaction_rebase(*text, from, to);
}

static void init(struct sip_server *server, const struct sip_message *request)
{
	struct writer tag = writer_of(server->to_tag, sizeof(server->to_tag));
	sip_shard_write(server->transactions->options.shard, TAG_OCTETS, &tag);
	(void)writer_string_done(&tag);
	server->method = request->method;
	server->cseq = request->cseq;
	server->request_size = request->raw.size;
	server->flow = request->flow;
	if (sip_flow_is_reliable(&server->flow)) // RFC 3261 18.2.2
		server->flow.remote.port = request->via.port != 0
						   ? request->via.port
						   : sip_protocol_port(server->flow.protocol);
	wheel_timer_init(&server->repeat_timer, on_repeat, server);
	wheel_timer_init(&server->end_timer, on_end, server);
}

static void enter(struct sip_server *server, const struct sip_message *request)
{
	struct sip_transactions *transactions = server->transactions;
	index_add(&transactions->servers, &server->node, key_of(request, request->method));
	server->has_merge = request->to.tag.size == 0 && request->from.tag.size > 0;
	if (server->has_merge)
		index_add(&transactions->merges, &server->merge_node,
			  merge_key_of(request, request->method));
	counter_set(&transactions->counters.server_count, transactions->servers.count);
}

enum status sip_server_open(struct sip_transactions *transactions,
			    const struct sip_message *request, struct sip_server **out_server)
{
	struct writer writer = writer_of(transactions->scratch, sizeof(transactions->scratch));
	struct sip_server kept = { .transactions = transactions };
	kept.branch = writer_keep(&writer, branch_of(request));
	kept.call_id = writer_keep(&writer, request->call_id);
	sip_write_echo(&writer, request, &kept.echo);
	if (writer.failed)
		return ERR_TOO_LARGE;
	struct sip_server *server = malloc(sizeof(*server));
	kept.echoed = malloc(writer.used);
	if (server == NULL || kept.echoed == NULL) {
		free(server);
		free(kept.echoed);
		return ERR_MEMORY;
	}
	memcpy(kept.echoed, transactions->scratch, writer.used);
	*server = kept;
	struct text *parts[] = { &server->branch, &server->call_id, &server->echo.lines,
				 &server->echo.to, &server->echo.record_routes };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		rebase(parts[i], transactions->scratch, server->echoed);
	init(server, request);
	enter(server, request);
	*out_server = server;
	return OK;
}

void sip_server_free_all(struct sip_transactions *transactions)
{
	size_t place = 0;
	struct index_node *node;
	while ((node = index_next(&transactions->servers, &place, NULL)) != NULL) {
		struct sip_server *server = index_entry(node, struct sip_server, node);
		server->is_released = true;
		end(server); // removes the node
	}
}

// ---- what comes in

// The user is asked; an INVITE it did not answer at once gets its 100 (RFC 3261 8.2.6.1). One that
// it refused at once, or discarded, needs none.
void sip_server_ask(struct sip_server *server, const struct sip_message *request)
{
	const struct sip_user *user = &server->transactions->options.user;
	server->busy++;
	user->request(user->context, server, request);
	if (server->state == TRYING && server->method == SIP_INVITE)
		(void)sip_server_reply(server, &(struct sip_answer){ .status = 100 });
	server->busy--;
	settle(server);
}

void sip_server_repeat(struct sip_server *server)
{
	counter_add(&server->transactions->counters.retransmissions_in, 1);
	if (server->state == PROCEEDING || server->state == COMPLETED)
		put_stored(server);
}

bool sip_server_take_ack(struct sip_server *server)
{
	if (server->state == ACCEPTED)
		return false;
	if (server->state == COMPLETED) {
		server->state = CONFIRMED;
		wheel_stop(&server->repeat_timer);
		drop_stored(server);
		uint32_t t4_ms = server->transactions->options.t4_ms; // Timer I
		sip_transaction_time(server->transactions, &server->end_timer,
				     sip_flow_is_reliable(&server->flow) ? 0 : t4_ms);
	}
	return true;
}

void sip_server_take_cancel(struct sip_server *server, const struct sip_message *cancel)
{
	const struct sip_user *user = &server->transactions->options.user;
	bool is_open = server->state == TRYING || server->state == PROCEEDING;
	if (!is_open || server->is_cancelled || server->is_released)
		return;
	server->is_cancelled = true;
	server->busy++;
	user->cancelled(user->context, server, cancel);
	server->busy--;
	settle(server);
}

// ---- what the user does

static void advance(struct sip_server *server, unsigned status)
{
	struct sip_transactions *transactions = server->transactions;
	uint32_t t1_ms = transactions->options.t1_ms;
	if (status < 200) {
		server->state = PROCEEDING;
		return;
	}
	bool is_reliable = sip_flow_is_reliable(&server->flow);
	bool is_invite = server->method == SIP_INVITE;
	server->state = is_invite && status < 300 ? ACCEPTED : COMPLETED;
	drop_echo(server);
	// Timers L and H for INVITE, J for the others.
	sip_transaction_time(transactions, &server->end_timer,
			     is_reliable && !is_invite ? 0 : (uint64_t)t1_ms * SIP_TIMEOUT_FACTOR);
	// A 2xx is repeated over any transport: there may be others behind it (RFC 3261 13.3.1.4).
	if (!is_invite || (is_reliable && server->state != ACCEPTED))
		return;
	server->interval_ms = t1_ms;
	sip_transaction_time(transactions, &server->repeat_timer, t1_ms);
}

// Who may call has a place of his own on our side: strangers do not push him off it.
static void note_trust(const struct sip_server *server, unsigned status)
{
	const struct sip_transaction_options *options = &server->transactions->options;
	bool has_called = server->method == SIP_INVITE && status > 100 && status < 300;
	if (has_called && options->trust != NULL && server->flow.connection != 0)
		options->trust(options->send_context, server->flow.connection);
}

enum status sip_server_reply(struct sip_server *server, const struct sip_answer *answer)
{
	struct sip_transactions *transactions = server->transactions;
	struct writer writer = writer_of(transactions->scratch, sizeof(transactions->scratch));
	const char *tag = answer->to_tag != NULL ? answer->to_tag : server->to_tag;
	if (server->state != TRYING && server->state != PROCEEDING)
		return ERR_CONFLICT;
	sip_write_response(&writer, &server->echo, answer, tag, transactions->options.user_agent);
	if (writer.failed)
		return ERR_TOO_LARGE;
	struct text stored = sip_transaction_copy(writer_done(&writer));
	if (stored.data == NULL)
		return ERR_MEMORY;
	drop_stored(server);
	server->stored = stored;
	counter_add(&transactions->counters.responses_out[answer->status / 100], 1);
	note_trust(server, answer->status);
	advance(server, answer->status);
	put_stored(server);
	return OK;
}

void sip_server_resend(struct sip_server *server)
{
	counter_add(&server->transactions->counters.retransmissions_out, 1);
	put_stored(server);
}

void sip_server_acknowledged(struct sip_server *server)
{
	if (server->state != ACCEPTED)
		return;
	wheel_stop(&server->repeat_timer);
	drop_stored(server); // INVITEs that still come are absorbed (RFC 6026 7.1)
}

const char *sip_server_to_tag(const struct sip_server *server)
{
	return server->to_tag;
}

uint32_t sip_server_cseq(const struct sip_server *server)
{
	return server->cseq;
}

bool sip_server_has_final(const struct sip_server *server)
{
	return server->state != TRYING && server->state != PROCEEDING;
}

void sip_server_set_peer(struct sip_server *server, const char *peer)
{
	(void)text_copy(text_of(peer), server->flow.peer, sizeof(server->flow.peer));
}

void sip_server_set_owner(struct sip_server *server, void *owner)
{
	server->owner = owner;
}

void *sip_server_owner(const struct sip_server *server)
{
	return server->owner;
}

void sip_server_release(struct sip_server *server)
{
	if (server == NULL || server->is_released)
		return;
	server->busy++;
	if (!sip_server_has_final(server) &&
	    sip_server_reply(server, &(struct sip_answer){ .status = 500 }) != OK)
		end(server);
	if (server->state == ACCEPTED)
		sip_server_acknowledged(server);
	server->owner = NULL;
	server->is_released = true;
	server->busy--;
	settle(server);
}

static void dismiss(const struct sip_transactions *transactions, const struct sip_flow *flow)
{
	const struct sip_transaction_options *options = &transactions->options;
	if (options->dismiss != NULL && flow->connection != 0)
		options->dismiss(options->send_context, flow->connection);
}

void sip_server_refuse(struct sip_server *server, const struct sip_answer *answer)
{
	struct sip_transactions *transactions = server->transactions;
	struct writer writer = writer_of(transactions->scratch, sizeof(transactions->scratch));
	char tag[SIP_TAG_SIZE];
	server->busy++;
	if (!sip_server_has_final(server)) {
		sip_transaction_tag(server->branch, server->call_id, tag);
		const struct sip_asked asked = { &server->flow, server->request_size };
		struct text octets = sip_transaction_write_once(transactions, &asked, &writer,
								&server->echo, answer, tag);
		sip_transaction_put_once(transactions, answer->status, octets, &server->flow);
		if (answer->is_last)
			dismiss(transactions, &server->flow);
		end(server);
	}
	server->busy--;
	sip_server_release(server);
}
