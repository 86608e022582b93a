// What the operator is told of INVITEs before and after they come. Runs on the thread of the test.

#include <stdlib.h>
#include <string.h>

#include "call/explain/invite.h"
#include "call/replay/replay.h"
#include "scenario/story.h"

#define PATIENCE_MS 1000 // of a replay

struct answer {
	struct explanation explanation;
	struct sip_message message;
	struct limit_usage shared[2]; // what all nodes use of trunk and account
	bool is_shared;
	char octets[SIP_MESSAGE_MAX];
};

// "rate=3" and "calls=2" say what all nodes use, as Redis would.
static bool take_shared(struct answer *answer, const char *pair)
{
	struct text value = text_of(pair), name = text_split(&value, '=');
	bool is_rate = text_is_equal(name, TEXT("rate"));
	uint64_t number;
	if ((!is_rate && !text_is_equal(name, TEXT("calls"))) ||
	    !text_to_unsigned(value, 1000000, &number))
		return false;
	answer->is_shared = true;
	for (unsigned i = 0; i < 2; i++)
		*(is_rate ? &answer->shared[i].rate : &answer->shared[i].calls) = (unsigned)number;
	return true;
}

static void take_field(struct explain_words *words, const char *pair)
{
	struct text value = text_of(pair), name = text_split(&value, '=');
	struct {
		const char *name;
		struct text *place;
	} rows[] = {
		{ "from", &words->from },       { "to", &words->to },
		{ "source", &words->source },   { "transport", &words->transport },
		{ "trunk", &words->trunk },     { "host", &words->host },
		{ "carrier", &words->carrier }, { "sdp", &words->sdp },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_is_equal(name, text_of(rows[i].name)))
			*rows[i].place = value;
}

static bool ask_words(struct story *story, struct answer *answer)
{
	struct explain_words words = { 0 };
	struct explain_problem problem;
	struct sip_flow flow;
	struct writer octets = writer_of(answer->octets, sizeof(answer->octets));
	for (const char *word; (word = words_peek(&story->words)) && strchr(word, '=') &&
			       !words_is_quoted(&story->words);
	     (void)words_take(&story->words))
		if (!take_shared(answer, word))
			take_field(&words, word);
	if (!explain_invite_write(story->node->calls, &words, &octets, &flow, &problem) ||
	    !explain_invite_read(answer->octets, octets.used, &answer->message, &problem))
		return story_fail(story, "%s: %s", problem.field, problem.text);
	answer->message.flow = flow;
	struct explain_question question = { .invite = &answer->message,
					     .shared = answer->is_shared ? answer->shared : NULL };
	explain_call(story->node->calls, &question, &answer->explanation);
	return true;
}

static bool ask_last(struct story *story, struct answer *answer)
{
	const struct replay_ring *ring = story->node->calls->ring;
	const struct replay_entry *entry = replay_ring_at(ring, replay_ring_count(ring) - 1);
	struct explain_problem problem;
	if (entry == NULL)
		return story_fail(story, "no INVITE is kept");
	memcpy(answer->octets, entry->octets, entry->size);
	if (!explain_invite_read(answer->octets, entry->size, &answer->message, &problem))
		return story_fail(story, "%s", problem.text);
	answer->message.flow = entry->flow;
	struct explain_question question = { .invite = &answer->message,
					     .takes_digest = entry->has_digest };
	explain_call(story->node->calls, &question, &answer->explanation);
	return true;
}

static bool is_expected(struct story *story, const char *what, const char *seen)
{
	const char *wanted = words_take(&story->words);
	return (wanted != NULL && strcmp(wanted, seen) == 0) ||
	       story_fail(story, "%s is %s, not %s", what, seen, wanted ? wanted : "nothing");
}

static bool check_detail(struct story *story, const struct explanation *explanation)
{
	const char *name = words_take(&story->words), *wanted = words_take(&story->words);
	for (unsigned i = 0; name != NULL && wanted != NULL && i < explanation->step_count; i++)
		if (strcmp(explanation->steps[i].name, name) == 0)
			return strstr(explanation->steps[i].detail, wanted) != NULL ||
			       story_fail(story, "%s says: %s", name, explanation->steps[i].detail);
	return story_fail(story, "it did not come to %s", name ? name : "nothing");
}

static bool check(struct story *story, const struct answer *answer)
{
	const struct explanation *explanation = &answer->explanation;
	const struct explain_step *last = &explanation->steps[explanation->step_count - 1];
	char outcome[96];
	unsigned long count;
	struct writer writer = writer_of(outcome, sizeof(outcome));
	explain_write_outcome(explanation, &writer);
	if (words_take_if(&story->words, "outcome"))
		return is_expected(story, "the outcome", writer_string_done(&writer));
	if (words_take_if(&story->words, "check"))
		return is_expected(story, "the last check", last->name);
	if (words_take_if(&story->words, "seen"))
		return is_expected(story, "what is seen", explanation->refusal.seen);
	if (words_take_if(&story->words, "challenged"))
		return explanation->is_challenged || story_fail(story, "it is not challenged");
	if (words_take_if(&story->words, "unchallenged"))
		return !explanation->is_challenged || story_fail(story, "it is challenged");
	if (words_take_if(&story->words, "detail"))
		return check_detail(story, explanation);
	if (words_take_if(&story->words, "target"))
		return is_expected(story, "the target", explanation->targets[0].target.name);
	if (words_take_if(&story->words, "sdp"))
		return strstr(explanation->sdp, words_peek(&story->words)) != NULL
			       ? words_take(&story->words) != NULL
			       : story_fail(story, "the description is %s", explanation->sdp);
	if (!words_take_if(&story->words, "targets"))
		return story_fail(story, "%s is not known here", words_peek(&story->words));
	return story_take_number(story, &count) &&
	       (count == explanation->target_count ||
		story_fail(story, "there are %u targets", explanation->target_count));
}

bool story_explain(struct story *story)
{
	struct answer *answer = calloc(1, sizeof(*answer));
	bool is_good =
		answer != NULL && (words_take_if(&story->words, "last") ? ask_last(story, answer)
									: ask_words(story, answer));
	while (is_good && words_peek(&story->words) != NULL)
		is_good = check(story, answer);
	free(answer);
	return is_good;
}

// ---- replay

struct run {
	struct story *story;
	bool is_finished, has_failed;
	struct replay_sums sums;
	char was[64], would[128]; // of the first that changed
};

static bool change(struct run *run)
{
	struct story *story = run->story;
	struct words *words = &story->words;
	struct directory_problem problem = { 0 };
	bool is_removal = words_take_if(words, "remove");
	if (!is_removal && !words_take_if(words, "set"))
		return true;
	const char *kind = words_take(words), *word = words_take(words);
	unsigned count = 0;
	if (is_removal)
		return node_remove(story->node, kind, word);
	while (words->next + count < words->count &&
	       strchr(words->words[words->next + count], '=') != NULL)
		count++;
	char *const *pairs = &words->words[words->next];
	words->next += count;
	return node_set(story->node, kind, word, pairs, count, &problem);
}

static bool prepare(void *context, struct directory *copy)
{
	struct run *run = context;
	struct directory *own = run->story->node->directory;
	run->story->node->directory = copy;
	run->has_failed = !change(run);
	run->story->node->directory = own;
	return !run->has_failed;
}

static void changed(void *context, const struct replay_change *change)
{
	struct run *run = context;
	if (run->was[0] != '\0')
		return;
	(void)text_copy(text_of(change->was), run->was, sizeof(run->was));
	(void)text_copy(text_of(change->would), run->would, sizeof(run->would));
}

static void finished(void *context, const struct replay_sums *sums)
{
	struct run *run = context;
	run->sums = *sums;
	run->is_finished = true;
}

static struct config *config_of(struct story *story)
{
	unsigned long cps;
	struct config *config = malloc(sizeof(*config));
	if (config == NULL || !story_take_number(story, &cps))
		return config;
	*config = story->node->config;
	config->limits.max_cps = (uint32_t)cps;
	return config;
}

bool story_replay(struct story *story)
{
	struct run run = { .story = story };
	struct replay_user user = { &run, prepare, changed, finished };
	unsigned long asked, count;
	struct config *config = words_take_if(&story->words, "max_cps") ? config_of(story) : NULL;
	if (replay_start(story->node->calls, config, &user) != OK)
		return story_fail(story, "another replay is under way");
	for (unsigned ms = 0; ms < PATIENCE_MS && !run.is_finished && !run.has_failed; ms += 10)
		node_wait(story->node, 10);
	if (!run.is_finished || !run.sums.is_complete)
		return story_fail(story, "the replay did not end");
	if (!words_take_if(&story->words, "asked") || !story_take_number(story, &asked) ||
	    !words_take_if(&story->words, "changed") || !story_take_number(story, &count))
		return story_fail(story, "replay … asked N, changed N [was] [would be]");
	if (asked != run.sums.asked || count != run.sums.changed)
		return story_fail(story, "asked %u, changed %u: %s is %s", run.sums.asked,
				  run.sums.changed, run.was, run.would);
	return words_peek(&story->words) == NULL ||
	       (is_expected(story, "what it was", run.was) &&
		is_expected(story, "what it would be", run.would));
}
