#pragma once

// The certificates of SIP over TLS, from the options that name their files: a part of the control
// process (part.h), and a part of every reload.
// Runs on: control thread.

#include "base/status.h"

struct config;
struct control;
struct sip_tls_problem;

enum status certificates_start(struct control *control);
void certificates_stop(struct control *control);
// Reads every file that tls.* names and keeps nothing: for trunkd --check.
enum status certificates_check(const struct config *config, struct sip_tls_problem *out_problem);
// With what the configuration says now. What is wrong changes nothing.
enum status certificates_reload(struct control *control, struct sip_tls_problem *out_problem);
