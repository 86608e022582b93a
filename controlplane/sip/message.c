// A SIP message's fields, found in the header table that the scan has filled.
// Runs on the control thread; borrows, never allocates.

#include "sip/message.h"

#include <string.h>

#include "sip/message_parts.h"
#include "sip/message_uri.h"
#include "sip/multipart/multipart.h"
#include "sip/scan.h"
#include "sip/value.h"

#define METHOD_TEXT(name) [SIP_##name] = TEXT(#name),
static const struct text method_texts[SIP_METHOD_COUNT] = { SIP_METHOD_LIST(METHOD_TEXT) };
#undef METHOD_TEXT

// Compact forms by RFC 3261 20 and the registry, of the headers anyone here asks for.
static const struct compact {
	struct text name;
	char letter;
} compacts[] = {
	{ TEXT("Accept-Contact"), 'a' },
	{ TEXT("Allow-Events"), 'u' },
	{ TEXT("Call-ID"), 'i' },
	{ TEXT("Contact"), 'm' },
	{ TEXT("Content-Encoding"), 'e' },
	{ TEXT("Content-Length"), 'l' },
	{ TEXT("Content-Type"), 'c' },
	{ TEXT("Event"), 'o' },
	{ TEXT("From"), 'f' },
	{ TEXT("Identity"), 'y' },
	{ TEXT("Refer-To"), 'r' },
	{ TEXT("Referred-By"), 'b' },
	{ TEXT("Reject-Contact"), 'j' },
	{ TEXT("Session-Expires"), 'x' },
	{ TEXT("Subject"), 's' },
	{ TEXT("Supported"), 'k' },
	{ TEXT("To"), 't' },
	{ TEXT("Via"), 'v' },
};

// clang-format off
static const struct reason {
	unsigned status;
	const char *phrase;
} reasons[] = {
	{ 100, "Trying" },
	{ 180, "Ringing" },
	{ 181, "Call Is Being Forwarded" },
	{ 182, "Queued" },
	{ 183, "Session Progress" },
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Moved Temporarily" },
	{ 305, "Use Proxy" },
	{ 380, "Alternative Service" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 413, "Request Entity Too Large" },
	{ 414, "Request-URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Unsupported URI Scheme" },
	{ 420, "Bad Extension" },
	{ 421, "Extension Required" },
	{ 422, "Session Interval Too Small" },
	{ 423, "Interval Too Brief" },
	{ 469, "Bad Info Package" },
	{ 480, "Temporarily Unavailable" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" },
	{ 483, "Too Many Hops" },
	{ 484, "Address Incomplete" },
	{ 485, "Ambiguous" },
	{ 486, "Busy Here" },
	{ 487, "Request Terminated" },
	{ 488, "Not Acceptable Here" },
	{ 489, "Bad Event" },
	{ 491, "Request Pending" },
	{ 493, "Undecipherable" },
	{ 500, "Server Internal Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Server Time-out" },
	{ 505, "Version Not Supported" },
	{ 513, "Message Too Large" },
	{ 600, "Busy Everywhere" },
	{ 603, "Decline" },
	{ 604, "Does Not Exist Anywhere" },
	{ 606, "Not Acceptable" },
};
// clang-format on

// Methods are compared with case (RFC 3261 7.1).
enum sip_method sip_method_of(struct text token)
{
	for (unsigned i = 0; i < SIP_UNKNOWN; i++)
		if (text_is_equal(token, method_texts[i]))
			return (enum sip_method)i;
	return SIP_UNKNOWN;
}

struct text sip_method_text(enum sip_method method)
{
	return method < SIP_UNKNOWN ? method_texts[method] : TEXT_NONE;
}

const char *sip_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].phrase;
	return "";
}

// Most names differ in size or first letter, and a message has very many to look at.
static bool is_named(struct text name, struct text wanted)
{
	return name.size == wanted.size && (name.data[0] | 32) == (wanted.data[0] | 32) &&
	       text_is_same(name, wanted);
}

static char compact_of(struct text name)
{
	for (size_t i = 0; i < sizeof(compacts) / sizeof(compacts[0]); i++)
		if (is_named(compacts[i].name, name))
			return compacts[i].letter;
	return 0;
}

struct text sip_message_header(const struct sip_message *message, const char *name, unsigned nth)
{
	struct text wanted = text_of(name);
	char letter = compact_of(wanted);
	for (unsigned i = 0; i < message->header_count; i++) {
		const struct sip_header *header = &message->headers[i];
		bool is_compact = letter != 0 && header->name.size == 1 &&
				  (header->name.data[0] | 32) == letter;
		if (!is_compact && !is_named(header->name, wanted))
			continue;
		if (nth-- == 0)
			return header->value;
	}
	return TEXT_NONE;
}

bool sip_message_has_option(const struct sip_message *message, const char *header,
			    const char *option)
{
	struct text wanted = text_of(option);
	struct text value;
	for (unsigned nth = 0; (value = sip_message_header(message, header, nth)).data != NULL;
	     nth++)
		while (value.size > 0)
			if (text_is_same(text_trim(text_split(&value, ',')), wanted))
				return true;
	return false;
}

// Where several parts may hold a session description, the body is that one. False: it cannot be told.
static bool take_description(struct sip_message *message)
{
	static const unsigned methods =
		1u << SIP_INVITE | 1u << SIP_ACK | 1u << SIP_PRACK | 1u << SIP_UPDATE;
	struct text type = sip_message_header(message, "Content-Type", 0);
	if (message->body.size == 0 || (methods >> message->method & 1) == 0 ||
	    text_is_same(message->content_type, TEXT("application/sdp")))
		return true;
	switch (sip_multipart_description(type, message->body, &message->body)) {
	case SIP_MULTIPART_FOUND:
		message->content_type = TEXT("application/sdp");
		return true;
	case SIP_MULTIPART_OTHER:
		return true;
	case SIP_MULTIPART_NONE: // a request's parts must be understood (RFC 5621 8), an answer's not
		message->body.size = 0;
		return !message->is_request;
	case SIP_MULTIPART_MALFORMED:
		break;
	}
	return false;
}

bool sip_message_complete(struct sip_message *message)
{
	struct text contact = sip_message_header(message, "Contact", 0);
	return take_description(message) && sip_party_split(message->from_value, &message->from) &&
	       sip_party_split(message->to_value, &message->to) &&
	       (contact.data == NULL || sip_party_split(contact, &message->contact));
}

bool sip_message_is_sound(const struct sip_message *message)
{
	const struct sip_uri *uris[] = { &message->target, &message->from.uri, &message->to.uri,
					 &message->contact.uri };
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
		if (uris[i]->host.size > 0 && !sip_uri_is_valid(uris[i]))
			return false;
	return true;
}

bool sip_message_parse(struct text octets, struct sip_message *out_message)
{
	struct sip_scan_refusal refusal;
	return sip_scan_message(octets, out_message, &refusal) == SIP_SCAN_OK &&
	       sip_message_complete(out_message) && sip_message_is_sound(out_message);
}
