// Rules of one number by itself. Runs on the control thread; pure.

#include "directory/number.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/country/country.h"
#include "directory/object.h"

// What can answer a number's calls, one at a time (NUM-008).
static const char *const handlers[] = { "trunk", "voice_url", "voice_application" };
#define APPLICATION_SID_LENGTH 34 // AP and 32 digits
#define HANDLERS (sizeof(handlers) / sizeof(handlers[0]))

static void clear(struct directory_object *object, struct text field)
{
	enum status status = directory_object_set(object, field, TEXT_NONE, NULL);
	(void)status; // an empty value is always taken
}

// NUM-001: told by the number, where nobody has told it.
static void fill_country(struct directory_object *object)
{
	unsigned country = country_of_number(directory_object_get(object, "e164"));
	if (country == COUNTRY_NONE || strlen(country_code(country)) != 2 ||
	    directory_object_get(object, "country").size > 0)
		return;
	enum status status =
		directory_object_set(object, TEXT("country"), text_of(country_code(country)), NULL);
	(void)status; // without memory it stays untold
}

static void clear_handlers_but(struct directory_object *object, unsigned kept)
{
	for (unsigned i = 0; i < HANDLERS; i++)
		if (i != kept)
			clear(object, text_of(handlers[i]));
}

void directory_number_settle(struct directory_object *object, struct text field)
{
	if (object->kind != DIRECTORY_NUMBER)
		return;
	if (text_is_same(field, TEXT("e164")))
		fill_country(object);
	for (unsigned i = 0; i < HANDLERS; i++)
		if (text_is_same(field, text_of(handlers[i])) &&
		    directory_object_get(object, handlers[i]).size > 0)
			clear_handlers_but(object, i);
}

static bool is_true(const struct directory_object *object, const char *field)
{
	return text_is_equal(directory_object_get(object, field), TEXT("true"));
}

static enum status refuse(struct directory_problem *out_problem, enum status status,
			  const char *field, const char *text)
{
	directory_problem_set(out_problem, field, "%s", text);
	return status;
}

static bool is_application(struct text sid)
{
	bool is_right = sid.size == APPLICATION_SID_LENGTH && text_has_prefix(sid, TEXT("AP"));
	for (size_t i = 2; i < sid.size && is_right; i++)
		is_right = isxdigit((unsigned char)sid.data[i]) != 0;
	return is_right;
}

enum status directory_number_check(const struct directory_object *object,
				   struct directory_problem *out_problem)
{
	static const char *const of_owners[] = { "trunk", "voice_url", "voice_application",
						 "name" };
	struct text url = directory_object_get(object, "voice_url");
	if (object->kind != DIRECTORY_NUMBER)
		return OK;
	bool is_owned = directory_object_get(object, "account").size > 0;
	for (unsigned i = 0; i < sizeof(of_owners) / sizeof(of_owners[0]) && !is_owned; i++)
		if (directory_object_get(object, of_owners[i]).size > 0)
			return refuse(
				out_problem, ERR_CONFLICT, of_owners[i],
				"the number is in stock, nobody's: buy it for an account first");
	if (url.size > 0 && !text_has_prefix(url, TEXT("https://")) &&
	    !text_has_prefix(url, TEXT("http://")))
		return refuse(out_problem, ERR_MALFORMED, "voice_url",
			      "is no URL; allowed: https://… or http://…");
	struct text application = directory_object_get(object, "voice_application");
	if (application.size > 0 && !is_application(application))
		return refuse(out_problem, ERR_MALFORMED, "voice_application",
			      "is no application; allowed: AP and 32 hexadecimal digits");
	unsigned answering = 0;
	for (unsigned i = 0; i < HANDLERS; i++)
		answering += directory_object_get(object, handlers[i]).size > 0;
	if (answering > 1)
		return refuse(out_problem, ERR_CONFLICT, "voice_url",
			      "its calls go to one of a trunk, a URL and an application (NUM-008)");
	struct text number = directory_object_get(object, "e164");
	struct text code = directory_object_get(object, "country");
	unsigned country = country_of_number(number);
	bool is_shared = text_has_prefix(number, TEXT("+1")); // free numbers are of several
	if (country != COUNTRY_NONE && code.size > 0 && !is_shared &&
	    !text_is_equal(code, text_of(country_code(country)))) {
		directory_problem_set(out_problem, "country", "%.*s is a number of %s",
				      TEXT_FORMAT(number), country_name(country));
		return ERR_CONFLICT;
	}
	if (text_is_equal(directory_object_get(object, "country"), TEXT("JP")) &&
	    is_true(object, "sms"))
		return refuse(out_problem, ERR_CONFLICT, "sms",
			      "a Japanese number cannot have text messages (NUM-015)");
	return OK;
}

static void month_of(uint64_t wall_ms, char month[static DIRECTORY_MONTH_SIZE])
{
	char iso[25];
	clock_write_iso(wall_ms, iso);
	(void)text_copy((struct text){ iso, DIRECTORY_MONTH_SIZE - 1 }, month,
			DIRECTORY_MONTH_SIZE);
}

enum status directory_number_claim(struct directory_object *object, const char *month,
				   struct text node)
{
	char room[128];
	struct writer writer = writer_of(room, sizeof(room));
	writer_format(&writer, "%s %.*s ", month, TEXT_FORMAT(node));
	writer_text(&writer, directory_object_get(object, "account"));
	return directory_object_set(object, TEXT("metered"), writer_done(&writer), NULL);
}

// In the middle of the month, UTC: any clock and calendar counts it to that month.
static uint64_t middle_of(const char *month)
{
	uint64_t year = 0, nth = 0;
	struct text rest = text_of(month), word = text_split(&rest, '-');
	if (!text_to_unsigned(word, 9999, &year) || !text_to_unsigned(rest, 12, &nth) || nth == 0)
		return 0;
	// Days from 1970 to the first of a month (the civil calendar, from March on).
	uint64_t shifted = nth < 3 ? year - 1 : year, from_march = (nth + 9) % 12;
	uint64_t era = shifted / 400, of_era = shifted % 400;
	uint64_t day = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
		       (153 * from_march + 2) / 5 - 719468;
	return (day + 14) * 86400000ull;
}

bool directory_number_claimed(const struct directory_object *object,
			      struct directory_claim *out_claim)
{
	struct text rest = directory_object_get(object, "metered");
	struct text month = text_split(&rest, ' '), node = text_split(&rest, ' ');
	*out_claim = (struct directory_claim){ 0 };
	bool is_good = month.size > 0 && text_copy(month, out_claim->month, DIRECTORY_MONTH_SIZE) &&
		       text_copy(node, out_claim->node, sizeof(out_claim->node)) &&
		       text_copy(rest, out_claim->account_sid, sizeof(out_claim->account_sid));
	if (is_good)
		out_claim->month_ms = middle_of(out_claim->month);
	else
		*out_claim = (struct directory_claim){ 0 };
	return is_good && out_claim->month_ms > 0;
}

bool directory_number_bought(const struct directory_object *object,
			     char month[static DIRECTORY_MONTH_SIZE])
{
	uint64_t bought_s;
	if (!text_to_unsigned(directory_object_get(object, "bought_s"), UINT32_MAX * 20ull,
			      &bought_s))
		return false;
	month_of(bought_s * 1000, month);
	return true;
}

void directory_number_month_after(const char *month, char room[static DIRECTORY_MONTH_SIZE])
{
	uint64_t middle_ms = middle_of(month);
	month_of(middle_ms + 31 * 86400000ull, room);
}

enum status directory_number_note_purchase(struct directory_object *object, uint64_t wall_ms,
					   struct text node, struct directory_problem *out_problem)
{
	char room[24], month[DIRECTORY_MONTH_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	writer_unsigned(&writer, wall_ms / 1000);
	enum status status =
		directory_object_set(object, TEXT("bought_s"), writer_done(&writer), out_problem);
	month_of(wall_ms, month);
	return status == OK ? directory_number_claim(object, month, node) : status;
}
