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
		.session_interval = REFUSED_SESSION_INTERVAL,
		.no_answer = REFUSED_NO_ANSWER,
	},
};
// clang-format on

const struct target_causes *target_causes(enum target_kind kind)
{
	return &causes[kind];
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
	};
	(void)text_copy(text_of(carrier->sid), out_target->sid, sizeof out_target->sid);
	(void)text_copy(text_of(carrier->name), out_target->name, sizeof out_target->name);
	set_place(carrier->host, carrier->port, carrier->transport, &out_target->place);
}

static void write_host(const struct target *target, const struct sip_hop *hop,
		       struct writer *writer)
{
	const struct sip_target *place = &target->place;
	struct address address;
	if (address_parse(text_of(place->host), &address)) {
		address_write(&hop->address, writer);
		return;
	}
	writer_string(writer, place->host); // the name is what DNS and certificates are about
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
