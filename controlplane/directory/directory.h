#pragma once

// Whose domain, address, user, number is this? The answer comes from memory: a mirror of what the
// store holds, filled by it object by object. Objects are rows of the schema (directory/schema.h).
// Runs on: control thread. What a lookup returns is valid until the directory changes, that is until
// the loop turns: copy what a call keeps.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/country/country.h"
#include "base/status.h"
#include "base/text.h"
#include "directory/rules.h"
#include "directory/schema.h"

#define DIRECTORY_SID_SIZE 35
#define DIRECTORY_NAME_SIZE 65
#define DIRECTORY_HOST_SIZE 256
#define DIRECTORY_PATH_SIZE 256
#define DIRECTORY_EDGE_SIZE 33
#define DIRECTORY_CARRIERS_MAX 32

struct directory;

// What every call asks comes first in each of these: it is then in one cache line.
struct account { // AC…
	bool is_active; // its own status
	bool has_parent; // it is a sub-account
	bool is_trial; // LIMIT-007
	bool has_countries; // its own; else those of the configuration count
	bool allows_deprecated_tls; // TLS-004: false by default
	char sid[DIRECTORY_SID_SIZE];
	uint32_t cps, max_calls; // of all its trunks together; 0: no limit
	struct country_set countries;
	char parent_sid[DIRECTORY_SID_SIZE]; // "": it is no sub-account
	char name[DIRECTORY_NAME_SIZE];
};

struct trunk { // TK…
	bool is_enabled;
	bool has_symmetric_rtp; // MEDIA-009: false by default
	bool is_secure; // TRUNK-014: TLS and SRTP are demanded (SRTP-007, D-31)
	bool takes_srtp; // where it is offered, although not demanded (D-30: false by default)
	bool takes_aead; // RFC 7714 besides
	bool wants_cnam; // TRUNK-017
	bool has_transfer; // TRUNK-015: REFER of the customer's side is done (false by default)
	bool shows_transferor; // to the target of a transfer, not the party that stays
	unsigned acl_count, credential_list_count; // attached
	uint32_t cps, max_calls; // 0: what the configuration says (LIMIT-001); no limit
	char domain[DIRECTORY_NAME_SIZE]; // the label(s) before the base domain (TERM-002)
	char account_sid[DIRECTORY_SID_SIZE], sid[DIRECTORY_SID_SIZE];
	char name[DIRECTORY_NAME_SIZE];
};

struct credential { // CR…: what digest needs, never the password
	uint8_t ha1_md5[16];
	uint8_t ha1_sha256[32];
	char user[DIRECTORY_NAME_SIZE];
	char sid[DIRECTORY_SID_SIZE];
	char realm[DIRECTORY_HOST_SIZE]; // that the two were made for
};

struct number { // PN…
	char account_sid[DIRECTORY_SID_SIZE]; // "" when in stock
	char sid[DIRECTORY_SID_SIZE];
	char trunk_sid[DIRECTORY_SID_SIZE]; // "" when on no trunk
	char voice_url[DIRECTORY_PATH_SIZE]; // ""; never beside a trunk (NUM-008)
	char e164[17]; // "+14155550100"
	char country[3]; // "": not told
	bool has_voice, has_sms, has_mms; // NUM-014
};

enum directory_transport {
	DIRECTORY_TRANSPORT_AUTO,
	DIRECTORY_TRANSPORT_UDP,
	DIRECTORY_TRANSPORT_TCP,
	DIRECTORY_TRANSPORT_TLS
};

struct carrier { // CG…: a gateway of the PSTN
	char sid[DIRECTORY_SID_SIZE];
	char name[DIRECTORY_NAME_SIZE];
	char host[DIRECTORY_HOST_SIZE]; // of its SIP: name or IP address, no brackets
	uint16_t port; // 0: none given
	struct address address; // the same when the host is one; else of no family
	enum directory_transport transport;
	char edge[DIRECTORY_EDGE_SIZE]; // we speak to it from there; "": from where the call came
	uint32_t options_ping_s; // 0: none
	struct prefix sources[DIRECTORY_SOURCES_MAX]; // where its calls come from too
	unsigned source_count;
	uint16_t priority, weight; // lower first; share among equal priority, 1..65535
	char group[33]; // "": in none (directory/routing/routing.h)
	bool is_enabled;
	bool has_plus; // before numbers in the calls it sends
	bool has_srtp, has_aead; // its media is SRTP, with AES-CM or AES-GCM
	bool takes_prack; // is offered 100rel
	bool is_verified; // by TLS its certificate must be right
	bool allows_deprecated_tls;
	char tls_certificate[DIRECTORY_PATH_SIZE], tls_key[DIRECTORY_PATH_SIZE]; // "": none
	char tls_name[DIRECTORY_HOST_SIZE]; // in its own when it connects to us; "": none
};

struct directory *directory_create(struct text base_domain);
void directory_destroy(struct directory *directory);
void directory_follow(struct directory *directory, const struct directory_rules *rules);
struct text directory_base_domain(const struct directory *directory);

// By the host of a Request-URI, case ignored: "<domain>.<base domain>", or with an edge or one of its
// regions after the base domain's first label, all the same trunk (TERM-012..014). NULL: not ours (TERM-005).
const struct trunk *directory_trunk_by_host(const struct directory *directory, struct text host);
// The base domain, or its parent's "sip."; one below, or localized; or `platform`, NONE for none, or below.
bool directory_is_platform_host(const struct directory *directory, struct text host,
				struct text platform);
const struct trunk *directory_trunk(const struct directory *directory, const char *sid);
bool directory_allows_deprecated_tls(const struct directory *directory); // any account of it (D-4)
// Whose ACLs alone hold the address; NULL: nobody's, or several accounts'.
const struct account *directory_account_by_source(const struct directory *directory,
						  const struct address *source);
// Is it in any ACL, or a carrier's? Prefixes wider than IPv4 /16 and IPv6 /32 say of nobody who it is.
bool directory_knows_address(const struct directory *directory, const struct address *address);
// Of those whose ACLs hold the address, by the narrowest prefix; NULL: none.
const struct trunk *directory_trunk_by_address(const struct directory *directory,
					       const struct address *address);
const struct account *directory_account(const struct directory *directory, const char *sid);
// Whose it is; the trunk is the directory's own, no copy. NULL: not there.
const struct account *directory_trunk_account(const struct directory *directory,
					      const struct trunk *trunk);
// Is the address in any ACL attached to the trunk? (AUTH-003, AUTH-008)
bool directory_trunk_allows(const struct directory *directory, const struct trunk *trunk,
			    const struct address *source);
// A user of any credential list attached to the trunk (AUTH-015); NULL: none of that name.
const struct credential *directory_trunk_credential(const struct directory *directory,
						    const struct trunk *trunk, struct text user);
// Is it active, and the account above it? False for NULL.
bool directory_account_is_active(const struct directory *directory, const struct account *account);
const struct country_set *directory_countries(const struct directory *directory,
					      const struct account *account); // TERM-029
bool directory_is_verified(const struct directory *directory, const struct account *account,
			   struct text e164); // as one of its callers (TERM-019, TERM-025)
bool directory_is_blocked(const struct directory *directory, struct text e164); // TERM-027
bool directory_has_number(const struct directory *directory, const struct account *account,
			  struct text e164); // as one of its own
// One of an account's; NULL for a number in stock too (NUM-020).
const struct number *directory_number(const struct directory *directory, struct text e164);
const struct carrier *directory_carrier(const struct directory *directory, const char *sid);
// All enabled carriers in order of priority, heavier first; returns how many.
unsigned directory_carriers(const struct directory *directory,
			    const struct carrier *out_carriers[DIRECTORY_CARRIERS_MAX]);
