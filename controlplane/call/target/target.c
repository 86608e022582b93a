// Targets of calls, made of what the directory says. Runs on the control thread; pure.

#include "call/target/target.h"

#include "dataplane/suite.h"

// clang-format off
static const struct target_causes causes[TARGET_KINDS] = {
	[TARGET_CARRIER] = {
		.none = REFUSED_NO_CARRIER,
		.unsent = REFUSED_CARRIER_FAILED,
		.unresolved = REFUSED_CARRIER_UNRESOLVED,
		.unreachable = REFUSED_CARRIER_UNREACHABLE,
		.silent = REFUSED_CARRIER_SILENT,
		.refused = REFUSED_CARRIER_FAILED,
		.stalled = REFUSED_NO_ANSWER,
		.no_answer = REFUSED_NO_ANSWER,
	},
	[TARGET_URI] = {
		.none = REFUSED_NO_URI,
		.unsent = REFUSED_URI_UNREACHABLE,
		.unresolved = REFUSED_URI_UNRESOLVED,
		.unreachable = REFUSED_URI_UNREACHABLE,
		.silent = REFUSED_URI_SILENT,
		.refused = REFUSED_URI_FAILED,
		.stalled = REFUSED_URI_STALLED,
		.no_answer = REFUSED_NO_ANSWER,
	},
};

// B.2: what says more than that it failed.
static const struct {
	enum target_kind kind;
	unsigned status;
	enum refusal_cause cause;
} answers[] = {
	{ TARGET_CARRIER, 422, REFUSED_SESSION_INTERVAL }, // SIP-019
	{ TARGET_URI, 401, REFUSED_URI_CHALLENGED }, // ORIG-035
	{ TARGET_URI, 407, REFUSED_URI_PROXY_CHALLENGED }, // ORIG-036
	{ TARGET_URI, 415, REFUSED_URI_CODEC }, // MEDIA-004
	{ TARGET_URI, 422, REFUSED_URI_SESSION_INTERVAL },
	{ TARGET_URI, 480, REFUSED_URI_UNAVAILABLE },
	{ TARGET_URI, 488, REFUSED_URI_CODEC }, // D-28
};
// clang-format on

const struct target_causes *target_causes(enum target_kind kind)
{
	return &causes[kind];
}

enum refusal_cause target_refusal(enum target_kind kind, unsigned status)
{
	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].kind == kind && answers[i].status == status)
			return answers[i].cause;
	}
	return causes[kind].refused;
}

void target_refuse(const struct target *target, enum refusal_cause cause, struct text seen,
		   const char *expected, struct refusal *out_refusal)
{
	char room[sizeof out_refusal->seen + TARGET_NAME_SIZE];
	struct writer writer = writer_of(room, sizeof room);
	if (target->kind == TARGET_CARRIER) {
		(void)refusal_set(out_refusal, cause, target->name, seen, expected);
		return;
	}
	writer_format(&writer, "%.100s: %.*s", target->name, TEXT_FORMAT(seen));
	(void)refusal_set(out_refusal, cause, target->header ? target->header : "Origination URI",
			  writer.failed ? seen : writer_done(&writer), expected);
}

static void set_place(const char *host, uint16_t port, enum directory_transport transport,
		      struct sip_target *place)
{
	static const enum sip_protocol protocols[] = { [DIRECTORY_TRANSPORT_UDP] = SIP_UDP,
						       [DIRECTORY_TRANSPORT_TCP] = SIP_TCP,
						       [DIRECTORY_TRANSPORT_TLS] = SIP_TLS };
	(void)text_copy(text_of(host), place->host, sizeof place->host);
	place->port = port;
	place->has_protocol = transport != DIRECTORY_TRANSPORT_AUTO;
	place->protocol = protocols[transport];
}

// SRTP-004: a carrier with SRTP is offered nothing else.
void target_of_carrier(const struct carrier *carrier, struct target *out_target)
{
	*out_target = (struct target){
		.kind = TARGET_CARRIER,
		.security = carrier->has_srtp ? MEDIA_SECURE : MEDIA_PLAIN,
		.suites = carrier->has_aead ? SUITE_BITS_AEAD : SUITE_BITS_AES_CM,
		.lacks_prack = !carrier->takes_prack,
	};
	(void)text_copy(text_of(carrier->sid), out_target->sid, sizeof out_target->sid);
	(void)text_copy(text_of(carrier->name), out_target->name, sizeof out_target->name);
	(void)text_copy(text_of(carrier->edge), out_target->edge, sizeof out_target->edge);
	set_place(carrier->host, carrier->port, carrier->transport, &out_target->place);
}

static void write_host(const struct target *target, const struct sip_hop *hop,
		       struct writer *writer)
{
	const struct sip_target *place = &target->place;
	struct address address;
	bool is_address = address_parse(text_of(place->host), &address);
	if (is_address && target->kind == TARGET_CARRIER) {
		address_write(&hop->address, writer);
		return;
	}
	bool is_bracketed = is_address && address.family == ADDRESS_IPV6;
	// A name is what DNS and certificates are about; a URI is sent as it was written (ORIG-003).
	writer_format(writer, is_bracketed ? "[%s]" : "%s", place->host);
	if (place->port != 0)
		writer_format(writer, ":%u", place->port);
}

void target_write_uri(const struct target *target, const struct sip_hop *hop, const char *user,
		      bool has_parameters, struct writer *writer)
{
	writer_string(writer, "sip:");
	if (user != NULL) {
		writer_string(writer, target->user[0] != '\0' ? target->user : user);
		writer_char(writer, '@');
	}
	write_host(target, hop, writer);
	if (has_parameters && hop->protocol != SIP_UDP) {
		writer_string(writer, ";transport=");
		writer_string(writer, sip_protocol_name(hop->protocol));
	}
}

// The URI without what is not sent, as records and alerts name it. A long one is cut.
void target_name(struct target *target)
{
	const struct sip_target *place = &target->place;
	struct sip_hop hop = { .protocol = place->protocol };
	char room[TARGET_USER_SIZE + DNS_NAME_SIZE + 64];
	struct writer writer = writer_of(room, sizeof room);
	target_write_uri(target, &hop, target->user[0] != '\0' ? target->user : NULL, true,
			 &writer);
	text_copy_cut(writer_done(&writer), target->name, sizeof target->name);
}

void target_of_uri(const struct origination_uri *uri, bool is_secure, struct target *out_target)
{
	const struct directory_uri *parts = &uri->uri;
	enum directory_transport transport = is_secure ? DIRECTORY_TRANSPORT_TLS : parts->transport;
	*out_target = (struct target){ .kind = TARGET_URI };
	(void)text_copy(text_of(uri->sid), out_target->sid, sizeof out_target->sid);
	(void)text_copy(text_of(parts->user), out_target->user, sizeof out_target->user);
	(void)text_copy(text_of(parts->lines), out_target->lines, sizeof out_target->lines);
	(void)text_copy(text_of(parts->edge), out_target->edge, sizeof out_target->edge);
	(void)text_copy(text_of(parts->tnx), out_target->connection, sizeof out_target->connection);
	set_place(parts->host, parts->port, transport, &out_target->place);
	target_name(out_target);
}

static bool read_protocol(const struct sip_uri *uri, enum sip_protocol *out_protocol)
{
	bool is_present;
	struct text transport = sip_uri_parameter(uri, "transport", &is_present);
	*out_protocol = text_is_same(uri->scheme, TEXT("sips")) ? SIP_TLS : SIP_UDP;
	return !is_present || *out_protocol == SIP_TLS ||
	       sip_protocol_parse(transport, out_protocol);
}

bool target_of_message(const struct sip_uri *uri, bool is_secure, struct target *target)
{
	struct sip_target *place = &target->place;
	if (!read_protocol(uri, &place->protocol) ||
	    !text_copy(uri->user, target->user, sizeof target->user) ||
	    !text_copy(uri->host, place->host, sizeof place->host))
		return false;
	place->has_protocol = true;
	place->port = uri->port;
	if (is_secure)
		place->protocol = SIP_TLS;
	target_name(target);
	return true;
}
