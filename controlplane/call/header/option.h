#pragma once

// Option tags a request demands, and those we have (RFC 3261 8.2.2.3, 16.3).
// Runs on: control thread; pure.

#include <stdbool.h>

#include "base/text.h"
#include "sip/message.h"

// Writes the tags of Require and Proxy-Require that trunkd does not have, "a, b", those of them that there is
// room for; false: it has all.
bool option_write_missing(const struct sip_message *request, struct writer *writer);
