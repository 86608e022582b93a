#pragma once

// Which control thread a message belongs to, should one not be enough: its shard. Every name we make
// (branch, tag, Call-ID) begins with two hexadecimal digits that say it, so answers and requests in
// dialogs need no table; what has no name of ours yet goes by a hash that all its copies share.
// Runs on: any thread; pure. docs/decisions/sip-shards.md

#include <stddef.h>

#include "base/text.h"

#define SIP_SHARDS_MAX 64
#define SIP_SHARD_DIGITS 2

// Two digits of the shard, then so many octets of chance as hexadecimal digits.
void sip_shard_write(unsigned shard, size_t octets, struct writer *writer);
// Of a whole message as it came, seen before any parsing: a response by our branch, a request by our
// tag in To, else by Call-ID and From tag. Always below count (1 to SIP_SHARDS_MAX), also for garbage.
unsigned sip_shard_of(struct text octets, unsigned count);
