// Cells of a CSV file and the columns they stand in. Runs on any thread; pure.

#include <string.h>

#include "admin/numbers/import.h"
#include "directory/object.h"

bool admin_cell_take(struct text *rest, char room[static ADMIN_CELL_SIZE])
{
	struct writer writer = writer_of(room, ADMIN_CELL_SIZE);
	*rest = text_trim(*rest);
	if (rest->size == 0 || rest->data[0] != '"') {
		writer_text(&writer, text_trim(text_split(rest, ',')));
		return writer_string_done(&writer) != NULL;
	}
	*rest = text_cut(*rest, 1);
	for (;;) {
		if (!text_find(*rest, '"'))
			return false;
		writer_text(&writer, text_split(rest, '"'));
		if (rest->size == 0 || rest->data[0] != '"')
			break;
		writer_char(&writer, '"');
		*rest = text_cut(*rest, 1);
	}
	return text_trim(text_split(rest, ',')).size == 0 && writer_string_done(&writer) != NULL;
}

// "voice;sms", also with spaces, bars or slashes between.
static const char *set_capabilities(struct directory_object *object, struct text value,
				    struct directory_problem *problem)
{
	static const char *const names[] = { "voice", "sms", "mms" };
	bool has[3] = { false };
	while (value.size > 0) {
		size_t size = 0;
		while (size < value.size && !strchr(";|/ ", value.data[size]))
			size++;
		struct text word = { value.data, size };
		value = text_cut(value, size < value.size ? size + 1 : size);
		unsigned i = 0;
		while (i < 3 && !text_is_same(word, text_of(names[i])))
			i++;
		if (i == 3 && word.size > 0)
			return "is not known; allowed: voice, sms, mms, with semicolons between";
		if (i < 3)
			has[i] = true;
	}
	for (unsigned i = 0; i < 3; i++)
		if (directory_object_set(object, text_of(names[i]),
					 has[i] ? TEXT("true") : TEXT("false"), problem) != OK)
			return problem->text;
	return NULL;
}

// "1.15": millionths are 1150000.
static const char *set_price(struct directory_object *object, struct text value,
			     struct directory_problem *problem)
{
	struct text fraction = value, whole = text_split(&fraction, '.');
	uint64_t units = 0, micro = 0;
	char room[24];
	struct writer writer = writer_of(room, sizeof(room));
	bool is_good = text_to_unsigned(whole, 1000000, &units) && fraction.size <= 6 &&
		       (fraction.size == 0 || text_to_unsigned(fraction, 999999, &micro));
	if (!is_good)
		return "is no price; allowed: 0 to 1000000 with up to six decimals, like 1.15";
	for (size_t i = fraction.size; i < 6; i++)
		micro *= 10;
	writer_unsigned(&writer, units * 1000000 + micro);
	return directory_object_set(object, TEXT("price_micro"), writer_done(&writer), problem) ==
			       OK
		       ? NULL
		       : problem->text;
}

static const struct {
	const char *name, *field; // of the file, of the object
	const char *(*set)(struct directory_object *object, struct text value,
			   struct directory_problem *problem); // NULL: as it stands
} columns[] = {
	{ "e164", "e164", NULL },
	{ "country", "country", NULL },
	{ "type", "type", NULL },
	{ "capabilities", NULL, set_capabilities },
	{ "monthly_price", NULL, set_price },
	{ "voice", "voice", NULL },
	{ "sms", "sms", NULL },
	{ "mms", "mms", NULL },
	{ "price_micro", "price_micro", NULL },
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static unsigned find(struct text name)
{
	unsigned i = 0;
	while (i < COLUMN_COUNT && !text_is_same(name, text_of(columns[i].name)))
		i++;
	return i;
}

const char *admin_cell_column(struct text name)
{
	unsigned i = find(name);
	return i < COLUMN_COUNT ? columns[i].name : NULL;
}

const char *admin_cell_set(struct directory_object *object, const char *column, struct text value,
			   struct directory_problem *problem)
{
	unsigned i = find(text_of(column));
	if (i == COLUMN_COUNT || value.size == 0)
		return NULL; // an empty cell is the default
	if (columns[i].set)
		return columns[i].set(object, value, problem);
	return directory_object_set(object, text_of(columns[i].field), value, problem) == OK
		       ? NULL
		       : problem->text;
}
