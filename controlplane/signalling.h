#pragma once

// The part of the control process that opens SIP's sockets.
// Runs on: control thread.

#include "base/status.h"
#include "sip/flow.h"

struct config;
struct control;

// By which port of ours each transport is spoken; 0: it is not.
void signalling_ports(const struct config *config, uint16_t out_ports[static SIP_PROTOCOL_COUNT]);
enum status signalling_start(struct control *control);
void signalling_stop(struct control *control);
