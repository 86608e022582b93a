#pragma once

// Which carriers are up, by pings where a carrier has them (options_ping_s): down after some misses in a
// row, up with the first answer. Those that are down get no calls while others are not.
// Runs on: control thread, but for call_carrier_metric.

#include "call/state.h"

struct health;

struct health *health_create(struct calls *calls);
void health_start(struct health *health); // once there are transactions
void health_stop(struct health *health); // before they end
void health_destroy(struct health *health); // NULL is harmless
// Takes those that are down out of a call's route, unless all are.
void health_filter(const struct health *health, struct route *route);
// Responses and failures of pings: false when the owner is none of them.
bool health_response(struct health *health, void *owner, const struct sip_message *response);
bool health_failed(struct health *health, void *owner, enum sip_failure failure);
