#pragma once

// Until when a connection may wait for what it waits for: to be connected, for a handshake, for the
// rest of a message, for its peer to read, for anything at all.
// Runs on: control thread. Inside sip/transport only; pure.

#include "sip/transport/connection.h"

// By the clock of its table; and why it is closed then.
uint64_t deadline_of(const struct connection *connection, enum sip_close *out_reason);
