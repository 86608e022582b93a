// The known option that someone who wrote an unknown one may have meant.
// Runs on: any thread; pure. Never guesses in the loader's place: it only words a message.

#include "config/schema.h"

#define LONGEST 64

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

// Optimal string alignment: letters added, left out, changed, or swapped with their neighbour.
static unsigned edit_distance(struct text a, struct text b)
{
	unsigned rows[3][LONGEST + 1]; // the one being filled, and the two before it
	for (unsigned j = 0; j <= b.size; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a.size; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *before = rows[(i - 1) % 3];
		row[0] = i;
		for (unsigned j = 1; j <= b.size; j++) {
			unsigned changed = before[j - 1] + (a.data[i - 1] != b.data[j - 1]);
			row[j] = least(changed, least(before[j], row[j - 1]) + 1);
			bool is_swap = i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
				       a.data[i - 2] == b.data[j - 1];
			if (is_swap)
				row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[a.size % 3][b.size];
}

static struct text section_of(struct text path)
{
	return text_split(&path, '.');
}

static struct text name_of(struct text path)
{
	text_split(&path, '.');
	return path;
}

// Near is: at most a third of the letters differ, the right name in another section, or, for a
// section alone, the nearest section. Ties go to the row that stands first.
const char *config_option_nearest(struct text path)
{
	const char *nearest = NULL;
	unsigned nearest_distance = (unsigned)path.size / 3 + 1;
	if (path.size > LONGEST)
		return NULL;
	for (unsigned i = 0; i < config_option_count; i++) {
		struct text known = text_of(config_options[i].path);
		if (!text_find(path, '.'))
			known = section_of(known);
		unsigned distance = edit_distance(path, known);
		bool is_elsewhere =
			name_of(path).size > 0 && text_is_equal(name_of(path), name_of(known));
		if (is_elsewhere && distance > 1)
			distance = 1;
		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = config_options[i].path;
		}
	}
	return nearest;
}
