// Updates and transfers of a zone by ldns. Runs on the publisher's thread and may wait, each time for as
// long as its time-out says. A transfer is asked for with the key, but ldns does not check that each of
// its messages is signed: what it tells decides only what is tried, and the prerequisites of an update,
// which the server checks, what is done.

#include "names/update.h"

#include <ldns/ldns.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/list.h"
#include "names/key.h"

#define RECORDS_MAX 16777216 // of a zone
#define UPDATE_RECORDS_MAX 400 // of some 90 octets each: well below the 64 KiB of a message
#define MARK "_trunkd."
#define NAME_MAX 255
#define FUDGE_S 300 // RFC 8945 10

struct names_server {
	ldns_resolver *resolver;
	char zone[NAME_MAX + 1];
	char marker[NAME_MAX]; // fits a string of TXT
	atomic_bool is_cancelled; // control writes
};

struct names_update {
	struct names_server *server;
	ldns_rr_list *needs, *changes; // prerequisites, updates
};

static void say(char room[static NAMES_PROBLEM_SIZE], const char *what, const char *why)
{
	(void)snprintf(room, NAMES_PROBLEM_SIZE, "%s: %s", what, why);
}

// ldns gives a server up for good that has failed once.
static void give_another_chance(ldns_resolver *resolver)
{
	for (size_t i = 0; i < ldns_resolver_nameserver_count(resolver); i++)
		ldns_resolver_set_nameserver_rtt(resolver, i, LDNS_RESOLV_RTT_MIN);
}

static bool add_servers(ldns_resolver *resolver, const struct config_addresses *servers)
{
	for (unsigned i = 0; i < servers->count; i++) {
		char room[ADDRESS_TEXT_SIZE];
		const struct address *address = &servers->items[i];
		ldns_rdf *server = ldns_rdf_new_frm_str(
			address->family == ADDRESS_IPV6 ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A,
			address_string(address, room));
		ldns_status status = server ? ldns_resolver_push_nameserver(resolver, server)
					    : LDNS_STATUS_MEM_ERR;
		ldns_rdf_deep_free(server);
		if (status != LDNS_STATUS_OK)
			return false;
	}
	return true;
}

static void set_options(ldns_resolver *resolver, const struct names_server_options *options,
			const struct names_key *key)
{
	struct timeval timeout = { .tv_sec = options->timeout_ms / 1000,
				   .tv_usec = options->timeout_ms % 1000 * 1000 };
	ldns_resolver_set_port(resolver, options->port);
	ldns_resolver_set_timeout(resolver, timeout);
	ldns_resolver_set_retry(resolver, 1);
	ldns_resolver_set_random(resolver, false);
	ldns_resolver_set_usevc(resolver, true);
	ldns_resolver_set_recursive(resolver, false);
	ldns_resolver_set_tsig_keyname(resolver, key->name);
	ldns_resolver_set_tsig_algorithm(resolver, key->algorithm);
	ldns_resolver_set_tsig_keydata(resolver, key->secret);
}

enum status names_server_open(const struct names_server_options *options,
			      struct names_server **out_server,
			      char out_problem[static NAMES_PROBLEM_SIZE])
{
	struct names_key key;
	const char *problem = NULL;
	enum status status = names_key_read(options->key_file, &key, &problem);
	if (status != OK) {
		say(out_problem, options->key_file, problem);
		return status;
	}
	struct names_server *server = calloc(1, sizeof(*server));
	if (server)
		server->resolver = ldns_resolver_new();
	bool is_good =
		server && server->resolver &&
		text_copy(text_of(options->zone), server->zone, sizeof(server->zone)) &&
		text_copy(text_of(options->marker), server->marker, sizeof(server->marker)) &&
		add_servers(server->resolver, options->servers);
	if (is_good)
		set_options(server->resolver, options, &key);
	names_key_clear(&key);
	if (is_good) {
		*out_server = server;
		return OK;
	}
	names_server_close(server);
	say(out_problem, "names", "out of memory");
	return ERR_MEMORY;
}

void names_server_close(struct names_server *server)
{
	if (!server)
		return;
	ldns_resolver_deep_free(server->resolver);
	free(server);
}

void names_server_cancel(struct names_server *server)
{
	atomic_store(&server->is_cancelled, true);
}

static const char *rcode_text(ldns_pkt_rcode rcode)
{
	switch (rcode) {
	case LDNS_RCODE_REFUSED:
		return "REFUSED: the key may not do this to the zone";
	case LDNS_RCODE_NOTAUTH:
		return "NOTAUTH: not a server of the zone, or an unknown key, or clocks that "
		       "differ";
	case LDNS_RCODE_NOTZONE:
		return "NOTZONE: a name is outside the zone";
	case LDNS_RCODE_NOTIMPL:
		return "NOTIMP: the server takes no updates";
	case LDNS_RCODE_SERVFAIL:
		return "SERVFAIL: the server cannot do it now";
	case LDNS_RCODE_YXDOMAIN:
	case LDNS_RCODE_YXRRSET:
	case LDNS_RCODE_NXDOMAIN:
	case LDNS_RCODE_NXRRSET:
		return "a name is not as it was when the zone was read";
	default:
		return "the server refuses";
	}
}

static enum status rcode_status(ldns_pkt_rcode rcode)
{
	switch (rcode) {
	case LDNS_RCODE_NOERROR:
		return OK;
	case LDNS_RCODE_YXDOMAIN:
	case LDNS_RCODE_YXRRSET:
	case LDNS_RCODE_NXDOMAIN:
	case LDNS_RCODE_NXRRSET:
		return ERR_CONFLICT;
	case LDNS_RCODE_SERVFAIL:
		return ERR_UNAVAILABLE;
	default:
		return ERR_FORBIDDEN;
	}
}

// The name without its last dot, lower case; false: longer than any name of ours.
static bool read_name(const ldns_rdf *rdf, char room[static NAME_MAX + 1])
{
	char *name = ldns_rdf2str(rdf);
	struct text text = text_of(name);
	if (text.size > 0 && text.data[text.size - 1] == '.')
		text.size--;
	bool is_good = name && text_copy(text, room, NAME_MAX + 1);
	LDNS_FREE(name);
	for (char *at = room; is_good && *at; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
	return is_good;
}

static bool is_marker(const struct names_server *server, const ldns_rr *rr)
{
	const ldns_rdf *rdf = ldns_rr_rd_count(rr) == 1 ? ldns_rr_rdf(rr, 0) : NULL;
	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_TXT || !rdf || ldns_rdf_size(rdf) < 1)
		return false;
	struct text text = { (const char *)ldns_rdf_data(rdf) + 1, ldns_rdf_size(rdf) - 1 };
	return text_is_equal(text, text_of(server->marker));
}

static void read_address(const ldns_rr *rr, struct address *out_address)
{
	const ldns_rdf *rdf = ldns_rr_rd_count(rr) == 1 ? ldns_rr_rdf(rr, 0) : NULL;
	size_t size = rdf ? ldns_rdf_size(rdf) : 0;
	*out_address = (struct address){ 0 };
	if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_A && size == 4)
		out_address->family = ADDRESS_IPV4;
	else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_AAAA && size == 16)
		out_address->family = ADDRESS_IPV6;
	else
		return;
	memcpy(out_address->octets, ldns_rdf_data(rdf), size);
}

static bool tell(const struct names_server *server, const ldns_rr *rr, names_record_fn found,
		 void *context)
{
	char name[NAME_MAX + 1];
	if (!read_name(ldns_rr_owner(rr), name))
		return true;
	struct names_record record = { .name = text_of(name), .ttl_s = ldns_rr_ttl(rr) };
	record.is_mark = text_has_prefix(record.name, TEXT(MARK)) && is_marker(server, rr);
	if (record.is_mark)
		record.name = text_cut(record.name, sizeof(MARK) - 1);
	read_address(rr, &record.address);
	return found(context, &record);
}

static enum status explain_transfer(struct names_server *server, unsigned long count,
				    char out_problem[static NAMES_PROBLEM_SIZE])
{
	const ldns_pkt *last = ldns_axfr_last_pkt(server->resolver);
	ldns_pkt_rcode rcode = last ? ldns_pkt_get_rcode(last) : LDNS_RCODE_NOERROR;
	if (rcode == LDNS_RCODE_NOERROR) {
		say(out_problem, "transfer of the zone",
		    count > 0 ? "it broke off" : "no answer from the server");
		return ERR_UNAVAILABLE;
	}
	say(out_problem, "transfer of the zone", rcode_text(rcode));
	return rcode_status(rcode);
}

enum status names_server_read(struct names_server *server, names_record_fn found, void *context,
			      char out_problem[static NAMES_PROBLEM_SIZE])
{
	ldns_rdf *zone = ldns_dname_new_frm_str(server->zone);
	give_another_chance(server->resolver);
	ldns_status started = zone ? ldns_axfr_start(server->resolver, zone, LDNS_RR_CLASS_IN)
				   : LDNS_STATUS_MEM_ERR;
	unsigned long count = 0;
	bool is_wanted = true;
	ldns_rr *rr;
	ldns_rdf_deep_free(zone);
	if (started != LDNS_STATUS_OK) {
		say(out_problem, "transfer of the zone",
		    started == LDNS_STATUS_NETWORK_ERR ? "no answer from any of names.servers"
						       : ldns_get_errorstr_by_id(started));
		return ERR_UNAVAILABLE;
	}
	while (is_wanted && !atomic_load(&server->is_cancelled) && count < RECORDS_MAX &&
	       (rr = ldns_axfr_next(server->resolver))) {
		count++;
		is_wanted = tell(server, rr, found, context);
		ldns_rr_free(rr);
	}
	if (ldns_axfr_complete(server->resolver))
		return OK;
	enum status status = explain_transfer(server, count, out_problem);
	ldns_axfr_abort(server->resolver);
	if (is_wanted && count < RECORDS_MAX)
		return status;
	say(out_problem, "transfer of the zone", is_wanted ? "too many records" : "out of memory");
	return is_wanted ? ERR_LIMIT : ERR_MEMORY;
}

struct names_update *names_update_create(struct names_server *server)
{
	struct names_update *update = calloc(1, sizeof(*update));
	if (!update)
		return NULL;
	update->server = server;
	update->needs = ldns_rr_list_new();
	update->changes = ldns_rr_list_new();
	if (update->needs && update->changes)
		return update;
	names_update_destroy(update);
	return NULL;
}

void names_update_destroy(struct names_update *update)
{
	if (!update)
		return;
	ldns_rr_list_deep_free(update->needs);
	ldns_rr_list_deep_free(update->changes);
	free(update);
}

bool names_update_is_full(const struct names_update *update)
{
	return ldns_rr_list_rr_count(update->needs) + ldns_rr_list_rr_count(update->changes) >=
	       UPDATE_RECORDS_MAX;
}

struct row { // one record of an update; of a class other than IN it is an order
	const char *before, *name;
	ldns_rr_type type;
	ldns_rr_class class;
	uint32_t ttl_s;
};

static bool push(ldns_rr_list *list, const struct row *row, ldns_rdf *data)
{
	char name[NAME_MAX + sizeof(MARK) + 2];
	(void)snprintf(name, sizeof(name), "%s%s.", row->before, row->name);
	ldns_rr *rr = ldns_rr_new();
	ldns_rdf *owner = rr ? ldns_dname_new_frm_str(name) : NULL;
	if (!owner) {
		ldns_rr_free(rr);
		ldns_rdf_deep_free(data);
		return false;
	}
	ldns_rr_set_owner(rr, owner);
	ldns_rr_set_type(rr, row->type);
	ldns_rr_set_class(rr, row->class);
	ldns_rr_set_ttl(rr, row->ttl_s);
	bool is_good = !data || ldns_rr_push_rdf(rr, data);
	if (!is_good)
		ldns_rdf_deep_free(data);
	if (is_good && ldns_rr_list_push_rr(list, rr))
		return true;
	ldns_rr_free(rr);
	return false;
}

static bool push_mark(struct names_update *update, ldns_rr_list *list, struct row row)
{
	char room[NAME_MAX + 1]; // its length first (RFC 1035 3.3)
	struct text marker = text_of(update->server->marker);
	room[0] = (char)marker.size;
	memcpy(room + 1, marker.data, marker.size);
	ldns_rdf *text = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, marker.size + 1, room);
	row.before = MARK;
	row.type = LDNS_RR_TYPE_TXT;
	return text && push(list, &row, text);
}

static bool push_addresses(struct names_update *update, const char *name,
			   const struct names_addresses *addresses)
{
	bool is_good = true;
	for (unsigned i = 0; is_good && i < addresses->count; i++) {
		const struct address *address = &addresses->items[i];
		bool is_ipv6 = address->family == ADDRESS_IPV6;
		struct row row = { "", name, is_ipv6 ? LDNS_RR_TYPE_AAAA : LDNS_RR_TYPE_A,
				   LDNS_RR_CLASS_IN, addresses->ttl_s };
		ldns_rdf *data =
			ldns_rdf_new_frm_data(is_ipv6 ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A,
					      is_ipv6 ? 16 : 4, address->octets);
		is_good = data && push(update->changes, &row, data);
	}
	return is_good;
}

static bool push_removal(struct names_update *update, const char *name)
{
	struct row row = { "", name, LDNS_RR_TYPE_A, LDNS_RR_CLASS_ANY, 0 }; // RFC 2136 2.5.2
	bool is_good = push(update->changes, &row, NULL);
	row.type = LDNS_RR_TYPE_AAAA;
	return is_good && push(update->changes, &row, NULL);
}

// RFC 2136 2.4.2: the record set is there and is exactly this.
static bool need_mark(struct names_update *update, const char *name)
{
	struct row row = { .name = name, .class = LDNS_RR_CLASS_IN };
	return push_mark(update, update->needs, row);
}

bool names_update_add(struct names_update *update, const char *name,
		      const struct names_addresses *addresses)
{
	struct row need = { "", name, LDNS_RR_TYPE_ANY, LDNS_RR_CLASS_NONE, 0 }; // RFC 2136 2.4.5
	struct row mark = { .name = name, .class = LDNS_RR_CLASS_IN, .ttl_s = addresses->ttl_s };
	return push(update->needs, &need, NULL) && push_addresses(update, name, addresses) &&
	       push_mark(update, update->changes, mark);
}

bool names_update_replace(struct names_update *update, const char *name,
			  const struct names_addresses *addresses)
{
	return need_mark(update, name) && push_removal(update, name) &&
	       push_addresses(update, name, addresses);
}

bool names_update_remove(struct names_update *update, const char *name)
{
	struct row mark = { MARK, name, LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_ANY, 0 };
	return need_mark(update, name) && push_removal(update, name) &&
	       push(update->changes, &mark, NULL);
}

static enum status read_answer(const ldns_pkt *answer, char out_problem[static NAMES_PROBLEM_SIZE])
{
	ldns_pkt_rcode rcode = ldns_pkt_get_rcode(answer);
	if (rcode != LDNS_RCODE_NOERROR)
		say(out_problem, "update of the zone", rcode_text(rcode));
	return rcode_status(rcode);
}

static enum status explain_silence(ldns_status sent, char out_problem[static NAMES_PROBLEM_SIZE])
{
	bool is_bogus = sent == LDNS_STATUS_CRYPTO_TSIG_BOGUS;
	const char *why = ldns_get_errorstr_by_id(sent);
	if (is_bogus)
		why = "the answer is not signed with our key: it is unknown there, or clocks "
		      "differ";
	else if (sent == LDNS_STATUS_ERR || sent == LDNS_STATUS_NETWORK_ERR)
		why = "no answer from any of names.servers";
	say(out_problem, "update of the zone", why);
	return is_bogus ? ERR_FORBIDDEN : ERR_UNAVAILABLE;
}

enum status names_update_send(struct names_update *update,
			      char out_problem[static NAMES_PROBLEM_SIZE])
{
	struct names_server *server = update->server;
	if (atomic_load(&server->is_cancelled))
		return ERR_UNAVAILABLE;
	ldns_rdf *zone = ldns_dname_new_frm_str(server->zone);
	ldns_pkt *question = zone ? ldns_update_pkt_new(zone, LDNS_RR_CLASS_IN, update->needs,
							update->changes, NULL)
				  : NULL;
	ldns_pkt *answer = NULL;
	ldns_status sent = LDNS_STATUS_MEM_ERR;
	if (question) {
		ldns_pkt_set_random_id(question);
		sent = ldns_pkt_tsig_sign(question, ldns_resolver_tsig_keyname(server->resolver),
					  ldns_resolver_tsig_keydata(server->resolver), FUDGE_S,
					  ldns_resolver_tsig_algorithm(server->resolver), NULL);
	}
	give_another_chance(server->resolver);
	if (sent == LDNS_STATUS_OK)
		sent = ldns_resolver_send_pkt(&answer, server->resolver, question);
	enum status status = sent == LDNS_STATUS_OK && answer ? read_answer(answer, out_problem)
							      : explain_silence(sent, out_problem);
	ldns_pkt_free(answer);
	if (question)
		ldns_pkt_free(question);
	return status;
}
