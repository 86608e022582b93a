// RFC 3263 for URIs whose host is an address. Pure; runs on the control thread.

#include "sip/flow/aim.h"

static bool is_ours(const struct sip_home *home, const struct sip_flow *flow,
		    const struct address *address)
{
	return address_is_same_host(address, &flow->local) ||
	       (home->is_ours != NULL && home->is_ours(home->context, address));
}

// A datagram to a private address may go, and be lost (SIP-014). A connection from here may end at a service
// that reads lines: of somebody's network whom its peer has nothing to do with.
static bool leads_inside(const struct sip_flow *flow, const struct address *address)
{
	return sip_flow_is_reliable(flow) && address_is_private(address) &&
	       !address_is_private(&flow->remote);
}

// Services of this host are nobody's to be led to, unless the peer was met there.
bool sip_flow_may_reach(const struct sip_home *home, const struct sip_flow *flow,
			const struct address *address)
{
	return address->family == flow->local.family && !leads_inside(flow, address) &&
	       (!is_ours(home, flow, address) || is_ours(home, flow, &flow->remote)) &&
	       (!address_is_confined(address) || address_is_confined(&flow->local));
}

static bool address_of(const struct sip_uri *uri, const struct sip_home *home,
		       const struct sip_flow *flow, struct address *out_address)
{
	struct address address;
	if (!address_parse(uri->host, &address) || address.port != 0 ||
	    !sip_flow_may_reach(home, flow, &address))
		return false;
	address.port = uri->port != 0 ? uri->port : sip_protocol_port(flow->protocol);
	*out_address = address;
	return true;
}

enum sip_protocol sip_flow_protocol(const struct sip_uri *uri, enum sip_protocol met)
{
	bool is_present;
	enum sip_protocol protocol = met;
	struct text transport = sip_uri_parameter(uri, "transport", &is_present);
	if (text_is_same(uri->scheme, TEXT("sips")))
		return SIP_TLS;
	if (is_present)
		(void)sip_protocol_parse(transport, &protocol);
	return protocol;
}

bool sip_flow_leaves_tls(const struct sip_uri *uri, enum sip_protocol met)
{
	return met == SIP_TLS && sip_flow_protocol(uri, met) != SIP_TLS;
}

void sip_flow_aim(const struct sip_flow *met, const struct sip_uri *uri,
		  const struct sip_home *home, struct sip_flow *out_flow)
{
	struct sip_flow flow = *met;
	enum sip_protocol protocol = sip_flow_protocol(uri, met->protocol);
	*out_flow = *met;
	if (sip_flow_leaves_tls(uri, met->protocol))
		return;
	if (protocol != met->protocol && home->ports[protocol] != 0) {
		flow.protocol = protocol;
		flow.connection = 0;
		flow.local.port = home->ports[protocol];
	}
	if (address_of(uri, home, &flow, &flow.remote))
		*out_flow = flow;
}
