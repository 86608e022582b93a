#pragma once

// The library's way to a socket. Private to sip/tls/.
// Runs on: control thread.

#include <openssl/ssl.h>
#include <stdbool.h>

struct tls_wires;

struct tls_wires *tls_wires_create(void); // NULL: no memory
void tls_wires_release(struct tls_wires *wires); // by its owner; those who are attached go on
// The socket stays its owner's. False: no memory.
bool tls_wires_attach(struct tls_wires *wires, SSL *ssl, int fd);
