#pragma once

// A plan and lists for the tests of names.
// Runs on: the thread of the test.

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "names/list.h"
#include "names/plan.h"
#include "tests/check.h"

static inline void fixture_address(struct config_addresses *addresses, const char *word)
{
	assert_true(address_parse(text_of(word), &addresses->items[addresses->count++]));
}

// pstn.example.com at 198.51.100.3 and .1, with the edges dublin and ie1, TTL 600 s.
// edge_address: of dublin; NULL: none of its own.
static inline void fixture_plan_of(struct names_plan *plan, const char *zone, const char *api,
				   const char *edge_address)
{
	struct config *config = calloc(1, sizeof *config);
	assert_non_null(config);
	(void)text_copy(TEXT("pstn.Example.com"), config->sip.base_domain, CONFIG_TEXT_SIZE);
	fixture_address(&config->sip.addresses, "198.51.100.3");
	fixture_address(&config->sip.addresses, "198.51.100.1");
	(void)text_copy(text_of(zone), config->names.zone, CONFIG_TEXT_SIZE);
	(void)text_copy(text_of(api), config->names.api_name, CONFIG_TEXT_SIZE);
	if (api[0] != '\0')
		fixture_address(&config->names.api_addresses, "2001:db8::80");
	config->names.ttl_s = 600;
	config->names.api_ttl_s = 60;
	struct edge_config *edge = &config->edges.items[config->edges.count++];
	(void)text_copy(TEXT("dublin"), edge->name, sizeof edge->name);
	(void)text_copy(TEXT("ie1"), edge->regions.items[edge->regions.count++],
			sizeof edge->regions.items[0]);
	if (edge_address != NULL)
		fixture_address(&edge->signalling, edge_address);
	names_plan_make(config, plan);
	free(config);
}

static inline void fixture_plan(struct names_plan *plan, const char *zone, const char *api)
{
	fixture_plan_of(plan, zone, api, NULL);
}

static inline struct names_list *fixture_list(const char *words)
{
	struct names_list *list = names_list_create();
	struct text rest = text_of(words);
	assert_non_null(list);
	while (rest.size > 0)
		assert_true(names_list_add(list, text_split(&rest, ' ')));
	names_list_sort(list);
	return list;
}
