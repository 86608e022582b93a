// "alice > INVITE …": a line as a speech. Runs on the thread of the test.

#include <stdlib.h>
#include <string.h>

#include "scenario/story.h"

static bool take_text(struct story *story, const char **out)
{
	*out = words_take(&story->words);
	return *out != NULL || story_fail(story, "the line ends too early");
}

static bool take_int(struct story *story, int *out)
{
	unsigned long number;
	if (!story_take_number(story, &number))
		return false;
	*out = (int)number;
	return true;
}

static bool take_proof(struct story *story, struct speech *speech)
{
	if (!take_text(story, &speech->user) || !take_text(story, &speech->password))
		return false;
	speech->is_sha256 = words_take_if(&story->words, "sha256");
	return true;
}

static bool take_nonce(struct story *story, struct speech *speech)
{
	const char *word;
	if (!take_text(story, &word))
		return false;
	if (strcmp(word, "old") == 0)
		speech->has_old_nonce = true;
	else
		speech->nonce_of = agents_party(&story->agents, word);
	return speech->has_old_nonce || speech->nonce_of != NULL ||
	       story_fail(story, "nonce old, or of a party");
}

// "of alice/2": a request in her dialog. "refer alice/2", "replaces alice/2": of who is at its other end.
static bool take_dialog(struct story *story, const struct party **out)
{
	const char *word;
	if (!take_text(story, &word))
		return false;
	*out = agents_party(&story->agents, word);
	return *out != NULL || story_fail(story, "nobody is called that");
}

static bool take_option(struct story *story, struct speech *speech, const char *word)
{
	if (strcmp(word, "of") == 0)
		return take_dialog(story, &speech->dialog_of);
	if (strcmp(word, "refer") == 0)
		return take_dialog(story, &speech->refers_to);
	if (strcmp(word, "replaces") == 0)
		return take_dialog(story, &speech->replaces);
	if (strcmp(word, "early-only") == 0)
		return speech->is_early_only = true;
	if (strcmp(word, "again") == 0)
		return speech->is_again = true;
	if (strcmp(word, "from") == 0)
		return take_text(story, &speech->from);
	if (strcmp(word, "uri") == 0)
		return take_text(story, &speech->uri);
	if (strcmp(word, "body") == 0)
		return take_text(story, &speech->content_type) &&
		       take_text(story, &speech->content);
	if (strcmp(word, "offer") == 0 || strcmp(word, "answer") == 0)
		return take_text(story, &speech->sdp);
	if (strcmp(word, "fork") == 0)
		return take_text(story, &speech->from_tag);
	if (strcmp(word, "tag") == 0)
		return take_text(story, &speech->to_tag);
	if (strcmp(word, "via") == 0)
		return take_text(story, &speech->via);
	if (strcmp(word, "branch") == 0)
		return take_text(story, &speech->branch);
	if (strcmp(word, "contact") == 0)
		return take_text(story, &speech->contact);
	if (strcmp(word, "cseq") == 0)
		return take_int(story, &speech->cseq);
	if (strcmp(word, "max-forwards") == 0)
		return take_int(story, &speech->max_forwards);
	if (strcmp(word, "digest") == 0)
		return take_proof(story, speech);
	if (strcmp(word, "nonce") == 0)
		return take_nonce(story, speech);
	if (strcmp(word, "unchanged") == 0)
		return speech->is_unchanged = true;
	if (strcmp(word, "samecount") == 0)
		return speech->has_same_count = true;
	if (strcmp(word, "without") == 0 && speech->without_count < 8)
		return take_text(story, &speech->without[speech->without_count++]);
	if (strcmp(word, "header") == 0 && speech->header_count < SPEECH_HEADERS_MAX)
		return take_text(story, &speech->headers[speech->header_count++]);
	return story_fail(story, "no such option: %s", word);
}

static bool take_options(struct story *story, struct speech *speech)
{
	while (words_peek(&story->words) != NULL) {
		if (!take_option(story, speech, words_take(&story->words)))
			return false;
	}
	return true;
}

// "200", "200 BYE", "486 \"Busy\"".
static bool take_response(struct story *story, struct speech *speech)
{
	speech->method = SIP_INVITE;
	if (words_is_method(&story->words))
		speech->method = sip_method_of(text_of(words_take(&story->words)));
	if (words_is_quoted(&story->words))
		speech->reason = words_take(&story->words);
	return take_options(story, speech);
}

bool story_say(struct story *story, struct party *party)
{
	struct speech speech = { .max_forwards = -1, .cseq = -1 };
	speech.is_echo = words_take_if(&story->words, "echo");
	bool is_request = words_is_method(&story->words);
	const char *what = words_take(&story->words);
	if (is_request) {
		speech.method_text = what;
		speech.method = sip_method_of(text_of(what));
		const char *next = words_peek(&story->words);
		if (next != NULL && (next[0] == '+' || words_is_quoted(&story->words)))
			speech.uri = words_take(&story->words);
		if (!take_options(story, &speech))
			return false;
	} else {
		speech.status = what != NULL ? (unsigned)strtoul(what, NULL, 10) : 0;
		if (speech.status < 100)
			return story_fail(story, "says what? A method, or a status");
		if (!take_response(story, &speech))
			return false;
	}
	return agents_say(&story->agents, party, &speech) ||
	       story_fail(story, "%s cannot say that: nothing to answer, prove or repeat",
			  party->name);
}
