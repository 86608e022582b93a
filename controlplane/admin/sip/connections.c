// The connections of TCP and TLS for the operator: who is at the other end, since when, and what was said.
// Runs on the control thread; reads memory only.

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "base/clock.h"
#include "sip/tls/tls.h"
#include "sip/transport.h"

#define LISTED_MAX 500 // writing them down takes a millisecond or two of the control thread

static uint64_t age_s(const struct admin_context *context, uint64_t since_ms)
{
	uint64_t now_ms = context->clock->now_ms;
	return now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0;
}

static void set_tls(json_t *object, const struct sip_connection_facts *facts)
{
	bool is_open = facts->flow.tls_version != 0;
	admin_json_set(object, "tls",
		       is_open ? json_string(sip_tls_version_text(facts->flow.tls_version))
			       : json_null());
	admin_json_set(object, "cipher",
		       facts->cipher != NULL ? json_string(facts->cipher) : json_null());
}

static json_t *connection_to_json(const struct admin_context *context,
				  const struct sip_connection_facts *facts)
{
	json_t *object = json_object();
	admin_json_set(object, "peer", admin_json_address(&facts->flow.remote));
	admin_json_set(object, "local", admin_json_address(&facts->flow.local));
	admin_json_set(object, "protocol", json_string(sip_protocol_name(facts->flow.protocol)));
	admin_json_set(object, "opened_by", json_string(facts->is_outgoing ? "us" : "peer"));
	admin_json_set(object, "state", json_string(facts->state));
	admin_json_set(object, "rank", json_string(facts->rank));
	admin_json_set(object, "age_s", admin_json_number(age_s(context, facts->since_ms)));
	admin_json_set(object, "heard_s",
		       facts->heard_ms > 0 ? admin_json_number(age_s(context, facts->heard_ms))
					   : json_null());
	admin_json_set(object, "received", admin_json_number(facts->received));
	admin_json_set(object, "sent", admin_json_number(facts->sent));
	admin_json_set(object, "waiting_bytes", admin_json_number(facts->queued));
	set_tls(object, facts);
	return object;
}

void admin_connections_list(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	json_t *array = json_array(), *result = json_object();
	struct sip_connection_facts facts;
	unsigned position = 0;
	uint64_t count = 0;
	if (context->transport != NULL)
		count = counter_get(&sip_transport_counters(context->transport)->connections);
	while (context->transport != NULL && json_array_size(array) < LISTED_MAX &&
	       sip_transport_next(context->transport, &position, &facts))
		(void)json_array_append_new(array, connection_to_json(context, &facts));
	admin_json_set(result, "count", admin_json_number(count));
	admin_json_set(result, "connections", array);
	admin_request_answer(request, result);
}
