// TLS of SIP for the operator: certificates and how long they last, what is offered, what became of
// handshakes. Runs on the control thread; reads memory only.

#include "admin/sip/tls.h"

#include <stdlib.h>
#include <string.h>

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "config/config.h"
#include "directory/directory.h"
#include "sip/tls/tls.h"

#define DAY_S 86400
#define WARN_DAYS 30

static uint64_t total(const struct counter *counters, unsigned count)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += counter_get(&counters[i]);
	return sum;
}

static int64_t days_left(int64_t not_after_s, int64_t now_s)
{
	return (not_after_s - now_s - (not_after_s < now_s ? DAY_S - 1 : 0)) / DAY_S;
}

static json_t *certificate_to_json(const struct sip_tls_certificate *certificate, int64_t now_s)
{
	json_t *object = json_object();
	admin_json_set(object, "certificate", admin_json_string(certificate->label));
	admin_json_set(object, "subject", admin_json_string(certificate->subject));
	admin_json_set(object, "names", admin_json_string(certificate->names));
	admin_json_set(object, "issuer", admin_json_string(certificate->issuer));
	admin_json_set(object, "key", admin_json_string(certificate->key_type));
	admin_json_set(object, "not_after",
		       admin_json_time((uint64_t)certificate->not_after_s * 1000));
	admin_json_set(object, "days_left",
		       json_integer(days_left(certificate->not_after_s, now_s)));
	admin_json_set(object, "default", json_boolean(certificate->is_default));
	admin_json_set(object, "file", admin_json_string(certificate->file));
	return object;
}

static json_t *handshakes_to_json(const struct sip_tls_counters *counters)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < sizeof counters->handshakes / sizeof counters->handshakes[0];
	     i++) {
		char key[16] = "tls_";
		text_copy_cut(text_of(sip_tls_version_text((uint16_t)(SIP_TLS_1_0 + i))), key + 4,
			      sizeof key - 4);
		admin_json_set(object, key,
			       admin_json_number(counter_get(&counters->handshakes[i])));
	}
	admin_json_set(object, "resumed", admin_json_number(counter_get(&counters->resumed)));
	return object;
}

static json_t *failures_to_json(const struct sip_tls_counters *counters)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < SIP_TLS_REASON_COUNT; i++)
		admin_json_set(object, sip_tls_reason_label(i),
			       admin_json_number(counter_get(&counters->failures[i])));
	return object;
}

static json_t *words_to_json(const char *words, char separator)
{
	json_t *array = json_array();
	struct text rest = text_of(words);
	while (rest.size > 0)
		(void)json_array_append_new(array, admin_json_text(text_split(&rest, separator)));
	return array;
}

// The first certificate that ends soon, in words; null: none.
static json_t *warning(const struct sip_tls *tls, int64_t now_s)
{
	const struct sip_tls_certificate *soonest = NULL;
	for (unsigned i = 0; i < sip_tls_certificate_count(tls); i++) {
		const struct sip_tls_certificate *certificate = sip_tls_certificate(tls, i);
		if (soonest == NULL || certificate->not_after_s < soonest->not_after_s)
			soonest = certificate;
	}
	if (soonest == NULL || soonest->not_after_s - now_s >= WARN_DAYS * DAY_S)
		return json_null();
	long long days = (long long)days_left(soonest->not_after_s, now_s);
	if (days < 0)
		return json_sprintf("certificate %s has expired: renew %s, then trunkctl reload",
				    soonest->label, soonest->file);
	return json_sprintf("certificate %s expires in %lld days: renew %s, then trunkctl reload",
			    soonest->label, days, soonest->file);
}

json_t *admin_tls_status(const struct sip_tls *tls, int64_t now_s)
{
	json_t *object = json_object();
	if (!tls)
		return object;
	const struct sip_tls_counters *counters = sip_tls_counters(tls);
	bool can_accept = sip_tls_can_accept(tls);
	admin_json_set(
		object, "listening",
		can_accept ? json_true()
			   : json_string("no: no certificate is configured (tls.rsa_certificate, "
					 "tls.ecdsa_certificate)"));
	admin_json_set(object, "certificates", admin_json_number(sip_tls_certificate_count(tls)));
	admin_json_set(object, "handshakes", admin_json_number(total(counters->handshakes, 4)));
	admin_json_set(object, "resumed", admin_json_number(counter_get(&counters->resumed)));
	admin_json_set(object, "failed",
		       admin_json_number(total(counters->failures, SIP_TLS_REASON_COUNT)));
	json_t *text = warning(tls, now_s);
	if (!json_is_null(text))
		admin_json_set(object, "warning", text);
	else
		json_decref(text);
	return object;
}

static json_t *versions_to_json(const struct admin_context *context)
{
	json_t *array = json_array();
	(void)json_array_append_new(array, json_string("1.2"));
	if (context->config && context->config->tls.tls13)
		(void)json_array_append_new(array, json_string("1.3"));
	if (context->directory && directory_allows_deprecated_tls(context->directory)) {
		(void)json_array_append_new(array, json_string("1.0 and 1.1 for accounts with "
							       "deprecated_tls"));
	}
	return array;
}

// The names that customers reach: without a certificate for them those who verify cannot call.
static json_t *coverage_to_json(const struct admin_context *context)
{
	char name[CONFIG_TEXT_SIZE + 2] = "*.";
	if (!context->config)
		return json_null();
	text_copy_cut(text_of(context->config->sip.base_domain), name + 2, sizeof name - 2);
	return json_sprintf("%s: %s", name,
			    sip_tls_covers(context->tls, text_of(name)) ? "yes" : "no");
}

void admin_tls_show(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	const struct sip_tls *tls = context->tls;
	int64_t now_s = (int64_t)(context->clock->wall_ms / 1000);
	json_t *result = json_object(), *certificates = json_array();
	for (unsigned i = 0; tls && i < sip_tls_certificate_count(tls); i++)
		(void)json_array_append_new(
			certificates, certificate_to_json(sip_tls_certificate(tls, i), now_s));
	admin_json_set(result, "certificates", certificates);
	if (tls) {
		admin_json_set(result, "covered", coverage_to_json(context));
		admin_json_set(result, "versions", versions_to_json(context));
		admin_json_set(result, "suites", words_to_json(sip_tls_suites(false), ':'));
		admin_json_set(result, "suites_1.3", words_to_json(sip_tls_suites(true), ':'));
		admin_json_set(result, "handshakes", handshakes_to_json(sip_tls_counters(tls)));
		admin_json_set(result, "failed", failures_to_json(sip_tls_counters(tls)));
	}
	admin_request_answer(request, result);
}

// TLS-013
void admin_tls_show_ca(struct admin_request *request)
{
	char *bundle = request->context->tls ? sip_tls_write_bundle(request->context->tls) : NULL;
	if (!bundle || bundle[0] == '\0') {
		struct admin_refusal refusal = { ERR_NOT_FOUND, NULL,
						 "nothing is known above our certificates",
						 "put issuers behind the certificate in its file, "
						 "or the root into tls.ca_file" };
		admin_request_refuse(request, &refusal);
		free(bundle);
		return;
	}
	json_t *result = json_object();
	admin_json_set(result, "pem", json_string(bundle));
	free(bundle);
	admin_request_answer(request, result);
}
