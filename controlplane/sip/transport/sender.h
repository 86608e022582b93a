#pragma once

// What is to be sent on a connection: to the kernel at once, or kept within bounds.
// Runs on: control thread. Inside sip/transport only.

#include "sip/transport/connection.h"

bool sender_start(struct connections *connections); // false: no memory
void sender_stop(struct connections *connections);
// By TLS what is sent in one turn of the loop goes as one record, at the turn's end.
// Never closes the connection. ERR_BUSY: it is doomed for being read too slowly.
enum status sender_send(struct connection *connection, struct text octets);
void sender_flush(struct connection *connection); // now what waits for the turn's end
// At the turn's end: sends what is unsent, reads on, or hears that it is over.
void sender_await(struct connection *connection);
void sender_forget(struct connection *connection); // it is about to end: nothing waits any more
// Counts anew what its buffers hold. False: all who are not trusted hold too much, this one has to go.
bool sender_count(struct connection *connection);
