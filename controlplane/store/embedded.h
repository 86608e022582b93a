#pragma once

// The Redis of our own: a child on a private Unix socket, its append-only file in the state directory.
// It outlives a trunkd that is killed, on purpose: the next one finds it answering and adopts it. A lock
// that the child inherits keeps a second one off the same file.
// Runs on: control thread. Waits only in store_embedded_stop.

#include <stdbool.h>

#include "base/status.h"
#include "store/url.h"

struct event_base;
struct store_embedded;
struct store_options;

// Makes the directories, starts nothing.
enum status store_embedded_create(struct event_base *loop, const struct store_options *options,
				  struct store_embedded **out_embedded);
void store_embedded_destroy(struct store_embedded *embedded); // leaves the child alone
void store_embedded_url(const struct store_embedded *embedded, struct store_url *out_url);
// Starts it when none is known to live; ERR_BUSY: not yet, the last start was too short ago.
enum status store_embedded_ensure(struct store_embedded *embedded);
void store_embedded_adopt(struct store_embedded *embedded, int socket); // the one at its other end
void store_embedded_stop(struct store_embedded *embedded); // clean, up to 5 s
int store_embedded_pid(const struct store_embedded *embedded); // 0: none
