// The state of a call's offers and answers: what is in force, what is being negotiated, what was in force
// before; and what we say to each side, made of what the other one said.
// Runs on: control thread. Nothing a side says reaches the workers before media_connect.

#include <stdlib.h>

#include "base/map.h"
#include "base/secret.h"
#include "media/engine.h"
#include "media/media.h"

#define TAG_FIRST 1 // of our own crypto lines

// Each side's key is its own (RFC 4568 6.1). Under ours, what we send would come back authentic, and one
// key stream might cover two packets. The suite does not matter: two of them share their key stream.
static bool is_our_key(const struct media *media, enum media_side from, const struct media_key *key)
{
	const struct media_key *ours[] = {
		&media->legs[from].session.own.key,
		media->former != NULL ? &media->former[from].own.key : NULL,
	};
	bool is_ours = false;
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		is_ours |= ours[i] != NULL && ours[i]->suite != SUITE_NONE &&
			   secret_is_equal(ours[i]->octets, key->octets, sizeof(key->octets));
	return is_ours;
}

enum status media_offer_check(const struct media_offer *offer, struct media_problem *out_problem)
{
	if (offer->audio_type == 0) // a worker knows PCMU by this number alone
		return OK;
	*out_problem = (struct media_problem){ .header = "SDP a=rtpmap",
					       .seen = "PCMU under a dynamic number",
					       .expected = "PCMU as payload type 0" };
	return ERR_UNSUPPORTED;
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
	if (status == OK)
		status = media_offer_check(offer, &problem);
	if (status == OK && is_our_key(media, from, &offer->crypto.key)) {
		status = ERR_NOT_ACCEPTABLE;
		problem = (struct media_problem){ .objection = MEDIA_OBJECTION_KEYS,
						  .header = "SDP a=crypto",
						  .seen = "the key of our own crypto line",
						  .expected = "a key of its own" };
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
	if (status == OK)
		out_offer->digest = map_hash(sdp);
	else
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

// Keeps what is in force, to go back to it when the offer is refused. At a call's first offer that is
// nothing, and most calls have no second one.
static enum status keep_former(struct media *media)
{
	bool is_anything = media->former != NULL;
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		is_anything |= media->legs[side].current.line_count > 0 ||
			       media->legs[side].session.own.key.suite != SUITE_NONE;
	if (!is_anything)
		return OK;
	if (media->former == NULL)
		media->former = calloc(MEDIA_SIDES, sizeof(*media->former));
	if (media->former == NULL)
		return ERR_MEMORY;
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		media->former[side] = (struct media_former){ media->legs[side].current,
							     media->legs[side].session.own };
	return OK;
}

enum status media_receive_offer(struct media *media, enum media_side from, struct text sdp,
				struct media_problem *out_problem)
{
	struct media_offer offer;
	struct media_rules rules = { media->legs[from].security, media->legs[from].suites };
	enum status status = receive(media, from, &rules, sdp, &offer, out_problem);
	if (status == OK)
		status = keep_former(media);
	if (status != OK)
		goto done;
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

void media_accept_offer(struct media *media)
{
	if (!media->has_pending || media->is_answered)
		return;
	settle(&media->legs[media->offerer], &media->pending, media->pending.crypto.tag);
	media->is_answered = true;
}

bool media_is_repeated(const struct media *media, enum media_side from, struct text sdp)
{
	const struct media_offer *current = &media->legs[from].current;
	bool is_open = media->has_pending && !media->is_answered;
	return !is_open && current->line_count > 0 && current->digest == map_hash(sdp);
}

void media_withdraw_offer(struct media *media)
{
	if (!media->has_pending)
		return;
	for (unsigned side = 0; side < MEDIA_SIDES && media->is_answered; side++) {
		static const struct media_former nothing = { 0 };
		const struct media_former *former =
			media->former != NULL ? &media->former[side] : &nothing;
		media->legs[side].current = former->offer;
		media->legs[side].session.own = former->own;
	}
	media->has_pending = false;
	media_connect(media);
}

void media_forget(struct media *media, enum media_side side)
{
	struct media_leg *leg = &media->legs[side];
	leg->current = (struct media_offer){ 0 };
	if (media->former != NULL)
		media->former[side] = (struct media_former){ 0 };
	leg->unreachable = 0;
	leg->is_told_digits = false;
	secret_wipe(leg->digits, sizeof(leg->digits));
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

// The other side, which said that, takes them or is told digits otherwise. Nothing said: it may yet.
static bool has_use_of_events(const struct media_leg *other, const struct media_offer *said)
{
	return !said || said->event_type != PAYLOAD_TYPE_NONE || other->is_told_digits;
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

static void write_offer(struct media *media, enum media_side to, const struct media_offer *said,
			struct writer *writer)
{
	const struct media_offer *theirs = said_by(media, to);
	struct media_session *session = &media->legs[to].session;
	media_session_secure(session, offered_suite(&media->legs[to]), own_tag(&media->legs[to]));
	struct media_words words = {
		.direction = said ? (enum media_direction)said->direction : MEDIA_SENDRECV,
		.event_type =
			has_use_of_events(&media->legs[!to], said)
				? choose_event_type(session, said, theirs ? theirs->audio_type : 0)
				: PAYLOAD_TYPE_NONE,
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

static void write_answer(struct media *media, enum media_side to, const struct media_offer *said,
			 struct writer *writer)
{
	const struct media_offer *offer = said_by(media, to);
	struct media_words words = { .direction = MEDIA_SENDRECV, .event_type = PAYLOAD_TYPE_NONE };
	if (offer) {
		media_session_secure(&media->legs[to].session, (enum suite)offer->crypto.key.suite,
				     offer->crypto.tag);
		words.is_muxed = offer->is_muxed;
		words.direction =
			answer_direction(said ? said->direction : MEDIA_SENDRECV, offer->direction);
		words.event_type = offer->event_type;
	}
	if (!has_use_of_events(&media->legs[!to], said))
		words.event_type = PAYLOAD_TYPE_NONE;
	write_words(media, to, &words, said, writer);
}

void media_write_offer(struct media *media, enum media_side to, struct writer *writer)
{
	write_offer(media, to, said_by(media, !to), writer);
}

void media_write_answer(struct media *media, enum media_side to, struct writer *writer)
{
	write_answer(media, to, said_by(media, !to), writer);
}

void media_write_early(struct media *media, enum media_side to, struct writer *writer)
{
	if (said_by(media, to))
		write_answer(media, to, NULL, writer);
	else
		write_offer(media, to, NULL, writer);
}
