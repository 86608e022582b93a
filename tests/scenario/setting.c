// The options of a story, and what is told again. Runs on the thread of the test.

#include <string.h>

#include "config/schema.h"
#include "fake/limits.h"
#include "scenario/story.h"

// "edge dublin 192.0.2.9 192.0.2.10": this node is there too, with that signalling and media address.
static bool set_edge(struct story *story)
{
	struct words *words = &story->words;
	const char *name = words_take(words), *signalling = words_take(words);
	const char *media = words_take(words);
	return (media != NULL && node_add_edge(story->node, name, signalling, media)) ||
	       story_fail(story, "edge NAME SIGNALLING MEDIA");
}

// "edge_account dublin acme": it is open to that account, and to no others that are not listed too.
static bool open_edge(struct story *story)
{
	const char *name = words_take(&story->words), *account = words_take(&story->words);
	return (account != NULL && node_open_edge(story->node, name, account)) ||
	       story_fail(story, "edge_account EDGE ACCOUNT");
}

// "definitive_codes 486 5xx": these and no others, as the file has them.
static bool set_codes(struct story *story)
{
	struct config_numbers *codes = &story->node->config.sip.definitive_codes;
	const int row = config_option_index(TEXT("sip.definitive_codes"));
	const char *word;
	codes->count = 0;
	while ((word = words_take(&story->words)) != NULL)
		if (row < 0 || !config_value_parse(&config_options[row], text_of(word), codes))
			return story_fail(story, "definitive_codes CODE … or 5xx");
	return true;
}

bool story_config(struct story *story)
{
	struct sip_config *sip = &story->node->config.sip;
	struct limits_config *limits = &story->node->config.limits;
	struct media_config *media = &story->node->config.media;
	const char *name = words_take(&story->words);
	const struct {
		const char *name;
		unsigned *value;
	} rows[] = {
		{ "max_calls", &sip->max_calls },
		{ "max_transfers", &sip->max_transfers },
		{ "session_timers", &sip->session_timers },
		{ "ring_timeout_s", &sip->ring_timeout_s },
		{ "ack_timeout_s", &sip->ack_timeout_s },
		{ "max_call_duration_s", &sip->max_call_duration_s },
		{ "dtmf", &media->dtmf },
		{ "trial_calls", &limits->trial_calls },
		{ "max_cps", &limits->max_cps },
		{ "bandwidth_mbps", &limits->bandwidth_mbps },
		{ "alerts_per_s", &story->node->config.alerts.max_per_s },
	};
	if (name != NULL && strcmp(name, "edge") == 0)
		return set_edge(story);
	if (name != NULL && strcmp(name, "edge_account") == 0)
		return open_edge(story);
	if (name != NULL && strcmp(name, "definitive_codes") == 0)
		return set_codes(story);
	for (unsigned i = 0; name != NULL && i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned long number;
		if (strcmp(name, rows[i].name) != 0)
			continue;
		if (!story_take_number(story, &number))
			return false;
		*rows[i].value = (unsigned)number;
		return true;
	}
	return story_fail(story, "no such option in stories");
}

bool story_repeat(struct story *story)
{
	unsigned long number = 0;
	if (!story_take_number(story, &number) || number == 0)
		return false;
	story->loop_left = (unsigned)number - 1;
	story->loop_line = story->line;
	story->loop_at = ftell(story->file);
	agents_next_round(&story->agents);
	return words_take_if(&story->words, "times");
}

bool story_end_round(struct story *story)
{
	if (story->loop_left == 0)
		return true;
	story->loop_left--;
	story->line = story->loop_line;
	agents_next_round(&story->agents);
	return fseek(story->file, story->loop_at, SEEK_SET) == 0;
}

// What Redis does with the limits that nodes share.
bool story_limits(struct story *story)
{
	struct store_limits *limits = story->node->limits;
	unsigned long nodes = 1;
	if (words_take_if(&story->words, "leave")) {
		fake_limits_leave(limits);
		return true;
	}
	if (words_take_if(&story->words, "answer"))
		return fake_limits_answer(limits, words_take(&story->words)) ||
		       story_fail(story, "nothing was asked, or it is no answer");
	if (!words_take_if(&story->words, "join"))
		return story_fail(story, "limits join [NODES], leave, answer [CAUSE]");
	if (words_peek(&story->words) != NULL && !story_take_number(story, &nodes))
		return false;
	fake_limits_join(limits, (unsigned)nodes);
	return true;
}
