// The file as a hash map. Runs on the source's thread; reading may take as long as it takes.

#include "cnam/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/map.h"

#define LINE_SIZE 512
#define ENTRIES_MAX 10000000

struct entry {
	struct map_node node;
	char number[17];
	char name[CNAM_NAME_SIZE];
};

struct cnam_table {
	const char *path;
	struct map entries;
	struct timespec changed;
	bool is_there;
};

static bool entry_is_equal(const struct map_node *node, const void *key)
{
	return text_is_equal(*(const struct text *)key,
			     text_of(map_entry(node, struct entry, node)->number));
}

static struct entry *find(const struct cnam_table *table, struct text number)
{
	struct map_node *node =
		map_find(&table->entries, map_hash(number), entry_is_equal, &number);
	return node ? map_entry(node, struct entry, node) : NULL;
}

static void empty(struct cnam_table *table)
{
	size_t bucket = 0;
	struct map_node *node = map_next(&table->entries, &bucket, NULL);
	while (node) {
		struct map_node *next = map_next(&table->entries, &bucket, node);
		free(map_entry(node, struct entry, node));
		node = next;
	}
	map_clear(&table->entries);
}

static bool is_number(struct text text)
{
	uint64_t digits;
	return text.size > 2 && text.size <= 16 && text.data[0] == '+' &&
	       text_to_unsigned(text_cut(text, 1), UINT64_MAX, &digits);
}

static bool add(struct cnam_table *table, struct text line)
{
	struct text number = text_trim(text_split(&line, ','));
	if (!is_number(number))
		return false;
	struct entry *entry = find(table, number);
	if (!entry && table->entries.count < ENTRIES_MAX) {
		entry = calloc(1, sizeof(*entry));
		if (entry && text_copy(number, entry->number, sizeof(entry->number)))
			map_add(&table->entries, &entry->node, map_hash(number));
	}
	if (entry)
		cnam_name_clean(line, entry->name);
	return entry != NULL;
}

static void read_file(struct cnam_table *table, FILE *file)
{
	char line[LINE_SIZE];
	int64_t wrong = 0;
	struct log_value count, skipped;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\r\n")] = 0;
		if (line[0] != 0 && line[0] != '#')
			wrong += !add(table, text_of(line));
	}
	log_event(wrong > 0 ? LOG_WARNING : LOG_INFO, "cnam_file_read", "file", table->path,
		  "names", log_number(&count, (int64_t)table->entries.count), "skipped",
		  log_number(&skipped, wrong), NULL);
}

struct cnam_table *cnam_table_create(const char *path)
{
	struct cnam_table *table = calloc(1, sizeof(*table));
	if (!table || !map_init(&table->entries, 1024)) {
		free(table);
		return NULL;
	}
	table->path = path;
	cnam_table_refresh(table);
	return table;
}

void cnam_table_destroy(struct cnam_table *table)
{
	if (table)
		empty(table);
	free(table);
}

void cnam_table_refresh(struct cnam_table *table)
{
	struct stat facts;
	FILE *file = NULL;
	bool is_there = stat(table->path, &facts) == 0;
	if (is_there && table->is_there &&
	    memcmp(&facts.st_mtim, &table->changed, sizeof(table->changed)) == 0)
		return;
	if (is_there)
		file = fopen(table->path, "re");
	if (!file) {
		if (table->is_there || table->changed.tv_sec == 0)
			log_event(LOG_ERROR, "cnam_file_missing", "file", table->path, NULL);
		table->is_there = false;
		table->changed.tv_sec = 1; // said once
		return;
	}
	table->is_there = true;
	table->changed = facts.st_mtim;
	empty(table);
	table->is_there = map_init(&table->entries, 1024);
	if (table->is_there)
		read_file(table, file);
	fclose(file);
}

bool cnam_table_find(const struct cnam_table *table, struct text number,
		     char room[static CNAM_NAME_SIZE])
{
	const struct entry *entry = table->is_there ? find(table, number) : NULL;
	room[0] = 0;
	if (entry)
		memcpy(room, entry->name, sizeof(entry->name));
	return table->is_there;
}
