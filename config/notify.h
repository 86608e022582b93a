#pragma once

// Section notify of the configuration: how somebody is told, by webhook or mail (config/schema.c says what
// each option means).
// Runs on: the control thread; what never changes, the thread that sends.

#include "config/list.h"

enum config_notify_tls { CONFIG_NOTIFY_TLS_REQUIRED, CONFIG_NOTIFY_TLS_OFFERED };

struct notify_config {
	struct config_prefixes allowed_targets; // DEBUG-004: beside the Internet
	char ca_file[CONFIG_TEXT_SIZE]; // "": the system's
	unsigned connect_timeout_ms, timeout_ms;
	unsigned retries;
	unsigned retry_s; // the first pause; each is twice as long as the one before
	unsigned in_flight_max;
	unsigned queue_max;
	char mail_server[CONFIG_TEXT_SIZE]; // smtp or smtps; "": no mail
	unsigned mail_tls; // enum config_notify_tls
	char mail_sender[CONFIG_TEXT_SIZE];
	char mail_user[CONFIG_TEXT_SIZE]; // "": without
	char mail_password_file[CONFIG_TEXT_SIZE];
	unsigned mail_every_s; // DEBUG-005: of one trigger
	char verifications[CONFIG_TEXT_SIZE]; // NUM-018: where codes go; "": nowhere
};
