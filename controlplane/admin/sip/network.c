// What customers have to let through their firewalls: addresses and ports of signalling and media, edge by
// edge. Runs on the control thread; reads memory only.

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "config/config.h"
#include "sip/tls/tls.h"

#define MEDIA_PORTS                                                                                \
	"10000-20000/udp" // NET-018: another range than signalling, also where addresses meet

static json_t *addresses_to_json(const struct config_addresses *addresses)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < addresses->count; i++)
		(void)json_array_append_new(array, admin_json_address(&addresses->items[i]));
	return array;
}

static json_t *prefixes_to_json(const struct config_prefixes *prefixes)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < prefixes->count; i++) {
		char room[ADDRESS_TEXT_SIZE + 8];
		struct writer writer = writer_of(room, sizeof(room));
		address_write_host(&prefixes->items[i].address, &writer);
		writer_format(&writer, "/%u", prefixes->items[i].bits);
		(void)json_array_append_new(array, admin_json_text(writer_done(&writer)));
	}
	return array;
}

// What listens: TLS does so from the first certificate on.
static json_t *signalling_ports(const struct admin_context *context)
{
	const struct config *config = context->config;
	char room[64];
	struct writer writer = writer_of(room, sizeof(room));
	writer_format(&writer, "%u/udp", config->sip.port);
	if (config->connections.max > 0)
		writer_format(&writer, " %u/tcp", config->sip.port);
	if (config->connections.max > 0 && context->tls && sip_tls_can_accept(context->tls))
		writer_format(&writer, " %u/tls", config->sip.tls_port);
	return admin_json_text(writer_done(&writer));
}

static json_t *place_to_json(const struct admin_context *context, const char *name, json_t *regions,
			     json_t *signalling, json_t *media, json_t *accounts)
{
	json_t *object = json_object();
	admin_json_set(object, "edge", admin_json_string(name));
	admin_json_set(object, "regions", regions);
	admin_json_set(object, "signalling", signalling);
	admin_json_set(object, "signalling_ports", signalling_ports(context));
	admin_json_set(object, "media", media);
	admin_json_set(object, "media_ports", json_string(MEDIA_PORTS));
	admin_json_set(object, "accounts", accounts);
	return object;
}

// An edge without addresses of its own is reached at those of the nodes; one with accounts is a private
// connection of theirs.
static json_t *edge_to_json(const struct admin_context *context, const struct edge_config *edge)
{
	const struct config *config = context->config;
	json_t *regions = json_array(), *accounts = json_array();
	for (unsigned i = 0; i < edge->regions.count; i++)
		(void)json_array_append_new(regions, json_string(edge->regions.items[i]));
	for (unsigned i = 0; i < edge->accounts.count; i++)
		(void)json_array_append_new(accounts, json_string(edge->accounts.items[i]));
	return place_to_json(context, edge->name, regions,
			     addresses_to_json(edge->signalling.count > 0 ? &edge->signalling
									  : &config->sip.addresses),
			     edge->media.count > 0 ? prefixes_to_json(&edge->media)
						   : addresses_to_json(&config->media.addresses),
			     accounts);
}

void admin_network_show(struct admin_request *request)
{
	const struct config *config = request->context->config;
	json_t *places = json_array(), *result = json_object();
	(void)json_array_append_new(
		places, place_to_json(request->context, "(this node)", json_array(),
				      addresses_to_json(&config->sip.addresses),
				      addresses_to_json(&config->media.addresses), json_array()));
	for (unsigned i = 0; i < config->edges.count; i++)
		(void)json_array_append_new(
			places, edge_to_json(request->context, &config->edges.items[i]));
	admin_json_set(result, "network", places);
	admin_request_answer(request, result);
}
