#pragma once

// What an engine must do right before it is believed: a known packet of every suite, both ways, and a
// forged one refused. Runs on: main, at the start, before the workers.

#include <stdbool.h>

#include "dataplane/crypto/engine.h"

// Uses the contexts of stream 0, and leaves none behind.
bool crypto_proof_holds(struct crypto_worker *worker, const struct crypto_engine *engine);
