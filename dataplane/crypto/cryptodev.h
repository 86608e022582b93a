#pragma once

// The engines over DPDK's crypto devices: drivers in software, which are started here, and QAT, a device
// of its own that answers later. One queue pair per worker.
// Runs on: as dataplane/crypto/engine.h says.

#include "dataplane/crypto/engine.h"

extern const struct crypto_engine crypto_cryptodev_aesni_mb;
extern const struct crypto_engine crypto_cryptodev_openssl;
extern const struct crypto_engine crypto_cryptodev_qat;
