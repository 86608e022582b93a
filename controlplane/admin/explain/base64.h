#pragma once

// Octets that go through a line of words (RFC 4648 4).
// Runs on: any thread; pure.

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

// False: not base64, or more than the room takes.
bool admin_base64_read(struct text text, char *room, size_t room_size, size_t *out_size);
