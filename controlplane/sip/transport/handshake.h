#pragma once

// When the handshakes of TLS may happen: each costs the control thread a quarter of a millisecond or
// more, and a stranger can ask for as many as he likes.
// Runs on: control thread. Inside sip/transport only.

#include <stdbool.h>

#include "sip/transport/connection.h"

struct connections;

bool handshake_start(struct connections *connections); // false: no memory
void handshake_stop(struct connections *connections); // when no connection is left
// An accepted connection costs no more than its socket until all of the client's first record is
// there; then it waits for its turn. False: no memory.
bool handshake_expect(struct connection *connection);
// A connection that we opened, at once. False: it cannot begin.
bool handshake_begin(struct connection *connection);
void handshake_done(struct connection *connection); // it is open
void handshake_forget(struct connection *connection); // it needs no turn any more
