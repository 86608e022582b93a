// Countries by code and by number. Runs on any thread; pure.

#include "base/country/country.h"

#include <assert.h>
#include <string.h>

#include "base/country/table.h"

#define PREFIX_MAX 11 // digits of the longest prefix that a number is compared with

#define COUNTRY_ENUMERATOR(word, code, name) COUNTRY_##word,
enum country { COUNTRY_LIST(COUNTRY_ENUMERATOR) COUNTRY_COUNT };
#undef COUNTRY_ENUMERATOR
static_assert(COUNTRY_COUNT <= COUNTRY_MAX);

struct country_row {
	const char *code, *name;
};

struct country_prefix {
	const char *digits;
	enum country country;
};

#define COUNTRY_ROW(word, code, name) { code, name },
static const struct country_row countries[COUNTRY_COUNT] = { COUNTRY_LIST(COUNTRY_ROW) };
#undef COUNTRY_ROW

#define COUNTRY_PREFIX(digits, word) { digits, COUNTRY_##word },
static const struct country_prefix prefixes[] = { COUNTRY_PREFIX_LIST(COUNTRY_PREFIX) };
#undef COUNTRY_PREFIX

// Rows are in the order of their digits.
static const struct country_prefix *find(const char *digits)
{
	size_t low = 0, high = sizeof(prefixes) / sizeof(prefixes[0]);
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(digits, prefixes[middle].digits);
		if (order == 0)
			return &prefixes[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

unsigned country_of_number(struct text e164)
{
	char digits[PREFIX_MAX + 1];
	if (e164.size > 0 && e164.data[0] == '+')
		e164 = text_cut(e164, 1);
	size_t size = e164.size < PREFIX_MAX ? e164.size : PREFIX_MAX;
	(void)text_copy((struct text){ e164.data, size }, digits, sizeof(digits));
	for (; size > 0; size--) {
		digits[size] = '\0';
		const struct country_prefix *prefix = find(digits);
		if (prefix != NULL)
			return prefix->country;
	}
	return COUNTRY_NONE;
}

unsigned country_of_code(struct text code)
{
	for (unsigned i = 0; i < COUNTRY_COUNT; i++) {
		if (text_is_same(code, text_of(countries[i].code)))
			return i;
	}
	return COUNTRY_NONE;
}

const char *country_code(unsigned country)
{
	return country < COUNTRY_COUNT ? countries[country].code : NULL;
}

const char *country_name(unsigned country)
{
	return country < COUNTRY_COUNT ? countries[country].name : NULL;
}

bool country_set_add_code(struct country_set *set, struct text code)
{
	unsigned country = country_of_code(code);
	bool is_all = text_is_same(code, TEXT("all"));
	set->is_all |= is_all;
	if (country != COUNTRY_NONE)
		country_set_add(set, country);
	return is_all || country != COUNTRY_NONE;
}

void country_set_write(const struct country_set *set, struct writer *writer)
{
	bool is_first = true;
	if (set->is_all) {
		writer_text(writer, TEXT("all"));
		return;
	}
	for (unsigned i = 0; i < COUNTRY_COUNT; i++) {
		if (!country_set_has(set, i))
			continue;
		writer_string(writer, is_first ? "" : " ");
		writer_string(writer, countries[i].code);
		is_first = false;
	}
}
