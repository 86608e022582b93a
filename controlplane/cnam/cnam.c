// Questions with their deadlines, and answers remembered: the control thread's side. Runs on the control
// thread; the source's thread does all that may wait. An answer that comes after its deadline is remembered,
// but nobody waits for it any more.

#include "cnam/cnam.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/ring.h"
#include "base/wheel.h"
#include "cnam/source.h"
#include "config/cnam.h"

#define RING_SIZE CNAM_SOURCE_ASKED_MAX

struct entry { // an answer remembered
	struct map_node node; // by number
	struct entry *newer, *older;
	uint64_t until_ms;
	char number[17];
	char name[CNAM_NAME_SIZE];
};

struct cnam_question {
	struct map_node node; // by id
	struct cnam *cnam;
	uint64_t id;
	struct wheel_timer deadline;
	cnam_done_fn done; // NULL: nobody waits any more
	void *context;
	char number[17];
};

struct cnam {
	struct cnam_options options;
	struct cnam_counters counters;
	struct cnam_source *source; // NULL: off
	struct ring *questions, *answers;
	struct event *answered;
	struct map by_id, by_number;
	struct entry *newest, *oldest;
	uint64_t last_id;
	bool is_failing; // said once
};

static bool id_is_equal(const struct map_node *node, const void *key)
{
	return map_entry(node, struct cnam_question, node)->id == *(const uint64_t *)key;
}

static bool number_is_equal(const struct map_node *node, const void *key)
{
	return text_is_equal(*(const struct text *)key,
			     text_of(map_entry(node, struct entry, node)->number));
}

static uint64_t hash_of(uint64_t id)
{
	return map_hash((struct text){ (const char *)&id, sizeof(id) });
}

const char *cnam_outcome_label(unsigned outcome)
{
	static const char *const labels[] = { "named", "nameless", "failed" };
	return outcome < CNAM_PENDING ? labels[outcome] : NULL;
}

static void unlink_entry(struct cnam *cnam, struct entry *entry)
{
	*(entry->newer ? &entry->newer->older : &cnam->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &cnam->oldest) = entry->newer;
}

static void forget(struct cnam *cnam, struct entry *entry)
{
	unlink_entry(cnam, entry);
	map_remove(&cnam->by_number, &entry->node);
	free(entry);
	counter_set(&cnam->counters.entries, cnam->by_number.count);
}

static struct entry *recall(struct cnam *cnam, struct text number)
{
	struct map_node *node =
		map_find(&cnam->by_number, map_hash(number), number_is_equal, &number);
	struct entry *entry = node ? map_entry(node, struct entry, node) : NULL;
	if (!entry || entry->until_ms > cnam->options.clock->now_ms)
		return entry;
	forget(cnam, entry);
	return NULL;
}

// The oldest goes when there is no room: every answer is kept for the same time.
static void remember(struct cnam *cnam, const char *number, const char *name)
{
	const struct cnam_config *config = cnam->options.config;
	struct entry *old = recall(cnam, text_of(number));
	if (config->ttl_s == 0)
		return;
	if (old)
		forget(cnam, old);
	while (cnam->oldest && cnam->by_number.count >= config->entries_max)
		forget(cnam, cnam->oldest);
	struct entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return;
	entry->until_ms = cnam->options.clock->now_ms + config->ttl_s * 1000ull;
	text_copy_cut(text_of(number), entry->number, sizeof(entry->number));
	text_copy_cut(text_of(name), entry->name, sizeof(entry->name));
	entry->older = cnam->newest;
	*(cnam->newest ? &cnam->newest->newer : &cnam->oldest) = entry;
	cnam->newest = entry;
	map_add(&cnam->by_number, &entry->node, map_hash(text_of(number)));
	counter_set(&cnam->counters.entries, cnam->by_number.count);
}

static enum cnam_outcome count(struct cnam *cnam, enum cnam_outcome outcome)
{
	counter_add(&cnam->counters.outcomes[outcome], 1);
	return outcome;
}

// Tells whoever waits; the question itself stays until the source has answered.
static void tell(struct cnam_question *question, enum cnam_outcome outcome, const char *name)
{
	cnam_done_fn done = question->done;
	question->done = NULL;
	wheel_stop(&question->deadline);
	if (!done)
		return;
	(void)count(question->cnam, outcome);
	done(question->context, outcome, name);
}

static void on_deadline(struct wheel_timer *timer, void *context)
{
	(void)timer;
	struct cnam_question *question = context;
	counter_add(&question->cnam->counters.timeouts, 1);
	tell(question, CNAM_FAILED, "");
}

static void destroy_question(struct cnam_question *question)
{
	wheel_stop(&question->deadline);
	map_remove(&question->cnam->by_id, &question->node);
	counter_set(&question->cnam->counters.waiting, question->cnam->by_id.count);
	free(question);
}

static void note_health(struct cnam *cnam, const struct cnam_source_answer *answer)
{
	if (!answer->is_good && !cnam->is_failing)
		log_event(LOG_WARNING, "cnam_failing", "problem", answer->problem, "effect",
			  "calls go on without names", NULL);
	else if (answer->is_good && cnam->is_failing)
		log_event(LOG_INFO, "cnam_back", NULL);
	cnam->is_failing = !answer->is_good;
}

static void take_answer(struct cnam *cnam, const struct cnam_source_answer *answer)
{
	struct map_node *node =
		map_find(&cnam->by_id, hash_of(answer->id), id_is_equal, &answer->id);
	if (!node)
		return;
	struct cnam_question *question = map_entry(node, struct cnam_question, node);
	note_health(cnam, answer);
	if (answer->is_good)
		remember(cnam, question->number, answer->name);
	tell(question,
	     !answer->is_good  ? CNAM_FAILED
	     : answer->name[0] ? CNAM_NAMED
			       : CNAM_NAMELESS,
	     answer->name);
	destroy_question(question);
}

static void on_answered(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct cnam *cnam = context;
	struct cnam_source_answer answer;
	ring_quiet(cnam->answers);
	while (ring_take(cnam->answers, &answer))
		take_answer(cnam, &answer);
}

enum status cnam_start(const struct cnam_options *options, struct cnam **out_cnam)
{
	struct cnam *cnam = calloc(1, sizeof(*cnam));
	enum status status = ERR_MEMORY;
	if (!cnam)
		return status;
	cnam->options = *options;
	if (!map_init(&cnam->by_id, 64) || !map_init(&cnam->by_number, 64))
		goto fail;
	if (options->config->source == CONFIG_CNAM_OFF) {
		*out_cnam = cnam;
		return OK;
	}
	cnam->questions = ring_create(sizeof(struct cnam_source_question), RING_SIZE);
	cnam->answers = ring_create(sizeof(struct cnam_source_answer), RING_SIZE);
	if (!cnam->questions || !cnam->answers)
		goto fail;
	cnam->answered = event_new(options->loop, ring_fd(cnam->answers), EV_READ | EV_PERSIST,
				   on_answered, cnam);
	if (!cnam->answered || event_add(cnam->answered, NULL) != 0)
		goto fail;
	status = cnam_source_start(options->config, cnam->questions, cnam->answers, &cnam->source);
	if (status != OK)
		goto fail;
	*out_cnam = cnam;
	return OK;
fail:
	cnam_stop(cnam);
	return status;
}

void cnam_stop(struct cnam *cnam)
{
	size_t bucket = 0;
	struct map_node *node;
	if (!cnam)
		return;
	cnam_source_stop(cnam->source);
	while ((node = map_next(&cnam->by_id, &bucket, NULL))) {
		destroy_question(map_entry(node, struct cnam_question, node));
		bucket = 0;
	}
	while (cnam->oldest)
		forget(cnam, cnam->oldest);
	map_clear(&cnam->by_id);
	map_clear(&cnam->by_number);
	if (cnam->answered)
		event_free(cnam->answered);
	ring_destroy(cnam->questions);
	ring_destroy(cnam->answers);
	free(cnam);
}

bool cnam_is_on(const struct cnam *cnam)
{
	return cnam && cnam->source;
}

const struct cnam_counters *cnam_counters(const struct cnam *cnam)
{
	return &cnam->counters;
}

static struct cnam_question *create_question(struct cnam *cnam, struct text number)
{
	struct cnam_source_question wanted = { .id = ++cnam->last_id };
	struct cnam_question *question = calloc(1, sizeof(*question));
	if (!question || !text_copy(number, wanted.number, sizeof(wanted.number)) ||
	    !ring_put(cnam->questions, &wanted)) {
		free(question);
		return NULL;
	}
	question->cnam = cnam;
	question->id = wanted.id;
	memcpy(question->number, wanted.number, sizeof(question->number));
	map_add(&cnam->by_id, &question->node, hash_of(question->id));
	counter_set(&cnam->counters.waiting, cnam->by_id.count);
	cnam_source_wake(cnam->source);
	return question;
}

enum cnam_outcome cnam_ask(struct cnam *cnam, struct text number, cnam_done_fn done, void *context,
			   char room[static CNAM_NAME_SIZE], struct cnam_question **out_question)
{
	const struct entry *known = cnam_is_on(cnam) ? recall(cnam, number) : NULL;
	room[0] = 0;
	*out_question = NULL;
	if (known) {
		memcpy(room, known->name, sizeof(known->name));
		counter_add(&cnam->counters.remembered, 1);
		return count(cnam, room[0] ? CNAM_NAMED : CNAM_NAMELESS);
	}
	bool has_room = cnam_is_on(cnam) && cnam->by_id.count < CNAM_SOURCE_ASKED_MAX;
	struct cnam_question *question = has_room ? create_question(cnam, number) : NULL;
	if (!question)
		return cnam_is_on(cnam) ? count(cnam, CNAM_FAILED) : CNAM_FAILED;
	question->done = done;
	question->context = context;
	wheel_timer_init(&question->deadline, on_deadline, question);
	wheel_start(cnam->options.wheel, &question->deadline,
		    cnam->options.clock->now_ms + cnam->options.config->timeout_ms);
	*out_question = question;
	return CNAM_PENDING;
}

void cnam_cancel(struct cnam_question *question)
{
	if (!question)
		return;
	question->done = NULL;
	wheel_stop(&question->deadline);
}
