// Where a message finds its transaction: scanned, matched, absorbed, refused, or given to the user.
// Runs on the control thread. Never answers a response or an ACK, and nobody whose domain the user
// does not know (TERM-005).

#include "sip/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/random.h"
#include "sip/client/client.h"
#include "sip/guard/guard.h"
#include "sip/hop/route.h"
#include "sip/message_parts.h"
#include "sip/message_uri.h"
#include "sip/scan.h"
#include "sip/server.h"
#include "sip/table.h"
#include "sip/write.h"

#define LOG_INTERVAL_MS 1000
#define EXPECTED_TRANSACTIONS 4096

// ---- what both sides share

uint64_t sip_transaction_now(const struct sip_transactions *transactions)
{
	return transactions->options.clock->now_ms;
}

void sip_transaction_time(struct sip_transactions *transactions, struct wheel_timer *timer,
			  uint64_t after_ms)
{
	wheel_start(transactions->options.wheel, timer,
		    sip_transaction_now(transactions) + after_ms);
}

enum status sip_transaction_put(struct sip_transactions *transactions, struct text octets,
				struct sip_flow *flow)
{
	const struct sip_transaction_options *options = &transactions->options;
	enum status status = options->send(options->send_context, octets, flow);
	if (status != OK)
		counter_add(&transactions->counters.send_failures, 1);
	else if (!text_has_prefix(octets, TEXT("SIP/2.0 "))) // a request: its answers are welcome
		sip_guard_note_asked(options->guard, &flow->remote, flow->is_led);
	return status;
}

struct text sip_transaction_copy(struct text text)
{
	char *copy = malloc(text.size + 1);
	if (copy == NULL)
		return TEXT_NONE;
	memcpy(copy, text.data, text.size);
	copy[text.size] = 0;
	return (struct text){ copy, text.size };
}

struct text sip_transaction_rebase(struct text text, const char *from, const char *to)
{
	if (text.data == NULL)
		return text;
	return (struct text){ to + (text.data - from), text.size };
}

// ---- answers without a transaction

// Hashed twice, so that the hashes of the tables are not given away.
void sip_transaction_tag(struct text via, struct text call_id, char room[static SIP_TAG_SIZE])
{
	struct writer writer = writer_of(room, SIP_TAG_SIZE);
	uint64_t hash = map_hash_pair(via, call_id);
	hash = map_hash((struct text){ (const char *)&hash, sizeof(hash) });
	writer_format(&writer, "%016llx", (unsigned long long)hash);
	(void)writer_string_done(&writer);
}

static bool is_peer(const struct sip_transactions *transactions, const struct sip_flow *flow)
{
	struct sip_guard_look look = { .is_peer = false };
	if (transactions->options.guard != NULL)
		sip_guard_look(transactions->options.guard, flow, &look);
	return look.is_peer;
}

struct text sip_transaction_write_once(const struct sip_transactions *transactions,
				       const struct sip_asked *asked, struct writer *writer,
				       const struct sip_write_echo *echo,
				       const struct sip_answer *answer, const char *to_tag)
{
	bool is_reliable = sip_flow_is_reliable(asked->flow);
	struct text octets = sip_write_bounded(writer, echo, answer, to_tag,
					       is_reliable ? SIP_MESSAGE_MAX : asked->size);
	if (octets.size > 0 || !is_peer(transactions, asked->flow))
		return octets;
	return sip_write_least(writer, echo, answer, to_tag);
}

void sip_transaction_put_once(struct sip_transactions *transactions, unsigned status,
			      struct text octets, const struct sip_flow *flow)
{
	struct sip_flow way = *flow;
	if (octets.size == 0) {
		counter_add(&transactions->counters.withheld, 1);
		return;
	}
	counter_add(&transactions->counters.responses_out[status / 100], 1);
	(void)sip_transaction_put(transactions, octets, &way);
}

static struct text write_stateless(struct sip_transactions *transactions,
				   const struct sip_message *request,
				   const struct sip_answer *answer)
{
	struct writer writer = writer_of(transactions->scratch, sizeof(transactions->scratch));
	struct sip_write_echo echo;
	char tag[SIP_TAG_SIZE];
	sip_transaction_tag(request->via.whole, request->call_id, tag);
	sip_write_echo(&writer, request, &echo);
	const struct sip_asked asked = { &request->flow, request->raw.size };
	return sip_transaction_write_once(transactions, &asked, &writer, &echo, answer, tag);
}

static void answer_stateless(struct sip_transactions *transactions,
			     const struct sip_message *request, const struct sip_answer *answer)
{
	struct text octets = write_stateless(transactions, request, answer);
	sip_transaction_put_once(transactions, answer->status, octets, &request->flow);
}

static bool may_log(struct sip_transactions *transactions, uint64_t *next_ms)
{
	uint64_t now_ms = sip_transaction_now(transactions);
	if (now_ms < *next_ms)
		return false;
	*next_ms = now_ms + LOG_INTERVAL_MS;
	return true;
}

// Silence, counted, and now and then a line that says where it came from (TERM-006).
static void discard_unknown(struct sip_transactions *transactions,
			    const struct sip_message *request)
{
	struct counter *count = &transactions->counters.unknown_domain;
	char source[ADDRESS_TEXT_SIZE];
	struct log_value target, total;
	counter_add(count, 1);
	sip_guard_note(transactions->options.guard, &request->flow, SIP_GUARD_OFFENCE_DOMAIN);
	if (!may_log(transactions, &transactions->unknown_log_ms))
		return;
	log_event(LOG_WARNING, "unknown_domain_discarded", "source",
		  address_string(&request->flow.remote, source), "target",
		  log_text(&target, request->target.whole), "total",
		  log_number(&total, (int64_t)counter_get(count)), NULL);
}

static bool is_known(struct sip_transactions *transactions, const struct sip_message *request)
{
	const struct sip_user *user = &transactions->options.user;
	if (user->is_known(user->context, request))
		return true;
	discard_unknown(transactions, request);
	return false;
}

static void refuse(struct sip_transactions *transactions, struct sip_message *request,
		   const struct sip_scan_refusal *refusal)
{
	const struct sip_user *user = &transactions->options.user;
	// A To that cannot be read goes back as it came, without a tag of ours, and claims no dialog.
	bool has_to = sip_party_split(request->to_value, &request->to);
	(void)sip_party_split(request->from_value, &request->from);
	if (request->target.host.size > 0 && !user->is_known(user->context, request)) {
		discard_unknown(transactions, request);
		return;
	}
	sip_guard_note(transactions->options.guard, &request->flow, SIP_GUARD_OFFENCE_MALFORMED);
	if (!has_to)
		request->to.tag = request->to_value;
	const struct sip_answer answer = { .status = refusal->status,
					   .reason = refusal->reason,
					   .headers = refusal->status == 501 ? user->allow
									     : TEXT_NONE };
	struct text octets = write_stateless(transactions, request, &answer);
	counter_add(octets.size > 0 ? &transactions->counters.rejected_malformed
				    : &transactions->counters.dropped_malformed,
		    1);
	sip_transaction_put_once(transactions, answer.status, octets, &request->flow);
}

// ---- requests

static void receive_ack(struct sip_transactions *transactions, struct sip_message *ack)
{
	const struct sip_user *user = &transactions->options.user;
	struct sip_server *server = sip_server_find(transactions, ack, SIP_INVITE);
	if (server != NULL && sip_server_take_ack(server))
		return;
	if (sip_message_complete(ack))
		user->acknowledged(user->context, ack);
	else
		counter_add(&transactions->counters.dropped_malformed, 1);
}

// Answered without a transaction of its own: each copy gets the same answer (RFC 3261 9.2). It ends no call
// of somebody else: a branch may be guessed, where a PBX counts them.
static void receive_cancel(struct sip_transactions *transactions, struct sip_message *cancel)
{
	struct sip_server *server = sip_server_find(transactions, cancel, SIP_INVITE);
	if (server == NULL && sip_guard_waits_at_door(transactions->options.guard, cancel)) {
		// Before any provisional response (RFC 3261 9.1). It comes again in T1, its INVITE before.
		counter_add(&transactions->counters.early_cancels, 1);
		return;
	}
	if (server == NULL) {
		if (sip_server_is_of_another(transactions, cancel))
			counter_add(&transactions->counters.foreign_cancels, 1);
		if (is_known(transactions, cancel))
			answer_stateless(transactions, cancel,
					 &(struct sip_answer){ .status = 481 });
		return;
	}
	answer_stateless(transactions, cancel, &(struct sip_answer){ .status = 200 });
	sip_server_take_cancel(server, cancel);
}

static void answer_overload(struct sip_transactions *transactions,
			    const struct sip_message *request)
{
	char room[SIP_RETRY_AFTER_SIZE];
	const struct sip_answer answer = {
		.status = 503, .headers = sip_write_retry_after(random_below(UINT32_MAX), room)
	};
	counter_add(&transactions->counters.overload, 1);
	answer_stateless(transactions, request, &answer);
}

// Beyond the limit new calls are told, others are not; what belongs to a call gets a quarter more
// room, so that calls can still end.
static bool has_room(struct sip_transactions *transactions, const struct sip_message *request)
{
	size_t live = transactions->servers.count + transactions->clients.count;
	size_t limit = transactions->options.transactions_max;
	if (request->to.tag.size > 0)
		limit += limit / 4;
	if (live < limit)
		return true;
	if (request->method == SIP_INVITE)
		answer_overload(transactions, request);
	else
		counter_add(&transactions->counters.overload, 1);
	return false;
}

static void receive_new(struct sip_transactions *transactions, struct sip_message *request)
{
	struct sip_server *server;
	if (!is_known(transactions, request))
		return;
	if (request->method == SIP_INVITE)
		sip_guard_note_caller(transactions->options.guard, request);
	if (request->is_shed) {
		answer_overload(transactions, request);
		return;
	}
	if (!sip_message_is_sound(request)) {
		refuse(transactions, request,
		       &(struct sip_scan_refusal){ 400, "Malformed Header" });
		return;
	}
	if (!has_room(transactions, request))
		return;
	if (sip_server_is_merged(transactions, request)) {
		counter_add(&transactions->counters.merged, 1);
		answer_stateless(transactions, request, &(struct sip_answer){ .status = 482 });
		return;
	}
	if (sip_server_open(transactions, request, &server) == OK)
		sip_server_ask(server, request);
}

static void receive_request(struct sip_transactions *transactions, struct sip_message *request)
{
	counter_add(&transactions->counters.requests_in[request->method], 1);
	sip_route_settle(request);
	if (request->method == SIP_ACK) {
		receive_ack(transactions, request);
		return;
	}
	struct sip_server *server = sip_server_find(transactions, request, request->method);
	if (server != NULL)
		sip_server_repeat(server);
	else if (!sip_message_complete(request))
		refuse(transactions, request,
		       &(struct sip_scan_refusal){ 400, "Malformed From, To, Contact or Body" });
	else if (request->method == SIP_CANCEL)
		receive_cancel(transactions, request);
	else
		receive_new(transactions, request);
}

// ---- responses

static void drop_wrong_via(struct sip_transactions *transactions,
			   const struct sip_message *response)
{
	char source[ADDRESS_TEXT_SIZE];
	struct log_value via;
	const struct sip_user *user = &transactions->options.user;
	counter_add(&transactions->counters.wrong_via, 1);
	if (user->wrong_via != NULL)
		user->wrong_via(user->context, response);
	if (!may_log(transactions, &transactions->wrong_via_log_ms))
		return;
	log_event(LOG_WARNING, "response_via_not_ours", "source",
		  address_string(&response->flow.remote, source), "via",
		  log_text(&via, response->via.whole), NULL);
}

bool sip_transaction_is_sent_by(const struct sip_message *response, const struct sip_flow *flow)
{
	struct address sent_by;
	return response->via_count == 1 && address_parse(response->via.host, &sent_by) &&
	       address_is_same_host(&sent_by, &flow->local) &&
	       response->via.port == flow->local.port &&
	       text_is_same(response->via.transport, text_of(sip_protocol_via(flow->protocol)));
}

static void receive_stray(struct sip_transactions *transactions, const struct sip_message *response)
{
	const struct sip_user *user = &transactions->options.user;
	if (!sip_transaction_is_sent_by(response, &response->flow)) {
		drop_wrong_via(transactions, response);
		return;
	}
	counter_add(&transactions->counters.stray_responses, 1);
	if (response->status / 100 == 2 && response->method == SIP_INVITE &&
	    user->stray_response != NULL)
		user->stray_response(user->context, response);
}

static void receive_response(struct sip_transactions *transactions, struct sip_message *response)
{
	counter_add(&transactions->counters.responses_in[response->status / 100], 1);
	if (!sip_message_complete(response)) {
		counter_add(&transactions->counters.dropped_malformed, 1);
		return;
	}
	struct sip_client *client = sip_client_find(transactions, response);
	if (client == NULL)
		receive_stray(transactions, response);
	else if (!sip_client_owns(client, response))
		drop_wrong_via(transactions, response);
	else
		sip_client_take(client, response);
}

// ---- everything

static void dispatch(struct sip_transactions *transactions, struct sip_message *message,
		     enum sip_scan_verdict verdict, const struct sip_scan_refusal *refusal)
{
	switch (verdict) {
	case SIP_SCAN_OK:
		if (message->is_request)
			receive_request(transactions, message);
		else
			receive_response(transactions, message);
		break;
	case SIP_SCAN_REFUSE:
		refuse(transactions, message, refusal);
		break;
	case SIP_SCAN_KEEPALIVE:
		counter_add(&transactions->counters.keepalives, 1);
		break;
	case SIP_SCAN_DROP:
		sip_guard_note(transactions->options.guard, &message->flow,
			       SIP_GUARD_OFFENCE_MALFORMED);
		counter_add(&transactions->counters.dropped_malformed, 1);
		break;
	case SIP_SCAN_FOLDED: // folded still, after unfolding
		counter_add(&transactions->counters.dropped_malformed, 1);
		break;
	}
}

// What to free in the end is the copy that *out_unfolded names.
static enum sip_scan_verdict scan(struct text octets, struct sip_message *out_message,
				  struct sip_scan_refusal *out_refusal, char **out_unfolded)
{
	enum sip_scan_verdict verdict = sip_scan_message(octets, out_message, out_refusal);
	*out_unfolded = verdict == SIP_SCAN_FOLDED ? malloc(octets.size) : NULL;
	if (*out_unfolded == NULL)
		return verdict;
	return sip_scan_message(sip_scan_unfold(octets, *out_unfolded), out_message, out_refusal);
}

static void receive(struct sip_transactions *transactions, struct text octets,
		    const struct sip_flow *flow, bool is_shed)
{
	struct sip_message message;
	struct sip_scan_refusal refusal;
	char *unfolded;
	if (octets.size > SIP_MESSAGE_MAX)
		return;
	enum sip_scan_verdict verdict = scan(octets, &message, &refusal, &unfolded);
	message.flow = *flow;
	message.is_shed = is_shed;
	dispatch(transactions, &message, verdict, &refusal);
	free(unfolded);
}

void sip_transaction_receive(void *context, struct text octets, const struct sip_flow *flow)
{
	receive(context, octets, flow, false);
}

void sip_transaction_shed(void *context, struct text octets, const struct sip_flow *flow)
{
	receive(context, octets, flow, true);
}

// What the scan finds wrong is not what is said: the frame saw the first fault.
void sip_transaction_refuse(void *context, struct text head, const struct sip_flow *flow,
			    unsigned status, const char *reason)
{
	const struct sip_scan_refusal said = { status, reason };
	struct sip_message message;
	struct sip_scan_refusal refusal;
	char *unfolded;
	enum sip_scan_verdict verdict = scan(head, &message, &refusal, &unfolded);
	message.flow = *flow;
	if (verdict == SIP_SCAN_OK && message.is_request && message.method != SIP_ACK)
		verdict = SIP_SCAN_REFUSE;
	dispatch(context, &message, verdict == SIP_SCAN_OK ? SIP_SCAN_DROP : verdict, &said);
	free(unfolded);
}

void sip_transactions_broken(void *context, uint64_t connection)
{
	sip_client_lose_connection(context, connection);
}

struct sip_transactions *sip_transactions_create(const struct sip_transaction_options *options)
{
	struct sip_transactions *transactions = calloc(1, sizeof(*transactions));
	if (transactions == NULL)
		return NULL;
	transactions->options = *options;
	if (index_init(&transactions->servers, EXPECTED_TRANSACTIONS) != OK ||
	    index_init(&transactions->merges, EXPECTED_TRANSACTIONS) != OK ||
	    index_init(&transactions->clients, EXPECTED_TRANSACTIONS) != OK) {
		sip_transactions_destroy(transactions);
		return NULL;
	}
	return transactions;
}

void sip_transactions_destroy(struct sip_transactions *transactions)
{
	if (transactions == NULL)
		return;
	if (transactions->servers.buckets != NULL)
		sip_server_free_all(transactions);
	if (transactions->clients.buckets != NULL)
		sip_client_free_all(transactions);
	index_clear(&transactions->servers);
	index_clear(&transactions->merges);
	index_clear(&transactions->clients);
	free(transactions);
}

const struct sip_transaction_counters *
sip_transaction_counters(const struct sip_transactions *transactions)
{
	return &transactions->counters;
}
