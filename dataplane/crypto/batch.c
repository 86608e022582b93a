// Submits packets to the engine and settles what comes back: in order, so that replay windows move as
// packets came, whatever the engine did first. Runs on: worker. Never allocates, never waits but for
// a queue of hardware when a key changes under a packet of its own stream.

#include "dataplane/crypto/batch.h"

#include <string.h>

#include "dataplane/crypto/srtp.h"

#define RTP_LEAST 12 // octets that hold an SSRC, of RTCP too
#define POLLS_MAX 10000000 // of an engine that has to end what it began: seconds
#define STASH_NONE UINT8_MAX
#define PREFETCH_LINES 5 // of a context: its first, and the keys

enum state { WAITING, DONE, SETTLED };
enum try {
	TRY_FORMER = 1 << 0,
	TRY_INDEX = 1 << 1,
	TRY_FORMER_INDEX = 1 << 2,
	WAS_REPLAY = 1 << 3, // to the present key, whatever the former one says
};

static struct crypto_context *context_of(const struct crypto_worker *worker,
					 const struct crypto_job *job, enum crypto_place place)
{
	struct crypto_context *context =
		crypto_context_at(&worker->contexts, job->stream.index, place);
	bool is_ours = context->suite != SUITE_NONE &&
		       context->generation == job->stream.generation &&
		       context->is_rtcp == job->is_rtcp &&
		       (place != CRYPTO_FORMER || job->now_ns < context->until_ns);
	return is_ours ? context : NULL;
}

static bool is_possible(const struct crypto_worker *worker, const struct crypto_job *job)
{
	return job->stream.index < worker->contexts.count && job->way < KEY_WAYS;
}

static void set_aside(struct crypto_batch *batch, struct crypto_job *job)
{
	if (!batch->stashes || ~batch->stashes_taken == 0 || job->size > CRYPTO_STASH_SIZE)
		return;
	job->stash = (uint8_t)__builtin_ctzll(~batch->stashes_taken);
	batch->stashes_taken |= 1ull << job->stash;
	memcpy(batch->stashes[job->stash], job->media, job->size);
}

static void give_back(struct crypto_batch *batch, struct crypto_job *job)
{
	if (job->stash != STASH_NONE)
		batch->stashes_taken &= ~(1ull << job->stash);
	job->stash = STASH_NONE;
}

[[gnu::noinline]] static bool look_up(struct crypto_job *job, const struct crypto_context *context)
{
	static const struct crypto_rollover fresh;
	const struct crypto_rollover *known =
		crypto_rollover_find(context->rollovers, crypto_srtp_ssrc(job));
	if (!known)
		known = &fresh;
	if (!job->is_rtcp)
		job->index = crypto_rollover_guess(known, crypto_srtp_sequence(job));
	return crypto_rollover_is_new(known, job->index);
}

// By what was committed so far: the index of RTP, and whether it was there before.
static bool look(struct crypto_job *job, const struct crypto_context *context)
{
	const struct crypto_rollover *first = &context->rollovers[0];
	if (job->is_rtcp || first->ssrc != crypto_srtp_ssrc(job) ||
	    !crypto_rollover_is_next(first, crypto_srtp_sequence(job)))
		return look_up(job, context);
	job->index = crypto_rollover_highest(first) + 1;
	return true;
}

// false: it has no index, or one that was there before.
static bool guess(struct crypto_job *job, const struct crypto_context *context)
{
	job->verdict = VERDICT_DROP_AUTHENTICATION;
	if (job->is_rtcp && !crypto_srtp_rtcp_index(job, context, &job->index))
		return false;
	job->verdict = VERDICT_DROP_REPLAY;
	return look(job, context);
}

// true: the engine has to work on it.
static bool lay_out(const struct crypto_worker *worker, struct crypto_job *job,
		    struct crypto_context *context)
{
	job->context = context;
	job->key = context->key;
	if (worker->contexts.engine->form == KEY_SESSION) {
		crypto_srtp_lay_out(job, context);
	} else {
		job->suite = context->suite;
		job->tag_size = context->tag_size;
	}
	return true;
}

static bool try_context(const struct crypto_worker *worker, struct crypto_job *job,
			struct crypto_context *context)
{
	if (!crypto_srtp_is_whole(job, context)) {
		job->verdict = VERDICT_DROP_TRUNCATED;
		return false;
	}
	bool is_new = guess(job, context);
	if (job->verdict == VERDICT_DROP_REPLAY)
		job->context = context; // packets before it in this burst may prove it is none
	return is_new && lay_out(worker, job, context);
}

static bool begin_arriving(struct crypto_worker *worker, struct crypto_job *job)
{
	struct crypto_context *current = context_of(worker, job, CRYPTO_ARRIVES);
	struct crypto_context *former = NULL;
	if (!current || job->now_ns < current->until_ns) // else its line is not even touched
		former = context_of(worker, job, CRYPTO_FORMER);
	if (worker->batch.stashes && job->size >= RTP_LEAST &&
	    (former ||
	     (current && !crypto_rollover_find(current->rollovers, crypto_srtp_ssrc(job)))))
		set_aside(&worker->batch, job);
	if (current && try_context(worker, job, current))
		return true;
	if (current && job->verdict == VERDICT_DROP_REPLAY)
		job->tries |= WAS_REPLAY;
	if (!former)
		return false;
	job->tries |= TRY_FORMER;
	return try_context(worker, job, former);
}

// SRTCP has one index a key, whatever the SSRC. An RTP sender's own state may have been forgotten:
// then it may not begin again. Apart, so that packets that come in order save no registers for it.
[[gnu::noinline]] static bool look_for_index(struct crypto_worker *worker, struct crypto_job *job,
					     struct crypto_context *context)
{
	struct crypto_rollover *state = &context->rollovers[0];
	if (job->is_rtcp) {
		job->index = crypto_rollover_highest(state) + 1;
		if (job->index > CRYPTO_RTCP_INDEX_MAX)
			return false;
		crypto_rollover_commit(state, job->index);
		return true;
	}
	const uint32_t ssrc = crypto_srtp_ssrc(job);
	if (!state->is_used || state->ssrc != ssrc) {
		struct crypto_stream *stream =
			crypto_context_stream(&worker->contexts, job->stream.index);
		struct crypto_rollover forgotten;
		// Nor may a new one take the place of one that speaks: its sender's address may be forged.
		const struct crypto_rollover *last = &context->rollovers[CRYPTO_SOURCES - 1];
		bool is_speaking =
			last->is_used && (uint8_t)((job->now_ns >> 27) - last->left) <= 1;
		if (!crypto_rollover_find(context->rollovers, ssrc) &&
		    (is_speaking || crypto_context_was_forgotten(stream, ssrc)))
			return false;
		state = crypto_rollover_use(context->rollovers, ssrc, &forgotten);
		if (forgotten.is_used)
			crypto_context_note_forgotten(stream, forgotten.ssrc);
	}
	if (!crypto_rollover_leave(state, crypto_srtp_sequence(job), &job->index))
		return false;
	state->left = (uint8_t)(job->now_ns >> 27);
	if (state->offset != 0)
		crypto_srtp_set_sequence(job, (uint16_t)job->index);
	return true;
}

static bool take_index(struct crypto_worker *worker, struct crypto_job *job,
		       struct crypto_context *context)
{
	struct crypto_rollover *state = &context->rollovers[0];
	if (job->is_rtcp || state->ssrc != crypto_srtp_ssrc(job) || state->offset != 0 ||
	    !crypto_rollover_is_next(state, crypto_srtp_sequence(job)))
		return look_for_index(worker, job, context);
	crypto_rollover_commit_next(state);
	state->left = (uint8_t)(job->now_ns >> 27);
	state->has_candidate = false;
	job->index = crypto_rollover_highest(state);
	return true;
}

static bool begin_leaving(struct crypto_worker *worker, struct crypto_job *job)
{
	struct crypto_context *context = context_of(worker, job, CRYPTO_LEAVES);
	if (!context)
		return false;
	job->verdict = VERDICT_DROP_TRUNCATED;
	if (!crypto_srtp_is_whole(job, context))
		return false;
	job->verdict = VERDICT_DROP_REPLAY;
	return take_index(worker, job, context) && lay_out(worker, job, context);
}

static bool begin(struct crypto_worker *worker, struct crypto_job *job)
{
	job->verdict = VERDICT_DROP_AUTHENTICATION;
	job->rollover = 0;
	job->sequence = 0;
	job->context = job->key = NULL;
	job->tries = 0;
	job->stash = STASH_NONE;
	bool has_work =
		is_possible(worker, job) && (job->way == KEY_ARRIVES ? begin_arriving(worker, job)
								     : begin_leaving(worker, job));
	job->state = has_work ? WAITING : DONE;
	return has_work;
}

static void prefetch(const struct crypto_worker *worker, const struct crypto_job *job)
{
	if (!is_possible(worker, job))
		return;
	const char *line = (const char *)crypto_context_at(&worker->contexts, job->stream.index,
							   job->way == KEY_ARRIVES ? CRYPTO_ARRIVES
										   : CRYPTO_LEAVES);
	__builtin_prefetch(line, 1);
	for (unsigned i = 2; i < 1 + PREFETCH_LINES; i++)
		__builtin_prefetch(line + 64 * i);
}

static void expire(struct crypto_worker *worker, uint64_t now_ns)
{
	uint32_t stream;
	while (crypto_context_next_expired(&worker->contexts, now_ns, &stream) &&
	       crypto_batch_drain(worker, stream))
		crypto_context_expire(&worker->contexts, now_ns);
}

unsigned crypto_batch_submit(struct crypto_worker *worker, struct crypto_job *const *jobs,
			     unsigned count)
{
	struct crypto_batch *batch = &worker->batch;
	struct crypto_job *working[CRYPTO_JOBS_MAX];
	unsigned positions[CRYPTO_JOBS_MAX];
	unsigned working_count = 0;
	if (count > CRYPTO_JOBS_MAX - batch->count)
		count = CRYPTO_JOBS_MAX - batch->count;
	if (count > 0)
		expire(worker, jobs[0]->now_ns);
	for (unsigned i = 0; i < count; i++)
		prefetch(worker, jobs[i]);
	for (unsigned i = 0; i < count; i++) {
		if (begin(worker, jobs[i])) {
			positions[working_count] = i;
			working[working_count++] = jobs[i];
		}
		batch->jobs[(batch->first + batch->count + i) % CRYPTO_JOBS_MAX] = jobs[i];
	}
	unsigned taken = 0;
	if (working_count > 0)
		taken = worker->contexts.engine->submit(worker->contexts.engine_worker, working,
							working_count);
	if (taken < working_count) {
		for (unsigned i = positions[taken]; i < count; i++)
			give_back(batch, jobs[i]);
		count = positions[taken];
	}
	batch->count += count;
	return count;
}

static bool poll(struct crypto_worker *worker)
{
	struct crypto_job *done[CRYPTO_JOBS_MAX];
	unsigned count = worker->contexts.engine->collect(worker->contexts.engine_worker, done,
							  CRYPTO_JOBS_MAX);
	for (unsigned i = 0; i < count; i++)
		done[i]->state = DONE;
	return count > 0;
}

// Puts the packet back as it came. false: it cannot be.
static bool restore(struct crypto_worker *worker, struct crypto_job *job)
{
	const struct crypto_engine *engine = worker->contexts.engine;
	if (!job->key)
		return true; // nobody touched it
	if (job->stash != STASH_NONE)
		memcpy(job->media, worker->batch.stashes[job->stash], job->size);
	else if (!engine->keeps_refused)
		return false;
	else if (engine->form == KEY_SESSION)
		crypto_srtp_undo(job);
	return true;
}

static bool submit_again(struct crypto_worker *worker, struct crypto_job *job)
{
	job->state = WAITING;
	if (worker->contexts.engine->submit(worker->contexts.engine_worker, &job, 1) == 1)
		return true;
	job->state = DONE;
	job->verdict = VERDICT_DROP_AUTHENTICATION;
	return false;
}

// A packet whose tag was wrong gets another try where that can help: packets before it in the same
// burst have moved the ROC since its index was guessed, or there is a former key.
static bool try_again(struct crypto_worker *worker, struct crypto_job *job)
{
	struct crypto_context *context = job->context;
	bool is_former = job->tries & TRY_FORMER;
	enum try retry = is_former ? TRY_FORMER_INDEX : TRY_INDEX;
	uint64_t index = job->index;
	if (!(job->tries & retry)) {
		job->tries = (uint8_t)(job->tries | retry);
		bool is_new = look(job, context);
		if (!is_former)
			job->tries = (uint8_t)(is_new ? job->tries & ~WAS_REPLAY
						      : job->tries | WAS_REPLAY);
		if (is_new && job->index != index)
			return restore(worker, job) && lay_out(worker, job, context) &&
			       submit_again(worker, job);
	}
	if (is_former)
		return false;
	job->tries |= TRY_FORMER;
	struct crypto_context *former = context_of(worker, job, CRYPTO_FORMER);
	if (!former || !restore(worker, job))
		return false;
	bool has_work = try_context(worker, job, former);
	job->verdict = VERDICT_DROP_AUTHENTICATION;
	return has_work && submit_again(worker, job);
}

// Two copies in one burst both passed the first look at the window: the second stops here.
[[gnu::noinline]] static void commit_other(const struct crypto_worker *worker,
					   struct crypto_job *job)
{
	struct crypto_context *context = job->context;
	uint32_t ssrc = crypto_srtp_ssrc(job);
	const struct crypto_rollover *known = crypto_rollover_find(context->rollovers, ssrc);
	struct crypto_stream *stream = crypto_context_stream(&worker->contexts, job->stream.index);
	bool is_former =
		context == crypto_context_at(&worker->contexts, job->stream.index, CRYPTO_FORMER);
	// An SSRC whose window is gone: what it says may have been said before. Nor does one begin under a
	// former key.
	bool is_over =
		is_former ? context->rollovers[0].is_used : crypto_context_was_heard(stream, ssrc);
	if (known ? !crypto_rollover_is_new(known, job->index) : is_over) {
		job->verdict = VERDICT_DROP_REPLAY;
		return;
	}
	struct crypto_rollover gone;
	crypto_rollover_commit(crypto_rollover_use(context->rollovers, ssrc, &gone), job->index);
	if (gone.is_used && !is_former)
		crypto_context_note_heard(stream, gone.ssrc);
}

static void commit(const struct crypto_worker *worker, struct crypto_job *job)
{
	struct crypto_rollover *first = &((struct crypto_context *)job->context)->rollovers[0];
	if (first->ssrc == crypto_srtp_ssrc(job) &&
	    crypto_rollover_is_next(first, (uint16_t)job->index) &&
	    job->index == crypto_rollover_highest(first) + 1)
		crypto_rollover_commit_next(first);
	else
		commit_other(worker, job);
}

[[gnu::noinline]] static void try_more(struct crypto_worker *worker, struct crypto_job *job)
{
	while (job->state == DONE && job->way == KEY_ARRIVES && job->verdict != VERDICT_FORWARDED &&
	       try_again(worker, job))
		(void)poll(worker);
	// Whatever its former key makes of it, be it too short for that one.
	if (job->state == DONE && job->verdict != VERDICT_FORWARDED && job->tries & WAS_REPLAY)
		job->verdict = VERDICT_DROP_REPLAY;
}

// false: the engine has it, perhaps again.
static bool settle(struct crypto_worker *worker, struct crypto_job *job)
{
	if (job->verdict != VERDICT_FORWARDED && job->state == DONE && job->context)
		try_more(worker, job);
	if (job->state != DONE)
		return job->state == SETTLED;
	if (job->context) {
		if (job->verdict == VERDICT_FORWARDED && job->way == KEY_ARRIVES)
			commit(worker, job);
		if (job->verdict == VERDICT_FORWARDED &&
		    worker->contexts.engine->form == KEY_SESSION)
			crypto_srtp_finish(job);
		job->rollover = (uint32_t)(job->is_rtcp ? job->index : job->index >> 16);
		job->sequence = job->is_rtcp ? 0 : (uint16_t)job->index;
		job->context = NULL;
	}
	give_back(&worker->batch, job);
	job->state = SETTLED;
	return true;
}

unsigned crypto_batch_collect(struct crypto_worker *worker, struct crypto_job **out_jobs,
			      unsigned max)
{
	struct crypto_batch *batch = &worker->batch;
	unsigned count = 0;
	bool has_news = true;
	while (batch->count > 0 && count < max && has_news) {
		has_news = worker->contexts.engine && poll(worker);
		while (batch->count > 0 && count < max &&
		       settle(worker, batch->jobs[batch->first])) {
			out_jobs[count++] = batch->jobs[batch->first];
			batch->first = (batch->first + 1) % CRYPTO_JOBS_MAX;
			batch->count--;
		}
	}
	return count;
}

bool crypto_batch_drain(struct crypto_worker *worker, uint32_t stream)
{
	struct crypto_batch *batch = &worker->batch;
	for (unsigned i = 0; worker->contexts.engine && i < batch->count; i++) {
		struct crypto_job *job = batch->jobs[(batch->first + i) % CRYPTO_JOBS_MAX];
		if (job->stream.index != stream)
			continue;
		for (unsigned polls = 0; !settle(worker, job); polls++) {
			if (polls == POLLS_MAX)
				return false;
			(void)poll(worker);
		}
	}
	return true;
}
