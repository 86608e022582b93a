// A job on the loop's wheel: first the directory is copied, object by object, then the messages are asked.
// Runs on the control thread; never longer than a slice at a time.

#include "call/replay/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "call/explain/invite.h"
#include "config/config.h"
#include "directory/object.h"

#define OBJECTS_AT_ONCE 1000 // 2 ms
#define MESSAGES_AT_ONCE 50
#define COPIES_MAX 5 // of a directory that changes meanwhile
#define TURN_MS 1

struct replay {
	struct calls *calls;
	struct config *config; // NULL: the node's own
	struct replay_user user;
	struct wheel_timer timer;
	struct directory *copy;
	struct directory_rules rules;
	uint64_t generation; // of the directory, all kinds
	unsigned kind, copied, copies;
	bool is_prepared;
	struct clock clock; // of the past
	struct limits *limits; // of the past, this node's alone
	struct limits_counters counters;
	unsigned next; // message
	struct replay_sums sums;
	struct explanation explanation;
	struct sip_message message;
	struct calls world; // the node's, but for what is tried
	char octets[SIP_MESSAGE_MAX];
};

bool replay_is_of_the_moment(enum refusal_cause cause)
{
	return cause == REFUSED_TRUNK_CALLS || cause == REFUSED_ACCOUNT_CALLS ||
	       cause == REFUSED_BANDWIDTH || cause == REFUSED_PORTS || cause == REFUSED_CALLS ||
	       cause == REFUSED_DATAPLANE || cause == REFUSED_HISTORY || cause == REFUSED_INTERNAL;
}

static uint64_t generation_of(const struct directory *directory)
{
	uint64_t sum = 0;
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++)
		sum += directory_generation(directory, (enum directory_kind)kind);
	return sum;
}

static const struct config *config_of(const struct replay *replay)
{
	return replay->config != NULL ? replay->config : replay->calls->config;
}

static bool begin_copy(struct replay *replay)
{
	const struct config *config = config_of(replay);
	directory_destroy(replay->copy);
	replay->copy = directory_create(text_of(config->sip.base_domain));
	replay->rules = (struct directory_rules){ .edges = &config->edges };
	replay->kind = replay->copied = 0;
	replay->generation = generation_of(replay->calls->directory);
	if (replay->copy != NULL)
		directory_follow(replay->copy, &replay->rules);
	return replay->copy != NULL && ++replay->copies <= COPIES_MAX;
}

// The nth of a kind is found by walking again: what changed meanwhile begins the copy anew anyway.
static bool copy_some(struct replay *replay)
{
	const struct directory *from = replay->calls->directory;
	unsigned done = 0;
	while (replay->kind < DIRECTORY_KIND_COUNT && done < OBJECTS_AT_ONCE) {
		const struct directory_object *object = NULL;
		unsigned skipped = 0;
		enum directory_kind kind = (enum directory_kind)replay->kind;
		while ((object = directory_next(from, kind, object)) != NULL &&
		       done < OBJECTS_AT_ONCE) {
			if (skipped++ < replay->copied)
				continue;
			struct directory_object *own = directory_object_copy(object);
			if (own == NULL || directory_put(replay->copy, own) != OK)
				return false;
			replay->copied++;
			done++;
		}
		if (object != NULL)
			break;
		replay->kind++;
		replay->copied = 0;
	}
	return true;
}

// A shallow copy, to be asked only: what it shares with the node is never written.
static void make_world(struct replay *replay)
{
	replay->world = *replay->calls;
	replay->world.directory = replay->copy;
	replay->world.config = config_of(replay);
	replay->world.guard = NULL;
	replay->world.ring = NULL;
}

static void write_refused(enum refusal_cause cause, char room[static 64])
{
	const struct refusal_row *row = refusal_row(cause);
	struct writer writer = writer_of(room, 64);
	if (cause == REFUSED_NOT)
		writer_string(&writer, "admitted");
	else
		writer_format(&writer, "%u %s", row->status, row->phrase);
	if (writer_string_done(&writer) == NULL)
		room[0] = '\0';
}

static bool is_same(const struct replay_entry *entry, const struct explanation *explanation)
{
	if (explanation->fate == EXPLAIN_SILENT || explanation->is_challenged)
		return false; // those that are kept were past their challenge
	return explanation->refusal.cause == entry->cause;
}

static void ask(struct replay *replay, const struct replay_entry *entry)
{
	struct explain_problem problem;
	struct explain_question question = { .invite = &replay->message,
					     .takes_digest = entry->has_digest,
					     .is_past = true,
					     .limits = replay->limits };
	char was[64], would[128];
	memcpy(replay->octets, entry->octets, entry->size);
	if (!explain_invite_read(replay->octets, entry->size, &replay->message, &problem))
		return; // it was sound when it came
	replay->message.flow = entry->flow;
	replay->sums.asked++;
	if (sip_message_header(&replay->message, "Replaces", 0).data != NULL) {
		replay->sums.passed_over++; // judged by a call of that moment
		return;
	}
	replay->clock.now_ms = entry->now_ms;
	replay->clock.wall_ms = entry->wall_ms;
	explain_call(&replay->world, &question, &replay->explanation);
	bool is_refused = replay->explanation.fate != EXPLAIN_PASSED;
	if (replay_is_of_the_moment(entry->cause) && !is_refused) {
		replay->sums.passed_over++;
		return;
	}
	if (is_same(entry, &replay->explanation))
		return;
	struct writer writer = writer_of(would, sizeof would);
	if (replay->explanation.is_challenged)
		writer_string(&writer, "407 Proxy Authentication Required, then ");
	explain_write_outcome(&replay->explanation, &writer);
	write_refused(entry->cause, was);
	replay->sums.changed++;
	replay->user.changed(replay->user.context,
			     &(struct replay_change){ entry, &replay->explanation, was,
						      writer_string_done(&writer) });
}

static void destroy(struct replay *replay)
{
	replay->calls->replay = NULL;
	wheel_stop(&replay->timer);
	limits_destroy(replay->limits);
	directory_destroy(replay->copy);
	config_destroy(replay->config);
	secret_wipe(replay->octets, sizeof replay->octets);
	free(replay);
}

static void finish(struct replay *replay)
{
	struct replay_user user = replay->user;
	struct replay_sums sums = replay->sums;
	sums.crowded = replay_ring_crowded(replay->calls->ring);
	destroy(replay);
	user.finished(user.context, &sums);
}

void replay_stop(struct replay *replay)
{
	if (replay != NULL)
		finish(replay);
}

static void again(struct replay *replay)
{
	wheel_start(replay->calls->wheel, &replay->timer, replay->calls->clock->now_ms + TURN_MS);
}

// True: the copy is complete, and what is to be tried is in it.
static bool is_ready(struct replay *replay, bool *out_is_good)
{
	*out_is_good = true;
	if (replay->is_prepared)
		return true;
	if (generation_of(replay->calls->directory) != replay->generation) {
		*out_is_good = begin_copy(replay);
		return false;
	}
	*out_is_good = copy_some(replay);
	if (!*out_is_good || replay->kind < DIRECTORY_KIND_COUNT)
		return false;
	replay->is_prepared = true;
	return true;
}

static void turn(struct wheel_timer *timer, void *context)
{
	struct replay *replay = context;
	const struct replay_entry *entry;
	bool is_good, was_prepared = replay->is_prepared;
	(void)timer;
	if (!is_ready(replay, &is_good)) {
		if (is_good)
			again(replay);
		else
			finish(replay);
		return;
	}
	if (!was_prepared) {
		if (!replay->user.prepare(replay->user.context, replay->copy)) {
			destroy(replay);
			return;
		}
		make_world(replay);
	}
	for (unsigned i = 0; i < MESSAGES_AT_ONCE; i++) {
		if ((entry = replay_ring_at(replay->calls->ring, replay->next++)) == NULL) {
			replay->sums.is_complete = true;
			finish(replay);
			return;
		}
		ask(replay, entry);
	}
	again(replay);
}

enum status replay_start(struct calls *calls, struct config *config, const struct replay_user *user)
{
	struct replay *replay = calls->replay == NULL ? calloc(1, sizeof *replay) : NULL;
	if (replay == NULL) {
		config_destroy(config);
		return calls->replay != NULL ? ERR_BUSY : ERR_MEMORY;
	}
	replay->calls = calls;
	replay->config = config;
	replay->user = *user;
	replay->limits =
		limits_create(&(struct limits_options){ .clock = &replay->clock,
							.wheel = calls->wheel,
							.config = &config_of(replay)->limits,
							.counters = &replay->counters });
	wheel_timer_init(&replay->timer, turn, replay);
	if (replay->limits == NULL || !begin_copy(replay)) {
		destroy(replay);
		return ERR_MEMORY;
	}
	calls->replay = replay;
	again(replay);
	return OK;
}

const struct replay_entry *replay_find(const struct calls *calls, struct text sid)
{
	return replay_ring_find(calls->ring, sid);
}

unsigned replay_find_call_id(const struct calls *calls, struct text call_id,
			     const struct replay_entry **out_entries, unsigned max)
{
	return replay_ring_find_call_id(calls->ring, call_id, out_entries, max);
}
