// One trunkd without sockets. Everything unexpected here is the test's own fault and ends it.
// Runs on: the thread of the test.

#include "scenario/node.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/session/digits.h"
#include "call/watch/attack.h"
#include "config/own.h"
#include "fake/dataplane.h"
#include "fake/history.h"
#include "fake/limits.h"
#include "fake/memory.h"
#include "media/media.h"

#define QUARANTINE_MS 5000
#define HOURS_STEP_MS 1000
#define REST_STEP_MS 100
// Timers H, J, L, M are 32 s, a leg given up lives 40 s, a dead caller's BYE is repeated for 32 s,
// ports rest 5 s.
#define LIFETIMES_MS 120000
#define FIRST_MESSAGES 200 // more than any story sends to the dataplane

static void fill_config(struct config *config)
{
	struct sip_config *sip = &config->sip;
	(void)text_copy(TEXT(NODE_BASE_DOMAIN), sip->base_domain, sizeof(sip->base_domain));
	(void)text_copy(TEXT(NODE_BASE_DOMAIN), sip->platform_domain, sizeof(sip->platform_domain));
	bool is_parsed = address_parse(TEXT(NODE_ADDRESS), &sip->addresses.items[0]);
	assert(is_parsed);
	(void)is_parsed;
	sip->addresses.count = 1;
	sip->port = sip->addresses.items[0].port;
	sip->addresses.items[0].port = 0;
	sip->ack_timeout_s = 30;
	sip->no_response_timeout_ms = 4000;
	sip->ping_misses = 3;
	sip->ring_timeout_s = 180;
	sip->max_call_duration_s = 86400;
	sip->nonce_lifetime_s = 120;
	sip->definitive_codes =
		(struct config_numbers){ 9, { 400, 404, 405, 410, 416, 482, 484, 486, 6 } };
	sip->t1_ms = 500;
	sip->t2_ms = 4000;
	sip->t4_ms = 5000;
	sip->max_calls = 1000;
	sip->max_transfers = 3;
	config->guard = (struct guard_config){ .enabled = true,
					       .stranger_rate = 20,
					       .strangers_rate = 2000,
					       .peer_rate = 20000,
					       .known_minutes = 60,
					       .offences = 20,
					       .ban_s = 60,
					       .ban_max_s = 3600,
					       .options_interval_s = 10,
					       .options_burst = 2,
					       .queue_ms = 20,
					       .stale_ms = 500 };
	config_edges_fill_default(&config->edges);
	config->accounts =
		(struct accounts_config){ .voice_countries = { .set = { .is_all = true } },
					  .max_trunks = 100,
					  .trial_trunks = 1,
					  .trial_numbers = 1 };
	config->media.port_quarantine_ms = QUARANTINE_MS;
	config->media.addresses.count = 1;
	(void)address_parse(TEXT(NODE_MEDIA_ADDRESS), &config->media.addresses.items[0]);
	config->admin.replay_messages = 100;
	config->limits.default_cps = 1;
	config->limits.max_cps = 1000;
	config->limits.trial_calls = 4;
	config->limits.node_timeout_s = 10;
	config->limits.redis_wait_ms = 100;
}

static void must_add(struct node *node, const char *kind, char *const *pairs)
{
	struct directory_problem problem = { 0 };
	unsigned count = 0;
	while (pairs[count] != NULL)
		count++;
	if (!node_add(node, kind, pairs, count, &problem)) {
		printf("cannot add %s: %s: %s\n", kind, problem.field, problem.text);
		abort();
	}
}

static void write_hex(struct writer *writer, const uint8_t *octets, size_t size)
{
	for (size_t i = 0; i < size; i++)
		writer_format(writer, "%02x", octets[i]);
}

static void add_user(struct node *node, const char *user, const char *password)
{
	struct sip_digest_secret secret;
	char room[2][128];
	char name[64];
	struct writer md5 = writer_of(room[0], sizeof(room[0]));
	struct writer sha256 = writer_of(room[1], sizeof(room[1]));
	sip_digest_derive(text_of(user), TEXT(NODE_BASE_DOMAIN), text_of(password), &secret);
	writer_string(&md5, "ha1_md5=");
	write_hex(&md5, secret.md5, sizeof(secret.md5));
	writer_string(&sha256, "ha1_sha256=");
	write_hex(&sha256, secret.sha256, sizeof(secret.sha256));
	(void)snprintf(name, sizeof(name), "user=%s", user);
	must_add(node, "credential",
		 (char *const[]){ "list=phones", name, (char *)writer_string_done(&md5),
				  (char *)writer_string_done(&sha256), "realm=" NODE_BASE_DOMAIN,
				  NULL });
}

// alice may call by her address alone; stories change what they are about.
static void provision(struct node *node)
{
	must_add(node, "account", (char *const[]){ "name=acme", NULL });
	must_add(node, "account", (char *const[]){ "name=other", NULL });
	must_add(node, "acl", (char *const[]){ "account=acme", "name=office", NULL });
	must_add(node, "acl_address",
		 (char *const[]){ "acl=office", "address=203.0.113.10", NULL });
	must_add(node, "credential_list", (char *const[]){ "account=acme", "name=phones", NULL });
	add_user(node, "alice", "secret");
	must_add(node, "trunk",
		 (char *const[]){ "account=acme", "name=acme trunk", "domain=acme", "acls=office",
				  NULL });
	must_add(node, "number",
		 (char *const[]){ "account=acme", "e164=" NODE_NUMBER, "trunk=acme", NULL });
	must_add(node, "number", (char *const[]){ "account=other", "e164=+14155550199", NULL });
	must_add(node, "carrier",
		 (char *const[]){ "name=carrier1", "address=198.51.100.11:5060", NULL });
}

// Ports that a story took away belong to no call.
static void media_event(void *owner, struct media *media, enum media_side side,
			enum media_event event)
{
	if (owner != NULL)
		call_media_event(owner, media, side, event);
}

static void start_media(struct node *node)
{
	struct media_engine_options options = { .clock = &node->clock,
						.wheel = node->wheel,
						.dataplane = node->dataplane,
						.port_quarantine_ms = QUARANTINE_MS,
						.orphan_grace_ms = 30000,
						.event = media_event };
	enum status status = media_engine_start(&options, &node->media);
	assert(status == OK);
	media_engine_set_digits(node->media, digits_heard, true);
	(void)status;
}

static bool is_listed(void *context, const struct address *address)
{
	const struct node *node = context;
	return directory_knows_address(node->directory, address);
}

static bool is_ours(const void *context, const struct address *address)
{
	return config_is_own_host(context, address);
}

static void receive(void *context, struct text octets, const struct sip_flow *flow)
{
	const struct node *node = context;
	sip_transaction_receive(node->transactions, octets, flow);
}

static void shed(void *context, struct text octets, const struct sip_flow *flow)
{
	const struct node *node = context;
	sip_transaction_shed(node->transactions, octets, flow);
}

static void tell(void *context, const struct sip_guard_event *event)
{
	const struct node *node = context;
	call_tell_attack(node->calls, event);
}

static void start_guard(struct node *node)
{
	struct sip_guard_options options = { .clock = &node->clock,
					     .config = &node->config.guard,
					     .receive = receive,
					     .shed = shed,
					     .receive_context = node,
					     .is_listed = is_listed,
					     .event = tell,
					     .context = node };
	node->guard = sip_guard_create(&options);
	assert(node->guard);
}

static void start_sip(struct node *node)
{
	const struct sip_config *config = &node->config.sip;
	struct sip_transaction_options options = { .clock = &node->clock,
						   .wheel = node->wheel,
						   .send = wire_send,
						   .send_context = &node->wire,
						   .t1_ms = config->t1_ms,
						   .t2_ms = config->t2_ms,
						   .t4_ms = config->t4_ms,
						   .transactions_max = config->max_calls * 16,
						   .user_agent = "trunkd",
						   .guard = node->guard };
	sip_message_start();
	calls_fill_sip_user(node->calls, &options.user);
	node->transactions = sip_transactions_create(&options);
	assert(node->transactions);
	calls_attach(node->calls, node->transactions, node->media);
}

static void start_resolver(struct node *node)
{
	node->dns = fake_dns_create(&node->clock, node->wheel);
	struct sip_resolver_options options = { .clock = &node->clock,
						.wheel = node->wheel,
						.cache = { .ask = fake_dns_ask,
							   .ask_context = node->dns,
							   .entries_max = 256,
							   .ttl_min_s = 5,
							   .ttl_max_s = 3600,
							   .negative_ttl_max_s = 300,
							   .stale_s = 86400 },
						.timeout_ms = 3000,
						.avoid_ms = 30000,
						.has_ipv4 = true,
						.speaks = { true, true, true } };
	node->resolver = sip_resolver_create(&options);
	assert(node->resolver);
}

// In the place of base/memory.h's: to touch the pages of every table took a third of the time in which
// a story is told a thousand times.
void __wrap_memory_touch(void *room, size_t size);
void __wrap_memory_touch(void *room, size_t size)
{
	(void)room;
	(void)size;
}

struct node *node_create(void)
{
	struct node *node = calloc(1, sizeof(*node));
	assert(node);
	node->clock = (struct clock){ NODE_START_MS, 1795000000000 + NODE_START_MS };
	node->wheel = wheel_create(node->clock.now_ms);
	fill_config(&node->config);
	wire_init(&node->wire, &node->clock);
	node->directory = directory_create(TEXT(NODE_BASE_DOMAIN));
	directory_follow(node->directory,
			 &(struct directory_rules){ .edges = &node->config.edges,
						    .accounts = &node->config.accounts });
	provision(node);
	node->history = fake_history_create();
	node->dataplane =
		fake_dataplane_create(1, (const char *const[]){ NODE_MEDIA_ADDRESS, NULL });
	start_media(node);
	node->dialogs = sip_dialogs_create(64);
	sip_dialogs_place(node->dialogs, &(struct sip_home){ .ports = { 5060, 5060, 5061 },
							     .is_ours = is_ours,
							     .context = &node->config });
	start_resolver(node);
	sip_dialogs_follow(node->dialogs, node->resolver);
	node->digest = sip_digest_create(&node->clock, TEXT(NODE_BASE_DOMAIN),
					 node->config.sip.nonce_lifetime_s);
	start_guard(node);
	node->limits = fake_limits_create();
	struct calls_options options = { .clock = &node->clock,
					 .wheel = node->wheel,
					 .config = &node->config,
					 .directory = node->directory,
					 .history = node->history,
					 .dialogs = node->dialogs,
					 .digest = node->digest,
					 .resolver = node->resolver,
					 .guard = node->guard,
					 .limits = node->limits,
					 .ports = { 5060, 5060, 5061 } };
	node->calls = calls_create(&options);
	assert(node->wheel && node->directory && node->dialogs && node->digest && node->calls);
	start_sip(node);
	return node;
}

// In the order in which trunkd stops.
void node_destroy(struct node *node)
{
	node_give_all_ports(node);
	calls_detach(node->calls);
	sip_transactions_destroy(node->transactions);
	calls_destroy(node->calls);
	sip_digest_destroy(node->digest);
	sip_guard_destroy(node->guard);
	sip_dialogs_destroy(node->dialogs);
	fake_limits_destroy(node->limits);
	fake_dns_destroy(node->dns);
	sip_resolver_destroy(node->resolver);
	media_engine_stop(node->media);
	dataplane_detach(node->dataplane);
	fake_history_destroy(node->history);
	directory_destroy(node->directory);
	wire_clear(&node->wire);
	wheel_destroy(node->wheel);
	free(node);
}

static void pass(struct node *node, uint64_t ms)
{
	node->clock.now_ms += ms;
	node->clock.wall_ms += ms;
	talk_go_on(node, ms);
	media_engine_tick(node->media);
	wheel_run(node->wheel, node->clock.now_ms);
	sip_guard_tick(node->guard, node->late_us, node->clock.now_ms * 1000); // never rests
}

void node_wait(struct node *node, uint64_t ms)
{
	uint64_t end_ms = node->clock.now_ms + ms;
	while (node->clock.now_ms < end_ms) {
		uint64_t left_ms = end_ms - node->clock.now_ms;
		uint64_t step_ms = left_ms > 3600 * 1000 ? HOURS_STEP_MS : WHEEL_TICK_MS;
		pass(node, step_ms < left_ms ? step_ms : left_ms);
	}
}

void node_outlive(struct node *node)
{
	for (uint64_t ms = 0; ms < LIFETIMES_MS; ms += REST_STEP_MS)
		pass(node, REST_STEP_MS);
}

static bool set_pairs(struct node *node, struct directory_object *object, char *const *pairs,
		      unsigned count, struct directory_problem *out_problem)
{
	for (unsigned i = 0; i < count; i++) {
		struct text value = text_of(pairs[i]);
		struct text field = text_split(&value, '=');
		if (directory_set(node->directory, object, field, value, out_problem) != OK)
			return false;
	}
	return true;
}

bool node_add(struct node *node, const char *kind, char *const *pairs, unsigned count,
	      struct directory_problem *out_problem)
{
	enum directory_kind wanted = directory_kind_of(text_of(kind));
	if (wanted == DIRECTORY_KIND_COUNT)
		return false;
	struct directory_object *object = directory_object_create(wanted);
	if (object == NULL)
		return false; // only where allocations are made to fail
	if (!set_pairs(node, object, pairs, count, out_problem) ||
	    directory_check(node->directory, object, true, out_problem) != OK) {
		directory_object_destroy(object);
		return false;
	}
	return directory_put(node->directory, object) == OK;
}

static const struct directory_object *find(const struct node *node, const char *kind,
					   const char *word)
{
	enum directory_kind wanted = directory_kind_of(text_of(kind));
	return wanted < DIRECTORY_KIND_COUNT
		       ? directory_find(node->directory, wanted, text_of(word))
		       : NULL;
}

bool node_set(struct node *node, const char *kind, const char *word, char *const *pairs,
	      unsigned count, struct directory_problem *out_problem)
{
	const struct directory_object *former = find(node, kind, word);
	if (former == NULL)
		return false;
	struct directory_object *object = directory_object_copy(former);
	if (object == NULL)
		return false;
	if (!set_pairs(node, object, pairs, count, out_problem) ||
	    directory_check(node->directory, object, false, out_problem) != OK) {
		directory_object_destroy(object);
		return false;
	}
	return directory_put(node->directory, object) == OK;
}

bool node_remove(struct node *node, const char *kind, const char *word)
{
	const struct directory_object *object = find(node, kind, word);
	if (object == NULL)
		return false;
	char sid[DIRECTORY_SID_SIZE];
	(void)text_copy(text_of(object->sid), sid, sizeof(sid));
	directory_drop(node->directory, sid);
	return true;
}

void node_make_room(struct node *node)
{
	struct message message = { .kind = MESSAGE_STREAM_CLOSE, .stream = { 0, 1 } };
	for (unsigned i = 0; i < FIRST_MESSAGES; i++) {
		(void)dataplane_send(node->dataplane, &message);
		fake_dataplane_tell(node->dataplane, MESSAGE_STREAM_CLOSED, 0, NULL);
	}
	fake_dataplane_forget_sent(node->dataplane);
	while (dataplane_collect(node->dataplane, &message, 1) > 0)
		;
}

bool node_add_edge(struct node *node, const char *name, const char *signalling, const char *media)
{
	struct config_addresses *own = &node->config.sip.addresses;
	struct edge_config *edge =
		(struct edge_config *)config_edge_named(&node->config.edges, text_of(name));
	struct address address;
	if (edge == NULL || !address_parse(text_of(signalling), &address) ||
	    !prefix_parse(text_of(media), &edge->media.items[0]))
		return false;
	own->items[own->count++] = edge->signalling.items[edge->signalling.count++] = address;
	edge->media.count = 1;
	node_lose_dataplane(node);
	node->dataplane =
		fake_dataplane_create(1, (const char *const[]){ NODE_MEDIA_ADDRESS, media, NULL });
	media_engine_attach(node->media, node->dataplane);
	return true;
}

bool node_open_edge(struct node *node, const char *name, const char *account)
{
	struct edge_config *edge =
		(struct edge_config *)config_edge_named(&node->config.edges, text_of(name));
	const struct directory_object *object =
		directory_find(node->directory, DIRECTORY_ACCOUNT, text_of(account));
	return edge != NULL && object != NULL && edge->accounts.count < CONFIG_LIST_MAX &&
	       text_copy(text_of(object->sid), edge->accounts.items[edge->accounts.count++],
			 CONFIG_SID_SIZE);
}

void node_lose_dataplane(struct node *node)
{
	media_engine_attach(node->media, NULL);
	dataplane_detach(node->dataplane);
	node->dataplane = NULL;
}

void node_regain_dataplane(struct node *node)
{
	node->dataplane =
		fake_dataplane_create(1, (const char *const[]){ NODE_MEDIA_ADDRESS, NULL });
	media_engine_attach(node->media, node->dataplane);
}

void node_take_all_ports(struct node *node)
{
	struct media *media;
	while (media_open(node->media, "CAhoard", NULL, &media) == OK) {
		node->hoard =
			memory_grow(node->hoard, (node->hoard_count + 1) * sizeof(*node->hoard));
		node->hoard[node->hoard_count++] = media;
	}
}

// Nothing of it was ever opened in the dataplane; its end is told to nobody's call.
void node_give_all_ports(struct node *node)
{
	for (unsigned i = 0; i < node->hoard_count; i++)
		media_close(node->hoard[i]);
	free(node->hoard);
	node->hoard = NULL;
	node->hoard_count = 0;
}
