// What is known of each transport. Pure.

#include "sip/flow.h"

#define PROTOCOL_ROW(name, via, parameter, port) [SIP_##name] = { via, parameter, port },
static const struct {
	const char *via, *name;
	uint16_t port;
} protocols[SIP_PROTOCOL_COUNT] = { SIP_PROTOCOL_LIST(PROTOCOL_ROW) };
#undef PROTOCOL_ROW

const char *sip_protocol_via(enum sip_protocol protocol)
{
	return protocols[protocol].via;
}

const char *sip_protocol_name(enum sip_protocol protocol)
{
	return protocols[protocol].name;
}

uint16_t sip_protocol_port(enum sip_protocol protocol)
{
	return protocols[protocol].port;
}

bool sip_protocol_parse(struct text name, enum sip_protocol *out_protocol)
{
	for (unsigned i = 0; i < SIP_PROTOCOL_COUNT; i++) {
		if (!text_is_same(name, text_of(protocols[i].name)))
			continue;
		*out_protocol = (enum sip_protocol)i;
		return true;
	}
	return false;
}

bool sip_flow_is_reliable(const struct sip_flow *flow)
{
	return flow->protocol != SIP_UDP;
}

void sip_flow_write_uri(const struct sip_flow *flow, const char *user, struct writer *writer)
{
	writer_string(writer, "sip:");
	if (user != NULL) {
		writer_string(writer, user);
		writer_char(writer, '@');
	}
	address_write(&flow->local, writer);
	if (!sip_flow_is_reliable(flow))
		return;
	writer_string(writer, ";transport=");
	writer_string(writer, protocols[flow->protocol].name);
}
