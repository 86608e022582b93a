// Is a target one of our own addresses or names? Runs on the control thread; pure.

#include "admin/trunk/own.h"

#include "admin/admin.h"
#include "config/config.h"
#include "config/own.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "directory/origination/origination.h"

static bool is_ours(const struct admin_context *context, const char *host)
{
	struct address address;
	if (address_parse(text_of(host), &address))
		return config_is_own_signalling(context->config, &address);
	return directory_is_platform_host(context->directory, text_of(host), TEXT_NONE);
}

// At another port of our address it is another program.
static bool is_our_port(const struct admin_context *context, uint16_t port)
{
	const struct sip_config *sip = &context->config->sip;
	return port == 0 || port == sip->port || port == sip->tls_port;
}

const char *admin_trunk_warn_own(const struct admin_context *context,
				 const struct directory_object *object)
{
	const struct carrier *carrier;
	struct directory_uri uri;
	switch (object->kind) {
	case DIRECTORY_CARRIER:
		carrier = directory_carrier(context->directory, object->sid);
		if (carrier == NULL || !is_ours(context, carrier->host) ||
		    !is_our_port(context, carrier->port))
			return NULL;
		return "address is one of our own (sip.addresses, names.addresses, edges), or a "
		       "name of ours: calls to it only come back to us";
	case DIRECTORY_ORIGINATION_URI:
		if (directory_uri_read(directory_object_get(object, "uri"), &uri) != NULL ||
		    !is_ours(context, uri.host))
			return NULL;
		return "uri is one of our own addresses (sip.addresses, names.addresses, edges), "
		       "or a name of ours: no call goes there, but to the next URI";
	default:
		return NULL;
	}
}
