// Requests that come by strict routers. Runs on the control thread; borrows, never allocates.

#include "sip/hop/route.h"

#include "sip/message_uri.h"
#include "sip/value.h"

static bool names_us(const struct sip_message *request)
{
	const struct sip_uri *target = &request->target;
	const struct address *local = &request->flow.local;
	struct address host;
	return target->user.size == 0 && address_parse(target->host, &host) &&
	       address_is_same_host(&host, local) &&
	       (target->port == 0 || target->port == local->port);
}

static struct text last_route(const struct sip_message *request)
{
	struct text value, last = TEXT_NONE;
	for (unsigned nth = 0; (value = sip_message_header(request, "Route", nth)).data != NULL;
	     nth++)
		while (value.data != NULL)
			last = sip_value_list(&value);
	return last;
}

void sip_route_settle(struct sip_message *request)
{
	struct sip_party party;
	if (!names_us(request))
		return;
	struct text last = last_route(request);
	if (last.size == 0 || !sip_party_split(last, &party) || party.uri.host.size == 0 ||
	    text_find(party.uri.parameters, '?') != NULL)
		return;
	request->target = party.uri;
}
