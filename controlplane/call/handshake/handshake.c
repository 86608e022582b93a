// Whose handshake is it? Runs on the control thread, in the middle of handshakes; reads memory only.
// Names from SNI and addresses of connections prove nothing: they decide what is told and to whom, and
// a refusal, never an admission.

#include "call/handshake/handshake.h"

#include "base/map.h"
#include "call/admission/admission.h"
#include "call/method.h"
#include "call/record.h"
#include "directory/directory.h"
#include "sip/tls/peer.h"

#define REPEAT_MS 60000 // an alert of the same account, host and reason comes once in this time

static bool is_deprecated(const struct sip_flow *flow)
{
	return flow->protocol == SIP_TLS && flow->tls_version != 0 &&
	       flow->tls_version < SIP_TLS_1_2;
}

// D-4: by the trunk's domain in SNI when it is one; else the first request will say whose it is.
static bool allows_deprecated(void *context, struct text server_name)
{
	const struct calls *calls = context;
	if (!directory_allows_deprecated_tls(calls->directory))
		return false;
	const struct trunk *trunk = directory_trunk_by_host(calls->directory, server_name);
	const struct account *account =
		trunk != NULL ? directory_account(calls->directory, trunk->account_sid) : NULL;
	return account == NULL || account->allows_deprecated_tls;
}

// A carrier that is a name has it in its certificate, wherever DNS leads (RFC 5922 4, 7.2).
static void fill_name(const struct carrier *carrier, struct sip_tls_peer *out_peer)
{
	struct address address;
	if (!address_parse(text_of(carrier->host), &address))
		(void)text_copy(text_of(carrier->host), out_peer->name, sizeof out_peer->name);
}

// A customer's PBX has connected before, and has said in its Contact where it is: it gets what belongs to
// its dialogs, whatever certificate it has made itself (TLS-014).
static void fill_customer(const struct calls *calls, const struct address *remote,
			  struct sip_tls_peer *out_peer)
{
	const struct account *account =
		directory_allows_deprecated_tls(calls->directory)
			? directory_account_by_source(calls->directory, remote)
			: NULL;
	*out_peer = (struct sip_tls_peer){ .allows_deprecated = account != NULL &&
								account->allows_deprecated_tls };
}

// A carrier is one by what we called it for, not by where it is: a customer may name its address in a
// Contact, and it may name any other one in its own. One that is provisioned no more has to prove the
// address.
static bool find_peer(void *context, const struct sip_flow *flow, struct sip_tls_peer *out_peer)
{
	const struct calls *calls = context;
	const struct carrier *carrier = directory_carrier(calls->directory, flow->peer);
	fill_customer(calls, &flow->remote, out_peer);
	if (carrier == NULL)
		return flow->peer[0] == '\0';
	fill_name(carrier, out_peer);
	out_peer->is_verified = carrier->is_verified;
	out_peer->allows_deprecated = carrier->allows_deprecated_tls;
	(void)text_copy(text_of(carrier->tls_certificate), out_peer->certificate,
			sizeof out_peer->certificate);
	(void)text_copy(text_of(carrier->tls_key), out_peer->key, sizeof out_peer->key);
	return true;
}

// Said of that host and reason lately?
static bool is_told(struct calls *calls, const struct sip_tls_failure *failure, const char *whose)
{
	struct address host = failure->remote;
	uint64_t now_ms = calls->clock->now_ms;
	host.port = 0;
	uint64_t hash = map_hash(text_of(whose)) ^ address_hash(&host) ^ (failure->reason + 1u);
	struct handshake_told *told = &calls->handshakes[hash % HANDSHAKES_REMEMBERED];
	bool is_repeat = told->hash == hash && now_ms < told->until_ms;
	if (!is_repeat)
		*told = (struct handshake_told){ hash, now_ms + REPEAT_MS };
	return is_repeat;
}

static const char *expectation(enum sip_tls_reason reason)
{
	switch (reason) {
	case SIP_TLS_CIPHER:
		return "one of the suites that trunkctl show tls lists";
	case SIP_TLS_CERTIFICATE:
		return "a certificate from a CA of tls.ca_file, for its name or address";
	case SIP_TLS_ALERT:
		return "a peer that takes our certificate (trunkctl show tls ca) and suites";
	default:
		return "TLS 1.2 or 1.3";
	}
}

static void describe(const struct sip_tls_failure *failure, struct refusal *refusal)
{
	char address[ADDRESS_TEXT_SIZE], seen[sizeof refusal->seen];
	bool is_version =
		failure->reason == SIP_TLS_DEPRECATED || failure->reason == SIP_TLS_VERSION;
	struct writer writer = writer_of(seen, sizeof seen);
	writer_format(&writer, "TLS %s at most, %s %s: %s", sip_tls_version_text(failure->version),
		      failure->is_ours ? "to" : "from", address_string(&failure->remote, address),
		      failure->detail);
	(void)refusal_set(refusal, is_version ? REFUSED_TLS_VERSION : REFUSED_TLS_HANDSHAKE,
			  is_version ? "TLS version" : "TLS handshake", writer_done(&writer),
			  expectation(failure->reason));
}

// A customer's by the name it asked for, else by the only account whose ACLs hold the address.
static void failed(void *context, const struct sip_tls_failure *failure)
{
	struct calls *calls = context;
	struct history_alert alert = { 0 };
	struct refusal refusal = { 0 };
	char address[ADDRESS_TEXT_SIZE];
	const struct trunk *trunk =
		failure->is_ours ? NULL
				 : directory_trunk_by_host(calls->directory, failure->server_name);
	const struct account *account =
		failure->is_ours || trunk != NULL
			? NULL
			: directory_account_by_source(calls->directory, &failure->remote);
	const struct carrier *carrier =
		failure->is_ours ? directory_carrier(calls->directory, failure->known_as) : NULL;
	const char *whose = trunk != NULL     ? trunk->account_sid
			    : account != NULL ? account->sid
			    : carrier != NULL ? carrier->sid
					      : NULL;
	if (whose == NULL || is_told(calls, failure, whose))
		return;
	if (carrier == NULL)
		(void)text_copy(text_of(whose), alert.account_sid, sizeof alert.account_sid);
	if (trunk != NULL)
		(void)text_copy(text_of(trunk->sid), alert.trunk_sid, sizeof alert.trunk_sid);
	text_copy_cut(text_of(address_string(&failure->remote, address)), alert.source,
		      sizeof alert.source);
	describe(failure, &refusal);
	record_alert_of(calls, &alert, &refusal);
}

// Once for each connection that came with a certificate of tls.client_ca_file's.
static bool find_certified(void *context, struct text name,
			   char out_peer[static SIP_FLOW_PEER_SIZE])
{
	const struct calls *calls = context;
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	unsigned count = directory_carriers(calls->directory, carriers);
	for (unsigned i = 0; i < count; i++)
		if (carriers[i]->tls_name[0] != '\0' &&
		    text_is_same(name, text_of(carriers[i]->tls_name)))
			return text_copy(text_of(carriers[i]->sid), out_peer, SIP_FLOW_PEER_SIZE);
	return false;
}

void call_handshake_fill_user(struct calls *calls, struct sip_tls_user *out_user)
{
	*out_user = (struct sip_tls_user){ .allows_deprecated = allows_deprecated,
					   .failed = failed,
					   .find_peer = find_peer,
					   .find_certified = find_certified,
					   .context = calls };
}

bool call_handshake_is_fit(const struct sip_flow *flow, const struct account *account,
			   struct refusal *refusal)
{
	char address[ADDRESS_TEXT_SIZE], seen[96];
	struct writer writer = writer_of(seen, sizeof seen);
	if (!is_deprecated(flow) || (account != NULL && account->allows_deprecated_tls))
		return true;
	writer_format(&writer, "TLS %s from %s", sip_tls_version_text(flow->tls_version),
		      address_string(&flow->remote, address));
	(void)refusal_set(refusal, REFUSED_TLS_VERSION, "TLS version", writer_done(&writer),
			  "TLS 1.2 or 1.3");
	return false;
}

bool call_handshake_passes(struct calls *calls, struct sip_server *server,
			   const struct sip_message *request)
{
	struct refusal refusal = { 0 };
	struct history_alert alert = { 0 };
	char address[ADDRESS_TEXT_SIZE];
	const struct trunk *trunk = call_admit_trunk(calls, request);
	if (trunk == NULL || !is_deprecated(&request->flow) ||
	    call_handshake_is_fit(&request->flow,
				  directory_account(calls->directory, trunk->account_sid),
				  &refusal))
		return true;
	call_dismiss_stranger(server, 403, NULL);
	if (record_is_repeat(calls, request))
		return false;
	(void)text_copy(text_of(trunk->account_sid), alert.account_sid, sizeof alert.account_sid);
	(void)text_copy(text_of(trunk->sid), alert.trunk_sid, sizeof alert.trunk_sid);
	text_copy_cut(text_of(address_string(&request->flow.remote, address)), alert.source,
		      sizeof alert.source);
	record_alert_of(calls, &alert, &refusal);
	return false;
}
