#pragma once

// Parts of the story of a call that live and ended ones share.
// Runs on: control thread.

#include <jansson.h>
#include <stdint.h>

struct admin_context;

json_t *admin_past_ladder(const char *ladder); // text of history.h to [{ms, leg, direction, what}]
json_t *admin_past_alerts(const struct admin_context *context, const char *call_sid);
// Who, where, which trunk by name: NULL-safe; "" when the trunk is gone.
const char *admin_past_trunk_name(const struct admin_context *context, const char *trunk_sid);
json_t *admin_past_codec(uint8_t payload_type);
json_t *admin_past_loss_percent(uint64_t packets, uint64_t lost);
