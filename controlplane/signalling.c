// SIP's sockets, from the options that describe them. Runs on the control thread, before its loop.

#include "signalling.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"
#include "config/own.h"
#include "control.h"
#include "sip/transaction.h"
#include "sip/transport.h"

#define OTHER_DESCRIPTORS                                                                          \
	512 // Redis, history, api, admin, log, the dataplane, and connections to spare

// As many connections as the system lets us have descriptors for.
static unsigned raise_descriptors(unsigned connections)
{
	struct rlimit limit;
	const rlim_t wanted = (rlim_t)connections + OTHER_DESCRIPTORS;
	struct log_value had, needed;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return connections;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted)
		limit.rlim_max = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return connections;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return connections;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	log_event(LOG_WARNING, "descriptors_short", "limit",
		  log_number(&had, (int64_t)limit.rlim_max), "wanted",
		  log_number(&needed, (int64_t)wanted), "option", "connections.max", "fix",
		  "raise LimitNOFILE, or lower the option", NULL);
	return limit.rlim_max > 2 * OTHER_DESCRIPTORS ? (unsigned)limit.rlim_max - OTHER_DESCRIPTORS
						      : (unsigned)limit.rlim_max / 2;
}

static struct sip_transport_limits limits_of(const struct connections_config *config)
{
	return (struct sip_transport_limits){
		.connections_max = raise_descriptors(config->max),
		.per_source_max = config->max_per_source,
		.queue_max = config->queue_bytes,
		.connect_ms = config->connect_timeout_ms,
		.message_ms = config->message_timeout_ms,
		.silent_ms = config->silent_s * 1000,
		.idle_ms = config->idle_s * 1000,
	};
}

static bool is_ours(const void *context, const struct address *address)
{
	return config_is_own_host(context, address);
}

void signalling_home(const struct config *config, struct sip_home *out_home)
{
	bool has_streams = config->connections.max > 0;
	*out_home = (struct sip_home){ .is_ours = is_ours, .context = config };
	out_home->ports[SIP_UDP] = (uint16_t)config->sip.port;
	out_home->ports[SIP_TCP] = has_streams ? (uint16_t)config->sip.port : 0;
	out_home->ports[SIP_TLS] = has_streams ? (uint16_t)config->sip.tls_port : 0;
}

enum status signalling_start(struct control *control)
{
	const struct sip_config *config = &control->config->sip;
	struct address addresses[CONFIG_LIST_MAX];
	uid_t user = geteuid();
	for (unsigned i = 0; i < config->addresses.count; i++) {
		addresses[i] = config->addresses.items[i];
		addresses[i].port = (uint16_t)config->port;
	}
	// For receive buffers and descriptors beyond the system's limits; refused when not root.
	(void)seteuid(0);
	struct sip_transport_options options = {
		.clock = &control->clock,
		.wheel = control->wheel,
		.addresses = addresses,
		.address_count = config->addresses.count,
		.tls_port = (uint16_t)config->tls_port,
		.tls = control->tls,
		.receive_buffer_bytes = config->receive_buffer_bytes,
		.limits = limits_of(&control->config->connections),
		.user = { .context = control->transactions,
			  .receive = sip_transaction_receive,
			  .refuse = sip_transaction_refuse,
			  .broken = sip_transactions_broken,
			  .guard = control->guard },
	};
	enum status status = sip_transport_start(control->loop, &options, &control->transport);
	return seteuid(user) == 0 ? status : ERR_SYSTEM;
}

void signalling_stop(struct control *control)
{
	sip_transport_stop(control->transport);
	control->transport = NULL;
}
