// The table of suites.
// Runs on: any thread; constant.

#include "dataplane/suite.h"

// clang-format off
#define FACTS(name, text, key, salt, tag, rtcp_tag) [SUITE_##name] = { text, key, salt, tag, rtcp_tag },
static const struct suite_facts suites[SUITE_COUNT] = {
	[SUITE_NONE] = { .name = "none" },
	SUITE_LIST(FACTS)
};
// clang-format on

const struct suite_facts *suite_facts(enum suite suite)
{
	return &suites[suite < SUITE_COUNT ? suite : SUITE_NONE];
}

enum suite suite_of_name(struct text name)
{
	for (unsigned i = SUITE_NONE + 1; i < SUITE_COUNT; i++)
		if (text_is_equal(name, text_of(suites[i].name)))
			return (enum suite)i;
	return SUITE_NONE;
}
