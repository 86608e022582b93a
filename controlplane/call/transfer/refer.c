// What a REFER asks for. Runs on the control thread; pure: whether it may be done is asked elsewhere.

#include "call/transfer/refer.h"

#include "sip/message_uri.h"
#include "sip/value.h"

#define EXPECTED "one URI to be called: sip, sips or tel"

static enum refusal_cause refuse(struct refusal *refusal, const char *header, struct text seen,
				 const char *expected)
{
	return refusal_set(refusal, REFUSED_REFER_TO, header,
			   seen.data != NULL ? seen : TEXT("nothing"), expected);
}

// Exactly one header with exactly one value. NONE and false: there is none.
static bool take_only(const struct sip_message *request, const char *name, struct text *out_value)
{
	struct text value = sip_message_header(request, name, 0), rest = value;
	*out_value = value;
	if (value.data == NULL || sip_message_header(request, name, 1).data != NULL)
		return false;
	(void)sip_value_list(&rest);
	return rest.data == NULL;
}

static bool is_callable(const struct sip_uri *uri)
{
	return text_is_same(uri->scheme, TEXT("sip")) || text_is_same(uri->scheme, TEXT("sips")) ||
	       text_is_same(uri->scheme, TEXT("tel"));
}

// "?Replaces=…&X=…": false when a Replaces is not one, or not the only one.
static bool take_headers(struct text headers, struct refer *refer)
{
	while (headers.size > 0) {
		struct text value = text_split(&headers, '&');
		struct text name = text_split(&value, '=');
		if (!text_is_same(name, TEXT("Replaces")))
			continue;
		if (refer->has_replaces || !replaces_parse_escaped(value, &refer->replaces))
			return false;
		refer->has_replaces = true;
	}
	return true;
}

static bool is_invited(const struct sip_uri *uri)
{
	bool has_method;
	struct text method = sip_uri_parameter(uri, "method", &has_method);
	return !has_method || text_is_equal(method, TEXT("INVITE"));
}

static enum refusal_cause take_target(const struct sip_message *request, struct refer *refer,
				      struct refusal *refusal)
{
	struct text value;
	struct sip_party party;
	if (!take_only(request, "Refer-To", &value) || !sip_party_parse(value, &party) ||
	    !is_callable(&party.uri) || sip_uri_hides_nul(&party.uri))
		return refuse(refusal, "Refer-To", value, EXPECTED);
	if (!is_invited(&party.uri))
		return refuse(refusal, "Refer-To", value, "a URI without method, or method=INVITE");
	struct text headers = party.uri.parameters;
	(void)text_split(&headers, '?');
	refer->target = party.uri;
	refer->bare = party.uri.whole;
	if (text_find(party.uri.parameters, '?') != NULL)
		refer->bare.size -= headers.size + 1;
	if (!take_headers(headers, refer))
		return refuse(refusal, "Refer-To", value,
			      "one Replaces: Call-ID, to-tag and from-tag, escaped");
	return REFUSED_NOT;
}

enum refusal_cause refer_parse(const struct sip_message *request, struct refer *out_refer,
			       struct refusal *out_refusal)
{
	struct sip_party party;
	*out_refer = (struct refer){ 0 };
	enum refusal_cause cause = take_target(request, out_refer, out_refusal);
	if (cause != REFUSED_NOT)
		return cause;
	struct text value = sip_message_header(request, "Referred-By", 0);
	if (value.data != NULL && (!take_only(request, "Referred-By", &out_refer->referred_by) ||
				   !sip_party_parse(value, &party)))
		return refuse(out_refusal, "Referred-By", value, "one SIP URI (RFC 3892)");
	value = sip_message_header(request, "Refer-Sub", 0);
	out_refer->is_quiet = text_is_same(text_trim(text_split(&value, ';')), TEXT("false"));
	return REFUSED_NOT;
}
