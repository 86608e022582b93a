// The table of prices: rows in the order of category and prefix, found by bisection, the longest prefix
// first. Runs on: control thread. Must never take a price that it cannot read whole.

#include "history/rate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history/history.h"

#define FILE_MAX (16u << 20)
#define RATES_MAX 400000u
#define MICRO 1000000u
#define PRICE_MAX 1000000u // of one unit; what is more is a slip of the pen
#define STEP_MAX 3600u

struct history_rates {
	unsigned count;
	struct history_rate rows[];
};

static int compare(const void *a, const void *b)
{
	const struct history_rate *left = a, *right = b;
	if (left->category != right->category)
		return left->category < right->category ? -1 : 1;
	return strcmp(left->prefix, right->prefix);
}

// "12.345678": at most six places, so that no sum of prices is rounded.
static bool parse_price(struct text text, uint64_t *out_micro)
{
	struct text rest = text_trim(text), whole = text_split(&rest, '.');
	uint64_t units, micro = 0;
	size_t places = rest.size;
	bool has_point = text_find(text, '.') != NULL;
	if (!text_to_unsigned(whole, PRICE_MAX, &units) || places > 6)
		return false;
	if (has_point && !text_to_unsigned(rest, MICRO, &micro))
		return false;
	for (size_t i = places; has_point && i < 6; i++)
		micro *= 10;
	*out_micro = units * MICRO + micro;
	return true;
}

static bool is_prefix(struct text text)
{
	if (text_is_equal(text, TEXT("*")))
		return true;
	if (text.size < 2 || text.size > 16 || text.data[0] != '+' || text.data[1] == '0')
		return false;
	for (size_t i = 1; i < text.size; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return true;
}

static bool parse_step(struct text text, uint32_t *out_s)
{
	uint64_t value = 1;
	text = text_trim(text);
	if (text.size > 0 && (!text_to_unsigned(text, STEP_MAX, &value) || value == 0))
		return false;
	*out_s = (uint32_t)value;
	return true;
}

// What is wrong with a line; NULL: nothing.
static const char *parse_line(struct text line, struct history_rate *out_rate)
{
	struct text rest = line;
	struct text word = text_trim(text_split(&rest, ','));
	struct text prefix = text_trim(text_split(&rest, ','));
	struct text price = text_split(&rest, ',');
	struct text first = text_split(&rest, ',');
	struct text next = text_split(&rest, ',');
	enum history_category category = history_category_of(word);
	*out_rate = (struct history_rate){ .category = (uint8_t)category };
	if (category == HISTORY_CATEGORY_COUNT)
		return "the first field is a category of usage: termination, origination, cnam, "
		       "number …";
	if (!is_prefix(prefix))
		return "the second field is a prefix in E.164, as +81, or *";
	if (!parse_price(price, &out_rate->price_micro))
		return "the third field is a price of at most six places, as 0.0085";
	if (!parse_step(first, &out_rate->first_s) || !parse_step(next, &out_rate->next_s))
		return "first_s and next_s are seconds from 1 to 3600";
	if (rest.size > 0)
		return "a row has five fields at most";
	(void)text_copy(prefix, out_rate->prefix, sizeof(out_rate->prefix));
	return NULL;
}

static enum status refuse(struct history_rate_problem *problem, unsigned line, const char *what)
{
	problem->line = line;
	text_copy_cut(text_of(what), problem->text, sizeof(problem->text));
	return ERR_MALFORMED;
}

static enum status fill(struct text text, struct history_rates *rates, unsigned max,
			struct history_rate_problem *problem)
{
	struct cursor cursor = cursor_of(text);
	for (unsigned number = 1; !cursor_is_done(&cursor); number++) {
		struct text line = text_trim(cursor_line(&cursor));
		if (line.size == 0 || line.data[0] == '#')
			continue;
		if (rates->count == max)
			return refuse(problem, number, "there are too many rows");
		const char *wrong = parse_line(line, &rates->rows[rates->count]);
		if (wrong)
			return refuse(problem, number, wrong);
		rates->count++;
	}
	qsort(rates->rows, rates->count, sizeof(rates->rows[0]), compare);
	for (unsigned i = 1; i < rates->count; i++) {
		char what[96];
		if (compare(&rates->rows[i - 1], &rates->rows[i]) != 0)
			continue;
		(void)snprintf(what, sizeof(what), "%s,%s has two prices",
			       history_category_facts(rates->rows[i].category)->word,
			       rates->rows[i].prefix);
		return refuse(problem, 0, what);
	}
	return OK;
}

enum status history_rates_parse(struct text text, struct history_rates **out_rates,
				struct history_rate_problem *out_problem)
{
	size_t lines = 1;
	for (size_t i = 0; i < text.size; i++)
		lines += text.data[i] == '\n';
	unsigned max = lines < RATES_MAX ? (unsigned)lines : RATES_MAX;
	struct history_rates *rates = calloc(1, sizeof(*rates) + max * sizeof(struct history_rate));
	if (!rates)
		return ERR_MEMORY;
	enum status status = fill(text, rates, max, out_problem);
	if (status != OK) {
		history_rates_destroy(rates);
		return status;
	}
	*out_rates = rates;
	return OK;
}

static enum status read_file(const char *path, char **out_data, size_t *out_size,
			     struct history_rate_problem *problem)
{
	FILE *file = fopen(path, "re");
	char *data = file ? malloc(FILE_MAX) : NULL;
	if (!data) {
		(void)refuse(problem, 0, file ? "no memory" : strerror(errno));
		if (file)
			(void)fclose(file);
		return file ? ERR_MEMORY : ERR_SYSTEM;
	}
	*out_size = fread(data, 1, FILE_MAX, file);
	bool is_whole = feof(file) != 0;
	(void)fclose(file);
	if (!is_whole) {
		free(data);
		(void)refuse(problem, 0, "cannot be read, or is larger than 16 MiB");
		return ERR_SYSTEM;
	}
	*out_data = data;
	return OK;
}

enum status history_rates_load(const char *file, struct history_rates **out_rates,
			       struct history_rate_problem *out_problem)
{
	char *data;
	size_t size;
	enum status status = read_file(file, &data, &size, out_problem);
	if (status != OK)
		return status;
	status = history_rates_parse((struct text){ data, size }, out_rates, out_problem);
	free(data);
	return status;
}

void history_rates_destroy(struct history_rates *rates)
{
	free(rates);
}

unsigned history_rates_count(const struct history_rates *rates)
{
	return rates ? rates->count : 0;
}

const struct history_rate *history_rate_find(const struct history_rates *rates,
					     enum history_category category, struct text number)
{
	struct history_rate wanted = { .category = (uint8_t)category };
	if (!rates)
		return NULL;
	size_t size = number.size < sizeof(wanted.prefix) ? number.size : sizeof(wanted.prefix) - 1;
	for (; size > 1; size--) {
		(void)text_copy((struct text){ number.data, size }, wanted.prefix,
				sizeof(wanted.prefix));
		const struct history_rate *row = bsearch(&wanted, rates->rows, rates->count,
							 sizeof(rates->rows[0]), compare);
		if (row)
			return row;
	}
	(void)text_copy(TEXT("*"), wanted.prefix, sizeof(wanted.prefix));
	return bsearch(&wanted, rates->rows, rates->count, sizeof(rates->rows[0]), compare);
}

static uint32_t billed(uint64_t ms, const struct history_rate *rate)
{
	uint64_t s = (ms + 999) / 1000, first = rate ? rate->first_s : 0,
		 next = rate ? rate->next_s : 1;
	uint64_t sum = s <= first ? first : first + (s - first + next - 1) / next * next;
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static uint64_t price(const struct history_rate *rate, enum history_category category,
		      uint32_t quantity)
{
	bool is_time = strcmp(history_category_facts(category)->unit, "second") == 0;
	uint64_t sum;
	if (__builtin_mul_overflow(rate->price_micro, quantity, &sum) || sum > INT64_MAX - 30)
		return INT64_MAX; // as much as SQL can hold
	return is_time ? (sum + 30) / 60 : sum;
}

void history_rate_call(const struct history_rates *rates, struct history_call *call)
{
	enum history_category category = history_category_of(text_of(call->direction));
	call->billed_s = 0;
	call->is_priced = 0;
	call->price_micro = 0;
	if (call->answer_ms == 0 || category == HISTORY_CATEGORY_COUNT)
		return;
	uint64_t ms = call->end_ms > call->answer_ms ? call->end_ms - call->answer_ms : 0;
	const struct history_rate *rate = history_rate_find(rates, category, text_of(call->to));
	call->billed_s = billed(ms, rate);
	if (!rate)
		return;
	call->is_priced = 1;
	call->price_micro = price(rate, category, call->billed_s);
	text_copy_cut(text_of(rate->prefix), call->rate_prefix, sizeof(call->rate_prefix));
}

void history_rate_item(const struct history_rates *rates, struct history_usage *item)
{
	enum history_category category = (enum history_category)item->category;
	const struct history_rate *rate =
		history_rate_find(rates, category, text_of(item->subject));
	item->is_priced = rate != NULL;
	item->price_micro = rate ? price(rate, category, item->quantity) : 0;
}
