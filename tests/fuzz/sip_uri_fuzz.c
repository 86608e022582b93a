// Fuzz target: any text as URI, as name-addr, as list, as Via. What comes apart lies within the text.

#include <stdint.h>
#include <stdlib.h>

#include "sip/message.h"
#include "sip/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void check_within(struct text whole, struct text part)
{
	if (part.size == 0)
		return;
	if (part.data < whole.data || part.data + part.size > whole.data + whole.size)
		abort();
}

static void check_uri(struct text whole, const struct sip_uri *uri)
{
	bool is_present;
	check_within(whole, uri->whole);
	check_within(whole, uri->scheme);
	check_within(whole, uri->user);
	check_within(whole, uri->host);
	check_within(whole, uri->parameters);
	check_within(whole, sip_uri_parameter(uri, "lr", &is_present));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static bool is_started;
	struct text whole = { (const char *)octets, size };
	struct sip_uri uri;
	struct sip_party party;
	struct sip_via via;
	struct sip_parameter parameter;
	if (!is_started)
		sip_message_start();
	is_started = true;
	if (sip_uri_parse(whole, &uri))
		check_uri(whole, &uri);
	if (sip_party_parse(whole, &party)) {
		check_uri(whole, &party.uri);
		check_within(whole, party.display);
		check_within(whole, party.tag);
	}
	if (sip_value_via(whole, &via)) {
		check_within(whole, via.whole);
		check_within(whole, via.host);
		check_within(whole, via.branch);
	}
	struct text rest = whole;
	while (rest.data != NULL && rest.size > 0)
		check_within(whole, sip_value_list(&rest));
	rest = whole;
	while (sip_value_parameter(&rest, &parameter)) {
		check_within(whole, parameter.name);
		check_within(whole, parameter.value);
	}
	return 0;
}
