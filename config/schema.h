#pragma once

// The table of options and what its columns mean. Private to config/.
// Runs on: any thread; constant.

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "config/config.h"

enum config_kind {
	CONFIG_WORD, // letters, digits, '.', '_', '-'
	CONFIG_DOMAIN, // a DNS name, RFC 1123 2.1
	CONFIG_LABEL, // of one
	CONFIG_PATH, // absolute
	CONFIG_NUMBER, // within min and max
	CONFIG_BOOLEAN,
	CONFIG_CHOICE, // one of a list of words; stored as its index
	CONFIG_ADDRESS_AND_PORT,
	CONFIG_DRIVER, // dataplane.port
	CONFIG_ENGINE, // dataplane.crypto
	CONFIG_URL, // redis.url
	CONFIG_LOOKUP_URL, // cnam.url
	CONFIG_LINK, // http or https
	CONFIG_MAIL_SERVER, // notify.mail_server
	CONFIG_MAILBOX, // an address of e-mail
	CONFIG_MAIL_USER, // a mailbox, or a word
	CONFIG_LIST_OF_ADDRESSES,
	CONFIG_LIST_OF_PLACES, // addresses, each with a port or without
	CONFIG_LIST_OF_PREFIXES,
	CONFIG_LIST_OF_LABELS,
	CONFIG_LIST_OF_NUMBERS,
	CONFIG_LIST_OF_CODES, // of SIP responses, or classes of them
	CONFIG_LIST_OF_COUNTRIES,
	CONFIG_LIST_OF_ACCOUNTS, // by SID
	CONFIG_KIND_COUNT,
};

struct config_option {
	const char *path; // "section.option"
	enum config_kind kind;
	const char *unit; // of a number; "" when it is a count
	unsigned min, max; // of a number or of each number of a list; of a list otherwise: items
	const char *choices; // words with a space between
	const char *initial; // the default as it would stand in the file; NULL: must be given.
		// "{section.option}" at its start stands for an option above it. Of a list: words.
	bool is_live;
	size_t offset, size; // of the field in struct config
	// Of a section that is a list of sections: from one to the next, 0: it is none; and how many there
	// are. Offset and default are the first one's.
	size_t stride, count_offset;
	const char *sentence;
};

extern const struct config_option config_options[];
extern const unsigned config_option_count;

// The row's place in the file being read, for messages. Line 0: not given in the file.
#define CONFIG_OPTION_MAX 192
struct config_source {
	const char *file;
	unsigned lines[CONFIG_OPTION_MAX];
	unsigned edge_lines[CONFIG_EDGES_MAX]; // where each edge begins
};

int config_option_index(struct text path); // -1: none
// Of the nth section where the option's is a list of them, else of the first.
void *config_option_field(struct config *config, const struct config_option *option, unsigned nth);
unsigned config_option_places(const struct config_option *option); // how many fields it is
unsigned config_option_line(const struct config_source *source, const char *path);
// The known path nearest to a wrong one; NULL when nothing is near.
const char *config_option_nearest(struct text path);

// A wrong value has its noun: "a number", "a path"; what it may be instead comes from write_allowed.
const char *config_value_noun(const struct config_option *option);
// "text" becomes the value of a field; false: it is no such value. For lists: one item is added.
bool config_value_parse(const struct config_option *option, struct text text, void *field);
bool config_value_is_list(const struct config_option *option);
bool config_value_is_full(const struct config_option *option, const void *field); // lists only
// What a value may be, for messages and the reference page.
void config_value_write_allowed(const struct config_option *option, struct writer *writer);

// One message; `option` may be NULL when there is none to name.
void config_problem(struct config_problems *problems, const char *file, unsigned line,
		    const char *option, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
// Rules that look at more than one option.
void config_check(const struct config *config, const struct config_source *source,
		  struct config_problems *problems);
