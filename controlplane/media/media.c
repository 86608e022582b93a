// A call's media from its opening to its final figures.
// Runs on: control thread. Calls its owner only from the engine's tick.

#include "media/media.h"

#include <stdlib.h>

#include "base/secret.h"
#include "dataplane/dataplane.h"
#include "media/engine.h"
#include "media/quality/mos.h"

static void deadline_passed(struct wheel_timer *timer, void *context)
{
	(void)timer;
	struct media *media = context;
	media->state = MEDIA_DONE;
	TAILQ_INSERT_TAIL(&media->engine->done, media, done);
}

static void set_ports(const struct media_engine *engine, struct media_leg *leg, uint32_t rtp_index)
{
	leg->rtp_index = rtp_index;
	leg->local = media_ports_address(engine->ports, rtp_index);
	for (unsigned kind = 0; kind < 2; kind++) {
		media_flow_detach(&leg->flows[kind], engine->options.dataplane);
		leg->flows[kind].index = rtp_index + kind;
	}
}

struct media_port_user media_port_user_of(struct media *media)
{
	return (struct media_port_user){ .holder = media,
					 .call_sid = media->call_sid,
					 .now_ms = media->engine->options.clock->now_ms };
}

// Beside that stream, where one is given: a pair each.
static enum status take_pairs(struct media *media, uint8_t family, const uint32_t *beside,
			      uint32_t out_indexes[static MEDIA_SIDES])
{
	struct media_ports *ports = media->engine->ports;
	struct media_port_user user = media_port_user_of(media);
	const struct media_port_place place = { .family = family };
	if (beside == NULL)
		return media_ports_take(ports, family, &user, out_indexes);
	enum status status =
		media_ports_take_beside(ports, *beside, &place, &user, &out_indexes[0]);
	if (status != OK)
		return status;
	status = media_ports_take_beside(ports, *beside, &place, &user, &out_indexes[1]);
	if (status != OK)
		media_ports_give_unused(ports, out_indexes[0], user.now_ms);
	return status;
}

static enum status take_ports(struct media *media, const uint32_t *beside)
{
	struct media_engine *engine = media->engine;
	const struct dataplane_facts *facts = dataplane_facts(engine->options.dataplane);
	uint32_t indexes[MEDIA_SIDES];
	enum status status = ERR_LIMIT; // no media address at all is no port either
	// The first address tells what most calls speak; any other family is better than no call.
	for (unsigned i = 0; i < facts->address_count && status != OK; i++)
		status = take_pairs(media, facts->addresses[i].family, beside, indexes);
	if (status != OK)
		return ERR_LIMIT;
	for (unsigned side = 0; side < MEDIA_SIDES; side++) {
		media_session_init(&media->legs[side].session);
		for (unsigned kind = 0; kind < 2; kind++)
			media_flow_init(&media->legs[side].flows[kind]);
		set_ports(engine, &media->legs[side], indexes[side]);
	}
	return OK;
}

enum status media_open_at(struct media_engine *engine, const uint32_t *beside, const char *call_sid,
			  void *owner, struct media **out_media)
{
	if (!engine->options.dataplane)
		return ERR_UNAVAILABLE;
	struct media *media = calloc(1, sizeof(*media));
	if (!media)
		return ERR_MEMORY;
	media->engine = engine;
	media->owner = owner;
	(void)text_copy(text_of(call_sid), media->call_sid, sizeof(media->call_sid));
	enum status status = take_ports(media, beside);
	if (status != OK) {
		counter_add(&engine->counters.exhausted, 1);
		free(media);
		return status;
	}
	wheel_timer_init(&media->deadline, deadline_passed, media);
	TAILQ_INSERT_TAIL(&engine->all, media, all);
	*out_media = media;
	return OK;
}

enum status media_open(struct media_engine *engine, const char *call_sid, void *owner,
		       struct media **out_media)
{
	return media_open_at(engine, NULL, call_sid, owner, out_media);
}

void media_set_symmetric(struct media *media, enum media_side side, bool is_symmetric)
{
	media->legs[side].is_symmetric = is_symmetric;
}

bool media_engine_is_secure(const struct media_engine *engine)
{
	const struct dataplane *dataplane = engine->options.dataplane;
	struct text name = dataplane ? text_of(dataplane_facts(dataplane)->engine) : TEXT_NONE;
	return name.size > 0 && !text_is_equal(name, TEXT("off"));
}

enum status media_set_security(struct media *media, enum media_side side,
			       enum media_security security, unsigned suites)
{
	struct media_leg *leg = &media->legs[side];
	bool is_able = media_engine_is_secure(media->engine);
	if (security == MEDIA_SECURE && !is_able)
		return ERR_UNAVAILABLE;
	leg->security = is_able ? security : MEDIA_PLAIN;
	leg->suites = suites;
	return OK;
}

static bool is_settled(const struct media *media, const struct media_leg *leg)
{
	bool is_open = false;
	for (unsigned i = 0; i < MEDIA_SIDES * 2; i++)
		is_open |= media->legs[i / 2].flows[i % 2].is_open;
	return is_open || leg->session.is_written || leg->current.line_count > 0 ||
	       media->is_stranded;
}

enum status media_set_family(struct media *media, enum media_side side, uint8_t family)
{
	return media_set_place(media, side, &(struct media_port_place){ .family = family });
}

enum status media_set_place(struct media *media, enum media_side side,
			    const struct media_port_place *place)
{
	struct media_engine *engine = media->engine;
	struct media_leg *leg = &media->legs[side];
	struct media_port_user user = media_port_user_of(media);
	uint32_t index;
	if (media_port_is_in(place, &leg->local))
		return OK;
	if (is_settled(media, leg))
		return ERR_NOT_ACCEPTABLE;
	enum status status =
		media_ports_take_beside(engine->ports, leg->rtp_index, place, &user, &index);
	if (status != OK)
		return status;
	media_ports_give_unused(engine->ports, leg->rtp_index, user.now_ms); // as it is not settled
	set_ports(engine, leg, index);
	return OK;
}

void media_connect(struct media *media)
{
	media_plan(media);
	media_push(media);
}

void media_finish_if_closed(struct media *media)
{
	if (media->state != MEDIA_CLOSING)
		return;
	for (unsigned i = 0; i < MEDIA_SIDES * 2; i++) {
		const struct media_flow *flow = &media->legs[i / 2].flows[i % 2];
		if (flow->is_open || flow->is_awaited)
			return;
	}
	wheel_stop(&media->deadline);
	media->state = MEDIA_DONE;
	TAILQ_INSERT_TAIL(&media->engine->done, media, done);
}

void media_close(struct media *media)
{
	struct media_engine *engine = media->engine;
	if (media->state != MEDIA_OPEN)
		return;
	media->state = MEDIA_CLOSING;
	wheel_start(engine->options.wheel, &media->deadline,
		    engine->options.clock->now_ms + MEDIA_CLOSE_DEADLINE_MS);
	media_connect(media);
	media_finish_if_closed(media);
}

// Ports whose streams may still be open are left to the orphans' care.
static void give_ports(struct media *media, const struct media_leg *leg)
{
	struct media_engine *engine = media->engine;
	uint64_t now_ms = engine->options.clock->now_ms;
	bool is_closed = true;
	if (!engine->ports || media_ports_holder(engine->ports, leg->rtp_index) != media)
		return;
	for (unsigned kind = 0; kind < 2; kind++)
		is_closed = is_closed && !leg->flows[kind].is_open && !leg->flows[kind].is_awaited;
	if (is_closed) {
		media_ports_give(engine->ports, leg->rtp_index, now_ms);
		return;
	}
	media_ports_abandon(engine->ports, leg->rtp_index, now_ms);
	engine->orphans_due_ms = now_ms + MEDIA_ORPHAN_RETRY_MS;
}

void media_destroy(struct media *media)
{
	struct media_engine *engine = media->engine;
	wheel_stop(&media->deadline);
	TAILQ_REMOVE(&engine->all, media, all);
	if (media->is_waiting)
		TAILQ_REMOVE(&engine->waiting, media, waiting);
	if (media->state == MEDIA_DONE)
		TAILQ_REMOVE(&engine->done, media, done);
	for (unsigned side = 0; side < MEDIA_SIDES; side++) {
		struct media_leg *leg = &media->legs[side];
		for (unsigned kind = 0; kind < 2; kind++)
			media_flow_want_closed(&leg->flows[kind], engine->neighbours);
		give_ports(media, leg);
	}
	if (media->former != NULL)
		secret_wipe(media->former, MEDIA_SIDES * sizeof(*media->former));
	free(media->former);
	secret_wipe(media, sizeof(*media)); // its keys
	free(media);
}

void media_read(const struct media *media, enum media_side side, struct media_figures *out_figures)
{
	const struct media_engine *engine = media->engine;
	const struct media_leg *leg = &media->legs[side];
	struct media_figures figures = {
		.local = leg->local,
		.remote = leg->current.rtp,
		.stream_index = leg->rtp_index,
		.payload_type = leg->current.line_count > 0 ? leg->current.audio_type : 0,
		.event_type =
			leg->current.line_count > 0 ? leg->current.event_type : PAYLOAD_TYPE_NONE,
		.is_private = address_is_private(&leg->current.rtp),
		.sends = (leg->current.direction & MEDIA_SENDONLY) != 0,
		.listens = (leg->current.direction & MEDIA_RECVONLY) != 0,
		.suite = leg->current.crypto.key.suite,
		.refused = leg->refused,
		.unauthentic = leg->unauthentic,
		.unreachable = leg->unreachable,
	};
	figures.is_held = leg->current.line_count > 0 && !(figures.sends && figures.listens);
	media_flow_read(&leg->flows[0], engine->options.dataplane, &figures.rtp);
	media_flow_read(&leg->flows[1], engine->options.dataplane, &figures.rtcp);
	if (figures.rtp.expected > figures.rtp.packets)
		figures.lost = figures.rtp.expected - figures.rtp.packets;
	// 1/16 of 1/8000 s to microseconds: 1,000,000 / 128,000.
	figures.jitter_us = (uint32_t)((uint64_t)figures.rtp.jitter * 125 / 16);
	figures.mos = media_mos(figures.lost, figures.rtp.expected, figures.jitter_us,
				figures.rtcp.round_trip_us);
	*out_figures = figures;
}
