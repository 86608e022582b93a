// Tells one story: scenario FILE. Ends with 0 when all of it came true, else prints the line, what was
// expected, what was seen, and the last messages. --starve tells it once for each allocation, which fails.
// Runs on: its only thread.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fake/allocation.h"
#include "fake/dataplane.h"
#include "fake/memory.h"
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
	story->file = file;
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

static struct story *story_create(const char *path)
{
	struct story *story = memory_take(sizeof(*story));
	story->path = path;
	story->node = node_create();
	story->agents.node = story->node;
	return story;
}

static void story_destroy(struct story *story)
{
	agents_clear(&story->agents);
	node_destroy(story->node);
	free(story);
}

static int tell_once(const char *path, FILE *file)
{
	struct story *story = story_create(path);
	bool is_true = tell(story, file);
	if (!is_true) {
		printf("%s:%u: %s%s\n", path, story->line, story->text, story->problem);
		printf("the last messages (time, peer, > to trunkd or < from it):\n");
		wire_print(&story->node->wire, MESSAGES_SHOWN);
	}
	story_destroy(story);
	return is_true ? 0 : 1;
}

// One allocation of the product fails: the story may go another way then, but nothing may break, and
// nothing may be left once all is hung up and the lifetimes are over.
static bool survives(const char *path, FILE *file, unsigned number, bool *out_has_failed)
{
	struct story *story = story_create(path);
	rewind(file);
	node_make_room(story->node);
	allocation_fail_at(number);
	(void)tell(story, file);
	*out_has_failed = allocation_has_failed();
	allocation_fail_at(0);
	if (story->node->dataplane == NULL)
		node_regain_dataplane(story->node);
	node_give_all_ports(story->node);
	calls_hang_up(story->node->calls);
	node_outlive(story->node);
	bool is_clear = story_is_clear(story);
	if (!is_clear) {
		printf("%s: allocation %u failed at line %u, and then: %s\n", path, number,
		       story->line, story->problem);
		wire_print(&story->node->wire, MESSAGES_SHOWN);
	}
	story_destroy(story);
	return is_clear;
}

static int starve(const char *path, FILE *file)
{
	bool has_failed = true;
	unsigned told = 0;
	for (unsigned number = 1; has_failed; number++) {
		if (!survives(path, file, number, &has_failed))
			return 1;
		told = number;
	}
	printf("%s: told %u times\n", path, told);
	return 0;
}

int main(int count, char **arguments)
{
	bool is_starving = count == 3 && strcmp(arguments[1], "--starve") == 0;
	const char *path = count > 1 ? arguments[count - 1] : NULL;
	FILE *file = count == 2 || is_starving ? fopen(path, "r") : NULL;
	if (file == NULL) {
		printf("usage: scenario [--starve] FILE\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0); // also when a sanitizer ends the process
	log_set_level(getenv("SCENARIO_LOG") != NULL ? LOG_DEBUG : LOG_ERROR);
	int result = is_starving ? starve(path, file) : tell_once(path, file);
	(void)fclose(file);
	return result;
}
