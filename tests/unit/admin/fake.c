// The tests' surroundings of the operator's side. Runs on: the test's thread. The contracts hand out
// opaque pointers, so a fake object is found again by a cast.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "call/refusal.h"
#include "fake.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/request.h"
#include "call/watch/telling.h"
#include "base/random.h"
#include "dataplane/dataplane.h"
#include "directory/directory.h"
#include "media/quality/unreachable.h"
#include "sip/guard/guard.h"
#include "sip/transaction.h"
#include "sip/transport.h"
#include "store/store.h"

// ---- calls

static struct fake *fake_of(const struct calls *calls)
{
	return (struct fake *)calls;
}

unsigned calls_count(const struct calls *calls)
{
	return fake_of(calls)->call_count;
}

const struct call *calls_next(const struct calls *calls, const struct call *after)
{
	struct fake *fake = fake_of(calls);
	struct call_facts *next = after ? (struct call_facts *)after + 1 : fake->calls;
	return next < fake->calls + fake->call_count ? (const struct call *)next : NULL;
}

struct call *calls_find(const struct calls *calls, struct text sid)
{
	struct fake *fake = fake_of(calls);
	for (unsigned i = 0; i < fake->call_count; i++)
		if (text_is_equal(text_of(fake->calls[i].sid), sid))
			return (struct call *)&fake->calls[i];
	return NULL;
}

void call_read(const struct call *call, struct call_facts *out_facts)
{
	*out_facts = *(const struct call_facts *)call;
}

unsigned telling_try(struct calls *calls, const struct directory_object *trigger,
		     notify_done_fn done, void *context)
{
	const struct notify_end end = { NOTIFY_WEBHOOK,    NOTIFY_FAILED,      500, 1,
					"it answered 500", NOTIFY_CAUSE_ANSWER };
	(void)calls;
	(void)trigger;
	done(context, &end);
	return 1;
}

void call_hang_up(struct call *call)
{
	((struct call_facts *)call)->state = CALL_ENDING;
}

const char *call_state_text(enum call_state state)
{
	return state == CALL_UP ? "up" : "ending";
}

const struct call_counters *calls_counters(const struct calls *calls)
{
	static const struct call_counters COUNTERS = { .started = { { 7 } },
						       .troubles = { [REFUSED_CPS - 1] = { 3 } },
						       .one_way = { [DIAGNOSIS_TTL] = { { 0 },
											{ 6 } } },
						       .ports_leaked = { 2 } };
	(void)calls;
	return &COUNTERS;
}

unsigned calls_limited(const struct calls *calls)
{
	return fake_of(calls)->call_count;
}

void call_limits_read(const struct calls *calls, const char *sid,
		      struct call_limits_facts *out_facts)
{
	(void)calls;
	*out_facts = (struct call_limits_facts){ .rate = 7,
						 .calls = strncmp(sid, "TK", 2) == 0 ? 5 : 0,
						 .rate_here = 1,
						 .calls_here = 2 };
}

const char *call_carrier_state_text(enum call_carrier_state state)
{
	return state == CALL_CARRIER_DOWN ? "down" : "not pinged";
}

void call_carrier_read(const struct calls *calls, const char *sid,
		       struct call_carrier_facts *out_facts)
{
	(void)calls;
	(void)sid;
	*out_facts = (struct call_carrier_facts){ CALL_CARRIER_DOWN, 1795000000000, 3,
						  "no response from 192.0.2.1:5060" };
}

bool call_carrier_metric(const struct calls *calls, unsigned place,
			 char name[static DIRECTORY_NAME_SIZE], enum call_carrier_state *out_state)
{
	static const char *const NAMES[] = { "gate-\"1\"\\east", "gate-2" };
	(void)calls;
	if (place >= 2)
		return false;
	(void)text_copy(text_of(NAMES[place]), name, DIRECTORY_NAME_SIZE);
	*out_state = place == 0 ? CALL_CARRIER_DOWN : CALL_CARRIER_UP;
	return true;
}

const char *call_direction_label(enum call_direction direction)
{
	return direction == CALL_TO_PBX ? "to_pbx" : "to_pstn";
}

const char *call_port_trouble(const struct calls *calls, const struct media_port_facts *port)
{
	return calls_find(calls, text_of(port->call_sid)) ? NULL : "its call is gone";
}

const char *header_fate_label(unsigned fate)
{
	static const char *const labels[] = { "passed", "hidden", "cut", "timer" };
	return fate < sizeof labels / sizeof *labels ? labels[fate] : NULL;
}

// ---- the rest: fixed figures

const struct media_counters *media_engine_counters(const struct media_engine *engine)
{
	static const struct media_counters COUNTERS = { .ports_used = { 2 },
							.ports_total = { 5000 } };
	(void)engine;
	return &COUNTERS;
}

// The real ledger, over a dataplane of which two answers are enough.
const struct media_ports *media_engine_ports(const struct media_engine *engine)
{
	return ((const struct fake *)engine)->ports;
}

unsigned dataplane_worker_of(const struct dataplane *dataplane, uint32_t stream_index)
{
	(void)dataplane;
	return stream_index / 2 % 2;
}

const struct unreachable_counters *unreachable_counters(const struct unreachable *unreachable)
{
	static const struct unreachable_counters COUNTERS = { .received = { 8 }, .counted = { 6 } };
	(void)unreachable;
	return &COUNTERS;
}

const struct sip_transaction_counters *
sip_transaction_counters(const struct sip_transactions *transactions)
{
	static const struct sip_transaction_counters COUNTERS = {
		.requests_in = { { 11 } }, .responses_out = { { 0 }, { 4 } }
	};
	(void)transactions;
	return &COUNTERS;
}

const char *sip_close_label(unsigned reason)
{
#define LABEL(name, label) label,
	static const char *const LABELS[] = { SIP_CLOSE_LIST(LABEL) };
#undef LABEL
	return reason < SIP_CLOSE_COUNT ? LABELS[reason] : NULL;
}

const struct dataplane_facts *dataplane_facts(const struct dataplane *dataplane)
{
	static const struct dataplane_facts FACTS = {
		.process_id = 42,
		.worker_count = 2,
		.address_count = 1,
		.addresses = { { .family = ADDRESS_IPV4, .octets = { 192, 0, 2, 1 } } },
		.port = "af_packet:eth1",
		.interface = "tap0",
		.engine = "ipsec_mb"
	};
	(void)dataplane;
	return &FACTS;
}

void dataplane_worker_read(const struct dataplane *dataplane, unsigned worker,
			   struct worker_view *out_view)
{
	(void)dataplane;
	memset(out_view, 0, sizeof(*out_view));
	out_view->verdicts[VERDICT_FORWARDED] = 1000 + worker;
	out_view->verdicts[VERDICT_DROP_CRYPTO_FULL] = 9 + worker;
	out_view->polls = 50;
	out_view->streams_open = 4;
}

// ---- the whole

static enum status reload(void *context, char *room, unsigned size)
{
	(void)context;
	snprintf(room, size, "trunkd.yaml:3: sip.prot: unknown option; did you mean sip.port?");
	return ERR_MALFORMED;
}

static void start_history(struct fake *fake)
{
	char file[128], spool_file[128];
	snprintf(fake->directory, sizeof(fake->directory), "/tmp/trunkd-admin-XXXXXX");
	if (!mkdtemp(fake->directory))
		abort();
	snprintf(file, sizeof(file), "%s/history.db", fake->directory);
	snprintf(spool_file, sizeof(spool_file), "%s/spool", fake->directory);
	struct history_options options = { .file = file,
					   .spool_file = spool_file,
					   .spool_records = 32 };
	if (history_start(fake->loop, &options, &fake->context.history) != OK)
		abort();
}

void fake_make(struct fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->loop = event_base_new();
	clock_update(&fake->clock);
	snprintf(fake->config.sip.base_domain, sizeof(fake->config.sip.base_domain),
		 "trunks.example");
	snprintf(fake->config.node.name, sizeof(fake->config.node.name), "node-1");
	start_history(fake);
	fake->context.clock = &fake->clock;
	fake->context.config = &fake->config;
	fake->context.directory = directory_create(TEXT("trunks.example"));
	fake->context.store = (struct store *)fake;
	fake->context.calls = (struct calls *)fake;
	fake->context.media = (struct media_engine *)fake;
	fake->config.limits.max_cps = 1000;
	fake->config.guard = (struct guard_config){ .enabled = true, .ban_s = 60, .ban_max_s = 60 };
	fake->context.guard = sip_guard_create(&(struct sip_guard_options){
		.clock = &fake->clock, .config = &fake->config.guard });
	fake->context.transactions = (const struct sip_transactions *)fake;
	fake->context.transport = (const struct sip_transport *)fake;
	atomic_store(&fake->context.dataplane, (struct dataplane *)fake);
	fake->context.started_ms = fake->clock.wall_ms - 5000;
	fake->context.reload = reload;
	fake->ports = media_ports_create((const struct dataplane *)fake, 1000);
	counter_set(&fake->context.store_state, STORE_READY);
}

void fake_remove(struct fake *fake)
{
	static const char *const FILES[] = { "history.db", "history.db-wal", "history.db-shm",
					     "spool" };
	char path[128];
	history_stop(fake->context.history);
	sip_guard_destroy(fake->context.guard);
	directory_destroy(fake->context.directory);
	media_ports_destroy(fake->ports);
	event_base_free(fake->loop);
	for (unsigned i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", fake->directory, FILES[i]);
		(void)unlink(path);
	}
	(void)rmdir(fake->directory);
}

int fake_set_up(void **state)
{
	struct fake *fake = malloc(sizeof(*fake));
	assert_non_null(fake);
	fake_make(fake);
	*state = fake;
	return 0;
}

int fake_tear_down(void **state)
{
	fake_remove(*state);
	free(*state);
	return 0;
}

void fake_add_call(struct fake *fake, const char *sid)
{
	struct call_facts *facts = &fake->calls[fake->call_count++];
	*facts =
		(struct call_facts){ .sid = sid,
				     .account_sid = "AC01",
				     .trunk_sid = "TK01",
				     .trunk_name = "office",
				     .carrier_name = "north",
				     .from = "+14155550100",
				     .to = "+442071838750",
				     .call_id_in = "a@pbx",
				     .call_id_out = "b@trunkd",
				     .ladder = "0 caller> INVITE\n1 caller< 100\n2 called< INVITE\n"
					       "60 called> 180\n61 caller< 180\n",
				     .state = CALL_UP,
				     .start_ms = fake->clock.wall_ms - 3000,
				     .answer_ms = fake->clock.wall_ms - 1000,
				     .has_media = true };
	facts->media[MEDIA_CALLER].rtp.packets = 150;
	facts->media[MEDIA_CALLER].lost = 50;
	facts->media[MEDIA_CALLER].jitter_us = 1500;
	facts->media[MEDIA_CALLER].rtp.generation = 1;
	facts->media[MEDIA_CALLER].rtp.ttl_lowest = 61;
}

struct wait {
	json_t *answer;
	bool is_done;
};

static void done(void *owner, struct text answer)
{
	struct wait *wait = owner;
	wait->is_done = true;
	wait->answer = json_loadb(answer.data, answer.size, 0, NULL);
}

json_t *fake_ask(struct fake *fake, const char *line)
{
	struct wait wait = { NULL, false };
	struct admin_peer peer = { 0, 1 };
	(void)admin_request_run(&fake->context, text_of(line), peer, done, &wait);
	while (!wait.is_done)
		event_base_loop(fake->loop, EVLOOP_ONCE);
	return wait.answer;
}

const char *fake_code(struct fake *fake, const char *line)
{
	static char room[64];
	json_t *answer = fake_ask(fake, line);
	const char *code = json_string_value(json_object_get(answer, "code"));
	snprintf(room, sizeof(room), "%s", code ? code : "");
	json_decref(answer);
	return room;
}

const char *fake_text(json_t *answer, const char *path)
{
	char key[64];
	struct text rest = text_of(path);
	json_t *value = answer;
	while (rest.size > 0 && value) {
		struct text part = text_split(&rest, '.');
		assert_true(text_copy(part, key, sizeof(key)));
		uint64_t index;
		value = text_to_unsigned(part, 1000, &index) ? json_array_get(value, index)
							     : json_object_get(value, key);
	}
	const char *text = json_string_value(value);
	return text ? text : "(none)";
}

json_int_t fake_number(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void fake_expect(struct fake *fake, const char *line, const char *path, const char *wanted)
{
	json_t *answer = fake_ask(fake, line);
	assert_string_equal(fake_text(answer, path), wanted);
	json_decref(answer);
}
