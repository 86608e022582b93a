// Rules that look at more than one option, the taking over of live options, and the messages.
// Runs on: the control thread. Never changes a value; adopting changes all that differ, or none.

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "config/config.h"
#include "config/schema.h"

#define MEDIA_PORT_FIRST 10000
#define MEDIA_PORT_LAST 20000

struct check {
	const struct config *config;
	const struct config_source *source;
	struct config_problems *problems;
};

void config_problem(struct config_problems *problems, const char *file, unsigned line,
		    const char *option, const char *format, ...)
{
	char line_text[16] = "";
	if (line > 0)
		snprintf(line_text, sizeof(line_text), "%u:", line);
	if (problems->count == CONFIG_PROBLEMS_MAX) {
		snprintf(problems->messages[CONFIG_PROBLEMS_MAX - 1], sizeof(problems->messages[0]),
			 "%s: and more, not shown", file);
		return;
	}
	char *room = problems->messages[problems->count++];
	size_t size = sizeof(problems->messages[0]);
	int used = snprintf(room, size, "%s:%s %s%s", file, line_text, option ? option : "",
			    option ? ": " : "");
	if (used < 0 || (size_t)used >= size)
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(room + used, size - (size_t)used, format, arguments);
	va_end(arguments);
}

static void problem(struct check *check, const char *option, const char *what)
{
	unsigned line = config_option_line(check->source, option);
	config_problem(check->problems, check->source->file, line ? line : 1, option, "%s", what);
}

// NULL: peers may reach it.
static const char *objection_to(const struct address *address)
{
	static const struct {
		struct prefix prefix;
		const char *what;
	} useless[] = {
		{ { { .family = ADDRESS_IPV4, .octets = { 224 } }, 3 },
		  "holds a multicast or broadcast address; allowed: addresses that peers reach" },
		{ { { .family = ADDRESS_IPV6, .octets = { 0xff } }, 8 },
		  "holds a multicast address; allowed: addresses that peers reach" },
		{ { { .family = ADDRESS_IPV6, .octets = { 0xfe, 0x80 } }, 10 },
		  "holds a link-local address; allowed: addresses that peers reach beyond one "
		  "link" },
		{ { { .family = ADDRESS_IPV6, .octets = { [10] = 0xff, [11] = 0xff } }, 96 },
		  "holds an IPv4 address in the form of IPv6; allowed: that address as such" },
	};
	for (unsigned i = 0; i < sizeof(useless) / sizeof(useless[0]); i++)
		if (prefix_contains(&useless[i].prefix, address))
			return useless[i].what;
	return address_is_unspecified(address) ? "holds the unspecified address; allowed: "
						 "addresses that peers reach"
					       : NULL;
}

// An address that others are told must be one they can send to, and stands once.
static void check_addresses(struct check *check, const char *option,
			    const struct config_addresses *addresses)
{
	for (unsigned i = 0; i < addresses->count; i++) {
		const char *objection = objection_to(&addresses->items[i]);
		if (objection != NULL)
			problem(check, option, objection);
		for (unsigned j = 0; j < i; j++) {
			if (address_is_equal(&addresses->items[i], &addresses->items[j]))
				problem(check, option,
					"holds an address twice; allowed: each once");
		}
	}
}

static void check_sip(struct check *check)
{
	const struct sip_config *sip = &check->config->sip;
	const struct config_addresses *media = &check->config->media.addresses;
	check_addresses(check, "sip.addresses", &sip->addresses);
	if (sip->t2_ms < sip->t1_ms)
		problem(check, "sip.t2_ms", "is less than sip.t1_ms; allowed: sip.t1_ms or more");
	if (sip->port < MEDIA_PORT_FIRST || sip->port > MEDIA_PORT_LAST)
		return;
	for (unsigned i = 0; i < sip->addresses.count; i++) {
		for (unsigned j = 0; j < media->count; j++) {
			if (!address_is_equal(&sip->addresses.items[i], &media->items[j]))
				continue;
			problem(check, "sip.port",
				"is a port of media on an address of media; "
				"allowed: outside 10000 to 20000");
			return;
		}
	}
}

static void check_cores(struct check *check)
{
	const struct dataplane_config *dataplane = &check->config->dataplane;
	const struct config_numbers *cores = &dataplane->cores;
	if (cores->count > 0 && cores->count != dataplane->workers)
		problem(check, "dataplane.cores",
			"has not one core for each worker; allowed: dataplane.workers cores, or "
			"none");
	for (unsigned i = 0; i < cores->count; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (cores->items[i] == cores->items[j])
				problem(check, "dataplane.cores",
					"holds a core twice; allowed: each once");
		}
	}
}

static bool is_on_link(const struct config_prefixes *prefixes, const struct address *address)
{
	bool has_family = false;
	for (unsigned i = 0; i < prefixes->count; i++) {
		has_family |= prefixes->items[i].address.family == address->family;
		if (prefix_contains(&prefixes->items[i], address))
			return true;
	}
	// IPv6 routers are often known by their link-local address only.
	return !has_family ? false : address->family == ADDRESS_IPV6 && address_is_private(address);
}

static void check_dataplane(struct check *check)
{
	const struct dataplane_config *dataplane = &check->config->dataplane;
	const struct config_addresses *gateway = &dataplane->gateway;
	bool has_interface = !text_has_prefix(text_of(dataplane->port), TEXT("af_xdp:"));
	check_cores(check);
	if (strlen(dataplane->interface) > 15)
		problem(check, "dataplane.interface", "is too long; allowed: 15 characters");
	if (!has_interface && dataplane->addresses.count > 0)
		problem(check, "dataplane.addresses",
			"has no interface to go to, af_xdp makes none; allowed: nothing with "
			"af_xdp");
	if (!has_interface && gateway->count > 0)
		problem(check, "dataplane.gateway",
			"has no interface to go to, af_xdp makes none; allowed: nothing with "
			"af_xdp");
	for (unsigned i = 0; i < gateway->count && has_interface; i++) {
		if (!is_on_link(&dataplane->addresses, &gateway->items[i]))
			problem(check, "dataplane.gateway",
				"is in no network of dataplane.addresses; "
				"allowed: a neighbour in one of them");
	}
	if (gateway->count == 2 && gateway->items[0].family == gateway->items[1].family)
		problem(check, "dataplane.gateway",
			"is given twice for one family; allowed: one IPv4 and one IPv6 address");
}

static void check_socket(struct check *check, const char *option, const char *path)
{
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		problem(check, option,
			"is too long for a Unix socket; allowed: paths of 107 characters at most");
}

static void edge_problem(struct check *check, unsigned nth, const char *option, const char *what)
{
	unsigned line = check->source->edge_lines[nth];
	config_problem(check->problems, check->source->file, line ? line : 1, option, "%s", what);
}

// A name or region says which edge is meant, an address where it is: each belongs to one.
static void check_edge(struct check *check, unsigned nth)
{
	const struct edges_config *edges = &check->config->edges;
	const struct edge_config *edge = &edges->items[nth];
	if (edge->name[0] && config_edge_named(edges, text_of(edge->name)) != edge)
		edge_problem(check, nth, "edges.name",
			     "is another edge's name or region; allowed: each once");
	for (unsigned i = 0; i < edge->regions.count; i++) {
		if (config_edge_named(edges, text_of(edge->regions.items[i])) != edge)
			edge_problem(check, nth, "edges.regions",
				     "holds another edge's name or region; allowed: each once");
	}
	for (unsigned i = 0; i < edge->signalling.count; i++) {
		if (config_edge_at(edges, &edge->signalling.items[i]) != edge)
			edge_problem(check, nth, "edges.signalling",
				     "holds an address of another edge; allowed: each once");
	}
}

static void check_edges(struct check *check)
{
	for (unsigned nth = 0; nth < check->config->edges.count; nth++)
		check_edge(check, nth);
}

// Updates without a key would be anybody's, and names outside the zone nobody's.
static void check_names(struct check *check)
{
	const struct names_config *names = &check->config->names;
	struct text base = text_of(check->config->sip.base_domain), zone = text_of(names->zone);
	check_addresses(check, "names.addresses", &names->addresses);
	check_addresses(check, "names.api_addresses", &names->api_addresses);
	if (names->servers.count > 0 && names->key_file[0] == '\0')
		problem(check, "names.servers",
			"needs names.key_file; allowed: with a file that holds a TSIG key");
	bool is_above = zone.size == 0 || text_is_same(base, zone) ||
			(base.size > zone.size && text_has_suffix_same(base, zone) &&
			 base.data[base.size - zone.size - 1] == '.');
	if (!is_above)
		problem(check, "names.zone",
			"does not hold sip.base_domain; allowed: it, or a domain above it");
}

static void check_cnam(struct check *check)
{
	const struct cnam_config *cnam = &check->config->cnam;
	if (cnam->source == CONFIG_CNAM_HTTP && cnam->url[0] == '\0')
		problem(check, "cnam.source", "needs cnam.url; allowed: http with it");
	if (cnam->source == CONFIG_CNAM_FILE && cnam->file[0] == '\0')
		problem(check, "cnam.source", "needs cnam.file; allowed: file with it");
}

static void check_notify(struct check *check)
{
	const struct notify_config *notify = &check->config->notify;
	struct text verifications = text_of(notify->verifications);
	if (notify->mail_server[0] != '\0' && notify->mail_sender[0] == '\0')
		problem(check, "notify.mail_server",
			"needs notify.mail_sender; allowed: a server with it");
	if ((notify->mail_user[0] != '\0') != (notify->mail_password_file[0] != '\0'))
		problem(check, "notify.mail_user",
			"needs notify.mail_password_file, and that needs it; allowed: both or "
			"none");
	if (notify->mail_server[0] == '\0' && text_has_prefix(verifications, TEXT("mailto:")))
		problem(check, "notify.verifications",
			"needs notify.mail_server; allowed: mailto: with it, or https://");
	if (notify->connect_timeout_ms > notify->timeout_ms)
		problem(check, "notify.connect_timeout_ms",
			"is more than notify.timeout_ms; allowed: notify.timeout_ms or less");
}

static void check_others(struct check *check)
{
	const struct config *config = check->config;
	struct text url = text_of(config->redis.url);
	check_addresses(check, "media.addresses", &config->media.addresses);
	check_socket(check, "dataplane.socket", config->dataplane.socket);
	check_socket(check, "admin.socket", config->admin.socket);
	if (text_has_prefix(url, TEXT("unix://")))
		check_socket(check, "redis.url", config->redis.url + strlen("unix://"));
	if (url.size == 0 && config->redis.password_file[0])
		problem(check, "redis.password_file",
			"is for the Redis of redis.url, which is empty; allowed: nothing without "
			"it");
	if (url.size == 0 && config->redis.addresses.count > 0)
		problem(check, "redis.addresses",
			"are further ones of redis.url, which is empty; allowed: nothing without "
			"it");
	if (config->sip.tls_port == config->sip.port)
		problem(check, "sip.tls_port", "is sip.port; allowed: a port of its own");
	if (config->guard.options_interval_s > 0 && config->guard.options_interval_s < 5)
		problem(check, "guard.options_interval_s",
			"is too short to be counted; allowed: 0, or 5 to 60");
	if (config->guard.ban_max_s < config->guard.ban_s)
		problem(check, "guard.ban_max_s",
			"is less than guard.ban_s; allowed: guard.ban_s or more");
	if (config->limits.default_cps > config->limits.max_cps)
		problem(check, "limits.default_cps",
			"is more than limits.max_cps; allowed: limits.max_cps or less");
}

void config_check(const struct config *config, const struct config_source *source,
		  struct config_problems *problems)
{
	struct check check = { config, source, problems };
	check_sip(&check);
	check_dataplane(&check);
	check_edges(&check);
	check_names(&check);
	check_cnam(&check);
	check_notify(&check);
	check_others(&check);
}

static bool is_same(const struct config *a, const struct config *b,
		    const struct config_option *option)
{
	bool is_same = true;
	for (unsigned nth = 0; nth < config_option_places(option); nth++) {
		size_t offset = option->offset + nth * option->stride;
		is_same &= memcmp((const char *)a + offset, (const char *)b + offset,
				  option->size) == 0;
	}
	return is_same;
}

enum status config_adopt(struct config *running, const struct config *fresh,
			 struct config_problems *problems)
{
	problems->count = 0;
	for (unsigned i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		if (!option->is_live && !is_same(running, fresh, option))
			config_problem(
				problems, "reload", 0, option->path,
				"has changed and needs a restart; allowed: live options only");
	}
	if (problems->count > 0)
		return ERR_CONFLICT;
	for (unsigned i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		for (unsigned nth = 0; option->is_live && nth < config_option_places(option);
		     nth++) {
			size_t offset = option->offset + nth * option->stride;
			memcpy((char *)running + offset, (const char *)fresh + offset,
			       option->size);
		}
	}
	return OK;
}
