#pragma once

// The engine over libsrtp2: slow, and it allocates for every packet, but it runs wherever the library
// does. It gets master keys and derives from them itself.
// Runs on: as dataplane/crypto/engine.h says.

#include "dataplane/crypto/engine.h"

extern const struct crypto_engine crypto_libsrtp;
