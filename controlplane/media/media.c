// A call's media from its opening to its final figures, and the state of its offers and answers: what
// is in force, what is being negotiated, and what was in force before.
// Runs on: control thread. Calls its owner only from the engine's tick.

#include "media/media.h"

#include <assert.h>
#include <stdlib.h>

#include "base/secret.h"
#include "dataplane/dataplane.h"
#include "media/engine.h"
#include "media/quality/mos.h"

#define TAG_FIRST 1 // of our own crypto lines

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

static struct media_port_user port_user(struct media *media)
{
	return (struct media_port_user){ .holder = media,
					 .call_sid = media->call_sid,
					 .now_ms = media->engine->options.clock->now_ms };
}

static enum status take_ports(struct media_engine *engine, struct media *media)
{
	const struct dataplane_facts *facts = dataplane_facts(engine->options.dataplane);
	struct media_port_user user = port_user(media);
	uint32_t indexes[2];
	enum status status = ERR_LIMIT; // no media address at all is no port either
	// The first address tells what most calls speak; any other family is better than no call.
	for (unsigned i = 0; i < facts->address_count && status != OK; i++)
		status =
			media_ports_take(engine->ports, facts->addresses[i].family, &user, indexes);
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

enum status media_open(struct media_engine *engine, const char *call_sid, void *owner,
		       struct media **out_media)
{
	if (!engine->options.dataplane)
		return ERR_UNAVAILABLE;
	struct media *media = calloc(1, sizeof(*media));
	if (!media)
		return ERR_MEMORY;
	media->engine = engine;
	media->owner = owner;
	(void)text_copy(text_of(call_sid), media->call_sid, sizeof(media->call_sid));
	enum status status = take_ports(engine, media);
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

void media_set_symmetric(struct media *media, enum media_side side, bool is_symmetric)
{
	media->legs[side].is_symmetric = is_symmetric;
}

static bool can_secure(const struct media_engine *engine)
{
	const struct dataplane *dataplane = engine->options.dataplane;
	struct text name = dataplane ? text_of(dataplane_facts(dataplane)->engine) : TEXT_NONE;
	return name.size > 0 && !text_is_equal(name, TEXT("off"));
}

enum status media_set_security(struct media *media, enum media_side side,
			       enum media_security security, unsigned suites)
{
	struct media_leg *leg = &media->legs[side];
	bool is_able = can_secure(media->engine);
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
	struct media_engine *engine = media->engine;
	struct media_leg *leg = &media->legs[side];
	struct media_port_user user = port_user(media);
	uint32_t index;
	if (leg->local.family == family)
		return OK;
	if (is_settled(media, leg))
		return ERR_NOT_ACCEPTABLE;
	enum status status =
		media_ports_take_beside(engine->ports, leg->rtp_index, family, &user, &index);
	if (status != OK)
		return status;
	media_ports_give(engine->ports, leg->rtp_index, user.now_ms);
	set_ports(engine, leg, index);
	return OK;
}

static enum status check(struct media *media, enum media_side from, const struct media_offer *offer,
			 struct media_problem *out_problem)
{
	enum status status = media_set_family(media, from, offer->rtp.family);
	struct media_problem problem = { .header = "SDP c=",
					 .seen = "another family than our address",
					 .expected = "the family of our c= line" };
	if (status == ERR_LIMIT) {
		counter_add(&media->engine->counters.exhausted, 1);
		problem =
			(struct media_problem){ .header = "media",
						.seen = "no free ports of this address family",
						.expected =
							"a free pair of media ports for each leg" };
	}
	if (status == OK && offer->audio_type != 0) { // a worker knows PCMU by this number alone
		status = ERR_UNSUPPORTED;
		problem = (struct media_problem){ .header = "SDP a=rtpmap",
						  .seen = "PCMU under a dynamic number",
						  .expected = "PCMU as payload type 0" };
	}
	if (status != OK)
		*out_problem = problem;
	return status;
}

static enum status receive(struct media *media, enum media_side from,
			   const struct media_rules *rules, struct text sdp,
			   struct media_offer *out_offer, struct media_problem *out_problem)
{
	enum status status = media_offer_parse(sdp, rules, out_offer, out_problem);
	if (status == OK)
		status = check(media, from, out_offer, out_problem);
	if (status != OK)
		counter_add(&media->engine->counters.offers_refused, 1);
	return status;
}

// Is what we offer that side SRTP? What it offered goes on, and else it is what it must have.
static bool offers_secure(const struct media_leg *leg)
{
	if (leg->security == MEDIA_AS_OFFERED)
		return leg->current.crypto.key.suite != SUITE_NONE;
	return leg->security == MEDIA_SECURE;
}

// The one we offer: that in use, else _80 (SRTP-004), else the AEAD that everybody has.
static enum suite offered_suite(const struct media_leg *leg)
{
	static const enum suite preferred[] = { SUITE_AES_CM_80, SUITE_AES_GCM_128, SUITE_AES_CM_32,
						SUITE_AES_GCM_256 };
	enum suite suite = (enum suite)leg->session.own.key.suite;
	if (!offers_secure(leg))
		return SUITE_NONE;
	for (size_t i = 0; i < sizeof(preferred) / sizeof(*preferred) && suite == SUITE_NONE; i++)
		if (leg->suites & SUITE_BIT(preferred[i]))
			suite = preferred[i];
	return suite;
}

enum status media_receive_offer(struct media *media, enum media_side from, struct text sdp,
				struct media_problem *out_problem)
{
	struct media_offer offer;
	struct media_rules rules = { media->legs[from].security, media->legs[from].suites };
	enum status status = receive(media, from, &rules, sdp, &offer, out_problem);
	if (status != OK)
		goto done;
	for (unsigned side = 0; side < MEDIA_SIDES; side++) {
		media->legs[side].former = media->legs[side].current;
		media->legs[side].former_own = media->legs[side].session.own;
	}
	media->pending = offer;
	media->has_pending = true;
	media->is_answered = false;
	media->offerer = from;
done:
	secret_wipe(&offer, sizeof(offer));
	return status;
}

// What a side says comes into force, and with it the key we answer or offered it.
static void settle(struct media_leg *leg, const struct media_offer *said, uint32_t tag)
{
	leg->current = *said;
	media_session_secure(&leg->session, (enum suite)said->crypto.key.suite, tag);
}

// Of our line in what we offer that side.
static uint32_t own_tag(const struct media_leg *leg)
{
	const struct media_sdes *own = &leg->session.own;
	return own->key.suite != SUITE_NONE ? own->tag : TAG_FIRST;
}

// It may choose what we offered it and nothing else (RFC 4568 5.1.2, RFC 5761 5.1.1).
enum status media_receive_answer(struct media *media, enum media_side from, struct text sdp,
				 struct media_problem *out_problem)
{
	struct media_offer answer;
	struct media_leg *leg = &media->legs[from], *offerer = &media->legs[media->offerer];
	enum suite offered = offered_suite(leg);
	struct media_rules rules = { offers_secure(leg) ? MEDIA_SECURE : MEDIA_PLAIN,
				     SUITE_BIT(offered) };
	enum status status = receive(media, from, &rules, sdp, &answer, out_problem);
	if (status != OK)
		goto done;
	answer.is_muxed = answer.is_muxed && leg->session.is_muxed;
	if (media->has_pending && !media->is_answered && media->offerer != from) {
		settle(offerer, &media->pending, media->pending.crypto.tag);
		media->is_answered = true;
	}
	settle(leg, &answer, own_tag(leg)); // whatever tag it puts there
done:
	secret_wipe(&answer, sizeof(answer));
	return status;
}

void media_withdraw_offer(struct media *media)
{
	if (!media->has_pending)
		return;
	for (unsigned side = 0; side < MEDIA_SIDES && media->is_answered; side++) {
		media->legs[side].current = media->legs[side].former;
		media->legs[side].session.own = media->legs[side].former_own;
	}
	media->has_pending = false;
	media_connect(media);
}

void media_forget(struct media *media, enum media_side side)
{
	struct media_leg *leg = &media->legs[side];
	leg->current = leg->former = (struct media_offer){ 0 };
	leg->former_own = (struct media_sdes){ 0 };
	leg->unreachable = 0;
	leg->refused = leg->unauthentic = (struct address){ 0 };
	media_session_init(&leg->session); // another peer, another session
	if (media->has_pending && media->offerer != side)
		media->is_answered = false;
	media_connect(media);
}

// What a side says, or NULL: what it offers now, else what is in force.
static const struct media_offer *said_by(const struct media *media, enum media_side side)
{
	if (media->has_pending && !media->is_answered && media->offerer == side)
		return &media->pending;
	const struct media_offer *current = &media->legs[side].current;
	return current->line_count > 0 ? current : NULL;
}

static bool is_dynamic(uint8_t type)
{
	return type >= 96 && type < 128;
}

// One number for telephone-event during a whole session (RFC 3264 8.3.2), the other side's own where
// that is free, so that most calls need no mapping.
static uint8_t choose_event_type(const struct media_session *session,
				 const struct media_offer *said, uint8_t audio_type)
{
	if (said && said->event_type == PAYLOAD_TYPE_NONE)
		return PAYLOAD_TYPE_NONE;
	if (session->event_type != PAYLOAD_TYPE_NONE)
		return session->event_type;
	uint8_t type = said && is_dynamic(said->event_type) ? said->event_type : 101;
	if (type == audio_type)
		type = audio_type == 101 ? 100 : 101;
	return type;
}

static void write_words(struct media *media, enum media_side to, struct media_words *words,
			const struct media_offer *said, struct writer *writer)
{
	struct media_leg *leg = &media->legs[to];
	words->local = leg->local;
	words->layout = said_by(media, to);
	words->audio_type = words->layout ? words->layout->audio_type : 0;
	words->ptime_ms = said ? said->ptime_ms : 0;
	words->events = said ? said->events : "";
	media_session_write(&leg->session, words, writer);
}

void media_write_offer(struct media *media, enum media_side to, struct writer *writer)
{
	const struct media_offer *said = said_by(media, !to);
	const struct media_offer *theirs = said_by(media, to);
	struct media_session *session = &media->legs[to].session;
	media_session_secure(session, offered_suite(&media->legs[to]), own_tag(&media->legs[to]));
	struct media_words words = {
		.direction = said ? (enum media_direction)said->direction : MEDIA_SENDRECV,
		.event_type = choose_event_type(session, said, theirs ? theirs->audio_type : 0),
		.is_muxed =
			theirs && theirs->is_muxed, // never our idea, but what is in force stays
	};
	write_words(media, to, &words, said, writer);
}

// An answer may send only what the offer receives, and the other way round (RFC 3264 6.1).
static enum media_direction answer_direction(unsigned said, unsigned offered)
{
	unsigned allowed = (offered & MEDIA_SENDONLY ? MEDIA_RECVONLY : 0) |
			   (offered & MEDIA_RECVONLY ? MEDIA_SENDONLY : 0);
	return (enum media_direction)(said & allowed);
}

void media_write_answer(struct media *media, enum media_side to, struct writer *writer)
{
	const struct media_offer *said = said_by(media, !to), *offer = said_by(media, to);
	struct media_words words = { .direction = MEDIA_SENDRECV, .event_type = PAYLOAD_TYPE_NONE };
	if (offer) {
		media_session_secure(&media->legs[to].session, (enum suite)offer->crypto.key.suite,
				     offer->crypto.tag);
		words.is_muxed = offer->is_muxed;
		words.direction =
			answer_direction(said ? said->direction : MEDIA_SENDRECV, offer->direction);
		words.event_type = offer->event_type;
	}
	if (said && said->event_type == PAYLOAD_TYPE_NONE)
		words.event_type = PAYLOAD_TYPE_NONE;
	write_words(media, to, &words, said, writer);
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
