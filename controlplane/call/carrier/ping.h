#pragma once

// One OPTIONS to a carrier: its address looked up, a few of them tried, until one answers.
// Runs on: control thread; never waits.

#include "call/target/offer.h"

// Told later, never inside ping_start. `seen` is what came, or why nothing did.
typedef void (*ping_done_fn)(void *context, bool is_up, const char *seen);

struct ping { // a field of who pings
	struct calls *calls;
	ping_done_fn done;
	void *context;
	bool is_running;
	struct target target;
	struct sip_lookup lookup;
	struct sip_hops hops;
	unsigned next_hop;
	struct sip_client *client; // of the OPTIONS on its way
	struct wheel_timer timer; // its start, when nothing has to be looked up
	char seen[96];
};

void ping_init(struct ping *ping, struct calls *calls, ping_done_fn done, void *context);
void ping_start(struct ping *ping, const struct carrier *carrier);
void ping_stop(struct ping *ping); // tells nothing more; harmless when it does not run
// Of the OPTIONS on its way.
void ping_response(struct ping *ping, const struct sip_message *response);
void ping_failed(struct ping *ping, enum sip_failure failure);
