// Tells one story: scenario FILE. Ends with 0 when all of it came true, else prints the line, what was
// expected, what was seen, and the last messages.
// Runs on: its only thread.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scenario/story.h"

#define MESSAGES_SHOWN 14

bool story_fail(struct story *story, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(story->problem, sizeof(story->problem), format, arguments);
	va_end(arguments);
	return false;
}

static bool tell_line(struct story *story)
{
	struct words *words = &story->words;
	if (!words_split(words, story->text))
		return story_fail(story, "a quote without its end, or too many words");
	if (words->count == 0)
		return true;
	const char *direction = words->count > 1 ? words->words[1] : "";
	bool is_said = strcmp(direction, ">") == 0, is_heard = strcmp(direction, "<") == 0;
	if (!is_said && !is_heard)
		return story_do(story);
	struct party *party = agents_party(&story->agents, words->words[0]);
	if (party == NULL)
		return story_fail(story, "nobody is called %s", words->words[0]);
	words->next = 2;
	bool did = is_said ? story_say(story, party) : story_hear(story, party);
	if (did && words_peek(words) != NULL)
		return story_fail(story, "what does \"%s\" mean?", words_peek(words));
	if (did && story->node->wire.problem[0] != '\0')
		return story_fail(story, "trunkd sent: %s", story->node->wire.problem);
	return did;
}

static bool tell(struct story *story, FILE *file)
{
	while (!story->is_stopped && fgets(story->text, sizeof(story->text), file) != NULL) {
		story->line++;
		if (!tell_line(story))
			return false;
	}
	if (story->is_stopped)
		return true;
	(void)snprintf(story->text, sizeof(story->text), "(the end)\n");
	return story_end(story);
}

int main(int count, char **arguments)
{
	struct story *story = calloc(1, sizeof(*story));
	FILE *file = count == 2 ? fopen(arguments[1], "r") : NULL;
	if (file == NULL || story == NULL) {
		printf("usage: scenario FILE\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0); // also when a sanitizer ends the process
	log_set_level(getenv("SCENARIO_LOG") != NULL ? LOG_DEBUG : LOG_ERROR);
	story->path = arguments[1];
	story->node = node_create();
	story->agents.node = story->node;
	bool is_true = tell(story, file);
	if (!is_true) {
		printf("%s:%u: %s%s\n", story->path, story->line, story->text, story->problem);
		printf("the last messages (time, peer, > to trunkd or < from it):\n");
		wire_print(&story->node->wire, MESSAGES_SHOWN);
	}
	agents_clear(&story->agents);
	node_destroy(story->node);
	(void)fclose(file);
	free(story);
	return is_true ? 0 : 1;
}
