// Why a handshake failed, in words that help (TLS-016). Runs on the control thread. Strangers can fail
// as often as they like: beyond some a second it is counted, not told.

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "sip/tls/connection.h"

#define TOLD_PER_S 10
#define ALERT_REASONS 1000 // from here on a reason is an alert that the peer sent

// clang-format off
#define LABEL(name, label, text) [SIP_TLS_##name] = label,
#define TEXT_OF(name, label, text) [SIP_TLS_##name] = text,
static const char *const labels[] = { SIP_TLS_REASON_LIST(LABEL) };
static const char *const texts[] = { SIP_TLS_REASON_LIST(TEXT_OF) };
#undef LABEL
#undef TEXT_OF
// clang-format on

static const struct {
	int error;
	enum sip_tls_reason reason;
} reasons[] = {
	{ SSL_R_UNSUPPORTED_PROTOCOL, SIP_TLS_VERSION },
	{ SSL_R_VERSION_TOO_LOW, SIP_TLS_VERSION },
	{ SSL_R_VERSION_TOO_HIGH, SIP_TLS_VERSION },
	{ SSL_R_UNKNOWN_SSL_VERSION, SIP_TLS_VERSION },
	{ SSL_R_WRONG_SSL_VERSION, SIP_TLS_VERSION },
	{ SSL_R_INAPPROPRIATE_FALLBACK, SIP_TLS_VERSION },
	{ SSL_R_NO_SHARED_CIPHER, SIP_TLS_CIPHER },
	{ SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SIP_TLS_CIPHER },
	{ SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SIP_TLS_CIPHER },
	{ SSL_R_NO_SHARED_GROUPS, SIP_TLS_CIPHER },
	{ SSL_R_NO_SUITABLE_KEY_SHARE, SIP_TLS_CIPHER },
	{ SSL_R_WRONG_VERSION_NUMBER, SIP_TLS_NOT_TLS },
	{ SSL_R_HTTP_REQUEST, SIP_TLS_NOT_TLS },
	{ SSL_R_HTTPS_PROXY_REQUEST, SIP_TLS_NOT_TLS },
	{ SSL_R_UNKNOWN_PROTOCOL, SIP_TLS_NOT_TLS },
	{ SSL_R_CERTIFICATE_VERIFY_FAILED, SIP_TLS_CERTIFICATE },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, SIP_TLS_VERSION },
	{ SSL_R_UNEXPECTED_EOF_WHILE_READING, SIP_TLS_CLOSED },
};

const char *sip_tls_reason_label(unsigned reason)
{
	return reason < SIP_TLS_REASON_COUNT ? labels[reason] : NULL;
}

const char *sip_tls_reason_text(enum sip_tls_reason reason)
{
	return texts[reason];
}

const char *sip_tls_version_text(uint16_t version)
{
	static const char *const names[] = { "1.0", "1.1", "1.2", "1.3" };
	if (version == 0)
		return "none";
	if (version == SSL3_VERSION)
		return "SSL 3.0";
	return version >= TLS1_VERSION && version <= TLS1_3_VERSION ? names[version - TLS1_VERSION]
								    : "unknown";
}

static enum sip_tls_reason reason_of(const struct tls_connection *connection, unsigned long error,
				     bool has_timed_out)
{
	int number = ERR_GET_REASON(error);
	if (connection->is_refused)
		return connection->reason;
	if (error == 0)
		return has_timed_out ? SIP_TLS_TIMEOUT : SIP_TLS_CLOSED;
	for (unsigned i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		if (ERR_GET_LIB(error) == ERR_LIB_SSL && reasons[i].error == number)
			return reasons[i].reason;
	}
	if (ERR_GET_LIB(error) == ERR_LIB_SSL && number >= ALERT_REASONS)
		return SIP_TLS_ALERT;
	return SIP_TLS_OTHER;
}

static void write_suites(const struct tls_connection *connection, char *room, size_t size)
{
	struct writer writer = writer_of(room, size);
	for (unsigned i = 0; i < connection->suite_count; i++)
		writer_format(&writer, "%s%04x", i > 0 ? " " : "", connection->suites[i]);
	if (writer_string_done(&writer) == NULL)
		room[0] = '\0';
}

static bool may_tell(struct sip_tls *tls)
{
	uint64_t second = clock_monotonic_ns() / 1000000000;
	if (second != tls->logged_second) {
		struct log_value count;
		if (tls->unlogged > 0)
			log_event(LOG_WARNING, "tls_handshakes_failed", "not_told",
				  log_number(&count, tls->unlogged), NULL);
		tls->logged_second = second;
		tls->logged = tls->unlogged = 0;
	}
	if (tls->logged < TOLD_PER_S) {
		tls->logged++;
		return true;
	}
	tls->unlogged++;
	return false;
}

static void tell(struct tls_connection *connection, const struct sip_tls_failure *failure)
{
	struct sip_tls *tls = connection->tls;
	char address[ADDRESS_TEXT_SIZE], suites[TLS_SUITES_NOTED * 5 + 1];
	struct log_value name;
	write_suites(connection, suites, sizeof suites);
	log_event(LOG_WARNING, "tls_handshake_failed", "peer",
		  address_string(&failure->remote, address), "way", failure->is_ours ? "out" : "in",
		  "reason", labels[failure->reason], "detail", failure->detail, "offered",
		  sip_tls_version_text(failure->version), "name",
		  log_text(&name, failure->server_name), "suites", suites, NULL);
	if (tls->user.failed != NULL)
		tls->user.failed(tls->user.context, failure);
}

void sip_tls_failure_note(struct tls_connection *connection, unsigned long error,
			  bool has_timed_out)
{
	enum sip_tls_reason reason = reason_of(connection, error, has_timed_out);
	const char *detail = error != 0 ? ERR_reason_error_string(error) : NULL;
	bool is_known = detail != NULL && !connection->is_refused;
	struct sip_tls_failure failure = { reason,
					   connection->remote,
					   connection->is_ours,
					   connection->known_as,
					   connection->offered,
					   text_of(connection->server_name),
					   is_known ? detail : texts[reason] };
	counter_add(&connection->tls->counters.failures[reason], 1);
	if (may_tell(connection->tls))
		tell(connection, &failure);
}
