// The table: ONE ROW PER OPTION. Loading, checking, the reference page and `trunkd --describe
// options` all come from it.
// Runs on: any thread; constant. A new option is a row here and a field in config.h, nothing else.

#include "config/schema.h"

#include <assert.h>

#define FIELD(section, name)                                                                       \
	.path = #section "." #name, .offset = offsetof(struct config, section.name),               \
	.size = sizeof(((struct config *)0)->section.name)
// In the section edges, a list of sections.
#define EDGE_FIELD(name)                                                                           \
	.path = "edges." #name, .offset = offsetof(struct config, edges.items[0].name),            \
	.size = sizeof(((struct config *)0)->edges.items[0].name),                                 \
	.stride = sizeof(struct edge_config), .count_offset = offsetof(struct config, edges.count)
#define DAY_S 86400
#define LIVE .is_live = true
#define RESTART .is_live = false

// clang-format off
const struct config_option config_options[] = {
	{ FIELD(node, name), .kind = CONFIG_WORD, .initial = "trunkd", RESTART,
	  .sentence = "Name of this node in its log, its metrics and its call records." },
	{ FIELD(node, state_directory), .kind = CONFIG_PATH, .initial = "/var/lib/trunkd", RESTART,
	  .sentence = "Directory of what must outlive a reboot: the embedded Redis and the history." },
	{ FIELD(node, runtime_directory), .kind = CONFIG_PATH, .initial = "/run/trunkd", RESTART,
	  .sentence = "Directory of sockets." },
	{ FIELD(node, user), .kind = CONFIG_WORD, .initial = "", RESTART,
	  .sentence = "User to become once everything that needs root is open; empty: stay who started it." },

	{ FIELD(log, level), .kind = CONFIG_CHOICE, .choices = "debug info warning error", .initial = "info", LIVE,
	  .sentence = "The least important events that are written." },
	{ FIELD(log, format), .kind = CONFIG_CHOICE, .choices = "key_value json", .initial = "key_value", RESTART,
	  .sentence = "How an event is written: key=value pairs, or one JSON object." },

	{ FIELD(sip, base_domain), .kind = CONFIG_DOMAIN, .initial = "pstn.trunkd.example", RESTART,
	  .sentence = "A trunk named NAME is reached at NAME.base_domain." },
	{ FIELD(sip, platform_domain), .kind = CONFIG_DOMAIN, .initial = "{sip.base_domain}", RESTART,
	  .sentence = "Domain in the Diversion header of calls to PBXs (DIV-002); one from a PBX that names it, or the base domain, or "
		      "what is below them, must name a number of the account (DIV-005, D-58)." },
	{ FIELD(sip, addresses), .kind = CONFIG_LIST_OF_ADDRESSES, .min = 1, .max = CONFIG_LIST_MAX, RESTART,
	  .sentence = "Addresses on which SIP is spoken; peers are told the first of their family." },
	{ FIELD(sip, port), .kind = CONFIG_NUMBER, .min = 1, .max = 65535, .initial = "5060", RESTART,
	  .sentence = "Port of SIP over UDP and TCP." },
	{ FIELD(sip, realm), .kind = CONFIG_DOMAIN, .initial = "{sip.base_domain}", RESTART,
	  .sentence = "Realm of digest challenges; stored credentials belong to it." },
	{ FIELD(sip, ack_timeout_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = 300, .initial = "30", LIVE,
	  .sentence = "How long an answered caller may leave out its ACK before both legs are ended (SIP-004)." },
	{ FIELD(sip, no_response_timeout_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 500, .max = 32000,
	  .initial = "4000", LIVE,
	  .sentence = "How long a carrier may answer nothing at all before the next one is tried (TERM-032)." },
	{ FIELD(sip, ring_timeout_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 5, .max = 600, .initial = "180", LIVE,
	  .sentence = "How long a call may ring before it is given up." },
	{ FIELD(sip, max_call_duration_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = 7 * DAY_S,
	  .initial = "86400", LIVE,
	  .sentence = "An answered call is ended after this time (LIMIT-010)." },
	{ FIELD(sip, definitive_codes), .kind = CONFIG_LIST_OF_CODES, .max = CONFIG_LIST_MAX,
	  .initial = "400 404 405 410 416 482 484 486 6xx", LIVE,
	  .sentence = "Answers that end a call: they say something of the called party, so that neither the next carrier nor the next "
		      "origination URI would take it (ORIG-027); 6xx: all of them." },
	{ FIELD(sip, digest_algorithms), .kind = CONFIG_CHOICE, .choices = "md5 sha_256 both", .initial = "md5", RESTART,
	  .sentence = "What digest challenges ask for; many user agents give up when they see SHA-256, even beside MD5." },
	{ FIELD(sip, nonce_lifetime_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 10, .max = 3600,
	  .initial = "120", RESTART,
	  .sentence = "How long the nonce of a digest challenge can be used." },
	{ FIELD(sip, t1_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 10, .max = 5000, .initial = "500", RESTART,
	  .sentence = "Timer T1 of RFC 3261: the estimate of a round trip." },
	{ FIELD(sip, t2_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 10, .max = 60000, .initial = "4000", RESTART,
	  .sentence = "Timer T2 of RFC 3261: the longest time between two retransmissions." },
	{ FIELD(sip, t4_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 10, .max = 60000, .initial = "5000", RESTART,
	  .sentence = "Timer T4 of RFC 3261: how long a message can stay in the network." },
	{ FIELD(sip, session_timers), .kind = CONFIG_CHOICE, .choices = "strip pass", .initial = "strip", LIVE,
	  .sentence = "What becomes of Session-Expires and Min-SE between the legs; the option tag timer never passes (D-27)." },
	{ FIELD(sip, max_calls), .kind = CONFIG_NUMBER, .min = 1, .max = 1000000, .initial = "20000", LIVE,
	  .sentence = "Calls at once on this node; more are refused with 503." },
	{ FIELD(sip, max_transfers), .kind = CONFIG_NUMBER, .min = 1, .max = 1000, .initial = "10", LIVE,
	  .sentence = "So often may one call be transferred by REFER; more is taken for a loop." },
	{ FIELD(sip, receive_buffer_bytes), .kind = CONFIG_NUMBER, .unit = "bytes", .min = 65536, .max = 1073741824,
	  .initial = "8388608", RESTART,
	  .sentence = "Socket buffer that holds SIP requests of a burst until they are read." },
	{ FIELD(sip, ping_misses), .kind = CONFIG_NUMBER, .min = 1, .max = 100, .initial = "3", LIVE,
	  .sentence = "So many OPTIONS in a row without an answer, and a carrier that is pinged counts as down." },
	{ FIELD(sip, tls_port), .kind = CONFIG_NUMBER, .min = 1, .max = 65535, .initial = "5061", RESTART,
	  .sentence = "Port of SIP over TLS." },

	{ FIELD(guard, enabled), .kind = CONFIG_BOOLEAN, .initial = "true", LIVE,
	  .sentence = "Whether messages are judged by their source before any work is spent on them." },
	{ FIELD(guard, stranger_rate), .kind = CONFIG_NUMBER, .unit = "messages/s", .min = 1, .max = 100000,
	  .initial = "20", LIVE,
	  .sentence = "What one unknown source may send: an IPv4 address, or an IPv6 /64." },
	{ FIELD(guard, strangers_rate), .kind = CONFIG_NUMBER, .unit = "messages/s", .min = 10, .max = 1000000,
	  .initial = "2000", LIVE,
	  .sentence = "What all unknown sources together may send, half of it those that were seen before." },
	{ FIELD(guard, peer_rate), .kind = CONFIG_NUMBER, .unit = "messages/s", .min = 10, .max = 1000000,
	  .initial = "100000", LIVE,
	  .sentence = "What one known peer may send: an address of an ACL or a carrier, or one that has proved itself." },
	{ FIELD(guard, known_minutes), .kind = CONFIG_NUMBER, .unit = "min", .min = 1, .max = 10080,
	  .initial = "60", LIVE,
	  .sentence = "How long a source is known after right credentials, or after a request of ours to it." },
	{ FIELD(guard, offences), .kind = CONFIG_NUMBER, .min = 2, .max = 10000, .initial = "20", LIVE,
	  .sentence = "Unknown domains, malformed messages or wrong passwords in a minute, of each kind, that ban an unknown source." },
	{ FIELD(guard, ban_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = DAY_S, .initial = "60", LIVE,
	  .sentence = "How long the first ban of a source lasts; each further one lasts twice as long (LIMIT-013)." },
	{ FIELD(guard, ban_max_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = 7 * DAY_S,
	  .initial = "3600", LIVE,
	  .sentence = "The longest ban that is not the operator's." },
	{ FIELD(guard, options_interval_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 0, .max = 60,
	  .initial = "10", LIVE,
	  .sentence = "OPTIONS at this spacing from one source to one trunk are always answered (LIMIT-012); 0: at any spacing." },
	{ FIELD(guard, options_burst), .kind = CONFIG_NUMBER, .min = 0, .max = 4, .initial = "2", LIVE,
	  .sentence = "How many OPTIONS more than that are answered within a minute before they are blocked." },
	{ FIELD(guard, queue_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 5, .max = 1000, .initial = "20", LIVE,
	  .sentence = "When messages wait longer than this for two tenths of a second, new calls are limited until they no longer do; those let in by UDP wait about as long." },
	{ FIELD(guard, stale_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 100, .max = 32000, .initial = "500", LIVE,
	  .sentence = "An INVITE that has waited this long unread is dropped: its sender has sent it again." },

	{ EDGE_FIELD(name), .kind = CONFIG_LABEL, RESTART,
	  .sentence = "What stands in NAME.pstn.EDGE.example.com beside sip.base_domain, and in edge=EDGE (TERM-012). The section is "
		      "a list of edges; without it there are the eight documented ones." },
	{ EDGE_FIELD(regions), .kind = CONFIG_LIST_OF_LABELS, .max = CONFIG_LABELS_MAX, .initial = "", RESTART,
	  .sentence = "Older names of the same edge, which are taken wherever its name is (TERM-013, NET-016)." },
	{ EDGE_FIELD(signalling), .kind = CONFIG_LIST_OF_ADDRESSES, .max = CONFIG_LIST_MAX, .initial = "", RESTART,
	  .sentence = "Its addresses of SIP: those that are also in sip.addresses are this node's; empty: all of them (NET-009)." },
	{ EDGE_FIELD(media), .kind = CONFIG_LIST_OF_PREFIXES, .max = CONFIG_LIST_MAX, .initial = "", RESTART,
	  .sentence = "Prefixes in which its addresses of media lie; empty: all of media.addresses." },
	{ EDGE_FIELD(accounts), .kind = CONFIG_LIST_OF_ACCOUNTS, .max = CONFIG_LIST_MAX, .initial = "", LIVE,
	  .sentence = "SIDs of the accounts whose Origination URIs may name it, by tnx or by edge; empty: all by edge, as a public place, and none by "
		      "tnx, which asks for a private connection (NET-013)." },

	{ FIELD(dns, servers), .kind = CONFIG_LIST_OF_ADDRESSES, .max = 8, .initial = "", RESTART,
	  .sentence = "DNS servers that resolve names for others, asked in this order; empty: those of /etc/resolv.conf, read at the start." },
	{ FIELD(dns, timeout_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 200, .max = 30000, .initial = "3000", RESTART,
	  .sentence = "How long a call waits for the addresses of a host; then old answers serve, or the next carrier is tried." },
	{ FIELD(dns, ttl_min_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = 300, .initial = "5", RESTART,
	  .sentence = "Answers of DNS are kept for at least this time, whatever their TTL." },
	{ FIELD(dns, ttl_max_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 300, .max = 7 * DAY_S, .initial = "3600", RESTART,
	  .sentence = "Answers of DNS are kept for at most this time, whatever their TTL." },
	{ FIELD(dns, negative_ttl_max_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 300, .max = DAY_S, .initial = "300", RESTART,
	  .sentence = "How long it is believed at most that a name or record does not exist." },
	{ FIELD(dns, stale_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 0, .max = 7 * DAY_S, .initial = "86400", RESTART,
	  .sentence = "How long an answer still serves after its TTL while no DNS server answers; 0: not at all." },
	{ FIELD(dns, avoid_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 0, .max = 3600, .initial = "30", RESTART,
	  .sentence = "How long an address that gave no response is tried after the others of its host; 0: no time." },
	{ FIELD(dns, entries_max), .kind = CONFIG_NUMBER, .min = 256, .max = 65536, .initial = "1024", RESTART,
	  .sentence = "Answers of DNS kept in memory; the ones not used for longest go first." },

	{ FIELD(names, servers), .kind = CONFIG_LIST_OF_ADDRESSES, .max = 4, .initial = "", RESTART,
	  .sentence = "DNS servers that take updates of the zone by RFC 2136, asked in this order; empty: names are not published." },
	{ FIELD(names, port), .kind = CONFIG_NUMBER, .min = 1, .max = 65535, .initial = "53", RESTART,
	  .sentence = "Port of those servers; updates go by TCP." },
	{ FIELD(names, zone), .kind = CONFIG_DOMAIN, .initial = "", RESTART,
	  .sentence = "The zone that holds the names of trunks; empty: sip.base_domain without its first label, which holds "
		      "the localized names too." },
	{ FIELD(names, key_file), .kind = CONFIG_PATH, .initial = "", RESTART,
	  .sentence = "File of the TSIG key (RFC 8945) for updates and transfers of the zone, as tsig-keygen writes it, or one "
		      "line ALGORITHM:NAME:SECRET." },
	{ FIELD(names, ttl_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = DAY_S, .initial = "600", RESTART,
	  .sentence = "TTL of the addresses of trunks' names (NET-010)." },
	{ FIELD(names, addresses), .kind = CONFIG_LIST_OF_ADDRESSES, .max = 16, .initial = "", RESTART,
	  .sentence = "Addresses that trunks' names lead to, but for those of an edge with addresses of its own; empty: sip.addresses." },
	{ FIELD(names, api_name), .kind = CONFIG_DOMAIN, .initial = "", RESTART,
	  .sentence = "Name of the REST API, published with them; empty: none." },
	{ FIELD(names, api_addresses), .kind = CONFIG_LIST_OF_ADDRESSES, .max = 16, .initial = "", RESTART,
	  .sentence = "Addresses that the name of the REST API leads to; empty: those of the trunks' names." },
	{ FIELD(names, api_ttl_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = DAY_S, .initial = "60", RESTART,
	  .sentence = "TTL of the REST API's addresses (API-005)." },
	{ FIELD(names, timeout_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 100, .max = 60000, .initial = "5000", RESTART,
	  .sentence = "How long such a server may take for one answer; then it is tried again, later and later." },
	{ FIELD(names, reconcile_min), .kind = CONFIG_NUMBER, .unit = "min", .min = 1, .max = 10080, .initial = "60", RESTART,
	  .sentence = "How often the zone is read in whole and made right, besides at the start and after a failure." },
	{ FIELD(names, alert_after_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = DAY_S, .initial = "300", RESTART,
	  .sentence = "Publishing that has failed for this long is an alert." },

	{ FIELD(numbers, quarantine_days), .kind = CONFIG_NUMBER, .unit = "days", .min = 0, .max = 3650, .initial = "30", LIVE,
	  .sentence = "How long a released number rests in stock before it can be bought; calls for its last owner go nowhere meanwhile." },

	{ FIELD(cnam, source), .kind = CONFIG_CHOICE, .choices = "off http file", .initial = "off", RESTART,
	  .sentence = "Where the names of callers are looked up, for trunks that want them (TRUNK-017): nowhere, a web service, or a file." },
	{ FIELD(cnam, url), .kind = CONFIG_LOOKUP_URL, .initial = "", RESTART,
	  .sentence = "The web service: {number} becomes the number, with %2B for its plus sign. It answers 200 with the name as a line of "
		      "text, or as JSON {\"name\": …}; 404 or 204 where there is none." },
	{ FIELD(cnam, authorization_file), .kind = CONFIG_PATH, .initial = "", RESTART,
	  .sentence = "File whose first line goes to the web service as its header Authorization; empty: none." },
	{ FIELD(cnam, file), .kind = CONFIG_PATH, .initial = "", RESTART,
	  .sentence = "The file of lines NUMBER,NAME, read again when it has changed; # begins a remark." },
	{ FIELD(cnam, timeout_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 50, .max = 3500, .initial = "1000", RESTART,
	  .sentence = "How long a call waits for a name at most; then it goes on without, and nothing is charged (CNAM-007, CNAM-011)." },
	{ FIELD(cnam, ttl_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 0, .max = 30 * DAY_S, .initial = "86400", RESTART,
	  .sentence = "How long a name, or that there is none, is remembered; 0: not at all." },
	{ FIELD(cnam, entries_max), .kind = CONFIG_NUMBER, .min = 1, .max = 10000000, .initial = "100000", RESTART,
	  .sentence = "Names remembered at most; the oldest go first." },

	{ FIELD(notify, allowed_targets), .kind = CONFIG_LIST_OF_PREFIXES, .max = CONFIG_LIST_MAX, .initial = "", RESTART,
	  .sentence = "Networks that webhooks of triggers may reach though they are private, or this host's own; all of the Internet they may "
		      "reach anyway, and nothing else (DEBUG-004)." },
	{ FIELD(notify, ca_file), .kind = CONFIG_PATH, .initial = "", RESTART,
	  .sentence = "PEM file of the CAs from which the certificates of webhooks and of the mail server must come; empty: those of the system." },
	{ FIELD(notify, connect_timeout_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 100, .max = 60000, .initial = "5000", RESTART,
	  .sentence = "How long it may take to reach a webhook or the mail server." },
	{ FIELD(notify, timeout_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 500, .max = 120000, .initial = "15000", RESTART,
	  .sentence = "How long a delivery may take in all; then it counts as failed and is tried again." },
	{ FIELD(notify, retries), .kind = CONFIG_NUMBER, .min = 0, .max = 10, .initial = "4", RESTART,
	  .sentence = "How often a failed delivery is tried again before it is given up, which is an alert (112xx, 15003, 32986)." },
	{ FIELD(notify, retry_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = 3600, .initial = "10", RESTART,
	  .sentence = "The pause before the first of these; each is twice as long as the one before." },
	{ FIELD(notify, in_flight_max), .kind = CONFIG_NUMBER, .min = 1, .max = 256, .initial = "32", RESTART,
	  .sentence = "Deliveries under way at a time; of one account a quarter of them." },
	{ FIELD(notify, queue_max), .kind = CONFIG_NUMBER, .min = 8, .max = 20000, .initial = "1000", RESTART,
	  .sentence = "Deliveries that are under way or wait, for their turn or for being tried again; of one account a quarter of them. What "
		      "comes beyond is dropped and counted." },
	{ FIELD(notify, mail_server), .kind = CONFIG_MAIL_SERVER, .initial = "", RESTART,
	  .sentence = "The mail server: smtp://HOST:587, where TLS begins by STARTTLS, or smtps://HOST; empty: no mail is sent." },
	{ FIELD(notify, mail_tls), .kind = CONFIG_CHOICE, .choices = "required offered", .initial = "required", RESTART,
	  .sentence = "Whether mail goes by TLS or not at all, or without where the server offers none." },
	{ FIELD(notify, mail_sender), .kind = CONFIG_MAILBOX, .initial = "", RESTART,
	  .sentence = "Address that mails come from, like trunkd@example.com." },
	{ FIELD(notify, mail_user), .kind = CONFIG_MAIL_USER, .initial = "", RESTART,
	  .sentence = "User at the mail server; empty: without." },
	{ FIELD(notify, mail_password_file), .kind = CONFIG_PATH, .initial = "", RESTART,
	  .sentence = "File whose first line is that user's password; it is read as node.user." },
	{ FIELD(notify, mail_every_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 10, .max = DAY_S, .initial = "300", RESTART,
	  .sentence = "Least seconds between two mails of one trigger, whatever its every_s; what comes between is counted in the next (DEBUG-005)." },
	{ FIELD(notify, verifications), .kind = CONFIG_LINK, .initial = "", RESTART,
	  .sentence = "Where the codes go by which caller IDs are verified (NUM-018): a URL that gets them by POST and calls the number to say "
		      "them, or mailto:ADDRESS of somebody who does; empty: numbers cannot be verified by a code." },

	{ FIELD(tls, rsa_certificate), .kind = CONFIG_PATH, .initial = "", LIVE,
	  .sentence = "PEM file of an RSA certificate for SIP over TLS, then its issuers (TLS-009). Like every file of this "
		      "section it is read as node.user, and again at each reload." },
	{ FIELD(tls, rsa_key), .kind = CONFIG_PATH, .initial = "", LIVE,
	  .sentence = "PEM file of its private key, without pass phrase; empty: it is in the certificate's file." },
	{ FIELD(tls, ecdsa_certificate), .kind = CONFIG_PATH, .initial = "", LIVE,
	  .sentence = "PEM file of an ECDSA certificate, then its issuers; without any certificate nothing is accepted by TLS." },
	{ FIELD(tls, ecdsa_key), .kind = CONFIG_PATH, .initial = "", LIVE,
	  .sentence = "PEM file of its private key, without pass phrase; empty: it is in the certificate's file." },
	{ FIELD(tls, certificate_directory), .kind = CONFIG_PATH, .initial = "", LIVE,
	  .sentence = "Directory of further certificates, NAME.crt with NAME.key each, 64 in all: a client sees those that are "
		      "for the name it asks for (TLS-012)." },
	{ FIELD(tls, ca_file), .kind = CONFIG_PATH, .initial = "", LIVE,
	  .sentence = "PEM file of the CAs from which carriers' certificates must come; empty: those of the system." },
	{ FIELD(tls, client_ca_file), .kind = CONFIG_PATH, .initial = "", LIVE,
	  .sentence = "PEM file of CAs whose certificates are asked of clients, which need not have one; empty: not asked." },
	{ FIELD(tls, ticket_key_file), .kind = CONFIG_PATH, .initial = "", LIVE,
	  .sentence = "Secret of 32 octets or more from which the keys of session tickets are made every 12 hours: nodes "
		      "that share it resume each other's sessions; empty: random keys." },
	{ FIELD(tls, tls13), .kind = CONFIG_BOOLEAN, .initial = "true", LIVE,
	  .sentence = "Whether TLS 1.3 is spoken beside 1.2." },
	{ FIELD(tls, prefer_server_ciphers), .kind = CONFIG_BOOLEAN, .initial = "true", LIVE,
	  .sentence = "Whether of the suites in common ours is first by our order, not by the client's." },

	{ FIELD(connections, max), .kind = CONFIG_NUMBER, .min = 0, .max = 1000000, .initial = "20000", RESTART,
	  .sentence = "TCP and TLS connections at once; beyond it the oldest that brought no call goes first. 0: UDP alone." },
	{ FIELD(connections, max_per_source), .kind = CONFIG_NUMBER, .min = 1, .max = 1000000,
	  .initial = "500", RESTART,
	  .sentence = "Connections that one host, or one /64 of IPv6, may open at once." },
	{ FIELD(connections, connect_timeout_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 100, .max = 32000,
	  .initial = "2500", RESTART,
	  .sentence = "How long a connection may take to be made; then the next address is tried (D-20), or, for what was only too large for UDP, UDP after all: both fit into sip.no_response_timeout_ms." },
	{ FIELD(connections, message_timeout_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 100, .max = 60000,
	  .initial = "5000", RESTART,
	  .sentence = "How long one message may take to arrive on a connection, from its first octet to its last." },
	{ FIELD(connections, silent_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 1, .max = 3600,
	  .initial = "30", RESTART,
	  .sentence = "A connection on which no message has come for this time since it was accepted is closed." },
	{ FIELD(connections, idle_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 10, .max = 7 * DAY_S,
	  .initial = "3600", RESTART,
	  .sentence = "A connection that had messages is closed after this time without one." },
	{ FIELD(connections, queue_bytes), .kind = CONFIG_NUMBER, .unit = "bytes", .min = 65536, .max = 67108864,
	  .initial = "1048576", RESTART,
	  .sentence = "What may wait to be sent on one connection, a sixteenth of it before its peer has had a call; who reads more slowly is closed." },

	{ FIELD(media, addresses), .kind = CONFIG_LIST_OF_ADDRESSES, .min = 1, .max = CONFIG_LIST_MAX, RESTART,
	  .sentence = "Addresses on which media is received, ports 10000-20000 of each." },
	{ FIELD(media, min_ttl), .kind = CONFIG_NUMBER, .min = 1, .max = 255, .initial = "11", RESTART,
	  .sentence = "Media with a lower TTL or hop limit than this is dropped (MEDIA-016)." },
	{ FIELD(media, port_quarantine_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 0, .max = 600000,
	  .initial = "5000", RESTART,
	  .sentence = "How long a port stays unused after a call, so that late packets meet no stranger." },
	{ FIELD(media, orphan_grace_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 0, .max = DAY_S,
	  .initial = "30", RESTART,
	  .sentence = "How long after a start media goes on for streams that no call claims." },
	{ FIELD(media, dtmf), .kind = CONFIG_CHOICE, .choices = "pass convert", .initial = "pass", LIVE,
	  .sentence = "Digits between a party that names telephone-event and one that does not but allows INFO: "
		      "pass: INFO as it came; convert: telephone events become INFO and INFO telephone events." },
	{ FIELD(media, show_digits), .kind = CONFIG_BOOLEAN, .initial = "false", RESTART,
	  .sentence = "Whether show call tells which keys were pressed; they may be card numbers. Else it tells how many." },

	{ FIELD(dataplane, port), .kind = CONFIG_DRIVER, RESTART,
	  .sentence = "The network port: a PCI device (pci:0000:03:00.0), or a kernel interface by XDP "
		      "(af_xdp:eth0) or by packet socket (af_packet:eth0)." },
	{ FIELD(dataplane, workers), .kind = CONFIG_NUMBER, .min = 1, .max = 16, .initial = "1", RESTART,
	  .sentence = "Poll-mode cores that carry media." },
	{ FIELD(dataplane, cores), .kind = CONFIG_LIST_OF_NUMBERS, .max = 1023, .initial = "", RESTART,
	  .sentence = "The core of each worker; empty: the last cores of the machine." },
	{ FIELD(dataplane, polling), .kind = CONFIG_CHOICE, .choices = "adaptive busy", .initial = "adaptive", RESTART,
	  .sentence = "Whether an idle worker sleeps for short times, or polls without a pause." },
	{ FIELD(dataplane, huge_pages), .kind = CONFIG_CHOICE, .choices = "auto on off", .initial = "auto", RESTART,
	  .sentence = "Whether packet memory lies in huge pages; auto: if the machine has them." },
	{ FIELD(dataplane, memory_mb), .kind = CONFIG_NUMBER, .unit = "MB", .min = 64, .max = 65536,
	  .initial = "512", RESTART,
	  .sentence = "Memory of the dataplane." },
	{ FIELD(dataplane, crypto), .kind = CONFIG_ENGINE, .initial = "auto", RESTART,
	  .sentence = "What encrypts and decrypts SRTP; auto: the fastest that this machine can start; off: no secure calls; "
		      "crypto_qat: a QuickAssist card, by its PCI address (crypto_qat:0000:3d:01.0)." },
	{ FIELD(dataplane, interface), .kind = CONFIG_WORD, .initial = "trunk0", RESTART,
	  .sentence = "Name of the interface on which the kernel sees everything that is not media (pci, af_packet)." },
	{ FIELD(dataplane, addresses), .kind = CONFIG_LIST_OF_PREFIXES, .max = CONFIG_LIST_MAX, .initial = "", RESTART,
	  .sentence = "Addresses given to that interface, each with its prefix length; empty: something else gives them." },
	{ FIELD(dataplane, gateway), .kind = CONFIG_LIST_OF_ADDRESSES, .max = 2, .initial = "", RESTART,
	  .sentence = "Default route through that interface, one per address family." },
	{ FIELD(dataplane, socket), .kind = CONFIG_PATH, .initial = "{node.runtime_directory}/dataplane.sock", RESTART,
	  .sentence = "Socket at which trunkd and trunkd-dataplane meet." },
	{ FIELD(dataplane, start), .kind = CONFIG_BOOLEAN, .initial = "true", RESTART,
	  .sentence = "Whether trunkd starts trunkd-dataplane when none runs." },
	{ FIELD(dataplane, program), .kind = CONFIG_PATH, .initial = "", RESTART,
	  .sentence = "The program to start; empty: trunkd-dataplane beside trunkd, then the one on PATH." },

	{ FIELD(redis, url), .kind = CONFIG_URL, .initial = "", RESTART,
	  .sentence = "The Redis that holds the directory; empty: a private one that trunkd starts." },
	{ FIELD(redis, addresses), .kind = CONFIG_LIST_OF_PLACES, .max = 8, .initial = "", RESTART,
	  .sentence = "Further addresses of that Redis, replicas of it: whichever answers as master is used, redis.url first; a port is 6379 unless given." },
	{ FIELD(redis, password_file), .kind = CONFIG_PATH, .initial = "", RESTART,
	  .sentence = "File whose first line is that Redis's password; empty: none." },
	{ FIELD(redis, program), .kind = CONFIG_WORD, .initial = "redis-server", RESTART,
	  .sentence = "The program of the private Redis, found on PATH." },

	{ FIELD(history, file), .kind = CONFIG_PATH, .initial = "{node.state_directory}/history.db", RESTART,
	  .sentence = "SQLite file of calls and alerts." },
	{ FIELD(history, spool_records), .kind = CONFIG_NUMBER, .min = 16, .max = 1048576, .initial = "4096", RESTART,
	  .sentence = "Records that may wait for the history; when it is full new calls are refused." },

	{ FIELD(history, keep_days), .kind = CONFIG_NUMBER, .unit = "days", .max = 36500, .initial = "400", RESTART,
	  .sentence = "How long calls and items of usage are kept; 0: for ever. Sums of usage by month stay." },
	{ FIELD(history, keep_alerts_days), .kind = CONFIG_NUMBER, .unit = "days", .max = 36500, .initial = "90", RESTART,
	  .sentence = "How long alerts are kept; 0: for ever." },
	{ FIELD(history, keep_rows), .kind = CONFIG_NUMBER, .max = 1000000000, .initial = "10000000", RESTART,
	  .sentence = "Calls, alerts and items of usage kept at most, of each; the oldest go; 0: no bound." },

	{ FIELD(usage, rates_file), .kind = CONFIG_PATH, .initial = "", LIVE,
	  .sentence = "File of prices, rows of category,prefix,price,first_s,next_s; empty: nothing has a price." },
	{ FIELD(usage, currency), .kind = CONFIG_WORD, .initial = "USD", LIVE,
	  .sentence = "Currency of the prices." },

	{ FIELD(alerts, more_info_url), .kind = CONFIG_LINK, .initial = "", LIVE,
	  .sentence = "Where the codes of alerts are explained: {code} in it becomes the code, or it comes last; empty: no link." },
	{ FIELD(alerts, support_url), .kind = CONFIG_LINK, .initial = "", LIVE,
	  .sentence = "Where customers ask for help, as mailto:support@example.com; it stands in support documents." },
	{ FIELD(alerts, max_per_s), .kind = CONFIG_NUMBER, .unit = "alerts/s", .max = 100000, .initial = "20", LIVE,
	  .sentence = "Alerts of one trunk and cause that are written in a second; the next one tells how many more there were; 0: no bound." },

	{ FIELD(limits, default_cps), .kind = CONFIG_NUMBER, .unit = "calls/s", .min = 1, .max = 1000,
	  .initial = "1", LIVE,
	  .sentence = "Calls per second of a trunk that has no limit of its own (LIMIT-001)." },
	{ FIELD(limits, max_cps), .kind = CONFIG_NUMBER, .unit = "calls/s", .min = 1, .max = 10000,
	  .initial = "1000", LIVE,
	  .sentence = "No trunk and no account can be given more, or may place more." },
	{ FIELD(limits, trial_calls), .kind = CONFIG_NUMBER, .min = 1, .max = 1000, .initial = "4", LIVE,
	  .sentence = "Calls at a time of an account of type trial (LIMIT-007)." },
	{ FIELD(limits, bandwidth_mbps), .kind = CONFIG_NUMBER, .unit = "Mbit/s", .min = 0, .max = 1000000, .initial = "0", LIVE,
	  .sentence = "Bandwidth in each direction for the calls on the customers' side, of which each takes 0.1; that of the carriers' side is as "
		      "much again; 0: no limit (LIMIT-014)." },
	{ FIELD(limits, sharing), .kind = CONFIG_CHOICE, .choices = "auto on off", .initial = "auto", RESTART,
	  .sentence = "Whether all nodes of one Redis share the limits of trunks and accounts; auto: when redis.url is given." },
	{ FIELD(limits, node_timeout_s), .kind = CONFIG_NUMBER, .unit = "s", .min = 2, .max = 300, .initial = "10", RESTART,
	  .sentence = "A node that is silent for so long is taken for dead, and what it held of shared limits is free again." },
	{ FIELD(limits, redis_wait_ms), .kind = CONFIG_NUMBER, .unit = "ms", .min = 10, .max = 1000, .initial = "100", RESTART,
	  .sentence = "How long a call waits for Redis to count it; then this node decides by its share, and alone until Redis is quick again." },

	{ FIELD(accounts, voice_countries), .kind = CONFIG_LIST_OF_COUNTRIES, .max = COUNTRY_MAX, .initial = "US CA", LIVE,
	  .sentence = "Countries that an account may call which does not list its own (TERM-029); all: every number." },
	{ FIELD(accounts, max_trunks), .kind = CONFIG_NUMBER, .min = 1, .max = 10000, .initial = "100", LIVE,
	  .sentence = "Trunks that one account may have." },
	{ FIELD(accounts, trial_trunks), .kind = CONFIG_NUMBER, .min = 1, .max = 10000, .initial = "1", LIVE,
	  .sentence = "Trunks that an account of type trial may have." },
	{ FIELD(accounts, trial_numbers), .kind = CONFIG_NUMBER, .min = 1, .max = 10000, .initial = "1", LIVE,
	  .sentence = "Numbers that an account of type trial may have." },

	{ FIELD(admin, socket), .kind = CONFIG_PATH, .initial = "{node.runtime_directory}/trunkd.sock", RESTART,
	  .sentence = "Socket of trunkctl." },
	{ FIELD(admin, metrics_address), .kind = CONFIG_ADDRESS_AND_PORT, .initial = "127.0.0.1:9464", RESTART,
	  .sentence = "Where /metrics is served over HTTP." },
	{ FIELD(admin, replay_messages), .kind = CONFIG_NUMBER, .min = 0, .max = 100000, .initial = "1000", RESTART,
	  .sentence = "The last INVITEs kept in memory for trunkctl explain and replay, in 4 kB of room each, so that a few large ones push out more; a quarter more of strangers." },
};
// clang-format on

const unsigned config_option_count = sizeof(config_options) / sizeof(config_options[0]);
static_assert(sizeof(config_options) / sizeof(config_options[0]) <= CONFIG_OPTION_MAX);

int config_option_index(struct text path)
{
	for (unsigned i = 0; i < config_option_count; i++) {
		if (text_is_equal(path, text_of(config_options[i].path)))
			return (int)i;
	}
	return -1;
}

void *config_option_field(struct config *config, const struct config_option *option, unsigned nth)
{
	return (char *)config + option->offset + nth * option->stride;
}

unsigned config_option_places(const struct config_option *option)
{
	return option->stride > 0 ? CONFIG_EDGES_MAX : 1;
}

unsigned config_option_line(const struct config_source *source, const char *path)
{
	int index = config_option_index(text_of(path));
	assert(index >= 0);
	return source->lines[index];
}
