// Lines about the guard in front of SIP: who is banned, and how late the loop is.
// Runs on: the thread of the test.

#include <string.h>

#include "scenario/story.h"

static bool take_agent(struct story *story, struct address *out_address)
{
	const char *name = words_take(&story->words);
	const struct agent *agent = name != NULL ? agent_find(text_of(name)) : NULL;
	return agent != NULL ? address_parse(text_of(agent->address), out_address)
			     : story_fail(story, "nobody is called that");
}

// "ban alice 60s"
bool story_ban(struct story *story)
{
	struct address address;
	uint64_t ms;
	if (!take_agent(story, &address))
		return false;
	if (!words_duration(words_take(&story->words), &ms))
		return story_fail(story, "ban AGENT TIME");
	return sip_guard_ban_set(story->node->guard, &address, ms) == OK;
}

// "unban alice", "unban all": something has to be lifted.
bool story_unban(struct story *story)
{
	struct address address;
	bool is_all = words_take_if(&story->words, "all");
	if (!is_all && !take_agent(story, &address))
		return false;
	return sip_guard_ban_lift(story->node->guard, is_all ? NULL : &address) > 0 ||
	       story_fail(story, "there was no ban");
}

// "loop late 50ms": from now on, in each turn.
bool story_loop(struct story *story)
{
	uint64_t ms;
	if (!words_take_if(&story->words, "late") ||
	    !words_duration(words_take(&story->words), &ms))
		return story_fail(story, "loop late TIME");
	story->node->late_us = ms * 1000;
	return true;
}

unsigned long story_bans(const struct node *node)
{
	struct sip_guard_ban_facts facts;
	unsigned long count = 0;
	uint64_t at = 0;
	while (sip_guard_ban_next(node->guard, &at, &facts))
		count++;
	return count;
}
