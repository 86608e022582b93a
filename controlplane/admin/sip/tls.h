#pragma once

// What the node's status says of TLS.
// Runs on: control thread.

#include <jansson.h>
#include <stdint.h>

struct sip_tls;

json_t *admin_tls_status(const struct sip_tls *tls, int64_t now_s); // tls NULL: an empty one
