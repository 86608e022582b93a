// From tls.* of the configuration to the TLS side. Runs on the control thread. Files are read as
// node.user, at the start as at each reload: what starts can be reloaded.

#include "certificates.h"

#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "call/handshake/handshake.h"
#include "call/record.h"
#include "call/refusal.h"
#include "config/config.h"
#include "control.h"
#include "directory/directory.h"
#include "sip/tls/peer.h"
#include "sip/tls/tls.h"
#include "sip/transport.h"

#define DAY_S 86400
#define WARN_DAYS 30

static struct sip_tls_files files_of(const struct tls_config *config)
{
	return (struct sip_tls_files){
		.rsa_certificate = config->rsa_certificate,
		.rsa_key = config->rsa_key,
		.ecdsa_certificate = config->ecdsa_certificate,
		.ecdsa_key = config->ecdsa_key,
		.certificate_directory = config->certificate_directory,
		.ca_file = config->ca_file,
		.client_ca_file = config->client_ca_file,
		.ticket_key_file = config->ticket_key_file,
		.has_tls13 = config->tls13,
		.prefers_own_order = config->prefer_server_ciphers,
	};
}

static void warn_of_expiry(const struct sip_tls_certificate *certificate, int64_t now_s)
{
	struct log_value days;
	int64_t left_s = certificate->not_after_s - now_s;
	if (left_s < WARN_DAYS * DAY_S)
		log_event(LOG_WARNING, "tls_certificate_expires", "file", certificate->file,
			  "subject", certificate->subject, "days_left",
			  log_number(&days, left_s / DAY_S), "fix",
			  "renew it and run trunkctl reload", NULL);
	if (certificate->not_before_s > now_s)
		log_event(LOG_WARNING, "tls_certificate_not_yet_valid", "file", certificate->file,
			  "fix", "look at the clock of this machine", NULL);
}

static void tell(const struct control *control)
{
	char name[CONFIG_TEXT_SIZE + 2] = "*.";
	const struct sip_tls *tls = control->tls;
	int64_t now_s = (int64_t)time(NULL);
	unsigned count = sip_tls_certificate_count(tls);
	for (unsigned i = 0; i < count; i++) {
		const struct sip_tls_certificate *certificate = sip_tls_certificate(tls, i);
		warn_of_expiry(certificate, now_s);
		log_event(LOG_INFO, "tls_certificate", "file", certificate->file, "subject",
			  certificate->subject, "names", certificate->names, "key",
			  certificate->key_type, NULL);
	}
	text_copy_cut(text_of(control->config->sip.base_domain), name + 2, sizeof name - 2);
	if (count > 0 && !sip_tls_covers(tls, text_of(name)))
		log_event(LOG_WARNING, "tls_domain_uncovered", "name", name, "fix",
			  "customers who verify need a certificate with that name", NULL);
}

enum status certificates_start(struct control *control)
{
	struct sip_tls_user user;
	struct sip_tls_problem problem;
	struct sip_tls_files files = files_of(&control->config->tls);
	call_handshake_fill_user(control->calls, &user);
	enum status status = sip_tls_create(&files, &user, &control->tls, &problem);
	if (status != OK)
		log_event(LOG_ERROR, "tls_refused", "problem", problem.text, NULL);
	else
		tell(control);
	return status;
}

void certificates_stop(struct control *control)
{
	sip_tls_destroy(control->tls);
	control->tls = NULL;
}

enum status certificates_check(const struct config *config, struct sip_tls_problem *out_problem)
{
	struct sip_tls *tls = NULL;
	struct sip_tls_files files = files_of(&config->tls);
	struct sip_tls_user nobody = { 0 };
	enum status status = sip_tls_create(&files, &nobody, &tls, out_problem);
	if (status == OK)
		sip_tls_destroy(tls);
	return status;
}

void certificates_locate(const char *config_path, const struct sip_tls_problem *problem,
			 char room[static CERTIFICATES_PROBLEM_SIZE])
{
	struct text rest = text_of(problem->text);
	unsigned line = config_find_line(config_path, text_split(&rest, ':'));
	char line_text[16] = "";
	if (line > 0)
		(void)snprintf(line_text, sizeof line_text, "%u:", line);
	(void)snprintf(room, CERTIFICATES_PROBLEM_SIZE, "%s:%s %s", config_path, line_text,
		       problem->text);
}

// The first certificate opens the port, the last one that goes closes it.
static enum status listen_as_certified(struct control *control, struct sip_tls_problem *problem)
{
	enum status status = sip_transport_follow_tls(control->transport);
	if (status != OK)
		(void)snprintf(
			problem->text, sizeof problem->text,
			"sip.tls_port: %u: cannot be listened on: %s; see sip_listen_failed in "
			"the log",
			control->config->sip.tls_port, status_text(status));
	return status;
}

static void alert(const struct control *control, const char *carrier, const char *problem)
{
	struct refusal refusal = { 0 };
	log_event(LOG_ERROR, "tls_client_certificate", "carrier", carrier, "problem", problem,
		  NULL);
	(void)refusal_set(&refusal, REFUSED_CARRIER_FILES, carrier, text_of(problem),
			  "a certificate and its key");
	record_node_alert(control->calls, &refusal);
}

// A carrier's files are each node's own: what another node, or a later hand, has left wrong here is told at
// each reload, as are those that change nothing by being named. Its calls fail until then, and say so.
void certificates_check_carriers(const struct control *control, struct writer *warnings)
{
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	unsigned count = directory_carriers(control->directory, carriers);
	for (unsigned i = 0; i < count; i++) {
		struct sip_tls_problem problem;
		if (sip_tls_check_own(carriers[i]->tls_certificate, carriers[i]->tls_key, &problem))
			continue;
		alert(control, carriers[i]->name, problem.text);
		writer_format(warnings, "carrier %s: %s\n", carriers[i]->name, problem.text);
	}
}

enum status certificates_reload(struct control *control, const struct config *before,
				struct sip_tls_problem *out_problem)
{
	struct sip_tls_problem problem;
	struct sip_tls_files files = files_of(&control->config->tls);
	struct sip_tls_files former = files_of(&before->tls);
	enum status status = sip_tls_reload(control->tls, &files, out_problem);
	if (status != OK)
		return status;
	status = listen_as_certified(control, out_problem);
	if (status == OK)
		tell(control);
	else if (sip_tls_reload(control->tls, &former, &problem) != OK)
		log_event(LOG_ERROR, "tls_refused", "problem", problem.text, NULL);
	return status;
}
