#pragma once

// What is to be sent on a connection: to the kernel at once, or kept within bounds.
// Runs on: control thread. Inside sip/transport only.

#include "sip/transport/connection.h"

// Never closes the connection. ERR_BUSY: it is doomed for being read too slowly.
enum status sender_send(struct connection *connection, struct text octets);
// Counts anew what its buffers hold. False: all who are not trusted hold too much, this one has to go.
bool sender_count(struct connection *connection);
