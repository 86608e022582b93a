#pragma once

// Starts trunkd-dataplane, which needs root, also after trunkd has given root up: a small process
// forked at the start waits for the one order it knows.
// Runs on: control thread.

#include "base/status.h"

struct dataplane_config;
struct launcher;
struct media_config;

// user_id: who trunkd will be, whom the dataplane must let attach; 0: root.
enum status launcher_start(unsigned user_id, const struct dataplane_config *dataplane,
			   const struct media_config *media, struct launcher **out_launcher);
// Orders one dataplane; it runs in a session of its own and outlives us.
enum status launcher_order(struct launcher *launcher);
void launcher_stop(struct launcher *launcher); // the dataplane stays
