#pragma once

// What kinds of object there are and what fields each has: one row per kind, one row per field. The
// operator's commands, the checks, the records in the store and the reference pages follow from it.
// Runs on: any thread; constant.

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define DIRECTORY_SOURCES_MAX 16 // of a carrier

enum directory_kind {
	DIRECTORY_ACCOUNT,
	DIRECTORY_TRUNK,
	DIRECTORY_ACL,
	DIRECTORY_ACL_ADDRESS,
	DIRECTORY_CREDENTIAL_LIST,
	DIRECTORY_CREDENTIAL,
	DIRECTORY_NUMBER,
	DIRECTORY_CARRIER,
	DIRECTORY_ORIGINATION_URI,
	DIRECTORY_TRIGGER,
	DIRECTORY_CALLER_ID,
	DIRECTORY_BLOCKED_NUMBER,
	DIRECTORY_ROUTE,
	DIRECTORY_KIND_COUNT
};

enum directory_type {
	DIRECTORY_TEXT,
	DIRECTORY_LABEL, // of a domain name
	DIRECTORY_E164, // TERM-018; with a max: what such numbers begin with, "+" alone too
	DIRECTORY_BOOL,
	DIRECTORY_UNSIGNED,
	DIRECTORY_PREFIX, // IP address or prefix
	DIRECTORY_PREFIXES, // several, separated by spaces
	DIRECTORY_HOST, // IP address or host name, with optional port
	DIRECTORY_CHOICE, // one of `choices`
	DIRECTORY_REFERENCE, // SID of one object of `refers_to`
	DIRECTORY_REFERENCES, // several, separated by spaces
	DIRECTORY_HEX, // derived, never shown: the hash of a password
	DIRECTORY_USER, // a text fit for a digest's user name
	DIRECTORY_COUNTRY, // ISO 3166-1 alpha-2, two letters
	DIRECTORY_PATH, // absolute, of a file that each node has
	DIRECTORY_SIP_URI, // of origination (directory/origination/origination.h)
	DIRECTORY_CODES, // of alerts, separated by spaces, or "all"
	DIRECTORY_URL, // http or https
	DIRECTORY_MAIL, // an address of e-mail
	DIRECTORY_COUNTRIES, // codes of countries (base/country/country.h), separated by spaces, or "all"
};

// Of a trunk's settings (TRUNK-002); other kinds have but the first.
enum directory_group {
	DIRECTORY_GENERAL,
	DIRECTORY_TERMINATION,
	DIRECTORY_ORIGINATION,
	DIRECTORY_NUMBERS,
	DIRECTORY_GROUP_COUNT
};

struct directory_field {
	const char *name;
	enum directory_type type;
	bool is_required, is_unique; // unique among all objects of the kind
	bool is_hidden; // never leaves the process but to the store (AUTH-019)
	bool is_fixed; // cannot be changed later
	bool is_derived; // shown, but set by commands of its own
	bool is_released; // cleared when its target is removed (TRUNK-009), else blocks that
	const char *scope; // is_unique only among objects with the same value of this field
	uint64_t min, max; // of a number, of a text's length, of how many references
	const char *choices; // words with ", " between; of a choice
	const char *fallback; // value when not given; NULL: none
	enum directory_kind refers_to;
	enum directory_group group;
	const char *text; // one sentence
};

struct directory_schema {
	const char *name; // "trunk", as in commands
	const char *plural; // "trunks"
	const char prefix[3]; // of SIDs
	const struct directory_field *fields;
	unsigned field_count;
	const char *text;
};

const struct directory_schema *directory_schema(enum directory_kind kind);
// By name or plural; DIRECTORY_KIND_COUNT when there is none.
enum directory_kind directory_kind_of(struct text name);
// By the two letters a SID starts with; DIRECTORY_KIND_COUNT when it is not a well-formed SID.
enum directory_kind directory_kind_of_sid(struct text sid);
// The row of a field, or field_count when there is none.
unsigned directory_field_index(const struct directory_schema *schema, struct text name);
