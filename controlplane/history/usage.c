// Categories of usage and the items of calls. Runs on: control and history thread; no state.

#include "history/usage.h"

#include <assert.h>
#include <string.h>

#include "history/history.h"

#define ROW(name, word, unit, text) [HISTORY_USAGE_##name] = { word, unit, text },
static const struct history_category_facts CATEGORIES[] = { HISTORY_CATEGORY_LIST(ROW) };
#undef ROW

const struct history_category_facts *history_category_facts(enum history_category category)
{
	assert(category < HISTORY_CATEGORY_COUNT);
	return &CATEGORIES[category];
}

enum history_category history_category_of(struct text word)
{
	for (unsigned i = 0; i < HISTORY_CATEGORY_COUNT; i++)
		if (text_is_equal(word, text_of(CATEGORIES[i].word)))
			return (enum history_category)i;
	return HISTORY_CATEGORY_COUNT;
}

bool history_usage_of_call(const struct history_call *call, struct history_usage *out_item)
{
	enum history_category category = history_category_of(text_of(call->direction));
	struct history_usage item = { .at_ms = call->start_ms,
				      .quantity = call->billed_s,
				      .is_priced = call->is_priced,
				      .price_micro = call->price_micro };
	if (call->answer_ms == 0 || call->account_sid[0] == 0 || category == HISTORY_CATEGORY_COUNT)
		return false;
	item.category = (uint8_t)category;
	text_copy_cut(text_of(call->sid), item.key, sizeof(item.key));
	text_copy_cut(text_of(call->account_sid), item.account_sid, sizeof(item.account_sid));
	text_copy_cut(text_of(call->trunk_sid), item.trunk_sid, sizeof(item.trunk_sid));
	text_copy_cut(text_of(call->to), item.subject, sizeof(item.subject));
	*out_item = item;
	return true;
}
