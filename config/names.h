#pragma once

// Section names of the configuration: where and how the names of trunks are published (config/schema.c
// says what each option means).
// Runs on: the control thread.

#include "config/list.h"

struct names_config {
	struct config_addresses servers; // empty: nothing is published
	unsigned port;
	char zone[CONFIG_TEXT_SIZE]; // empty: the base domain without its first label
	char key_file[CONFIG_TEXT_SIZE]; // read at the start as node.user
	unsigned ttl_s; // NET-010
	struct config_addresses addresses; // empty: sip.addresses
	char api_name[CONFIG_TEXT_SIZE]; // empty: none
	struct config_addresses api_addresses; // empty: those of the trunks
	unsigned api_ttl_s; // API-005
	unsigned timeout_ms;
	unsigned reconcile_min;
	unsigned alert_after_s;
};
