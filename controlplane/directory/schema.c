// The table of everything the directory holds. A kind is one row and its fields; commands, checks,
// records in the store and reference pages follow from it.
// Runs on: any thread; constant.

#include "directory/schema.h"

#define FIELDS(array) .fields = (array), .field_count = sizeof(array) / sizeof((array)[0])
#define NAME_MAX 64 // DIRECTORY_NAME_SIZE without its zero
#define PATH_MAX_OCTETS 255 // DIRECTORY_PATH_SIZE without its zero
#define EDGE_MAX 32 // DIRECTORY_EDGE_SIZE without its zero
#define LISTS_MAX 32 // attached to one trunk

// clang-format off
static const struct directory_field account_fields[] = {
	{ .name = "name", .type = DIRECTORY_TEXT, .is_required = true, .is_unique = true, .min = 1, .max = NAME_MAX,
	  .text = "What the operator calls it." },
	{ .name = "parent", .type = DIRECTORY_REFERENCE, .is_fixed = true, .refers_to = DIRECTORY_ACCOUNT,
	  .text = "The account whose sub-account it is (OTHER-002)." },
	{ .name = "status", .type = DIRECTORY_CHOICE, .choices = "active, suspended", .fallback = "active",
	  .text = "active; suspended: its calls and those of its sub-accounts are declined." },
	{ .name = "type", .type = DIRECTORY_CHOICE, .choices = "trial, paid", .fallback = "paid",
	  .text = "trial: calls to verified numbers alone (TERM-025), few at a time, limits.trial_calls (LIMIT-007); paid: as many as it "
		  "likes (LIMIT-008). A change counts at once (TERM-026)." },
	{ .name = "voice_countries", .type = DIRECTORY_COUNTRIES,
	  .text = "Countries it may call (TERM-029): codes of two letters, or all; accounts.voice_countries when not given." },
	{ .name = "cps", .type = DIRECTORY_UNSIGNED, .min = 1, .max = 100000,
	  .text = "New calls per second that all its trunks may place together, besides what each may (D-14); no such limit when not given." },
	{ .name = "max_calls", .type = DIRECTORY_UNSIGNED, .min = 1, .max = 1000000,
	  .text = "Calls at a time of all its trunks together; no such limit when not given." },
	{ .name = "auth_token", .type = DIRECTORY_HEX, .is_hidden = true, .min = 32, .max = 32,
	  .text = "Key of the signatures of its webhooks." },
	{ .name = "deprecated_tls", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether it may use TLS 1.0 and 1.1, which are broken and retired (TLS-003, TLS-004)." },
};

// Zero calls per second is not a limit but a closed trunk, and `enabled` says that (LIMIT-001). One that
// says nothing follows the configuration's limits.default_cps: its view holds 0.
static const struct directory_field trunk_fields[] = {
	{ .name = "account", .type = DIRECTORY_REFERENCE, .is_required = true, .is_fixed = true,
	  .refers_to = DIRECTORY_ACCOUNT, .text = "Whose it is." },
	{ .name = "name", .type = DIRECTORY_TEXT, .min = 1, .max = NAME_MAX,
	  .text = "A friendly name (TRUNK-005)." },
	{ .name = "domain", .group = DIRECTORY_TERMINATION, .type = DIRECTORY_LABEL, .is_unique = true, .min = 1, .max = NAME_MAX,
	  .text = "What stands before the base domain in its termination URI, unique on the platform (TERM-002)." },
	{ .name = "cps", .group = DIRECTORY_TERMINATION, .type = DIRECTORY_UNSIGNED, .min = 1, .max = 100000,
	  .text = "New calls per second it may place (LIMIT-001); limits.default_cps when not given." },
	{ .name = "max_calls", .type = DIRECTORY_UNSIGNED, .min = 1, .max = 1000000,
	  .text = "Calls it may have at a time; no such limit when not given." },
	{ .name = "symmetric_rtp", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether media goes back to where it comes from (MEDIA-009)." },
	{ .name = "secure", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether its calls must come by TLS and with SRTP (TRUNK-014, SRTP-007)." },
	{ .name = "srtp", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether SRTP is taken where it is offered, over any transport, without being demanded." },
	{ .name = "srtp_aead", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether its SRTP may also use AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714)." },
	{ .name = "transfer", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether the customer's side of its calls may transfer them by REFER (TRUNK-015)." },
	{ .name = "transfer_caller_id", .type = DIRECTORY_CHOICE, .choices = "transferee, transferor",
	  .fallback = "transferee",
	  .text = "Whose number the target of a transfer sees: of the party that stays, or of who transfers." },
	{ .name = "cnam", .group = DIRECTORY_ORIGINATION, .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether the names of its callers from the PSTN are looked up, which is charged (TRUNK-017, CNAM-009)." },
	{ .name = "recording", .type = DIRECTORY_CHOICE, .fallback = "do-not-record",
	  .choices = "do-not-record, record-from-ringing, record-from-answer, record-from-ringing-dual, record-from-answer-dual",
	  .text = "Which part of its calls is recorded, and whether both parties get a track of their own: dual (TRUNK-018)." },
	{ .name = "recording_trim", .type = DIRECTORY_CHOICE, .choices = "do-not-trim, trim-silence", .fallback = "do-not-trim",
	  .text = "Whether silence is cut from its recordings (TRUNK-018)." },
	{ .name = "disaster_recovery_url", .group = DIRECTORY_ORIGINATION, .type = DIRECTORY_URL, .max = PATH_MAX_OCTETS,
	  .text = "URL that says what becomes of a call that none of its Origination URIs could take (TRUNK-019)." },
	{ .name = "disaster_recovery_method", .group = DIRECTORY_ORIGINATION, .type = DIRECTORY_CHOICE, .choices = "POST, GET",
	  .fallback = "POST", .text = "How that URL is asked (TRUNK-019)." },
	{ .name = "enabled", .type = DIRECTORY_BOOL, .fallback = "true",
	  .text = "Whether it carries calls." },
	{ .name = "acls", .group = DIRECTORY_TERMINATION, .type = DIRECTORY_REFERENCES, .refers_to = DIRECTORY_ACL, .max = LISTS_MAX,
	  .text = "Lists of addresses its calls may come from (AUTH-001)." },
	{ .name = "credential_lists", .group = DIRECTORY_TERMINATION, .type = DIRECTORY_REFERENCES, .refers_to = DIRECTORY_CREDENTIAL_LIST,
	  .max = LISTS_MAX, .text = "Lists of users who may place its calls (AUTH-001)." },
};

static const struct directory_field acl_fields[] = {
	{ .name = "account", .type = DIRECTORY_REFERENCE, .is_required = true, .is_fixed = true,
	  .refers_to = DIRECTORY_ACCOUNT, .text = "Whose it is." },
	{ .name = "name", .type = DIRECTORY_TEXT, .is_required = true, .min = 1, .max = NAME_MAX,
	  .text = "A friendly name (AUTH-012)." },
};

static const struct directory_field acl_address_fields[] = {
	{ .name = "acl", .type = DIRECTORY_REFERENCE, .is_required = true, .is_fixed = true,
	  .refers_to = DIRECTORY_ACL, .text = "The list it is in." },
	{ .name = "address", .type = DIRECTORY_PREFIX, .is_required = true, .is_unique = true, .scope = "acl",
	  .text = "IP address or prefix that calls may come from (AUTH-013)." },
	{ .name = "name", .type = DIRECTORY_TEXT, .min = 1, .max = NAME_MAX,
	  .text = "A friendly name." },
};

static const struct directory_field credential_list_fields[] = {
	{ .name = "account", .type = DIRECTORY_REFERENCE, .is_required = true, .is_fixed = true,
	  .refers_to = DIRECTORY_ACCOUNT, .text = "Whose it is." },
	{ .name = "name", .type = DIRECTORY_TEXT, .is_required = true, .min = 1, .max = NAME_MAX,
	  .text = "A friendly name (AUTH-014)." },
};

// The user is part of what is hashed (RFC 7616 3.4.2), so another one needs its password again.
static const struct directory_field credential_fields[] = {
	{ .name = "list", .type = DIRECTORY_REFERENCE, .is_required = true, .is_fixed = true,
	  .refers_to = DIRECTORY_CREDENTIAL_LIST, .text = "The list it is in." },
	{ .name = "user", .type = DIRECTORY_USER, .is_required = true, .is_unique = true, .is_fixed = true,
	  .scope = "list", .min = 1, .max = NAME_MAX, .text = "User name, unique in its list (AUTH-015)." },
	{ .name = "ha1_md5", .type = DIRECTORY_HEX, .is_required = true, .is_hidden = true, .min = 32, .max = 32,
	  .text = "MD5 of user, realm and password." },
	{ .name = "ha1_sha256", .type = DIRECTORY_HEX, .is_required = true, .is_hidden = true, .min = 64, .max = 64,
	  .text = "SHA-256 of user, realm and password." },
	{ .name = "realm", .type = DIRECTORY_TEXT, .is_required = true, .is_hidden = true, .min = 1, .max = 255,
	  .text = "The realm the two were made for." },
};

static const struct directory_field number_fields[] = {
	{ .name = "account", .type = DIRECTORY_REFERENCE, .refers_to = DIRECTORY_ACCOUNT,
	  .text = "Whose it is; nobody's as long as it is in stock. buy and release change it (NUM-003, NUM-012)." },
	{ .name = "e164", .type = DIRECTORY_E164, .is_required = true, .is_unique = true, .is_fixed = true,
	  .text = "The number, with its plus sign (TERM-018)." },
	{ .name = "trunk", .type = DIRECTORY_REFERENCE, .refers_to = DIRECTORY_TRUNK, .is_released = true,
	  .text = "The one trunk it is associated with (NUM-009); ends a voice_url or voice_application." },
	{ .name = "voice_url", .type = DIRECTORY_TEXT, .min = 9, .max = 255,
	  .text = "URL that says what becomes of its calls; ends the association with a trunk (NUM-008)." },
	{ .name = "voice_application", .type = DIRECTORY_TEXT, .min = 34, .max = 34,
	  .text = "AP… of the application that its calls are for; ends a trunk's association and a voice_url (NUM-008)." },
	{ .name = "name", .type = DIRECTORY_TEXT, .min = 1, .max = NAME_MAX,
	  .text = "A friendly name." },
	{ .name = "country", .type = DIRECTORY_COUNTRY,
	  .text = "Its country (NUM-001)." },
	{ .name = "type", .type = DIRECTORY_CHOICE, .choices = "local, mobile, toll-free, national", .fallback = "local",
	  .text = "What kind of number it is." },
	{ .name = "voice", .type = DIRECTORY_BOOL, .fallback = "true",
	  .text = "Whether it can have calls (NUM-014)." },
	{ .name = "sms", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether it can have text messages; no Japanese number can (NUM-014, NUM-015)." },
	{ .name = "mms", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether it can have messages with pictures (NUM-014)." },
	{ .name = "price_micro", .type = DIRECTORY_UNSIGNED, .max = 1000000000000,
	  .text = "What it costs a month, in millionths of the currency." },
	{ .name = "bought_s", .type = DIRECTORY_UNSIGNED, .is_derived = true, .max = 99999999999,
	  .text = "When its account got it, seconds since 1970; it is charged from then on (NUM-013)." },
	{ .name = "rests_until_s", .type = DIRECTORY_UNSIGNED, .is_derived = true, .max = 99999999999,
	  .text = "Until when nobody can buy it, as it was released lately; seconds since 1970." },
	{ .name = "metered", .type = DIRECTORY_TEXT, .is_derived = true, .min = 7, .max = 120,
	  .text = "The last month charged, by which node, and to whom." },
};

static const struct directory_field carrier_fields[] = {
	{ .name = "name", .type = DIRECTORY_TEXT, .is_required = true, .is_unique = true, .min = 1, .max = NAME_MAX,
	  .text = "What the operator calls it." },
	{ .name = "address", .type = DIRECTORY_HOST, .is_required = true,
	  .text = "Host name or IP address of its SIP. Without a port a name is looked up by NAPTR and SRV (RFC 3263), and 5060 or 5061 "
		  "is the port of an address." },
	{ .name = "transport", .type = DIRECTORY_CHOICE, .choices = "auto, udp, tcp, tls", .fallback = "auto",
	  .text = "How SIP goes to it: udp, tcp, tls, or auto: by UDP to an IP address, else as DNS says." },
	{ .name = "options_ping_s", .type = DIRECTORY_UNSIGNED, .max = 3600, .fallback = "0",
	  .text = "Seconds between OPTIONS pings, by which it is known to be up or down; 0: none." },
	{ .name = "priority", .type = DIRECTORY_UNSIGNED, .max = 65535, .fallback = "10",
	  .text = "Lower ones are tried first." },
	{ .name = "weight", .type = DIRECTORY_UNSIGNED, .min = 1, .max = 65535, .fallback = "10",
	  .text = "Share of the calls among carriers of equal priority." },
	{ .name = "group", .type = DIRECTORY_LABEL, .min = 1, .max = 32,
	  .text = "The group it is in: only routes lead calls there. Carriers in no group get the calls that no route leads elsewhere." },
	{ .name = "srtp", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether media with it is SRTP: calls to it offer nothing else." },
	{ .name = "srtp_aead", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether that offer is AEAD_AES_128_GCM instead of AES_CM_128_HMAC_SHA1_80." },
	{ .name = "tls_verify", .type = DIRECTORY_BOOL, .fallback = "true",
	  .text = "Whether by TLS its certificate must come from a CA of tls.ca_file and be for its name or address." },
	{ .name = "tls_certificate", .type = DIRECTORY_PATH, .min = 2, .max = PATH_MAX_OCTETS,
	  .text = "File of the certificate, with its chain, that it wants to see of us by TLS." },
	{ .name = "tls_key", .type = DIRECTORY_PATH, .min = 2, .max = PATH_MAX_OCTETS,
	  .text = "File of that certificate's key; not given: it is in the same file." },
	{ .name = "deprecated_tls", .type = DIRECTORY_BOOL, .fallback = "false",
	  .text = "Whether TLS 1.0 and 1.1 will do with it (TLS-005)." },
	{ .name = "tls_name", .type = DIRECTORY_LABEL, .is_unique = true, .min = 1, .max = 253,
	  .text = "DNS name in the certificate that it shows when it connects to us (tls.client_ca_file): its calls are known by that from "
		  "wherever they come, and with transport=tls by nothing else." },
	{ .name = "sources", .type = DIRECTORY_PREFIXES, .max = DIRECTORY_SOURCES_MAX,
	  .text = "Further addresses or prefixes that its calls come from, besides its address." },
	{ .name = "number_format", .type = DIRECTORY_CHOICE, .choices = "e164, digits", .fallback = "e164",
	  .text = "How it writes numbers in the calls it sends: e164 with the plus sign, or digits without one, country code first." },
	{ .name = "enabled", .type = DIRECTORY_BOOL, .fallback = "true",
	  .text = "Whether calls are sent to it, and taken from it." },
	{ .name = "edge", .type = DIRECTORY_LABEL, .min = 1, .max = EDGE_MAX,
	  .text = "Edge, or Interconnect connection, from whose addresses it is called; from where the call arrived when not given (NET-013)." },
	{ .name = "prack", .type = DIRECTORY_BOOL, .fallback = "true",
	  .text = "Whether it is offered 100rel (RFC 3262): it may then have us acknowledge provisional responses." },
};

static const struct directory_field origination_uri_fields[] = {
	{ .name = "trunk", .type = DIRECTORY_REFERENCE, .is_required = true, .is_fixed = true,
	  .refers_to = DIRECTORY_TRUNK, .text = "Whose calls go there; a trunk has at most 10 (ORIG-017)." },
	{ .name = "uri", .type = DIRECTORY_SIP_URI, .is_required = true,
	  .text = "Where they go: sip:[user@]host[:port], the parameters transport (udp, tcp, tls), edge, region and tnx, by which addresses of ours "
		  "to send from, and headers "
		  "?X-name=value. Without a user it is the number that was dialled; sips means transport=tls (ORIG-002 to ORIG-016)." },
	{ .name = "priority", .type = DIRECTORY_UNSIGNED, .max = 65535, .fallback = "10",
	  .text = "Lower ones are tried first (ORIG-018)." },
	{ .name = "weight", .type = DIRECTORY_UNSIGNED, .min = 1, .max = 65535, .fallback = "10",
	  .text = "Share of the calls among those of equal priority (ORIG-019)." },
	{ .name = "enabled", .type = DIRECTORY_BOOL, .fallback = "true",
	  .text = "Whether calls are sent to it (ORIG-026)." },
	{ .name = "name", .type = DIRECTORY_TEXT, .min = 1, .max = NAME_MAX,
	  .text = "A friendly name." },
};

static const struct directory_field trigger_fields[] = {
	{ .name = "account", .type = DIRECTORY_REFERENCE, .is_required = true, .is_fixed = true,
	  .refers_to = DIRECTORY_ACCOUNT, .text = "Whose alerts it hears." },
	{ .name = "name", .type = DIRECTORY_TEXT, .min = 1, .max = NAME_MAX,
	  .text = "A friendly name." },
	{ .name = "codes", .type = DIRECTORY_CODES, .is_required = true, .max = 32,
	  .text = "Codes of alerts that fire it, separated by spaces or commas, or all (DEBUG-003); show alert-codes lists them." },
	{ .name = "webhook", .type = DIRECTORY_URL, .max = PATH_MAX_OCTETS,
	  .text = "URL that is told of each time it fires (DEBUG-004)." },
	{ .name = "email", .type = DIRECTORY_MAIL, .max = PATH_MAX_OCTETS,
	  .text = "Address that gets a mail each time it fires (DEBUG-005)." },
	{ .name = "every_s", .type = DIRECTORY_UNSIGNED, .max = 86400, .fallback = "60",
	  .text = "Least seconds between two times; alerts between are counted with the next." },
	{ .name = "enabled", .type = DIRECTORY_BOOL, .fallback = "true",
	  .text = "Whether it fires." },
};

static const struct directory_field caller_id_fields[] = {
	{ .name = "account", .type = DIRECTORY_REFERENCE, .is_required = true, .is_fixed = true,
	  .refers_to = DIRECTORY_ACCOUNT, .text = "Whose it is." },
	{ .name = "e164", .type = DIRECTORY_E164, .is_required = true, .is_unique = true, .is_fixed = true, .scope = "account",
	  .text = "The number, with its plus sign." },
	{ .name = "name", .type = DIRECTORY_TEXT, .min = 1, .max = NAME_MAX,
	  .text = "A friendly name." },
	{ .name = "status", .type = DIRECTORY_CHOICE, .choices = "verified, pending", .fallback = "verified", .is_derived = true,
	  .text = "pending: it was sent a code that nobody has said yet, and counts for nothing (NUM-018)." },
	{ .name = "verified_by", .type = DIRECTORY_CHOICE, .choices = "code, operator",
	  .text = "code: its owner said the code it was sent; operator: somebody vouches for it without, which add and change have to say." },
	{ .name = "verified_s", .type = DIRECTORY_UNSIGNED, .is_derived = true, .max = 99999999999,
	  .text = "When it was verified, seconds since 1970." },
	{ .name = "code_sha256", .type = DIRECTORY_HEX, .is_hidden = true, .min = 64, .max = 64,
	  .text = "Digest of the code that was sent." },
	{ .name = "expires_s", .type = DIRECTORY_UNSIGNED, .is_derived = true, .max = 99999999999,
	  .text = "Until when that code is good." },
	{ .name = "tries", .type = DIRECTORY_UNSIGNED, .is_derived = true, .max = 1000,
	  .text = "How often a wrong code was said." },
	{ .name = "asked_s", .type = DIRECTORY_UNSIGNED, .is_derived = true, .max = 99999999999,
	  .text = "When the last code was sent." },
	{ .name = "codes", .type = DIRECTORY_UNSIGNED, .is_derived = true, .max = 1000,
	  .text = "Codes sent within a day." },
	{ .name = "codes_since_s", .type = DIRECTORY_UNSIGNED, .is_derived = true, .max = 99999999999,
	  .text = "When that day began." },
};

static const struct directory_field blocked_number_fields[] = {
	{ .name = "e164", .type = DIRECTORY_E164, .is_required = true, .is_unique = true, .is_fixed = true,
	  .text = "The number, with its plus sign." },
	{ .name = "reason", .type = DIRECTORY_TEXT, .min = 1, .max = NAME_MAX,
	  .text = "Why, for the operator's own memory." },
};

static const struct directory_field route_fields[] = {
	{ .name = "prefix", .type = DIRECTORY_E164, .is_required = true, .is_unique = true, .is_fixed = true, .scope = "trunk",
	  .max = 15, .text = "What the called numbers begin with, like +81, or + for all; the longest that fits counts." },
	{ .name = "trunk", .type = DIRECTORY_REFERENCE, .is_fixed = true, .refers_to = DIRECTORY_TRUNK,
	  .text = "Whose calls alone it is for; such routes count before those for all trunks." },
	{ .name = "groups", .type = DIRECTORY_TEXT, .is_required = true, .min = 1, .max = 160,
	  .text = "Groups of carriers, with spaces between, tried in this order; in each by priority and weight." },
	{ .name = "name", .type = DIRECTORY_TEXT, .min = 1, .max = NAME_MAX,
	  .text = "What the operator calls it." },
};

static const struct directory_schema schemas[DIRECTORY_KIND_COUNT] = {
	[DIRECTORY_ACCOUNT] = { "account", "accounts", "AC", FIELDS(account_fields),
		.text = "A customer." },
	[DIRECTORY_TRUNK] = { "trunk", "trunks", "TK", FIELDS(trunk_fields),
		.text = "Connects a customer's PBX and the PSTN (TRUNK-001)." },
	[DIRECTORY_ACL] = { "acl", "acls", "AL", FIELDS(acl_fields),
		.text = "A list of addresses calls may come from; trunks share it (AUTH-016)." },
	[DIRECTORY_ACL_ADDRESS] = { "acl_address", "acl_addresses", "IP", FIELDS(acl_address_fields),
		.text = "An address or prefix in such a list." },
	[DIRECTORY_CREDENTIAL_LIST] = { "credential_list", "credential_lists", "CL", FIELDS(credential_list_fields),
		.text = "A list of users who may place calls; trunks share it (AUTH-016)." },
	[DIRECTORY_CREDENTIAL] = { "credential", "credentials", "CR", FIELDS(credential_fields),
		.text = "A user in such a list." },
	[DIRECTORY_NUMBER] = { "number", "numbers", "PN", FIELDS(number_fields),
		.text = "A telephone number, of an account or in stock." },
	[DIRECTORY_CARRIER] = { "carrier", "carriers", "CG", FIELDS(carrier_fields),
		.text = "A gateway to the PSTN." },
	[DIRECTORY_ORIGINATION_URI] = { "origination_uri", "origination_uris", "OU", FIELDS(origination_uri_fields),
		.text = "Where the calls to a trunk's numbers go (ORIG-001)." },
	[DIRECTORY_TRIGGER] = { "trigger", "triggers", "TR", FIELDS(trigger_fields),
		.text = "Tells somebody of chosen alerts of an account." },
	[DIRECTORY_CALLER_ID] = { "caller_id", "caller_ids", "CI", FIELDS(caller_id_fields),
		.text = "A number that is not the account's, but verified to be its user's: its calls may show it (TERM-019)." },
	[DIRECTORY_BLOCKED_NUMBER] = { "blocked_number", "blocked_numbers", "BN", FIELDS(blocked_number_fields),
		.text = "A number that nobody may call (TERM-027)." },
	[DIRECTORY_ROUTE] = { "route", "routes", "RO", FIELDS(route_fields),
		.text = "Leads calls to numbers that begin alike to groups of carriers." },
};
// clang-format on

#define SID_LENGTH 34
#define SID_PREFIX_LENGTH 2

const struct directory_schema *directory_schema(enum directory_kind kind)
{
	return kind < DIRECTORY_KIND_COUNT ? &schemas[kind] : NULL;
}

enum directory_kind directory_kind_of(struct text name)
{
	unsigned kind = 0;
	while (kind < DIRECTORY_KIND_COUNT && !text_is_same(name, text_of(schemas[kind].name)) &&
	       !text_is_same(name, text_of(schemas[kind].plural)))
		kind++;
	return (enum directory_kind)kind;
}

enum directory_kind directory_kind_of_sid(struct text sid)
{
	unsigned kind = 0;
	if (sid.size != SID_LENGTH)
		return DIRECTORY_KIND_COUNT;
	for (size_t i = SID_PREFIX_LENGTH; i < sid.size; i++) {
		bool is_hex = (sid.data[i] >= '0' && sid.data[i] <= '9') ||
			      (sid.data[i] >= 'a' && sid.data[i] <= 'f');
		if (!is_hex)
			return DIRECTORY_KIND_COUNT;
	}
	while (kind < DIRECTORY_KIND_COUNT && !text_has_prefix(sid, text_of(schemas[kind].prefix)))
		kind++;
	return (enum directory_kind)kind;
}

unsigned directory_field_index(const struct directory_schema *schema, struct text name)
{
	unsigned index = 0;
	while (index < schema->field_count &&
	       !text_is_same(name, text_of(schema->fields[index].name)))
		index++;
	return index;
}
