#pragma once

// Which dialog a new call takes the place of (RFC 3891): the value of a Replaces header, or of one
// escaped in a Refer-To URI.
// Runs on: control thread.

#include <stdbool.h>

#include "base/text.h"

#define REPLACES_SIZE 512

struct calls;
struct leg;

struct replaces {
	struct text call_id, to_tag, from_tag; // in room
	bool is_early_only;
	char room[REPLACES_SIZE];
};

// False: malformed, too long, or a tag is missing.
bool replaces_parse(struct text value, struct replaces *out_replaces);
// "a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2"
bool replaces_parse_escaped(struct text value, struct replaces *out_replaces);
// The leg of a call that has this dialog; NULL: none. Its tags are ours to guess for nobody.
struct leg *replaces_find(const struct calls *calls, const struct replaces *replaces);
