// A look at the message, whose it is, how many wait. Runs on the door's thread; never allocates.
//
// Whoever may always come in could keep everybody else out, so each kind has its bound (most_before), and
// what is let in before new calls has to be something that a new call let in before has brought about.

#include "sip/door/answer.h"

#include "base/hash/hash.h"
#include "sip/guard/peek.h"
#include "sip/scan.h"
#include "sip/table.h"
#include "sip/write.h"

#define BEGUN 4 // times as many may wait before a call that was challenged: it has cost something
#define AHEAD_MAX 256 // of those, more than new ones that were let in
#define OTHERS 3 // times the room that is left: what one source may have
#define NEWCOMER_US 1000000 // between two of one share: a thousand a second of them all

struct visitor {
	const struct sip_flow *flow;
	struct sip_message message;
	struct sip_guard_peek peek;
	bool is_ack, is_known; // the latter: of a caller we know
	bool is_taken; // an INVITE that was let in, again, or the ACK for what it was answered
	bool was_refused; // here
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

// Marks of what was refused are among those of what was let in, made of both in the other order.
static bool was_refused(const struct sip_door_keeper *keeper, const struct sip_message *message)
{
	return sip_guard_taken_has(&keeper->taken, &message->flow.remote, message->call_id,
				   message->via.whole);
}

static bool is_taken(const struct sip_door_keeper *keeper, const struct sip_message *message)
{
	struct text via = message->via.whole, call_id = message->call_id;
	const struct address *source = &message->flow.remote;
	return sip_guard_taken_has(&keeper->apart->taken, source, via, call_id) ||
	       sip_guard_taken_has(&keeper->taken, source, via, call_id);
}

// Before new calls go those that were challenged, but no more than new ones come in: some send their
// credentials at once, and anybody can write the header.
static bool has_begun(const struct sip_door_keeper *keeper, const struct visitor *visitor)
{
	return visitor->peek.has_to_tag ||
	       (visitor->peek.has_credentials && keeper->ahead < AHEAD_MAX);
}

// How many may wait before it: the less was done for it, the fewer. A repeat has no privilege: what is
// answered with a final response does not need it, and one INVITE can be repeated by whoever has seen it.
static unsigned most_before(const struct sip_door_keeper *keeper, const struct visitor *visitor,
			    unsigned most)
{
	if (most == 0) // it is over
		return SIP_GUARD_WAITING_MAX;
	if (visitor->is_ack && visitor->is_taken) // it ends repeats of ours
		return SIP_GUARD_WAITING_MAX;
	if (!visitor->is_known)
		return most / 2;
	if (visitor->is_ack)
		return BEGUN * most;
	return !visitor->is_taken && has_begun(keeper, visitor) ? BEGUN * most : most;
}

static void note_let_in(struct sip_door_keeper *keeper, const struct visitor *visitor,
			bool is_ahead)
{
	const struct sip_message *message = &visitor->message;
	if (!visitor->is_known || visitor->is_ack || visitor->is_taken)
		return;
	sip_guard_taken_note(&keeper->taken, &message->flow.remote, message->via.whole,
			     message->call_id);
	if (visitor->peek.has_to_tag)
		return;
	if (is_ahead)
		keeper->ahead++;
	else if (!visitor->peek.has_credentials && keeper->ahead > 0)
		keeper->ahead--;
}

static unsigned share_of(const struct address *source)
{
	struct hash hash = hash_start();
	hash_text(&hash, (struct text){ (const char *)source->octets, sizeof(source->octets) });
	return (unsigned)(hash_finish(&hash) % SIP_DOOR_SHARES);
}

_Atomic uint32_t *sip_door_waiting_of(struct sip_door_keeper *keeper, const struct address *source)
{
	return &keeper->waiting[share_of(source)];
}

// Who calls far too often leaves room to others: three times what is left is all that one source may have
// waiting (the dynamic thresholds of Choudhury and Hahne). So one alone has three quarters at most, two have
// six sevenths together, and who calls seldom always finds some. The room grows, as it follows the time for
// which one waits.
static bool leaves_room(struct sip_door_keeper *keeper, const struct visitor *visitor,
			unsigned left)
{
	const struct address *source = &visitor->flow->remote;
	if (!visitor->is_known || (visitor->is_ack && visitor->is_taken))
		return true; // strangers have half of it, together
	return atomic_load_explicit(sip_door_waiting_of(keeper, source), memory_order_relaxed) <
	       OTHERS * left;
}

// A peer that was not seen lately has to come in once to be known, though others fill the room: one INVITE
// a second of each share does, whatever it is. A stranger's costs the guard a microsecond.
static bool is_newcomer(struct sip_door_keeper *keeper, const struct visitor *visitor)
{
	return !visitor->is_known && visitor->peek.kind == SIP_GUARD_INVITE &&
	       sip_guard_rate_take(&keeper->newcomers[share_of(&visitor->flow->remote)],
				   keeper->now_us, NEWCOMER_US, 1);
}

static bool has_share(struct sip_door_keeper *keeper, const struct address *source)
{
	unsigned rate = atomic_load_explicit(&keeper->apart->peer_rate, memory_order_relaxed);
	return sip_guard_rate_take(&keeper->shares[share_of(source)], keeper->now_us,
				   sip_guard_rate_interval(rate), rate);
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
	out_visitor->is_ack = out_visitor->is_known = false;
	out_visitor->is_taken = out_visitor->was_refused = false;
	if (sip_scan_message(octets, message, &refusal) != SIP_SCAN_OK)
		return;
	message->flow = *flow;
	// In this order: a call is marked before its caller is known.
	out_visitor->is_known =
		flow->remote.port != 0 &&
		sip_guard_apart_knows(keeper->apart, &flow->remote, message->target.host);
	out_visitor->is_ack = message->method == SIP_ACK;
	if (!out_visitor->is_known && !out_visitor->is_ack)
		return;
	out_visitor->is_taken = is_taken(keeper, message);
	out_visitor->was_refused = !out_visitor->is_ack && was_refused(keeper, message);
}

// Every copy has the same answer (RFC 3261 8.2.7), be there room for it now or not.
static bool is_let_in(struct sip_door_keeper *keeper, const struct visitor *visitor,
		      unsigned waiting)
{
	unsigned most = atomic_load_explicit(&keeper->apart->most_waiting, memory_order_relaxed);
	if (visitor->is_ack ? is_for_refusal(&visitor->message) : visitor->was_refused)
		return false;
	if (waiting >= SIP_GUARD_WAITING_MAX)
		return false;
	unsigned before = most_before(keeper, visitor, most);
	if (waiting >= before || (most > 0 && !leaves_room(keeper, visitor, before - waiting)))
		return is_newcomer(keeper, visitor);
	note_let_in(keeper, visitor, most > 0 && waiting >= most);
	return true;
}

// A 503 needs what it repeats (RFC 3261 8.2.6.2), and nobody in a dialog hears it from here.
static bool can_be_answered(const struct sip_door_keeper *keeper, const struct visitor *visitor)
{
	const struct sip_message *message = &visitor->message;
	if (visitor->peek.has_credentials &&
	    keeper->now_us < atomic_load_explicit(&keeper->apart->settled_us, memory_order_relaxed))
		return false;
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
	if (is_let_in(keeper, &visitor, waiting))
		return SIP_DOOR_LET_IN;
	if (visitor.is_ack || visitor.is_taken) // somebody may be working on it
		return SIP_DOOR_DROPPED;
	if (!visitor.was_refused) // else it was counted when it was
		atomic_fetch_add_explicit(&keeper->apart->turned_away, 1, memory_order_relaxed);
	if (!can_be_answered(keeper, &visitor) || !has_share(keeper, &flow->remote))
		return SIP_DOOR_DROPPED;
	*out_answer = write_answer(message, writer);
	if (out_answer->size == 0)
		return SIP_DOOR_DROPPED;
	sip_guard_taken_note(&keeper->taken, &message->flow.remote, message->call_id,
			     message->via.whole);
	return SIP_DOOR_REFUSED;
}
