#pragma once

// Names from a file of lines NUMBER,NAME, read again when it has changed.
// Runs on: the thread of the source.

#include <stdbool.h>

#include "cnam/name.h"

struct cnam_table;

struct cnam_table *cnam_table_create(const char *path); // NULL: no memory. The path outlives it.
void cnam_table_destroy(struct cnam_table *table);
void cnam_table_refresh(struct cnam_table *table); // reads the file when it is another one
// False: there is no file. A number that is not in it has no name: "".
bool cnam_table_find(const struct cnam_table *table, struct text number,
		     char room[static CNAM_NAME_SIZE]);
