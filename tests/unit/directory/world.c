// Short ways to make objects; anything unexpected fails the test.
// Runs on: the thread of the test.

#include "tests/unit/directory/world.h"

#include <string.h>

#include "tests/check.h"

void world_set(struct directory_object *object, const char *field, const char *value)
{
	struct directory_problem problem = { 0 };
	if (directory_object_set(object, text_of(field), text_of(value), &problem) != OK)
		fail_msg("%s=%s: %s", field, value, problem.text);
}

struct directory_object *world_make(enum directory_kind kind, ...)
{
	struct directory_object *object = directory_object_create(kind);
	assert_non_null(object);
	va_list pairs;
	va_start(pairs, kind);
	for (;;) {
		const char *field = va_arg(pairs, const char *);
		const char *value = field ? va_arg(pairs, const char *) : NULL;
		if (!field)
			break;
		world_set(object, field, value);
	}
	va_end(pairs);
	return object;
}

void world_add(struct directory *directory, struct directory_object *object, char out_sid[35])
{
	struct directory_problem problem = { 0 };
	if (out_sid)
		memcpy(out_sid, object->sid, sizeof(object->sid));
	if (directory_check(directory, object, true, &problem) != OK)
		fail_msg("%s: %s", problem.field, problem.text);
	CHECK_OK(directory_put(directory, object));
}

struct address world_address(const char *text)
{
	struct address address = { 0 };
	CHECK_TRUE(address_parse(text_of(text), &address));
	return address;
}
