#pragma once

// The texts and lists that options can be.
// Runs on: any thread.

#include <stdbool.h>

#include "base/address.h"

#define CONFIG_TEXT_SIZE 256 // of every text and path, with its zero
#define CONFIG_LIST_MAX 64 // items of every list
#define CONFIG_LABELS_MAX 8 // of a list of labels
#define CONFIG_LABEL_SIZE 64 // of one label of a domain name, with its zero
#define CONFIG_SID_SIZE 35 // of an object's SID, with its zero

struct config_addresses {
	unsigned count;
	struct address items[CONFIG_LIST_MAX]; // port 0, or none given
};

struct config_prefixes {
	unsigned count;
	struct prefix items[CONFIG_LIST_MAX];
};

struct config_labels {
	unsigned count;
	char items[CONFIG_LABELS_MAX][CONFIG_LABEL_SIZE];
};

struct config_accounts {
	unsigned count;
	char items[CONFIG_LIST_MAX][CONFIG_SID_SIZE];
};

struct config_numbers {
	unsigned count;
	unsigned items[CONFIG_LIST_MAX];
};

// Is the status of a SIP response among codes and classes of them?
bool config_codes_have(const struct config_numbers *codes, unsigned status);
