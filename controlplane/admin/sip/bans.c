// Who is kept out of SIP: the list, and the operator's word about it (LIMIT-013). Runs on the control
// thread.

#include <string.h>

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "base/log.h"
#include "sip/guard/guard.h"

#define BAN_DEFAULT_S 3600
#define BAN_MAX_S 31536000
#define BANS_SHOWN 1000

#define SLASH_64 "/64"

// Of IPv6 a whole /64 is meant, and so it is shown.
static json_t *source_to_json(const struct address *address)
{
	char room[ADDRESS_TEXT_SIZE];
	struct address network = *address;
	if (address->family != ADDRESS_IPV6)
		return admin_json_address(address);
	memset(network.octets + 8, 0, 8);
	return json_sprintf("%s" SLASH_64, address_string(&network, room));
}

static json_t *ban_to_json(const struct admin_context *context,
			   const struct sip_guard_ban_facts *facts)
{
	json_t *object = json_object();
	uint64_t now_ms = context->clock->wall_ms;
	uint64_t left_ms = facts->until_ms > now_ms ? facts->until_ms - now_ms : 0;
	admin_json_set(object, "address", source_to_json(&facts->address));
	admin_json_set(object, "cause", json_string(sip_guard_cause_label(facts->cause)));
	admin_json_set(object, "host", facts->host ? admin_json_string(facts->host) : json_null());
	admin_json_set(object, "since", admin_json_time(facts->since_ms));
	admin_json_set(object, "until", admin_json_time(facts->until_ms));
	admin_json_set(object, "left_s", admin_json_number(left_ms / 1000));
	admin_json_set(object, "times", admin_json_number(facts->strikes));
	admin_json_set(object, "dropped", admin_json_number(facts->dropped));
	admin_json_set(object, "holds_for", json_string(facts->is_udp_only ? "UDP" : "all"));
	admin_json_set(object, "why", json_string(sip_guard_cause_text(facts->cause)));
	return object;
}

void admin_bans_list(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	struct sip_guard_ban_facts facts;
	json_t *array = json_array(), *result = json_object();
	uint64_t at = 0, count = 0;
	while (context->guard && sip_guard_ban_next(context->guard, &at, &facts)) {
		if (++count <= BANS_SHOWN)
			(void)json_array_append_new(array, ban_to_json(context, &facts));
	}
	admin_json_set(result, "bans", array);
	if (count > BANS_SHOWN)
		admin_json_set(
			result, "warnings",
			json_pack("[o]", json_sprintf("%llu more bans are not shown",
						      (unsigned long long)(count - BANS_SHOWN))));
	admin_request_answer(request, result);
}

static void refuse(struct admin_request *request, enum status status, const char *field,
		   const char *message, const char *hint)
{
	struct admin_refusal refusal = { status, field, message, hint };
	admin_request_refuse(request, &refusal);
}

// False: refused already.
static bool take_address(struct admin_request *request, struct address *out_address)
{
	if (!request->context->guard) {
		refuse(request, ERR_UNAVAILABLE, NULL, "SIP is not up yet",
		       "see trunkctl status and the log");
		return false;
	}
	struct text word = request->arguments[0];
	bool is_network = text_has_suffix_same(word, TEXT(SLASH_64));
	if (is_network)
		word.size -= sizeof SLASH_64 - 1;
	if (address_parse(word, out_address) &&
	    (!is_network || out_address->family == ADDRESS_IPV6))
		return true;
	refuse(request, ERR_MALFORMED, "ADDRESS", "not an IP address",
	       "allowed: like 203.0.113.5, or 2001:db8::1, which stands for its /64, as does "
	       "2001:db8::/64");
	return false;
}

static void log_operator(const struct admin_request *request, const char *event)
{
	struct log_value address, user;
	log_event(LOG_INFO, event, "address", log_text(&address, request->arguments[0]), "user",
		  log_number(&user, request->peer.user), NULL);
}

void admin_bans_add(struct admin_request *request)
{
	struct address address;
	uint64_t seconds = BAN_DEFAULT_S;
	if (!take_address(request, &address))
		return;
	if (request->argument_count == 2 &&
	    (!text_to_unsigned(request->arguments[1], BAN_MAX_S, &seconds) || seconds == 0)) {
		refuse(request, ERR_MALFORMED, "SECONDS", "not a time",
		       "allowed: 1 to 31536000 seconds");
		return;
	}
	if (sip_guard_ban_set(request->context->guard, &address, seconds * 1000) != OK) {
		refuse(request, ERR_LIMIT, "ADDRESS",
		       "no room between bans of the operator that last longer",
		       "lift some: trunkctl show bans, trunkctl unban");
		return;
	}
	log_operator(request, "ban_ordered");
	json_t *result = json_object();
	admin_json_set(result, "banned", source_to_json(&address));
	admin_json_set(result, "seconds", admin_json_number(seconds));
	admin_request_answer(request, result);
}

void admin_bans_lift(struct admin_request *request)
{
	struct address address;
	bool is_all = text_is_equal(request->arguments[0], TEXT("all"));
	if (!is_all && !take_address(request, &address))
		return;
	unsigned lifted = 0;
	if (request->context->guard)
		lifted = sip_guard_ban_lift(request->context->guard, is_all ? NULL : &address);
	if (lifted == 0 && !is_all) {
		refuse(request, ERR_NOT_FOUND, "ADDRESS", "not banned", "see trunkctl show bans");
		return;
	}
	log_operator(request, "ban_lifted");
	json_t *result = json_object();
	admin_json_set(result, "lifted", admin_json_number(lifted));
	admin_request_answer(request, result);
}
