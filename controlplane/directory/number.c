// Rules of one number by itself. Runs on the control thread; pure.

#include "directory/number.h"

#include "directory/object.h"

static void clear(struct directory_object *object, struct text field)
{
	enum status status = directory_object_set(object, field, TEXT_NONE, NULL);
	(void)status; // an empty value is always taken
}

void directory_number_settle(struct directory_object *object, struct text field)
{
	if (object->kind != DIRECTORY_NUMBER)
		return;
	if (text_is_same(field, TEXT("trunk")) && directory_object_get(object, "trunk").size > 0)
		clear(object, TEXT("voice_url"));
	if (text_is_same(field, TEXT("voice_url")) &&
	    directory_object_get(object, "voice_url").size > 0)
		clear(object, TEXT("trunk"));
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

enum status directory_number_check(const struct directory_object *object,
				   struct directory_problem *out_problem)
{
	static const char *const of_owners[] = { "trunk", "voice_url", "name" };
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
	if (url.size > 0 && directory_object_get(object, "trunk").size > 0)
		return refuse(out_problem, ERR_CONFLICT, "voice_url",
			      "its calls go to a trunk or to a URL, not to both (NUM-008)");
	if (text_is_equal(directory_object_get(object, "country"), TEXT("JP")) &&
	    is_true(object, "sms"))
		return refuse(out_problem, ERR_CONFLICT, "sms",
			      "a Japanese number cannot have text messages (NUM-015)");
	return OK;
}
