// What DNS says in a story, and what pings say of carriers.
// Runs on: the thread of the test.

#include <string.h>

#include "scenario/story.h"

static bool do_server(struct story *story, const char *word)
{
	struct fake_dns *dns = story->node->dns;
	fake_dns_set_dead(dns, strcmp(word, "dead") == 0);
	fake_dns_set_silent(dns, strcmp(word, "silent") == 0);
	return true;
}

static bool do_remove(struct story *story)
{
	const char *name = words_take(&story->words);
	if (name == NULL)
		return story_fail(story, "dns remove NAME");
	fake_dns_remove(story->node->dns, name);
	return true;
}

// "dns gw.example A 198.51.100.11 ttl 60", "dns _sip._udp.gw.example SRV 10 20 5060 gw1.example"
bool story_zone(struct story *story)
{
	struct words *words = &story->words;
	const char *name = words_take(words);
	char value[512];
	struct writer writer = writer_of(value, sizeof(value));
	unsigned long ttl_s = 300;
	if (name == NULL)
		return story_fail(story, "dns NAME TYPE VALUE, remove NAME, dead, silent, alive");
	if (strcmp(name, "remove") == 0)
		return do_remove(story);
	if (words_peek(words) == NULL)
		return do_server(story, name);
	const char *type = words_take(words);
	while (words_peek(words) != NULL && strcmp(words_peek(words), "ttl") != 0) {
		writer_string(&writer, writer.used > 0 ? " " : "");
		writer_string(&writer, words_take(words));
	}
	if (words_take_if(words, "ttl") && !story_take_number(story, &ttl_s))
		return false;
	const char *text = writer_string_done(&writer);
	return (text != NULL &&
		fake_dns_add(story->node->dns, name, type, text, (uint32_t)ttl_s)) ||
	       story_fail(story, "dns: no such record");
}

// "carrier state carrier1 down"
bool story_carrier(struct story *story)
{
	struct words *words = &story->words;
	bool is_state = words_take_if(words, "state");
	const char *name = words_take(words), *expected = words_take(words);
	struct call_carrier_facts facts;
	if (!is_state || expected == NULL)
		return story_fail(story, "carrier state NAME STATE");
	const struct directory_object *object =
		directory_find(story->node->directory, DIRECTORY_CARRIER, text_of(name));
	if (object == NULL)
		return story_fail(story, "no carrier has that name");
	call_carrier_read(story->node->calls, object->sid, &facts);
	const char *state = call_carrier_state_text(facts.state);
	return strcmp(state, expected) == 0 ||
	       story_fail(story, "it is %s (%s)", state, facts.seen ? facts.seen : "");
}
