// Client transactions. One ends by its timers; its memory goes when it has ended, its user cannot
// name it any more, and no callback about it is running.
// Runs on the control thread. Nothing here may touch a transaction after sip_client_settle().

#include "sip/client/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "sip/client/state.h"
#include "sip/write.h"

// ---- keys

static struct hash_words key_of(struct text branch, enum sip_method method)
{
	struct hash hash = hash_start();
	hash_number(&hash, method);
	hash_text(&hash, branch);
	return hash_finish_words(&hash);
}

struct sip_client *sip_client_find(const struct sip_transactions *transactions,
				   const struct sip_message *response)
{
	if (response->via.branch.size == 0)
		return NULL;
	struct index_node *node =
		index_find(&transactions->clients, key_of(response->via.branch, response->method));
	return node != NULL ? index_entry(node, struct sip_client, node) : NULL;
}

bool sip_client_owns(const struct sip_client *client, const struct sip_message *response)
{
	return sip_transaction_is_sent_by(response, &client->kept.flow) &&
	       response->cseq == client->kept.cseq;
}

// ---- life

static void drop_octets(struct sip_client *client)
{
	free((char *)client->octets.data);
	client->octets = TEXT_NONE;
}

void sip_client_settle(struct sip_client *client)
{
	if (client->state != ENDED || client->has_user || client->busy > 0)
		return;
	drop_octets(client);
	free(client);
}

static bool is_reliable(const struct sip_client *client)
{
	return sip_flow_is_reliable(&client->kept.flow);
}

// Those who wait on that connection, and on few others.
static struct sip_waiter **waiting_on(struct sip_transactions *transactions, uint64_t connection)
{
	return &transactions->waiting[connection % SIP_WAITING_LISTS];
}

static void wait_no_more(struct sip_client *client)
{
	sip_waiter_leave(&client->waiter);
}

static void end(struct sip_client *client)
{
	struct sip_transactions *transactions = client->transactions;
	if (client->state == ENDED)
		return;
	client->state = ENDED;
	wait_no_more(client);
	wheel_stop(&client->repeat_timer);
	wheel_stop(&client->end_timer);
	index_remove(&transactions->clients, &client->node);
	counter_set(&transactions->counters.client_count, transactions->clients.count);
	sip_client_settle(client);
}

uint64_t sip_client_longest_ms(const struct sip_client *client)
{
	return (uint64_t)client->transactions->options.t1_ms * SIP_TIMEOUT_FACTOR;
}

void sip_client_end_after(struct sip_client *client, uint64_t after_ms)
{
	sip_transaction_time(client->transactions, &client->end_timer, after_ms);
}

// Tells the user of the end, after which it names the transaction no more.
static void fail(struct sip_client *client, enum sip_failure failure)
{
	const struct sip_user *user = &client->transactions->options.user;
	if (failure == SIP_FAILURE_TIMEOUT)
		counter_add(&client->transactions->counters.timeouts, 1);
	if (!client->has_user)
		return;
	client->busy++;
	user->failed(user->context, client, client->owner, failure);
	client->busy--;
	client->has_user = false;
}

static enum status put_request(struct sip_client *client)
{
	enum status status =
		sip_transaction_put(client->transactions, client->octets, &client->kept.flow);
	if (is_reliable(client) && status != ERR_SYSTEM)
		sip_waiter_enter(&client->waiter,
				 waiting_on(client->transactions, client->kept.flow.connection));
	return status;
}

static void move_to(struct sip_client *client, enum sip_protocol protocol)
{
	sip_oversize_patch(client->octets, protocol);
	client->kept.flow.protocol = protocol;
	client->kept.flow.connection = 0;
	client->is_moved = protocol == SIP_TCP;
}

// The peer takes no TCP: the large datagram has to do (RFC 3261 18.1.1).
static enum status move_back(struct sip_client *client)
{
	struct sip_transactions *transactions = client->transactions;
	uint32_t t1_ms = transactions->options.t1_ms;
	wait_no_more(client);
	sip_oversize_refused(&transactions->oversize, &client->kept.flow.remote,
			     sip_transaction_now(transactions));
	move_to(client, SIP_UDP);
	client->interval_ms = t1_ms;
	sip_transaction_time(transactions, &client->repeat_timer, t1_ms);
	return put_request(client);
}

// Timer A doubles without end; E doubles up to T2, and is T2 once a provisional response came.
static void on_repeat(struct wheel_timer *timer, void *context)
{
	struct sip_client *client = context;
	const struct sip_transaction_options *options = &client->transactions->options;
	bool is_invite = client->kept.method == SIP_INVITE;
	client->interval_ms *= 2;
	if (!is_invite && (client->interval_ms > options->t2_ms || client->state == PROCEEDING))
		client->interval_ms = options->t2_ms;
	counter_add(&client->transactions->counters.retransmissions_out, 1);
	sip_transaction_time(client->transactions, timer, client->interval_ms);
	if (put_request(client) != ERR_SYSTEM) // anything else is as good as a lost packet
		return;
	client->busy++;
	fail(client, SIP_FAILURE_TRANSPORT);
	end(client);
	client->busy--;
	sip_client_settle(client);
}

// No answer in time. An INVITE given up early is still listened for: whatever comes late is
// cancelled or acknowledged, or the peer would ring, and repeat itself, for nobody.
static void give_up(struct sip_client *client)
{
	uint64_t age_ms = sip_transaction_now(client->transactions) - client->start_ms;
	bool is_invite = client->kept.method == SIP_INVITE;
	bool is_ringing = client->state == PROCEEDING;
	fail(client, SIP_FAILURE_TIMEOUT);
	if (client->state != CALLING && client->state != PROCEEDING)
		return;
	wheel_stop(&client->repeat_timer);
	if (is_invite && is_ringing && !client->is_cancel_sent) {
		sip_client_put_cancel(client);
		sip_client_end_after(client, sip_client_longest_ms(client));
	} else if (is_invite && !is_ringing && age_ms < sip_client_longest_ms(client)) {
		client->is_cancel_wanted = true;
		sip_client_end_after(client, sip_client_longest_ms(client) - age_ms);
	} else {
		end(client);
	}
}

// Timers B, C, F while a final response is awaited; D, K, M after it.
static void on_end(struct wheel_timer *timer, void *context)
{
	struct sip_client *client = context;
	(void)timer;
	client->busy++;
	if (client->state == CALLING || client->state == PROCEEDING)
		give_up(client);
	else
		end(client);
	client->busy--;
	sip_client_settle(client);
}

static enum status write_octets(struct sip_client *client, const struct sip_request *request)
{
	struct sip_transactions *transactions = client->transactions;
	struct writer writer = writer_of(transactions->scratch, sizeof(transactions->scratch));
	const char *agent = request->method == SIP_CANCEL ? NULL : transactions->options.user_agent;
	sip_write_request(&writer, request, text_of(client->branch), agent, &client->kept);
	if (writer.failed)
		return ERR_TOO_LARGE;
	client->octets = sip_transaction_copy(writer_done(&writer));
	if (client->octets.data == NULL)
		return ERR_MEMORY;
	struct text *texts[] = { &client->kept.target, &client->kept.from, &client->kept.to,
				 &client->kept.call_id, &client->kept.routes };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = sip_transaction_rebase(*texts[i], transactions->scratch,
						   client->octets.data);
	return OK;
}

enum status sip_client_open(struct sip_transactions *transactions,
			    const struct sip_request *request, const char *branch,
			    struct sip_client **out_client)
{
	struct sip_client *client = calloc(1, sizeof(*client));
	if (client == NULL)
		return ERR_MEMORY;
	client->transactions = transactions;
	client->start_ms = sip_transaction_now(transactions);
	wheel_timer_init(&client->repeat_timer, on_repeat, client);
	wheel_timer_init(&client->end_timer, on_end, client);
	if (branch == NULL)
		sip_write_branch(transactions->options.shard, client->branch);
	else
		memcpy(client->branch, branch, SIP_BRANCH_SIZE);
	enum status status = write_octets(client, request);
	if (status != OK) {
		free(client);
		return status;
	}
	index_add(&transactions->clients, &client->node,
		  key_of(text_of(client->branch), request->method));
	counter_set(&transactions->counters.client_count, transactions->clients.count);
	*out_client = client;
	return OK;
}

enum status sip_client_start(struct sip_client *client)
{
	struct sip_transactions *transactions = client->transactions;
	uint32_t t1_ms = transactions->options.t1_ms;
	uint32_t no_response_ms = client->limits.no_response_ms;
	sip_client_end_after(client,
			     no_response_ms > 0 ? no_response_ms : sip_client_longest_ms(client));
	counter_add(&transactions->counters.requests_out[client->kept.method], 1);
	if (sip_oversize_wants_tcp(&transactions->oversize, &client->kept.flow, client->octets.size,
				   sip_transaction_now(transactions)))
		move_to(client, SIP_TCP);
	client->interval_ms = t1_ms;
	if (!is_reliable(client))
		sip_transaction_time(transactions, &client->repeat_timer, t1_ms);
	enum status status = put_request(client);
	return status == ERR_SYSTEM && client->is_moved ? move_back(client) : status;
}

enum status sip_client_send(struct sip_transactions *transactions,
			    const struct sip_request *request, struct sip_client_limits limits,
			    void *owner, struct sip_client **out_client)
{
	struct sip_client *client;
	enum status status = sip_client_open(transactions, request, NULL, &client);
	if (status != OK)
		return status;
	client->limits = limits;
	client->owner = owner;
	client->has_user = true;
	client->busy++;
	status = sip_client_start(client);
	if (status == ERR_SYSTEM) {
		client->has_user = false;
		end(client);
	} else {
		*out_client = client;
		status = OK;
	}
	client->busy--;
	sip_client_settle(client);
	return status;
}

static void lose_connection(struct sip_client *client)
{
	client->busy++;
	if (!client->is_moved || move_back(client) == ERR_SYSTEM) {
		fail(client, SIP_FAILURE_TRANSPORT);
		end(client);
	}
	client->busy--;
	sip_client_settle(client);
}

// What fails may send anew, and so join the list again, or end others of it: those who have lost it
// are set apart first, and leave one by one.
void sip_client_lose_connection(struct sip_transactions *transactions, uint64_t connection)
{
	struct sip_waiter *lost = NULL, *next;
	for (struct sip_waiter *waiter = *waiting_on(transactions, connection); waiter != NULL;
	     waiter = next) {
		struct sip_client *client = map_entry(waiter, struct sip_client, waiter);
		next = waiter->next;
		if (client->kept.flow.connection != connection)
			continue;
		sip_waiter_leave(waiter);
		sip_waiter_enter(waiter, &lost);
	}
	while (lost != NULL) {
		struct sip_client *client = map_entry(lost, struct sip_client, waiter);
		wait_no_more(client);
		lose_connection(client);
	}
}

void sip_client_free_all(struct sip_transactions *transactions)
{
	size_t place = 0;
	struct index_node *node;
	while ((node = index_next(&transactions->clients, &place, NULL)) != NULL) {
		struct sip_client *client = index_entry(node, struct sip_client, node);
		client->has_user = false;
		end(client); // removes the node
	}
}

// ---- responses

static void tell(struct sip_client *client, const struct sip_message *response)
{
	const struct sip_user *user = &client->transactions->options.user;
	bool is_accepted = client->state == ACCEPTED;
	if (client->has_user)
		user->response(user->context, client, client->owner, response);
	else if (is_accepted && user->stray_response != NULL)
		user->stray_response(user->context, response);
	if (response->status >= 200 && !is_accepted)
		client->has_user = false;
}

static void take_provisional(struct sip_client *client, const struct sip_message *response)
{
	if (client->state != CALLING && client->state != PROCEEDING)
		return;
	bool is_invite = client->kept.method == SIP_INVITE;
	if (is_invite && client->state == CALLING) {
		wheel_stop(&client->repeat_timer);
		wheel_stop(&client->end_timer);
		if (client->limits.ring_ms > 0)
			sip_client_end_after(client, client->limits.ring_ms); // Timer C
	}
	client->state = PROCEEDING;
	if (is_invite && client->is_cancel_wanted && !client->is_cancel_sent) {
		sip_client_put_cancel(client);
		sip_client_end_after(client, sip_client_longest_ms(client));
	}
	tell(client, response);
}

static void take_accepted(struct sip_client *client, const struct sip_message *response)
{
	if (client->state == COMPLETED)
		return;
	if (client->state == ACCEPTED) {
		counter_add(&client->transactions->counters.retransmissions_in, 1);
	} else {
		client->state = ACCEPTED;
		wheel_stop(&client->repeat_timer);
		sip_client_end_after(client, sip_client_longest_ms(client)); // Timer M
		drop_octets(client);
	}
	tell(client, response);
}

// The final response of anything, but a 2xx to INVITE.
static void take_final(struct sip_client *client, const struct sip_message *response)
{
	bool is_invite = client->kept.method == SIP_INVITE;
	if (client->state == ACCEPTED)
		return;
	if (is_invite)
		sip_client_put_ack(client, response);
	if (client->state == COMPLETED) {
		counter_add(&client->transactions->counters.retransmissions_in, 1);
		return;
	}
	client->state = COMPLETED;
	wheel_stop(&client->repeat_timer);
	uint64_t linger_ms =
		is_invite ? sip_client_longest_ms(client) : client->transactions->options.t4_ms;
	sip_client_end_after(client, is_reliable(client) ? 0 : linger_ms); // Timers D and K
	if (!is_invite)
		drop_octets(client);
	tell(client, response);
}

void sip_client_take(struct sip_client *client, const struct sip_message *response)
{
	client->busy++;
	wait_no_more(client);
	if (response->status < 200)
		take_provisional(client, response);
	else if (response->status < 300 && client->kept.method == SIP_INVITE)
		take_accepted(client, response);
	else
		take_final(client, response);
	client->busy--;
	sip_client_settle(client);
}

void sip_client_forget(struct sip_client *client)
{
	if (client == NULL)
		return;
	client->has_user = false;
	client->owner = NULL;
	sip_client_settle(client);
}
