// The texts and protocol codes of every status, from the one table in the header.
// Runs on: any thread; pure. Never add a mapping elsewhere.

#include "base/status.h"

#include <stddef.h>

struct row {
	const char *name;
	const char *text;
	unsigned short sip;
	unsigned short http;
};

#define STATUS_ROW(name, text, sip, http) [name] = { #name, text, sip, http },
static const struct row rows[STATUS_COUNT] = { STATUS_LIST(STATUS_ROW) };
#undef STATUS_ROW

// A number that is no status can only come from a programming error; it reads as one.
static const struct row *row_of(enum status status)
{
	return (size_t)status < STATUS_COUNT ? &rows[status] : &rows[ERR_SYSTEM];
}

const char *status_name(enum status status)
{
	return row_of(status)->name;
}

const char *status_text(enum status status)
{
	return row_of(status)->text;
}

unsigned status_sip(enum status status)
{
	return row_of(status)->sip;
}

unsigned status_http(enum status status)
{
	return row_of(status)->http;
}
