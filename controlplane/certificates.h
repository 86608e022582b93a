#pragma once

// The certificates of SIP over TLS, from the options that name their files: a part of the control
// process (part.h), and a part of every reload.
// Runs on: control thread.

#include "base/status.h"

struct config;
struct control;
struct sip_tls_problem;
struct writer;

enum status certificates_start(struct control *control);
void certificates_stop(struct control *control);
// Reads every file that tls.* names and keeps nothing: for trunkd --check.
enum status certificates_check(const struct config *config, struct sip_tls_problem *out_problem);
// The problem with the place where its option stands: "FILE:LINE: tls.rsa_key: …".
#define CERTIFICATES_PROBLEM_SIZE 1024
void certificates_locate(const char *config_path, const struct sip_tls_problem *problem,
			 char room[static CERTIFICATES_PROBLEM_SIZE]);
// The files that carriers name (tls_certificate, tls_key): one line for each that is wrong on this node.
void certificates_check_carriers(const struct control *control, struct writer *warnings);
// With what the configuration says now, instead of before. What is wrong changes nothing.
enum status certificates_reload(struct control *control, const struct config *before,
				struct sip_tls_problem *out_problem);
