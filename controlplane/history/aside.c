// Renames what cannot be read here, never opens or removes it, and says at each start that it is there.
// Runs on: control thread.

#include "history/aside.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define ASIDE_MAX 32
#define NAME_SIZE 600

static bool write_name(const char *file, unsigned number, char out_name[static NAME_SIZE])
{
	return snprintf(out_name, NAME_SIZE, "%s.aside-%u", file, number) < NAME_SIZE;
}

static bool is_there(const char *file, unsigned number)
{
	char name[NAME_SIZE];
	return write_name(file, number, name) && access(name, F_OK) == 0;
}

enum status history_aside_put(const char *file, unsigned waiting, const char *why)
{
	char name[NAME_SIZE];
	struct log_value records;
	unsigned number = 1;
	while (number <= ASIDE_MAX && is_there(file, number))
		number++;
	if (number > ASIDE_MAX)
		return ERR_CONFLICT;
	// link and unlink, as rename would replace what came there meanwhile
	if (!write_name(file, number, name) || link(file, name) < 0 || unlink(file) < 0) {
		log_event(LOG_ERROR, "history_spool_stays", "file", file, "problem",
			  strerror(errno), NULL);
		return ERR_SYSTEM;
	}
	log_event(LOG_ERROR, "history_spool_aside", "file", name, "records",
		  log_number(&records, waiting), "why", why, "hint",
		  "the version that wrote it has to take what it holds: docs/operations.md, "
		  "Upgrading",
		  NULL);
	return OK;
}

unsigned history_aside_count(const char *file)
{
	unsigned count = 0;
	for (unsigned i = 1; i <= ASIDE_MAX; i++)
		count += is_there(file, i);
	return count;
}
