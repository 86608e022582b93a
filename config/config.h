#pragma once

// The configuration of a node as the program uses it: checked, complete, by value, one struct per
// section. What each option means, its unit, range and default stand in config/schema.c.
// Runs on: the control thread loads and adopts; a module holds a pointer to its own section. Options
// marked live may change between two turns of the control thread's loop, all others never change.

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/log.h"
#include "base/status.h"
#include "config/accounts.h"
#include "config/cnam.h"
#include "config/connections.h"
#include "config/edges.h"
#include "config/guard.h"
#include "config/history.h"
#include "config/limits.h"
#include "config/names.h"
#include "config/notify.h"
#include "config/numbers.h"
#include "config/redis.h"
#include "config/tls.h"

enum config_digest { CONFIG_DIGEST_MD5, CONFIG_DIGEST_SHA256, CONFIG_DIGEST_BOTH };
enum config_session_timers { CONFIG_SESSION_TIMERS_STRIP, CONFIG_SESSION_TIMERS_PASS };
enum config_polling { CONFIG_POLLING_ADAPTIVE, CONFIG_POLLING_BUSY };
enum config_dtmf { CONFIG_DTMF_PASS, CONFIG_DTMF_CONVERT };
enum config_huge_pages { CONFIG_HUGE_PAGES_AUTO, CONFIG_HUGE_PAGES_ON, CONFIG_HUGE_PAGES_OFF };

struct node_config {
	char name[CONFIG_TEXT_SIZE];
	char state_directory[CONFIG_TEXT_SIZE], runtime_directory[CONFIG_TEXT_SIZE];
	char user[CONFIG_TEXT_SIZE]; // empty: stay who we are
};

struct log_config {
	unsigned level; // enum log_level
	unsigned format; // enum log_format
};

struct sip_config {
	char base_domain[CONFIG_TEXT_SIZE]; // a trunk's host is NAME.base_domain
	char platform_domain[CONFIG_TEXT_SIZE];
	struct config_addresses addresses; // at least one
	unsigned port;
	char realm[CONFIG_TEXT_SIZE];
	unsigned ack_timeout_s; // SIP-004
	unsigned no_response_timeout_ms; // TERM-032
	unsigned ring_timeout_s;
	unsigned max_call_duration_s; // LIMIT-010
	struct config_numbers definitive_codes; // 404, or 6 for all of 6xx
	unsigned digest_algorithms; // enum config_digest
	unsigned nonce_lifetime_s;
	unsigned t1_ms, t2_ms, t4_ms; // RFC 3261 17.1.1.1
	unsigned session_timers; // enum config_session_timers
	unsigned max_calls;
	unsigned max_transfers; // of one call
	unsigned receive_buffer_bytes, ping_misses;
	unsigned tls_port;
};

struct dns_config {
	struct config_addresses servers; // empty: those of /etc/resolv.conf
	unsigned timeout_ms; // of one look-up of a host
	unsigned ttl_min_s, ttl_max_s, negative_ttl_max_s;
	unsigned stale_s, avoid_s; // 0: never
	unsigned entries_max;
};

struct media_config {
	struct config_addresses addresses; // at least one
	unsigned min_ttl; // the lowest that passes, MEDIA-016
	unsigned port_quarantine_ms, orphan_grace_s;
	unsigned dtmf; // enum config_dtmf
	bool show_digits;
};

struct dataplane_config {
	char port[CONFIG_TEXT_SIZE]; // "pci:…", "af_xdp:IFACE" or "af_packet:IFACE"
	unsigned workers;
	struct config_numbers cores; // empty: the last ones of the machine; else one per worker
	unsigned polling; // enum config_polling
	unsigned huge_pages; // enum config_huge_pages
	unsigned memory_mb;
	char crypto[CONFIG_TEXT_SIZE]; // "auto", "off", an engine, "crypto_qat:PCI-DEVICE"
	char interface[CONFIG_TEXT_SIZE]; // name of the TAP
	struct config_prefixes addresses; // of the TAP; empty: someone else assigns them
	struct config_addresses gateway; // default routes through the TAP, one per family at most
	char socket[CONFIG_TEXT_SIZE];
	bool start; // trunkd starts the dataplane when none runs
	char program[CONFIG_TEXT_SIZE]; // empty: trunkd-dataplane beside trunkd, then on PATH
};

struct admin_config {
	char socket[CONFIG_TEXT_SIZE];
	struct address metrics_address; // with port
	unsigned replay_messages; // INVITEs kept for trunkctl; 0: none
};

struct config {
	struct node_config node;
	struct log_config log;
	struct sip_config sip;
	struct guard_config guard;
	struct edges_config edges;
	struct dns_config dns;
	struct names_config names;
	struct numbers_config numbers;
	struct cnam_config cnam;
	struct notify_config notify;
	struct tls_config tls;
	struct connections_config connections;
	struct media_config media;
	struct dataplane_config dataplane;
	struct redis_config redis;
	struct history_config history;
	struct usage_config usage;
	struct alerts_config alerts;
	struct limits_config limits;
	struct accounts_config accounts;
	struct admin_config admin;
};

// What is wrong with a file, one message each: "file:line: option: what is wrong; allowed: …".
#define CONFIG_PROBLEMS_MAX 64
struct config_problems {
	unsigned count; // those that fit; the last says so when there were more
	char messages[CONFIG_PROBLEMS_MAX][512];
};

// Reads and checks a whole file and reports everything wrong with it, not just the first thing.
// ERR_MALFORMED: the problems say what; ERR_SYSTEM: unreadable, also in problems; ERR_MEMORY.
enum status config_load(const char *path, struct config **out_config,
			struct config_problems *problems);
// The line of the file where that option stands, for who finds out later what is wrong with it; 0: nowhere.
unsigned config_find_line(const char *path, struct text option);
void config_destroy(struct config *config);
// Takes over every live option of `fresh`, or, when one differs that needs a restart, none at all:
// ERR_CONFLICT, and the problems say which. `running` keeps its address.
enum status config_adopt(struct config *running, const struct config *fresh,
			 struct config_problems *problems);
void config_describe(FILE *out); // all options: the source of the manual page trunkd.yaml(5)
void config_describe_markdown(FILE *out); // the same, as a page of docs/reference
