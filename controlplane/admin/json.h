#pragma once

// JSON of what the network and the directory hold: texts are made valid, times readable.
// Runs on: control thread.

#include <jansson.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"

bool admin_json_is_utf8(struct text text); // RFC 3629, no control characters but tab
json_t *admin_json_text(struct text text); // strange octets become "?"
json_t *admin_json_string(const char *string);
json_t *admin_json_address(const struct address *address); // null when there is none
json_t *admin_json_time(uint64_t wall_ms); // ISO 8601, null when 0
json_t *admin_json_seconds(uint64_t from_ms, uint64_t to_ms); // null when either is 0
json_t *admin_json_number(uint64_t value);
void admin_json_set(json_t *object, const char *key,
		    json_t *value); // takes value; never fails loudly
