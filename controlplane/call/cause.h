#pragma once

// ONE ROW PER CAUSE for which a call is refused, or troubled later; see call/refusal.h for what reads it.
// Runs on: any thread; constant.

// clang-format off
// enumerator, metric label, SIP status, phrase on the wire, alert code (0: no alert), the fix
#define REFUSAL_LIST(ROW)                                                                          \
	ROW(NO_AUTHENTICATION, "no_authentication", 403, "Forbidden", 32200,                       \
	    "attach an IP ACL or a credential list to the trunk: without one it gives no service")  \
	ROW(DISABLED, "disabled", 403, "Forbidden", 32956, "enable the trunk")                     \
	ROW(SUSPENDED, "account_suspended", 603, "Decline", 32005,                                 \
	    "activate the account, or the one whose sub-account it is")                            \
	ROW(SOURCE, "source_address", 403, "Forbidden", 32201,                                     \
	    "add the address to an IP ACL of the trunk, or send from a listed one")                \
	ROW(CREDENTIALS, "credentials", 403, "Forbidden", 32202,                                   \
	    "check user name and password against the trunk's credential list")                   \
	ROW(MAX_FORWARDS, "max_forwards", 483, "Too Many Hops", 32006,                             \
	    "send Max-Forwards 70 and look for a loop")                                            \
	ROW(LOOP, "loop", 482, "Loop Detected", 32954,                                             \
	    "the call came back to us: see where its carrier sends the number")                    \
	ROW(CALLED_NUMBER, "called_number", 400, "Bad Request", 32101,                             \
	    "dial in E.164: + and country code and number, no separators")                         \
	ROW(CALLER_ID_FORM, "caller_id_form", 403, "Invalid Caller ID", 32206,                     \
	    "send the caller ID in E.164: + and country code and number, no separators")           \
	ROW(CALLER_ID, "caller_id", 403, "Invalid Caller ID", 32204,                               \
	    "use a number of the account, or one verified for it, in E.164 with +, as caller ID")  \
	ROW(UNVERIFIED, "unverified_number", 400, "The number is unverified", 32100,               \
	    "verify the called number for the account, or upgrade the account to type paid")       \
	ROW(BLACKLISTED, "blacklisted", 403, "Phone number is blacklisted for verification", 32203, \
	    "call another number, or ask the operator to remove it from blocked_numbers")          \
	ROW(COUNTRY, "country", 403, "No International Authorization", 32205,                      \
	    "enable the country in the account's voice_countries")                                 \
	ROW(CONTACT, "contact", 400, "Bad Request", 32105,                                         \
	    "send From with a tag, one Contact with a SIP URI, at most 32 values of Record-Route")  \
	ROW(EXTENSION, "extension", 420, "Bad Extension", 32915,                                   \
	    "require no SIP extension (Require header) of this trunk")                             \
	ROW(ACCEPT, "accept", 406, "Not Acceptable", 32931,                                        \
	    "accept application/sdp: the answer is nothing else")                                  \
	ROW(BODY, "body", 415, "Unsupported Media Type", 32916,                                    \
	    "send the offer as application/sdp, not compressed")                                   \
	ROW(NO_OFFER, "no_offer", 488, "Not Acceptable Here", 32103,                               \
	    "answer in PRACK or ACK what we offer: the INVITE made no offer")                      \
	ROW(SDP, "sdp", 400, "Bad Request", 32102, "send an SDP body by RFC 8866")                 \
	ROW(CODEC, "codec", 415, "Unsupported Media Type", 32102,                                  \
	    "enable G.711 mu-law (PCMU) in the PBX")                                               \
	ROW(INSECURE, "insecure_transport", 403, "Forbidden", 32209,                               \
	    "send the call by TLS, which a secure trunk demands, or switch secure off")            \
	ROW(TLS_VERSION, "tls_version", 403, "Forbidden", 32222,                                    \
	    "speak TLS 1.2 or 1.3, or switch deprecated_tls on for the account (the carrier)")     \
	ROW(SRTP_OFFERED, "srtp_offered", 488, "Not Acceptable Here", 32207,                       \
	    "offer RTP/AVP, or switch srtp on for the trunk")                                      \
	ROW(SRTP_MISSING, "srtp_missing", 488, "Not Acceptable Here", 32208,                       \
	    "offer RTP/SAVP with a=crypto lines: media must be SRTP")                              \
	ROW(SRTP_KEYS, "srtp_keys", 488, "Not Acceptable Here", 32926,                             \
	    "offer an a=crypto line of AES_CM_128_HMAC_SHA1_80 or _32 without MKI")                \
	ROW(MEDIA, "media", 488, "Not Acceptable Here", 32928,                                     \
	    "offer one audio stream by RTP/AVP or RTP/SAVP")                                       \
	ROW(CPS, "cps", 503, "Trunk CPS limit exceeded", 32001,                                    \
	    "send fewer calls a second, or have the trunk's limit raised")                         \
	ROW(ACCOUNT_CPS, "account_cps", 503, "Trunk CPS limit exceeded", 32012,                    \
	    "send fewer calls a second by all trunks, or have the account's limit raised")         \
	ROW(TRUNK_CALLS, "trunk_calls", 503, "Trunk concurrent call limit exceeded", 32964,        \
	    "wait until a call ends, or have the trunk's max_calls raised")                        \
	ROW(ACCOUNT_CALLS, "account_calls", 503, "Trunk concurrent call limit exceeded", 10004,    \
	    "wait until a call ends, upgrade a trial account, or have max_calls raised")           \
	ROW(BANDWIDTH, "bandwidth", 503, "Service Unavailable", 32965,                             \
	    "the node carries as many calls as limits.bandwidth_mbps has room for: add a node")    \
	ROW(PORTS, "ports", 503, "Service Unavailable", 32904,                                     \
	    "all media ports are in use: add media addresses")                                     \
	ROW(CALLS, "calls", 503, "Service Unavailable", 32905, "raise sip.max_calls")              \
	ROW(DATAPLANE, "dataplane", 503, "Service Unavailable", 32906,                             \
	    "the media process is away: see trunkctl status")                                      \
	ROW(HISTORY, "history", 503, "Service Unavailable", 32907,                                 \
	    "the record spool is full: see to the disk of the history file")                       \
	ROW(NO_CARRIER, "no_carrier", 503, "Service Unavailable", 32908, "add an enabled carrier") \
	ROW(CARRIER_SILENT, "carrier_silent", 408, "Request Timeout", 32016,                       \
	    "no carrier answered: check its address and the network between")                      \
	ROW(CARRIER_FAILED, "carrier_failed", 503, "Service Unavailable", 32910,                   \
	    "see the carrier's answer")                                                            \
	ROW(SESSION_INTERVAL, "session_interval", 503, "Service Unavailable", 32953,               \
	    "switch session timers off: we ask for none")                                          \
	ROW(CARRIER_UNRESOLVED, "carrier_unresolved", 504, "Server Time-out", 32980,               \
	    "check the carrier's address and its DNS: trunkctl show dns")                          \
	ROW(CARRIER_UNREACHABLE, "carrier_unreachable", 504, "Server Time-out", 32981,             \
	    "no connection to the carrier: check its address and transport, and the network between") \
	ROW(NO_ANSWER, "no_answer", 408, "Request Timeout", 0, "the called party did not answer")  \
	ROW(ANSWER_SDP, "answer_sdp", 488, "Not Acceptable Here", 32911,                           \
	    "the answer of the called side held no usable media description")                               \
	ROW(PRACK_MISSING, "prack_missing", 504, "Server Time-out", 32929,                         \
	    "send PRACK, or do not list 100rel in Supported")                                      \
	ROW(TRANSFER, "transfer", 403, "Forbidden", 32218,                                         \
	    "switch transfer on for the trunk, or let the PBX connect the parties itself")         \
	ROW(REFER_SOURCE, "refer_source", 403, "Forbidden", 32990,                                 \
	    "send REFER from where the call's own messages come from")                             \
	ROW(REFER_TO, "refer_to", 400, "Bad Request", 32991,                                       \
	    "send one Refer-To with one SIP or tel URI")                                           \
	ROW(REFERS, "refers", 403, "Forbidden", 32992,                                             \
	    "look for a loop: the same call is transferred again and again")                       \
	ROW(REFER_TARGET, "refer_target", 403, "Forbidden", 32993,                                 \
	    "transfer to a number, or to a host that the trunk has as Origination URI or in an IP ACL") \
	ROW(REPLACES, "replaces", 481, "Call/Transaction Does Not Exist", 32994,                   \
	    "name a call of the same account in Replaces, with the tags of its dialog with us")    \
	ROW(REPLACES_EARLY, "replaces_early", 486, "Busy Here", 32994,                             \
	    "leave early-only out of Replaces to take a call over that is answered")               \
	ROW(REPLACES_MANY, "replaces_many", 400, "Bad Request", 32994,                             \
	    "send one Replaces")                                                                   \
	/* calls from the PSTN: first those that go nowhere, then why an Origination URI did not take one */ \
	ROW(UNKNOWN_NUMBER, "unknown_number", 404, "Not Found", 32995,                             \
	    "add the number to its account, or have the carrier keep its calls")                   \
	ROW(NO_TRUNK, "no_trunk", 404, "Not Found", 32996, "associate the number with a trunk")    \
	ROW(CLOSED, "closed", 480, "Temporarily Unavailable", 32997,                               \
	    "enable the trunk and its account")                                                    \
	ROW(NO_URI, "no_origination_uri", 480, "Temporarily Unavailable", 32010,                   \
	    "give the trunk an enabled Origination URI whose host has an address")                 \
	ROW(URI_UNRESOLVED, "uri_unresolved", 504, "Server Time-out", 32011,                       \
	    "check the host of the URI and its DNS: trunkctl show dns")                            \
	ROW(URI_UNREACHABLE, "uri_unreachable", 504, "Server Time-out", 32011,                     \
	    "no connection to the PBX: check its address, port and transport, and its firewall")   \
	ROW(URI_SILENT, "uri_silent", 408, "Request Timeout", 32011,                               \
	    "the PBX answered nothing: let it take SIP from our addresses, and check its firewall") \
	ROW(URI_STALLED, "uri_stalled", 408, "Request Timeout", 32011,                             \
	    "the PBX said that it tries, and then nothing: see its log")                           \
	ROW(URI_CHALLENGED, "uri_challenged", 503, "Service Unavailable", 32011,                   \
	    "let the PBX take calls from our addresses without a password: we answer no challenge") \
	ROW(URI_PROXY_CHALLENGED, "uri_proxy_challenged", 503, "Service Unavailable", 32011,       \
	    "let the proxy before the PBX pass our calls without a password: we answer no challenge") \
	ROW(URI_CODEC, "uri_codec", 415, "Unsupported Media Type", 32011,                          \
	    "enable G.711 mu-law (PCMU) in the PBX")                                               \
	ROW(URI_SESSION_INTERVAL, "uri_session_interval", 503, "Service Unavailable", 32011,       \
	    "switch session timers off in the PBX: we ask for none")                               \
	ROW(URI_UNAVAILABLE, "uri_unavailable", 480, "Temporarily Unavailable", 32011,             \
	    "see why the PBX says that nobody is there")                                           \
	ROW(URI_EDGE, "uri_edge", 503, "Service Unavailable", 32011,                               \
	    "list the account in edges.accounts of that edge, or name none in the URI")            \
	ROW(URI_FAILED, "uri_failed", 503, "Service Unavailable", 32011, "see the PBX's answer")   \
	ROW(REDIRECT, "redirect", 480, "Temporarily Unavailable", 32219,                           \
	    "redirect once, to one SIP URI that can be reached and is none of ours")               \
	ROW(INTERNAL, "internal", 500, "Server Internal Error", 0, "see the log")                  \
	/* no refusals, status 0: what goes wrong in a call that was admitted */                   \
	ROW(ACK_MISSING, "ack_missing", 0, "ACK not received", 32022,                              \
	    "send the ACK with the Contact of our 200 OK as Request-URI; switch SIP ALGs off") \
	ROW(DURATION, "duration", 0, "maximum duration reached", 32015,                            \
	    "place the call again; sip.max_call_duration_s is how long one may be")                \
	ROW(TLS_HANDSHAKE, "tls_handshake", 0, "TLS handshake failed", 32940,                      \
	    "see what was seen: trunkctl show tls lists versions, suites and certificates")        \
	ROW(VIA_CHANGED, "via_changed", 0, "Via of a response changed", 32950,                     \
	    "return the Via headers of a request unchanged; switch SIP ALGs off")                  \
	ROW(CONTACT_PRIVATE, "contact_private", 0, "private Contact", 32951,                       \
	    "tell a Contact that can be reached: ACK and BYE go there, and are lost")              \
	ROW(PROVISIONAL_FLOOD, "provisional_flood", 0, "too many reliable responses", 32955,       \
	    "ring less often, or without 100rel: what comes beyond is not acknowledged")           \
	ROW(NOT_REFRESHED, "not_refreshed", 0, "session timer without refresher", 32952,           \
	    "switch session timers off, or let the one who wants them refresh")                    \
	ROW(CARRIER_DOWN, "carrier_down", 0, "carrier down", 32982,                                \
	    "calls go to other carriers: check it, its address and the network between")           \
	ROW(CARRIER_UP, "carrier_up", 0, "carrier up", 32983, "calls go to it again")              \
	ROW(CARRIER_FILES, "carrier_files", 0, "carrier's certificate", 32987,                     \
	    "mend the file on this node, readable for node.user, and run trunkctl reload")         \
	ROW(NAMES_FAILING, "names_failing", 0, "names not published", 32984,                       \
	    "see trunkctl show names; check names.servers, the key and what the zone allows it")   \
	ROW(NAMES_PUBLISHED, "names_published", 0, "names published again", 32985,                 \
	    "the zone is right again")                                                             \
	ROW(WEBHOOK_UNREACHABLE, "webhook_unreachable", 0, "webhook not reached", 11200,           \
	    "see trunkctl show notifications; trunkctl test trigger NAME tries it")                \
	ROW(WEBHOOK_TIME, "webhook_time", 0, "webhook too slow", 11203,                            \
	    "have the URL answer within notify.timeout_ms; trunkctl test trigger NAME tries it")   \
	ROW(WEBHOOK_CONNECTION, "webhook_connection", 0, "no connection to webhook", 11205,        \
	    "have the host listen, and let trunkd through; trunkctl test trigger NAME tries it")   \
	ROW(WEBHOOK_NAME, "webhook_name", 0, "webhook without address", 11210,                     \
	    "check the host in the URL, and its DNS; trunkctl test trigger NAME tries it")         \
	ROW(WEBHOOK_TLS, "webhook_tls", 0, "TLS of webhook failed", 11220,                         \
	    "check the certificate of the host; trunkctl test trigger NAME tries it")              \
	ROW(WEBHOOK_REFUSED, "webhook_refused", 0, "webhook refused", 15003,                       \
	    "have the URL answer 2xx; trunkctl test trigger NAME tries it")                        \
	ROW(MAIL_FAILED, "mail_failed", 0, "mail not sent", 32986,                                 \
	    "see trunkctl show notifications; check notify.mail_server and the address")           \
	ROW(PORTS_LEAKED, "ports_leaked", 0, "media ports leaked", 32927,                          \
	    "see trunkctl show ports; restarting trunkd frees them, and tell its makers")          \
	/* no calls at all: what the guard in front of SIP tells (call/watch/attack.h) */          \
	ROW(SOURCE_RATE, "source_rate", 0, "messages dropped", 32961,                              \
	    "have the peer send less, or raise guard.peer_rate")                                   \
	ROW(OPTIONS, "options", 0, "OPTIONS blocked", 32962,                                       \
	    "set the keep-alive of the PBX to 10 s or more; trunkctl unban lifts the block")       \
	ROW(OVERLOAD, "overload", 0, "overload", 32963,                                            \
	    "see trunkctl status: more calls are offered than this node can do; add a node")
// clang-format on
