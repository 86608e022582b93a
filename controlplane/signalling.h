#pragma once

// The part of the control process that opens SIP's sockets.
// Runs on: control thread.

#include "base/status.h"
#include "sip/flow/home.h"

struct config;
struct control;

// Our ports, and all addresses that the configuration names as ours: it is asked whenever somebody names one.
void signalling_home(const struct config *config, struct sip_home *out_home);
enum status signalling_start(struct control *control);
void signalling_stop(struct control *control);
