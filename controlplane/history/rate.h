#pragma once

// Prices: a file of rows "category,prefix,price[,first_s,next_s]", of which the longest prefix of the
// number decides. A second's price is told by the minute; a call is billed for at least first_s, then in
// steps of next_s.
// Runs on: control thread. A table never changes; another one takes its place.

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "history/usage.h"

struct history_rates;

struct history_rate {
	char prefix[20]; // "+81", or "*"
	uint64_t price_micro; // of a minute, or of one of the category's unit; millionths
	uint32_t first_s, next_s; // of seconds alone; at least 1
	uint8_t category;
};

struct history_rate_problem {
	unsigned line; // 0: of the file
	char text[160];
};

// ERR_MALFORMED and ERR_SYSTEM: the problem tells; ERR_MEMORY. "# …" and empty lines are skipped.
enum status history_rates_load(const char *file, struct history_rates **out_rates,
			       struct history_rate_problem *out_problem);
enum status history_rates_parse(struct text text, struct history_rates **out_rates,
				struct history_rate_problem *out_problem);
void history_rates_destroy(struct history_rates *rates);
unsigned history_rates_count(const struct history_rates *rates);
// NULL: there is no price for it. `rates` may be NULL.
const struct history_rate *history_rate_find(const struct history_rates *rates,
					     enum history_category category, struct text number);
// Fills billed_s, price and prefix of a call that has ended; what of an item depends on the rates.
void history_rate_call(const struct history_rates *rates, struct history_call *call);
void history_rate_item(const struct history_rates *rates, struct history_usage *item);
