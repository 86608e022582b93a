// The table of headers. Constant; runs on any thread.

#include "call/header/table.h"

#define ROW(header, letter, to_carrier, from_carrier, to_pbx, from_pbx, inside, value, reason)     \
	{                                                                                          \
		.name = TEXT(header), .compact = letter,                                           \
		.actions = { to_carrier, from_carrier, to_pbx, from_pbx, inside }, .form = value,  \
		.why = reason                                                                      \
	}
#define PERSONAL(header, letter, to_carrier, from_carrier, to_pbx, from_pbx, inside, value,        \
		 reason)                                                                           \
	{                                                                                          \
		.name = TEXT(header), .compact = letter,                                           \
		.actions = { to_carrier, from_carrier, to_pbx, from_pbx, inside }, .form = value,  \
		.is_personal = true, .why = reason                                                 \
	}
#define P HEADER_PASS
#define S HEADER_SET
#define x HEADER_STRIP
#define STRIPPED(header, letter, reason) ROW(header, letter, x, x, x, x, x, HEADER_RAW, reason)
#define OWN(header, letter, reason) ROW(header, letter, S, S, S, S, S, HEADER_RAW, reason)

// clang-format off
const struct header_row header_rows[] = {
	/* name, compact, to carrier, from carrier, to PBX, from PBX, inside, form, why */
	/* who calls */
	ROW("P-Asserted-Identity", 0,    S, x, S, x, x, HEADER_RAW, "we assert the caller ID that was checked, and nothing else, to those we trust (RFC 3325, TERM-021)"),
	ROW("Privacy", 0,                S, x, S, x, x, HEADER_RAW, "`id`, `history` or `none`; user, header and session are done here (RFC 3323)"),
	STRIPPED("P-Preferred-Identity", 0, "asks for an identity; we know one only (RFC 3325 9.2)"),
	STRIPPED("Remote-Party-ID", 0,   "checked when the call is admitted (TERM-022, D-10); P-Asserted-Identity says what it said"),
	STRIPPED("P-Asserted-Service", 0, "between those who trust each other (RFC 6050)"),
	STRIPPED("Identity", 'y',        "signed over headers that are written anew here (RFC 8224)"),
	STRIPPED("Identity-Info", 'n',   "belongs to Identity"),
	/* where the call has been */
	ROW("Diversion", 0,              P, x, P, x, x, HEADER_DIVERSIONS, "the numbers it was diverted from; of a PBX those that name the platform must be the account's (DIV-004 to DIV-008)"),
	PERSONAL("History-Info", 0,      P, x, P, x, x, HEADER_URIS, "the same by RFC 7044"),
	STRIPPED("Referred-By", 'b',     "names who sent it here"),
	/* what the parties tell each other */
	ROW("User-to-User", 0,           P, P, P, P, P, HEADER_RAW, "data of the parties (RFC 7433)"),
	PERSONAL("Subject", 's',         P, x, P, x, x, HEADER_RAW, "text of the caller"),
	PERSONAL("Organization", 0,      P, x, x, x, x, HEADER_RAW, "of the caller; a carrier's is no business of a PBX"),
	PERSONAL("Call-Info", 0,         P, x, P, x, x, HEADER_RAW, "what a phone shows of the caller"),
	ROW("Alert-Info", 0,             P, P, P, P, x, HEADER_RINGS, "how to ring; nobody is sent to fetch a sound"),
	ROW("Priority", 0,               P, x, P, x, x, HEADER_RAW, "of the caller"),
	ROW("Accept-Language", 0,        P, x, P, x, x, HEADER_RAW, "of the caller"),
	ROW("Geolocation", 0,            P, x, P, x, x, HEADER_REFERENCES, "where the caller is, by reference (RFC 6442)"),
	ROW("Geolocation-Routing", 0,    P, x, P, x, x, HEADER_RAW, "belongs to Geolocation"),
	ROW("Geolocation-Error", 0,      x, P, x, P, x, HEADER_RAW, "the answer to Geolocation"),
	ROW("X-*", 0,                    P, x, x, P, x, HEADER_RAW, "a PBX may tell a carrier what it likes; what a carrier adds is about its network"),
	/* how it ends */
	ROW("Reason", 0,                 x, P, x, P, P, HEADER_REASONS, "the cause, also by Q.850 (RFC 3326, RFC 6432)"),
	ROW("Retry-After", 0,            x, P, x, P, P, HEADER_SECONDS, "of the called party"),
	STRIPPED("Warning", 0,           "names the host that warns; ours names the header at fault"),
	STRIPPED("Error-Info", 0,        "a URI of the other network"),
	/* extensions that bind the two ends of one leg */
	ROW("Supported", 'k',            P, S, P, S, S, HEADER_OPTIONS, "option tags of the caller but those that bind a leg: timer goes (SIP-017, SIP-018)"),
	STRIPPED("Require", 0,           "what we do not know is refused (420); timer never is required of anybody (D-27)"),
	STRIPPED("Proxy-Require", 0,     "the same"),
	OWN("Unsupported", 0,            "the option tags a request is refused for"),
	ROW("Session-Expires", 'x',      P, x, P, x, x, HEADER_TIMER, "no session timers (SIP-017 to SIP-020, D-27)"),
	ROW("Min-SE", 0,                 P, x, P, x, x, HEADER_TIMER, "belongs to Session-Expires"),
	OWN("RSeq", 0,                   "of this leg's provisional responses (RFC 3262)"),
	OWN("RAck", 0,                   "belongs to RSeq"),
	OWN("Info-Package", 0,           "belongs to the INFO that carries it (RFC 6086)"),
	OWN("Recv-Info", 0,              "belongs to Info-Package"),
	OWN("Event", 'o',                "belongs to NOTIFY and SUBSCRIBE"),
	STRIPPED("Allow-Events", 'u',    "we take none"),
	STRIPPED("Subscription-State", 0, "belongs to NOTIFY"),
	OWN("Refer-To", 'r',             "belongs to REFER"),
	STRIPPED("Target-Dialog", 0,     "names a dialog of the other leg"),
	STRIPPED("Replaces", 0,          "names a dialog of the other leg"),
	STRIPPED("Join", 0,              "names a dialog of the other leg"),
	STRIPPED("In-Reply-To", 0,       "names Call-IDs of the other leg"),
	STRIPPED("Reply-To", 0,          "a URI of the other leg"),
	STRIPPED("Accept-Contact", 'a',  "for the proxies of the other leg (RFC 3841)"),
	STRIPPED("Reject-Contact", 'j',  "for the proxies of the other leg"),
	STRIPPED("Request-Disposition", 'd', "for the proxies of the other leg"),
	STRIPPED("Resource-Priority", 0, "a right nobody here has proved to have (RFC 4412)"),
	STRIPPED("Accept-Resource-Priority", 0, "belongs to Resource-Priority"),
	STRIPPED("P-*", 0,               "between the hosts of one network (RFC 7315)"),
	/* of the dialog, the hop and the message */
	OWN("Via", 'v',                  "of this leg"),
	OWN("From", 'f',                 "the caller ID that was checked, at our address; or nobody (RFC 3323)"),
	OWN("To", 't',                   "of this leg"),
	OWN("Call-ID", 'i',              "of this leg"),
	OWN("CSeq", 0,                   "of this leg"),
	OWN("Contact", 'm',              "of this leg"),
	OWN("Max-Forwards", 0,           "one less than came, so that loops end (SIP-021, SIP-022)"),
	OWN("Route", 0,                  "of this leg"),
	OWN("Record-Route", 0,           "of this leg (SIP-002)"),
	STRIPPED("Path", 0,              "of registrations"),
	STRIPPED("Service-Route", 0,     "of registrations"),
	OWN("User-Agent", 0,             "ours"),
	OWN("Server", 0,                 "ours"),
	OWN("Allow", 0,                  "ours"),
	OWN("Accept", 0,                 "ours"),
	STRIPPED("Accept-Encoding", 0,   "we read bodies, so none is encoded"),
	OWN("Content-Type", 'c',         "of the body, which is written anew"),
	OWN("Content-Length", 'l',       "of the body"),
	STRIPPED("Content-Encoding", 'e', "of the body"),
	STRIPPED("Content-Disposition", 0, "of the body"),
	STRIPPED("Content-Language", 0,  "of the body"),
	STRIPPED("MIME-Version", 0,      "of the body"),
	STRIPPED("Date", 0,              "of the sender's clock"),
	STRIPPED("Timestamp", 0,         "of the hop"),
	STRIPPED("Expires", 0,           "our own time limits hold"),
	STRIPPED("Min-Expires", 0,       "of registrations"),
	STRIPPED("Authorization", 0,     "credentials go no further than us"),
	STRIPPED("Proxy-Authorization", 0, "credentials go no further than us"),
	STRIPPED("Authentication-Info", 0, "belongs to Authorization"),
	STRIPPED("Proxy-Authentication-Info", 0, "belongs to Proxy-Authorization"),
	STRIPPED("WWW-Authenticate", 0,  "a challenge is for us, or ours"),
	STRIPPED("Proxy-Authenticate", 0, "a challenge is for us, or ours"),
	STRIPPED("Security-Client", 0,   "of the hop (RFC 3329)"),
	STRIPPED("Security-Server", 0,   "of the hop"),
	STRIPPED("Security-Verify", 0,   "of the hop"),
	/* the last row */
	STRIPPED("any other", 0,         "nobody knows what it gives away"),
};
// clang-format on

const unsigned header_row_count = sizeof(header_rows) / sizeof(*header_rows) - 1;

static bool is_named(const struct header_row *row, struct text name)
{
	struct text known = row->name;
	if (name.size == 1)
		return row->compact != 0 && (name.data[0] | 32) == row->compact;
	if ((known.data[0] | 32) != (name.data[0] | 32)) // most rows end here
		return false;
	if (known.data[known.size - 1] != '*')
		return text_is_same(known, name);
	known.size--;
	return name.size > known.size &&
	       text_is_same(known, (struct text){ name.data, known.size });
}

const struct header_row *header_row_of(struct text name)
{
	for (unsigned i = 0; i < header_row_count; i++)
		if (is_named(&header_rows[i], name))
			return &header_rows[i];
	return &header_rows[header_row_count];
}

const char *header_way_text(enum header_way way)
{
	static const char *const texts[HEADER_WAYS] = { "to carrier", "from carrier", "to PBX",
							"from PBX", "inside" };
	return texts[way];
}

const char *header_action_text(enum header_action action)
{
	static const char *const texts[] = { "strip", "pass", "set" };
	return texts[action];
}
