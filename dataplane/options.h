#pragma once

// The arguments of trunkd-dataplane: what trunkd makes of trunkd.yaml when it starts it.
// Runs on: main.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "dataplane/message.h"

#define OPTIONS_ADDRESSES_MAX 16
#define OPTIONS_GATEWAYS_MAX 2
#define OPTIONS_WORKERS_MAX 32

enum option_choice { OPTION_AUTO, OPTION_ON, OPTION_OFF };

struct options {
	const char *socket_path;
	const char *port; // "af_packet:eth1"
	const char *interface; // the TAP's name
	struct address media[MEDIA_ADDRESSES_MAX];
	unsigned media_count;
	struct prefix addresses[OPTIONS_ADDRESSES_MAX]; // with their host bits
	unsigned address_count;
	struct address gateways[OPTIONS_GATEWAYS_MAX];
	unsigned gateway_count;
	unsigned workers;
	unsigned cores[OPTIONS_WORKERS_MAX]; // of the workers
	unsigned core_count; // 0: ours to choose
	bool polls_busy;
	enum option_choice huge_pages, verify_udp_checksum;
	unsigned memory_mb;
	unsigned min_ttl;
	char crypto[24]; // the SRTP engine: "auto", "off", or its name
	const char *crypto_device; // "0000:3d:01.0", of an engine that is a card; else NULL
	unsigned allow_uid; // who may attach beside root and ourselves; UINT32_MAX: nobody
};

enum options_answer { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG };

// Complaints go to stderr, naming the option and what it takes; help goes to stdout.
enum options_answer options_parse(int count, char *const *arguments, struct options *out_options);
