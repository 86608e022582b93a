// How a side moves from one call's media to another's. Runs on the control thread. What workers know of
// the ports is changed by the plan of each, like any other change.

#include "media/join/join.h"

#include <stdlib.h>

#include "base/secret.h"
#include "dataplane/dataplane.h"
#include "media/engine.h"

static bool is_ready(const struct media *media)
{
	return media->state == MEDIA_OPEN && !media->is_stranded &&
	       media->engine->options.dataplane != NULL && media->engine->ports != NULL;
}

enum status media_open_beside(const struct media *beside, const char *call_sid, void *owner,
			      struct media **out_media)
{
	if (!is_ready(beside))
		return ERR_UNAVAILABLE;
	return media_open_at(beside->engine, &beside->legs[MEDIA_CALLER].rtp_index, call_sid, owner,
			     out_media);
}

static void pass_ports(struct media *media, const struct media_leg *leg)
{
	struct media_port_user user = media_port_user_of(media);
	media_ports_pass(media->engine->ports, leg->rtp_index, &user);
}

static void swap(struct media_leg *leg, struct media_leg *other)
{
	struct media_leg kept = *leg;
	*leg = *other;
	*other = kept;
	secret_wipe(&kept, sizeof(kept)); // its keys
}

// Who comes speaks through other ports from now on, and must be told: those of the side it replaces, as
// their worker is the one of who stays.
static void swap_without_ports(struct media *media, struct media_leg *leg, struct media_leg *other)
{
	struct dataplane *dataplane = media->engine->options.dataplane;
	struct stream_view counted;
	for (unsigned kind = 0; kind < 2; kind++) {
		media_flow_read(&other->flows[kind], dataplane, &counted);
		(void)media_flow_restart(&leg->flows[kind], dataplane, &counted); // or counts on
	}
	swap(leg, other);
	uint32_t index = leg->rtp_index;
	struct address local = leg->local;
	leg->rtp_index = other->rtp_index;
	leg->local = other->local;
	other->rtp_index = index;
	other->local = local;
	for (unsigned kind = 0; kind < 2; kind++) {
		struct media_flow kept = leg->flows[kind];
		leg->flows[kind] = other->flows[kind];
		other->flows[kind] = kept;
		secret_wipe(&kept, sizeof(kept));
		leg->learned[kind] = other->learned[kind] = (struct address){ 0 };
	}
	leg->planned_rtp = (struct address){ 0 };
}

static void end_offer(struct media *media)
{
	media->has_pending = media->is_answered = false;
	if (media->former != NULL)
		secret_wipe(media->former, MEDIA_SIDES * sizeof(*media->former));
	free(media->former);
	media->former = NULL;
}

enum status media_join(struct media *media, enum media_side side, struct media *from,
		       enum media_side from_side)
{
	struct media_leg *leg = &media->legs[side], *other = &from->legs[from_side];
	const struct media_ports *ports = media->engine->ports;
	if (!is_ready(media) || !is_ready(from))
		return ERR_UNAVAILABLE;
	end_offer(media);
	end_offer(from);
	if (media_ports_is_beside(ports, media->legs[!side].rtp_index, other->rtp_index)) {
		swap(leg, other);
		pass_ports(media, leg);
		pass_ports(from, other);
	} else if (leg->local.family == other->local.family) {
		swap_without_ports(media, leg, other);
	} else {
		return ERR_NOT_ACCEPTABLE;
	}
	return OK;
}

bool media_has_news(struct media *media, enum media_side to)
{
	struct media_session *session = &media->legs[to].session;
	struct media_session kept = *session;
	char room[MEDIA_OFFER_ROOM];
	struct writer writer = writer_of(room, sizeof(room));
	media_write_offer(media, to, &writer);
	bool is_new = session->is_muxed != kept.is_muxed || session->direction != kept.direction ||
		      session->event_type != kept.event_type ||
		      session->own.key.suite != kept.own.key.suite ||
		      !address_is_equal(&session->local, &kept.local);
	*session = kept;
	secret_wipe(room, sizeof(room));
	secret_wipe(&kept, sizeof(kept));
	return is_new;
}
