// A look at the message, whose it is, how many wait. Runs on the door's thread; never allocates.

#include "sip/door/answer.h"

#include "base/hash/hash.h"
#include "sip/guard/peek.h"
#include "sip/scan.h"
#include "sip/table.h"
#include "sip/write.h"

#define BEGUN                                                                                      \
	4 // times as many may wait before a call that was challenged: it has cost something already

struct visitor {
	const struct sip_flow *flow;
	struct sip_message message;
	struct sip_guard_peek peek;
	bool is_sound, is_known; // the latter: a caller we know
};

// Not the tag that the control thread would give: that is made of both in the other order.
static void refusal_tag(const struct sip_message *message, char room[static SIP_TAG_SIZE])
{
	sip_transaction_tag(message->call_id, message->via.whole, room);
}

// The ACK for an answer of the door: it repeats Via and Call-ID of its INVITE (RFC 3261 17.1.1.3).
static bool is_for_refusal(const struct sip_message *ack)
{
	char tag[SIP_TAG_SIZE];
	refusal_tag(ack, tag);
	struct text end = text_of(tag), to = ack->to_value;
	return to.size >= end.size && text_is_equal(text_cut(to, to.size - end.size), end);
}

static bool is_repeat(const struct sip_door_keeper *keeper, const struct sip_message *message)
{
	struct text via = message->via.whole, call_id = message->call_id;
	return sip_guard_taken_has(&keeper->taken, via, call_id) ||
	       sip_guard_taken_has(&keeper->apart->taken, via, call_id);
}

// How many may wait before it: the less was done for it, the sooner it is refused. A repeat of what was let
// in is never.
static unsigned most_before(const struct sip_door_keeper *keeper, const struct visitor *visitor)
{
	unsigned most = atomic_load_explicit(&keeper->apart->most_waiting, memory_order_relaxed);
	if (most == 0) // it is over
		return SIP_GUARD_WAITING_MAX;
	if (!visitor->is_known)
		return most / 2;
	if (is_repeat(keeper, &visitor->message))
		return SIP_GUARD_WAITING_MAX;
	return visitor->peek.has_credentials || visitor->peek.has_to_tag ? BEGUN * most : most;
}

static bool has_share(struct sip_door_keeper *keeper, const struct address *source)
{
	struct hash hash = hash_start();
	hash_text(&hash, (struct text){ (const char *)source->octets, sizeof(source->octets) });
	unsigned rate = atomic_load_explicit(&keeper->apart->peer_rate, memory_order_relaxed);
	return sip_guard_rate_take(&keeper->shares[hash_finish(&hash) % SIP_DOOR_SHARES],
				   keeper->now_us, sip_guard_rate_interval(rate), rate);
}

static struct text write_answer(const struct sip_message *invite, struct writer *writer)
{
	struct sip_write_echo echo;
	char tag[SIP_TAG_SIZE], room[SIP_RETRY_AFTER_SIZE];
	struct hash hash = hash_start();
	hash_text(&hash, invite->call_id);
	const struct sip_answer answer = {
		.status = 503, .headers = sip_write_retry_after((uint32_t)hash_finish(&hash), room)
	};
	refusal_tag(invite, tag);
	sip_write_echo(writer, invite, &echo);
	return sip_write_bounded(writer, &echo, &answer, tag, invite->raw.size);
}

static void look_at(const struct sip_door_keeper *keeper, struct text octets,
		    const struct sip_flow *flow, struct visitor *out_visitor)
{
	struct sip_scan_refusal refusal;
	struct sip_message *message = &out_visitor->message;
	out_visitor->flow = flow;
	sip_guard_peek(octets, &out_visitor->peek);
	out_visitor->is_sound = sip_scan_message(octets, message, &refusal) == SIP_SCAN_OK;
	out_visitor->is_known =
		out_visitor->is_sound && flow->remote.port != 0 &&
		sip_guard_apart_knows(keeper->apart, &flow->remote, message->target.host);
	message->flow = *flow;
}

// A 503 needs what it repeats (RFC 3261 8.2.6.2), and nobody in a dialog hears it from here.
static bool can_be_answered(const struct visitor *visitor)
{
	const struct sip_message *message = &visitor->message;
	return visitor->is_known && message->method == SIP_INVITE && !visitor->peek.has_to_tag &&
	       message->from_value.size > 0 && message->to_value.size > 0;
}

enum sip_door_fate sip_door_judge(struct sip_door_keeper *keeper, struct text octets,
				  const struct sip_flow *flow, unsigned waiting,
				  struct writer *writer, struct text *out_answer)
{
	struct visitor visitor;
	const struct sip_message *message = &visitor.message;
	look_at(keeper, octets, flow, &visitor);
	if (visitor.is_sound && message->method == SIP_ACK)
		return is_for_refusal(message) ? SIP_DOOR_DROPPED : SIP_DOOR_LET_IN;
	if (waiting < most_before(keeper, &visitor)) {
		if (visitor.is_known)
			sip_guard_taken_note(&keeper->taken, message->via.whole, message->call_id);
		return SIP_DOOR_LET_IN;
	}
	atomic_fetch_add_explicit(&keeper->apart->turned_away, 1, memory_order_relaxed);
	if (!can_be_answered(&visitor) || !has_share(keeper, &flow->remote))
		return SIP_DOOR_DROPPED;
	*out_answer = write_answer(message, writer);
	return out_answer->size > 0 ? SIP_DOOR_REFUSED : SIP_DOOR_DROPPED;
}
