#pragma once

// Parts of the story of a call that live and ended ones share.
// Runs on: control thread.

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "call/catalogue/catalogue.h"

struct admin_context;
struct admin_request;
struct history_alert;
struct history_call;
struct history_filter;

json_t *admin_past_ladder(const char *ladder); // text of history.h to [{ms, leg, direction, what}]
json_t *admin_past_alerts(const struct admin_context *context, const char *call_sid);
// Who, where, which trunk by name: NULL-safe; "" when the trunk is gone.
const char *admin_past_trunk_name(const struct admin_context *context, const char *trunk_sid);
json_t *admin_past_codec(uint8_t payload_type);
json_t *admin_past_loss_percent(uint64_t packets, uint64_t lost);
// "0.012300", exact; null: there is no price.
json_t *admin_past_price(uint64_t micro, bool is_priced);
json_t *admin_past_story(const struct admin_context *context, const struct history_call *call);
// calls.c: the same of a call that is up; NULL: there is none of this SID.
json_t *admin_calls_story(const struct admin_context *context, struct text sid);
json_t *admin_past_alert(const struct admin_context *context, const struct history_alert *alert);
// code.c: everything the catalogue tells of a code, NULL when there is none; the link to its page, or null.
json_t *admin_past_code(const struct admin_context *context, uint32_t code,
			enum catalogue_language language);
json_t *admin_past_more_info(const struct admin_context *context, uint32_t code);
void admin_past_refuse(struct admin_request *request, enum status status); // of a search
// What a search is for, of the words of the request; `usual_max` rows when it does not say how many.
// False: it is refused already, as there is no history or a word of it is wrong.
bool admin_past_begin(struct admin_request *request, const char *allowed, unsigned usual_max,
		      struct history_filter *out_filter);
