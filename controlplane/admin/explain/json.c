// Explanations as JSON. Runs on the control thread; pure.

#include "admin/explain/explain.h"
#include "admin/json.h"

static json_t *steps_to_json(const struct explanation *explanation)
{
	json_t *steps = json_array();
	for (unsigned i = 0; i < explanation->step_count; i++) {
		const struct explain_step *step = &explanation->steps[i];
		json_t *object = json_object();
		admin_json_set(object, "result", json_string(explain_fate_text(step->fate)));
		admin_json_set(object, "check", json_string(step->name));
		admin_json_set(object, "text", json_string(step->text));
		admin_json_set(object, "detail", admin_json_string(step->detail));
		admin_json_set(object, "rows", json_string(step->rows));
		(void)json_array_append_new(steps, object);
	}
	return steps;
}

static json_t *targets_to_json(const struct explanation *explanation)
{
	json_t *targets = json_array();
	for (unsigned i = 0; i < explanation->target_count; i++) {
		const struct explain_target *target = &explanation->targets[i];
		const struct sip_target *place = &target->target.place;
		bool is_secure = target->target.security == MEDIA_SECURE;
		json_t *object = json_object();
		admin_json_set(object, "name", admin_json_string(target->target.name));
		admin_json_set(object, "host", admin_json_string(place->host));
		if (place->port != 0)
			admin_json_set(object, "port", admin_json_number(place->port));
		admin_json_set(object, "transport",
			       json_string(place->has_protocol ? sip_protocol_name(place->protocol)
							       : "auto"));
		admin_json_set(object, "priority", admin_json_number(target->priority));
		admin_json_set(object, "weight", admin_json_number(target->weight));
		admin_json_set(object, "media", json_string(is_secure ? "SRTP" : "RTP"));
		admin_json_set(object, "state", json_string(target->state));
		(void)json_array_append_new(targets, object);
	}
	return targets;
}

static void add_refusal(json_t *object, const struct refusal *refusal)
{
	const struct refusal_row *row = refusal_row(refusal->cause);
	admin_json_set(object, "cause", json_string(row->label));
	admin_json_set(object, "sip_status", admin_json_number(row->status));
	admin_json_set(object, "phrase", json_string(row->phrase));
	if (row->alert_code != 0)
		admin_json_set(object, "alert_code", admin_json_number(row->alert_code));
	admin_json_set(object, "header", admin_json_string(refusal->header));
	admin_json_set(object, "seen", admin_json_string(refusal->seen));
	admin_json_set(object, "expected", admin_json_string(refusal->expected));
	admin_json_set(object, "fix", json_string(row->fix));
}

json_t *admin_explain_to_json(const struct explanation *explanation,
			      const struct sip_message *invite)
{
	char outcome[96];
	struct writer writer = writer_of(outcome, sizeof(outcome));
	json_t *object = json_object();
	explain_write_outcome(explanation, &writer);
	admin_json_set(object, "outcome", json_string(writer_string_done(&writer)));
	admin_json_set(object, "direction",
		       json_string(call_direction_text(explanation->direction)));
	admin_json_set(object, "challenged", json_boolean(explanation->is_challenged));
	admin_json_set(object, "source", admin_json_address(&invite->flow.remote));
	admin_json_set(object, "transport", json_string(sip_protocol_name(invite->flow.protocol)));
	admin_json_set(object, "request_uri", admin_json_text(invite->target.whole));
	admin_json_set(object, "account", admin_json_string(explanation->account));
	admin_json_set(object, "trunk", admin_json_string(explanation->trunk));
	admin_json_set(object, "from", admin_json_string(explanation->caller_id));
	admin_json_set(object, "to", admin_json_string(explanation->called));
	if (explanation->fate == EXPLAIN_REFUSED)
		add_refusal(object, &explanation->refusal);
	admin_json_set(object, "steps", steps_to_json(explanation));
	if (explanation->target_count > 0)
		admin_json_set(object, "targets", targets_to_json(explanation));
	if (explanation->sdp[0])
		admin_json_set(object, "sdp", json_string(explanation->sdp));
	return object;
}
