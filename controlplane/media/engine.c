// All media of the process: collects what the workers tell, retries what had no room, follows next
// hops, and brings every call to a dataplane that came anew.
// Runs on: control thread. Owners are called from the tick only, and may call back into media.

#include "media/engine.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "dataplane/dataplane.h"
#include "media/neighbour.h"

#define COLLECT_BATCH 64
#define COLLECT_MAX 4096 // per tick, so that workers cannot hold the loop

static void hop_changed(void *context, const struct address *destination)
{
	(void)destination;
	struct media_engine *engine = context;
	engine->has_hop_changes = true;
}

static void set_gauges(struct media_engine *engine)
{
	const struct media_ports *ports = engine->ports;
	struct media_counters *counters = &engine->counters;
	if (!ports)
		return;
	unsigned held = media_ports_count(ports, MEDIA_PORT_HELD);
	unsigned resting = media_ports_count(ports, MEDIA_PORT_RESTING);
	unsigned orphans = media_ports_count(ports, MEDIA_PORT_ORPHAN);
	counter_set(&counters->ports_used, held + orphans);
	counter_set(&counters->ports_quarantined, resting);
	counter_set(&counters->ports_total,
		    held + resting + orphans + media_ports_count(ports, MEDIA_PORT_FREE));
}

// Next hops are asked for on the dataplane's interface. Without them streams open, and count what
// they cannot send; the tick tries again.
static void start_neighbours(struct media_engine *engine)
{
	const char *interface = dataplane_facts(engine->options.dataplane)->interface;
	if (engine->neighbours && text_is_equal(text_of(engine->interface), text_of(interface)))
		return;
	struct media *media;
	TAILQ_FOREACH(media, &engine->all, all)
	{
		for (unsigned i = 0; i < MEDIA_SIDES * 2; i++)
			media_flow_give_hop(&media->legs[i / 2].flows[i % 2], engine->neighbours);
	}
	bool is_retry = engine->retry_ms > 0;
	neighbours_stop(engine->neighbours);
	engine->neighbours = NULL;
	engine->retry_ms = 0;
	(void)text_copy(text_of(interface), engine->interface, sizeof(engine->interface));
	enum status status = neighbours_start(engine->options.loop, interface, hop_changed, engine,
					      &engine->neighbours);
	if (status != OK)
		engine->retry_ms = engine->options.clock->now_ms + MEDIA_RETRY_MS;
	if (status != OK && !is_retry)
		log_event(LOG_ERROR, "neighbours_not_followed", "interface", interface, "reason",
			  status_text(status), NULL);
	else if (status == OK && is_retry)
		log_event(LOG_INFO, "neighbours_followed", "interface", interface, NULL);
}

static void connect_all(struct media_engine *engine)
{
	struct media *media;
	TAILQ_FOREACH(media, &engine->all, all)
	{
		media_connect(media);
		media_finish_if_closed(media);
	}
}

// The live calls' pairs in another ledger. Those it has no place for lose their media: their address
// is gone, or their two pairs belong to two workers now.
static bool claim_pairs(struct media_engine *engine, struct media *media, struct media_ports *ports,
			const struct dataplane *dataplane)
{
	struct media_port_user user = { media, media->call_sid, engine->options.clock->now_ms };
	bool is_claimed = true;
	for (unsigned side = 0; side < MEDIA_SIDES && is_claimed; side++) {
		uint32_t index = media->legs[side].rtp_index;
		is_claimed = media_ports_has(ports, index, &media->legs[side].local) &&
			     media_ports_claim(ports, index, &user);
	}
	return is_claimed && dataplane_worker_of(dataplane, media->legs[0].rtp_index) ==
				     dataplane_worker_of(dataplane, media->legs[1].rtp_index);
}

static void claim_ports(struct media_engine *engine, struct media_ports *ports,
			const struct dataplane *dataplane)
{
	struct media *media;
	TAILQ_FOREACH(media, &engine->all, all)
	{
		if (media->is_stranded || claim_pairs(engine, media, ports, dataplane))
			continue;
		media->is_stranded = true;
		log_event(LOG_ERROR, "media_ports_lost", "call", media->call_sid, NULL);
	}
}

static enum status take_dataplane(struct media_engine *engine, struct dataplane *dataplane)
{
	uint32_t stream_count = dataplane_stream_count(dataplane);
	struct media_ports *ports =
		media_ports_create(dataplane, engine->options.port_quarantine_ms);
	uint32_t *generations = calloc(stream_count + 1, sizeof(*generations));
	if (!ports || !generations) {
		media_ports_destroy(ports);
		free(generations);
		return ERR_MEMORY;
	}
	memory_touch(generations, (stream_count + 1) * sizeof(*generations));
	claim_ports(engine, ports, dataplane);
	media_ports_destroy(engine->ports);
	free(engine->generations);
	engine->ports = ports;
	engine->generations = generations;
	engine->stream_count = stream_count;
	engine->options.dataplane = dataplane;
	start_neighbours(engine);
	media_orphan_scan(engine);
	set_gauges(engine);
	return OK;
}

static enum status attach(struct media_engine *engine, struct dataplane *dataplane)
{
	struct media *media;
	TAILQ_FOREACH(media, &engine->all, all)
	{
		for (unsigned i = 0; i < MEDIA_SIDES * 2; i++)
			media_flow_detach(&media->legs[i / 2].flows[i % 2],
					  engine->options.dataplane);
	}
	engine->options.dataplane = NULL;
	enum status status = dataplane ? take_dataplane(engine, dataplane) : OK;
	connect_all(engine);
	return status;
}

void media_engine_attach(struct media_engine *engine, struct dataplane *dataplane)
{
	enum status status = attach(engine, dataplane);
	if (status != OK)
		log_event(LOG_ERROR, "dataplane_not_taken", "reason", status_text(status), NULL);
}

enum status media_engine_start(const struct media_engine_options *options,
			       struct media_engine **out_engine)
{
	struct media_engine *engine = calloc(1, sizeof(*engine));
	enum status status = ERR_MEMORY;
	if (!engine)
		return status;
	engine->options = *options;
	engine->options.dataplane = NULL;
	TAILQ_INIT(&engine->all);
	TAILQ_INIT(&engine->waiting);
	TAILQ_INIT(&engine->done);
	status = attach(engine, options->dataplane);
	if (status != OK)
		goto fail;
	*out_engine = engine;
	return OK;
fail:
	media_engine_stop(engine);
	return status;
}

// The workers go on with what they were told: streams are closed by media_close alone.
void media_engine_stop(struct media_engine *engine)
{
	if (!engine)
		return;
	while (!TAILQ_EMPTY(&engine->all))
		media_destroy(TAILQ_FIRST(&engine->all));
	neighbours_stop(engine->neighbours);
	media_ports_destroy(engine->ports);
	free(engine->generations);
	free(engine);
}

// The flow a message speaks of; NULL when it speaks of a past one.
static struct media_flow *find_flow(struct media *media, const struct message *message,
				    enum media_side *out_side, unsigned *out_kind)
{
	for (unsigned i = 0; i < MEDIA_SIDES * 2 && message->stream.generation != 0; i++) {
		struct media_flow *flow = &media->legs[i / 2].flows[i % 2];
		if (flow->index != message->stream.index ||
		    flow->generation != message->stream.generation)
			continue;
		*out_side = (enum media_side)(i / 2);
		*out_kind = i % 2;
		return flow;
	}
	return NULL;
}

// MEDIA-008: what leaves for that side goes from now on where its packets come from.
static bool learn(struct media *media, enum media_side side, unsigned kind,
		  const struct address *learned)
{
	struct media_leg *leg = &media->legs[side];
	if (!leg->is_symmetric || learned->family != leg->local.family || learned->port == 0)
		return false;
	leg->learned[kind] = *learned;
	leg->learned[kind].reserved = 0;
	media_connect(media);
	return true;
}

// Whose packets are not taken: counted by the worker, named here (MEDIA-013, SRTP-001).
static void note_stranger(struct media *media, enum media_side side, const struct message *message)
{
	bool is_refused = message->kind == MESSAGE_STREAM_REFUSED;
	struct media_leg *leg = &media->legs[side];
	struct address *noted = is_refused ? &leg->refused : &leg->unauthentic;
	*noted = message->learned;
	noted->reserved = 0;
	media->engine->options.event(media->owner, media, side,
				     is_refused ? MEDIA_REFUSED : MEDIA_UNAUTHENTIC);
}

static void take_message(struct media_engine *engine, const struct message *message)
{
	struct media *media = media_ports_holder(engine->ports, message->stream.index);
	enum media_side side;
	unsigned kind;
	struct media_flow *flow = media ? find_flow(media, message, &side, &kind) : NULL;
	if (!flow)
		return;
	if (message->kind == MESSAGE_STREAM_CLOSED) {
		flow->is_awaited = false;
		media_finish_if_closed(media);
		return;
	}
	if (media->state != MEDIA_OPEN)
		return;
	media_event_fn event = engine->options.event;
	if (message->kind == MESSAGE_STREAM_TTL)
		event(media->owner, media, side, MEDIA_TTL);
	else if (message->kind == MESSAGE_STREAM_STARTED && kind == 0)
		event(media->owner, media, side, MEDIA_STARTED);
	else if (message->kind == MESSAGE_STREAM_LEARNED &&
		 learn(media, side, kind, &message->learned) && kind == 0)
		event(media->owner, media, side, MEDIA_LEARNED);
	else if (message->kind == MESSAGE_STREAM_DIGIT && kind == 0)
		media_note_digit(media, side, message);
	else if ((message->kind == MESSAGE_STREAM_REFUSED ||
		  message->kind == MESSAGE_STREAM_UNAUTHENTIC) &&
		 kind == 0)
		note_stranger(media, side, message);
}

static void collect(struct media_engine *engine)
{
	struct message messages[COLLECT_BATCH];
	unsigned count = COLLECT_BATCH;
	for (unsigned all = 0; count == COLLECT_BATCH && all < COLLECT_MAX; all += count) {
		// An owner's callback may have taken the dataplane away.
		if (!engine->options.dataplane)
			return;
		count = dataplane_collect(engine->options.dataplane, messages, COLLECT_BATCH);
		for (unsigned i = 0; i < count; i++) {
			take_message(engine, &messages[i]);
			if (message_is_secret(&messages[i]))
				secret_wipe(&messages[i], sizeof(messages[i]));
		}
	}
}

static void refresh_hops(struct media_engine *engine)
{
	struct media *media;
	engine->has_hop_changes = false;
	TAILQ_FOREACH(media, &engine->all, all)
	{
		for (unsigned i = 0; i < MEDIA_SIDES * 2; i++)
			media_flow_refresh(&media->legs[i / 2].flows[i % 2], engine->neighbours);
		media_push(media);
	}
}

// MEDIA_DONE: figures are final, the owner reads them, and that was its life.
static void finish(struct media_engine *engine)
{
	while (!TAILQ_EMPTY(&engine->done)) {
		struct media *media = TAILQ_FIRST(&engine->done);
		engine->options.event(media->owner, media, MEDIA_CALLER, MEDIA_CLOSED);
		media_destroy(media);
	}
}

void media_engine_tick(struct media_engine *engine)
{
	struct media *media, *next;
	uint64_t now_ms = engine->options.clock->now_ms;
	if (engine->options.dataplane) {
		collect(engine);
		if (engine->retry_ms > 0 && now_ms >= engine->retry_ms) {
			start_neighbours(engine);
			connect_all(engine);
		}
		if (engine->has_hop_changes)
			refresh_hops(engine);
		for (media = TAILQ_FIRST(&engine->waiting); media; media = next) {
			next = TAILQ_NEXT(media, waiting);
			media_push(media);
		}
		media_orphan_tick(engine);
		media_ports_tick(engine->ports, now_ms);
	}
	finish(engine);
	set_gauges(engine);
}

// What left from a port to that side left on the other side's flow.
void media_note_unreachable(struct media_engine *engine, uint32_t stream_index,
			    const struct address *destination)
{
	struct media *media =
		engine->ports ? media_ports_holder(engine->ports, stream_index) : NULL;
	for (unsigned side = 0; media && side < MEDIA_SIDES; side++) {
		struct media_leg *leg = &media->legs[side], *other = &media->legs[!side];
		unsigned kind = stream_index - leg->rtp_index;
		if (kind < 2 && other->flows[kind].is_open &&
		    address_is_equal(&other->flows[kind].sent.destination, destination))
			leg->unreachable++;
	}
}

const struct media_counters *media_engine_counters(const struct media_engine *engine)
{
	return &engine->counters;
}

const struct media_ports *media_engine_ports(const struct media_engine *engine)
{
	return engine->ports;
}
