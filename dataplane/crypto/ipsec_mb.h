#pragma once

// The engine over intel-ipsec-mb, called directly: whole bursts at once, in this process.
// Runs on: as dataplane/crypto/engine.h says.

#include "dataplane/crypto/engine.h"

extern const struct crypto_engine crypto_ipsec_mb;
