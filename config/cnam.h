#pragma once

// Section cnam of the configuration: where the names of callers are looked up (config/schema.c says what
// each option means).
// Runs on: the control thread.

#include "config/list.h"

enum config_cnam_source { CONFIG_CNAM_OFF, CONFIG_CNAM_HTTP, CONFIG_CNAM_FILE };

struct cnam_config {
	unsigned source; // enum config_cnam_source
	char url[CONFIG_TEXT_SIZE]; // with {number} in it
	char authorization_file[CONFIG_TEXT_SIZE]; // "": none
	char file[CONFIG_TEXT_SIZE];
	unsigned timeout_ms; // CNAM-011
	unsigned ttl_s; // 0: nothing is kept
	unsigned entries_max;
};
