#pragma once

// What has arrived on an open connection: message by message to the transport's user, pings answered.
// Runs on: control thread. Inside sip/transport only.

#include "sip/transport/connection.h"

struct evbuffer;

// Takes away what is whole. MORE: the rest is still to come, or the connection is doomed; REFUSE and
// ALIEN: nothing more of this stream can be read.
enum frame_verdict reader_run(struct connection *connection, struct evbuffer *input);
