#pragma once

// Where a request is meant to go, when strict routers stand between (RFC 3261 16.4).
// Runs on: control thread; pure.

#include "sip/message.h"

// A strict router puts our Record-Route URI into the Request-URI and moves the target to the end of Route:
// the target becomes that again.
void sip_route_settle(struct sip_message *request);
