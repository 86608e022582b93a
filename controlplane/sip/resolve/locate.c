// RFC 3263 4: which transport, which port, which addresses. Runs on the control thread; asks and
// remembers nothing by itself. What DNS can make of one target is bounded by hops and by looks.

#include "sip/resolve/locate.h"

#include <stdio.h>

#include "sip/resolve/order.h"

#define LOOKS_MAX 64 // into the cache, in one pass
#define ALIASES_MAX 4 // from answer to answer

struct pass {
	struct dns_cache *cache;
	const struct sip_resolver_options *options;
	const struct sip_target *target;
	enum dns_cache_mode mode;
	struct sip_hops *hops;
	struct dns_entry *missing; // the first that is being asked for
	unsigned looks;
	bool is_refused; // DNS says itself that there is none: no other problem is as telling
};

static void note_problem(struct pass *pass, const char *name, enum dns_type type,
			 const struct dns_answer *answer)
{
	static const char *const texts[DNS_OUTCOMES] = {
		[DNS_NO_DATA] = "no such record", [DNS_NO_NAME] = "no such name"
	};
	const char *text = answer->outcome == DNS_FAILED ? answer->problem : texts[answer->outcome];
	if (pass->is_refused)
		return;
	(void)snprintf(pass->hops->problem, sizeof(pass->hops->problem), "%s of %.60s: %s",
		       dns_type_name(type), name, text);
}

// NULL: missing, or not there. An answer has at least one record.
static const struct dns_answer *look(struct pass *pass, const char *name, enum dns_type type)
{
	struct dns_entry *entry = NULL;
	const char *asked = name;
	for (unsigned aliases = 0; aliases <= ALIASES_MAX; aliases++) {
		if (pass->looks++ >= LOOKS_MAX)
			return NULL;
		const struct dns_answer *answer =
			dns_cache_find(pass->cache, asked, type, pass->mode, &entry);
		if (answer == NULL) {
			if (pass->missing == NULL)
				pass->missing = entry;
			return NULL;
		}
		if (answer->outcome == DNS_FOUND)
			return answer;
		if (answer->alias[0] == '\0') {
			note_problem(pass, name, type, answer);
			return NULL;
		}
		asked = answer->alias;
	}
	(void)snprintf(pass->hops->problem, sizeof(pass->hops->problem),
		       "its aliases go in a circle: %.60s", name);
	return NULL;
}

static void add_hop(struct pass *pass, enum sip_protocol protocol, struct address address,
		    uint16_t port)
{
	struct sip_hops *hops = pass->hops;
	address.port = port;
	for (unsigned i = 0; i < hops->count; i++) {
		if (hops->items[i].protocol == protocol &&
		    address_is_equal(&hops->items[i].address, &address))
			return;
	}
	if (hops->count < SIP_HOPS_MAX)
		hops->items[hops->count++] = (struct sip_hop){ protocol, address };
}

// By turns, IPv6 first (RFC 7984 4): a family that leads nowhere costs one try, not all of them.
static void add_host(struct pass *pass, const char *host, uint16_t port, enum sip_protocol protocol)
{
	const struct dns_answer *answers[2] = { NULL, NULL };
	if (pass->options->has_ipv6)
		answers[0] = look(pass, host, DNS_AAAA);
	if (pass->options->has_ipv4)
		answers[1] = look(pass, host, DNS_A);
	for (unsigned i = 0; i < DNS_RECORDS_MAX; i++) {
		for (unsigned family = 0; family < 2; family++) {
			const struct dns_answer *answer = answers[family];
			if (answer != NULL && i < answer->count)
				add_hop(pass, protocol, answer->records[i].address, port);
		}
	}
}

static void note_refusal(struct pass *pass, enum sip_protocol protocol)
{
	pass->is_refused = true;
	(void)snprintf(pass->hops->problem, sizeof(pass->hops->problem),
		       "its DNS says that it takes no SIP by %s", sip_protocol_name(protocol));
}

// False: the name has no SRV records (yet), so the host itself may be meant. One that says "none here"
// (RFC 2782, target ".") has.
static bool add_services(struct pass *pass, const char *name, enum sip_protocol protocol)
{
	unsigned places[DNS_RECORDS_MAX];
	const struct dns_answer *answer = look(pass, name, DNS_SRV);
	if (answer == NULL)
		return false;
	order_draw(answer, places);
	for (unsigned i = 0; i < answer->count; i++) {
		const struct dns_record *record = &answer->records[places[i]];
		if (record->name[0] != '\0')
			add_host(pass, record->name, record->port, protocol);
		else
			note_refusal(pass, protocol);
	}
	return true;
}

static bool add_service_of(struct pass *pass, const char *host, enum sip_protocol protocol)
{
	static const char *const prefixes[SIP_PROTOCOL_COUNT] = {
		[SIP_UDP] = "_sip._udp.", [SIP_TCP] = "_sip._tcp.", [SIP_TLS] = "_sips._tcp."
	};
	char name[DNS_NAME_SIZE + 16];
	(void)snprintf(name, sizeof(name), "%s%s", prefixes[protocol], host);
	if (!dns_answer_is_name(text_of(name)))
		return false;
	return add_services(pass, name, protocol);
}

static bool may_use(const struct pass *pass, enum sip_protocol protocol)
{
	return pass->options->speaks[protocol] && (!pass->target->is_sips || protocol == SIP_TLS);
}

// RFC 3263 4.1: the services of the lowest order that we speak, and no others (RFC 2915 2).
static bool add_pointers(struct pass *pass, const char *host)
{
	unsigned places[DNS_RECORDS_MAX];
	const struct dns_answer *answer = look(pass, host, DNS_NAPTR);
	const struct dns_record *first = NULL;
	if (answer == NULL)
		return false;
	order_sort(answer, places);
	for (unsigned i = 0; i < answer->count; i++) {
		const struct dns_record *record = &answer->records[places[i]];
		if (!may_use(pass, record->protocol) ||
		    (first != NULL && record->priority != first->priority))
			continue;
		if (first == NULL)
			first = record;
		(void)add_services(pass, record->name, record->protocol);
	}
	return first != NULL;
}

static void locate_name(struct pass *pass)
{
	const struct sip_target *target = pass->target;
	enum sip_protocol usual = target->is_sips ? SIP_TLS : SIP_UDP;
	bool has_services = false;
	if (target->has_protocol)
		usual = target->protocol;
	if (target->port != 0) {
		add_host(pass, target->host, target->port, usual);
		return;
	}
	if (!target->has_protocol && add_pointers(pass, target->host))
		return;
	if (pass->missing != NULL)
		return; // the next steps depend on it
	for (unsigned i = 0; i < SIP_PROTOCOL_COUNT; i++) {
		enum sip_protocol protocol = (enum sip_protocol)i;
		if (target->has_protocol ? protocol == usual : may_use(pass, protocol))
			has_services |= add_service_of(pass, target->host, protocol);
	}
	if (!has_services && pass->missing == NULL)
		add_host(pass, target->host, sip_protocol_port(usual), usual);
}

static bool has_family(const struct pass *pass, uint8_t family)
{
	return family == ADDRESS_IPV4 ? pass->options->has_ipv4 : pass->options->has_ipv6;
}

static void locate_address(struct pass *pass, const struct address *address)
{
	const struct sip_target *target = pass->target;
	enum sip_protocol protocol = target->has_protocol ? target->protocol
				     : target->is_sips    ? SIP_TLS
							  : SIP_UDP;
	uint16_t port = target->port != 0 ? target->port : sip_protocol_port(protocol);
	if (has_family(pass, address->family))
		add_hop(pass, protocol, *address, port);
	else
		(void)snprintf(pass->hops->problem, sizeof(pass->hops->problem),
			       "we have no signalling address of its family");
}

struct dns_entry *locate_run(struct dns_cache *cache, const struct sip_resolver_options *options,
			     const struct sip_target *target, enum dns_cache_mode mode,
			     struct sip_hops *out_hops)
{
	struct pass pass = { cache, options, target, mode, out_hops, NULL, 0, false };
	struct address address;
	out_hops->count = 0;
	out_hops->problem[0] = '\0';
	if (target->has_protocol && !may_use(&pass, target->protocol))
		(void)snprintf(out_hops->problem, sizeof(out_hops->problem),
			       "we do not speak SIP by %s", sip_protocol_name(target->protocol));
	else if (address_parse(text_of(target->host), &address) && address.port == 0)
		locate_address(&pass, &address);
	else if (dns_answer_is_name(text_of(target->host)))
		locate_name(&pass);
	else
		(void)snprintf(out_hops->problem, sizeof(out_hops->problem), "it is no host name");
	return pass.missing;
}
