#pragma once

// The kernel's side of a connection.
// Runs on: control thread. Inside sip/transport only; never blocks.

#include "base/status.h"
#include "sip/flow.h"

void socket_set_options(int fd); // of a listener: those it accepts inherit them
// Begins to connect from the flow's local host to its remote address: writable when that is done.
enum status socket_connect(const struct sip_flow *flow, int *out_fd);
int socket_error(int fd); // errno of a connect that is done; 0: it is connected
void socket_abort(int fd); // closing it will leave nothing behind in the kernel
