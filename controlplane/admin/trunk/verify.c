// "Test your trunk" (TRUNK-024): what to dial in each direction, and what would become of that call, by the
// checks that admit calls. trunkctl then watches for the call itself. Runs on the control thread.

#include "admin/explain/explain.h"
#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "base/clock.h"
#include "config/config.h"
#include "directory/directory.h"

struct verify {
	struct admin_request *request;
	const struct directory_object *trunk;
	struct text called; // what the customer's equipment shall dial
	struct text own; // a number of the trunk's; empty: it has none
};

static void refuse(struct admin_request *request, enum status status, const char *field,
		   const char *text, const char *hint)
{
	admin_request_refuse(
		request, &(struct admin_refusal){
				 .status = status, .field = field, .message = text, .hint = hint });
}

static bool is_set(const struct directory_object *object, const char *field)
{
	return text_is_equal(directory_object_get(object, field), TEXT("true"));
}

// Of what is not even asked about, as an explanation would tell it.
static json_t *write_fault(const char *outcome, const char *fix)
{
	json_t *json = json_object();
	admin_json_set(json, "outcome", json_string(outcome));
	admin_json_set(json, "fix", json_string(fix));
	return json;
}

static json_t *ask(const struct verify *verify, const struct explain_words *words, char *dial)
{
	struct explain_problem problem;
	json_t *json = admin_explain_words(verify->request, words, true, &problem);
	if (!json)
		json = write_fault("cannot be asked", problem.text);
	const char *outcome = json_string_value(json_object_get(json, "outcome"));
	admin_json_set(json, "dial", dial ? json_string(dial) : json_null());
	admin_json_set(json, "passes",
		       json_boolean(outcome && text_is_equal(text_of(outcome), TEXT("admitted"))));
	return json;
}

static json_t *termination(const struct verify *verify)
{
	char room[512];
	const struct admin_context *context = verify->request->context;
	bool is_secure = is_set(verify->trunk, "secure");
	struct text domain = directory_object_get(verify->trunk, "domain");
	struct explain_words words = {
		.trunk = text_of(verify->trunk->sid),
		.to = verify->called,
		.from = verify->own,
		.transport = is_secure ? TEXT("tls") : TEXT_NONE,
		.sdp = is_secure ? TEXT("srtp") : TEXT_NONE,
	};
	struct writer dial = writer_of(room, sizeof(room));
	writer_format(&dial, "sip:%.*s@%.*s.%s%s", TEXT_FORMAT(verify->called), TEXT_FORMAT(domain),
		      context->config->sip.base_domain, is_secure ? ";transport=tls" : "");
	if (domain.size == 0) {
		json_t *json = write_fault("no termination URI", "give the trunk a domain=");
		admin_json_set(json, "passes", json_false());
		return json;
	}
	return ask(verify, &words, (char *)writer_string_done(&dial));
}

// One by which we can ask: a carrier that is a name is known by addresses that DNS tells later.
static const struct carrier *find_carrier(const struct directory *directory, const char **out_fault)
{
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	unsigned count = directory_carriers(directory, carriers);
	for (unsigned i = 0; i < count; i++)
		if (carriers[i]->address.family != ADDRESS_NONE)
			return carriers[i];
	*out_fault = count > 0 ? "not asked: all carriers are names" : "no carrier is there";
	return NULL;
}

static json_t *origination(const struct verify *verify)
{
	char room[17] = "";
	const char *fault = "no number is associated with the trunk"; // TRUNK-013
	const struct carrier *carrier =
		verify->own.size > 0 ? find_carrier(verify->request->context->directory, &fault)
				     : NULL;
	(void)text_copy(verify->own, room, sizeof(room));
	if (!carrier) {
		json_t *json = write_fault(
			fault, verify->own.size > 0 ? "call the number, and watch with wait=60"
						    : "associate number NUMBER TRUNK");
		admin_json_set(json, "dial", room[0] ? json_string(room) : json_null());
		admin_json_set(json, "passes", json_false());
		return json;
	}
	struct explain_words words = { .carrier = text_of(carrier->sid), .to = verify->own };
	return ask(verify, &words, room);
}

void admin_trunk_verify(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	const struct directory_object *number;
	struct verify verify = { .request = request };
	verify.trunk = directory_find(context->directory, DIRECTORY_TRUNK, request->arguments[0]);
	if (!verify.trunk) {
		refuse(request, ERR_NOT_FOUND, NULL, "no trunk has this SID or unique name",
		       "show trunks lists them");
		return;
	}
	if (directory_referrers(context->directory, verify.trunk->sid, DIRECTORY_NUMBER, &number,
				1) > 0)
		verify.own = directory_object_get(number, "e164");
	verify.called = verify.own;
	if (request->argument_count > 1 && !text_has_prefix(request->arguments[1], TEXT("to="))) {
		refuse(request, ERR_MALFORMED, NULL, "not of the form to=NUMBER", NULL);
		return;
	}
	if (request->argument_count > 1)
		verify.called = text_cut(request->arguments[1], sizeof("to=") - 1);
	if (verify.called.size == 0) {
		refuse(request, ERR_MALFORMED, "to",
		       "missing: the trunk has no number of its own that could be called",
		       "test trunk TRUNK to=NUMBER");
		return;
	}
	json_t *result = json_object(), *test = json_object();
	admin_json_set(test, "sid", admin_json_string(verify.trunk->sid));
	admin_json_set(test, "now", admin_json_time(context->clock->wall_ms));
	admin_json_set(test, "termination", termination(&verify));
	admin_json_set(test, "origination", origination(&verify));
	admin_json_set(result, "test", test);
	admin_request_answer(request, result);
}
