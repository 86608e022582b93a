// The linear scan of a SIP message: RFC 3261 7 and 25 with every bound of ours, by hand, once.
// Runs on the control thread. Never allocates, never reads past the octets, never trusts a number.

#include "sip/scan.h"

#include <stddef.h>
#include <string.h>

#include "sip/message_uri.h"
#include "sip/value.h"

#define CSEQ_MAX 2147483647
#define METHOD_SIZE_MAX 64
#define NAME_SIZE_MAX 512

// clang-format off
enum header {
	VIA, FROM, TO, CALL_ID, CSEQ, MAX_FORWARDS, CONTENT_LENGTH, CONTENT_TYPE,
	EXPIRES, MIN_EXPIRES, DATE, SUBJECT, MIME_VERSION, EVENT, REFER_TO, SESSION_EXPIRES, MIN_SE,
	REQUIRE, PROXY_REQUIRE, OTHER,
};

// Headers the scan knows. All but Via and lists of option tags may come once only.
static const struct known {
	struct text name;
	char compact;
} known[] = {
	[VIA] = { TEXT("via"), 'v' },
	[FROM] = { TEXT("from"), 'f' },
	[TO] = { TEXT("to"), 't' },
	[CALL_ID] = { TEXT("call-id"), 'i' },
	[CSEQ] = { TEXT("cseq"), 0 },
	[MAX_FORWARDS] = { TEXT("max-forwards"), 0 },
	[CONTENT_LENGTH] = { TEXT("content-length"), 'l' },
	[CONTENT_TYPE] = { TEXT("content-type"), 'c' },
	[EXPIRES] = { TEXT("expires"), 0 },
	[MIN_EXPIRES] = { TEXT("min-expires"), 0 },
	[DATE] = { TEXT("date"), 0 },
	[SUBJECT] = { TEXT("subject"), 's' },
	[MIME_VERSION] = { TEXT("mime-version"), 0 },
	[EVENT] = { TEXT("event"), 'o' },
	[REFER_TO] = { TEXT("refer-to"), 'r' },
	[SESSION_EXPIRES] = { TEXT("session-expires"), 'x' },
	[MIN_SE] = { TEXT("min-se"), 0 },
	[REQUIRE] = { TEXT("require"), 0 },
	[PROXY_REQUIRE] = { TEXT("proxy-require"), 0 },
};
// clang-format on

struct scan {
	struct text rest;
	struct sip_message *message;
	struct sip_scan_refusal *refusal;
	uint32_t seen; // a bit per known header
	struct text content_length;
	bool is_folded;
	bool is_alien; // not SIP at all
};

// The first thing wrong is the one the sender hears of.
static void refuse(struct scan *scan, unsigned status, const char *reason)
{
	if (scan->refusal->status != 0)
		return;
	scan->refusal->status = status;
	scan->refusal->reason = reason;
}

static char lower(char character)
{
	return character >= 'A' && character <= 'Z' ? (char)(character | 32) : character;
}

static enum header header_of(struct text name)
{
	char first = lower(name.data[0]);
	for (unsigned i = 0; i < OTHER; i++) {
		if (name.size == 1
			    ? known[i].compact == first
			    : known[i].name.data[0] == first && text_is_same(name, known[i].name))
			return (enum header)i;
	}
	return OTHER;
}

// Takes one line without its CRLF. A line may end in nothing else: a bare CR or LF could make two
// headers for us of what is one for somebody else.
static bool take_line(struct scan *scan, struct text *out_line)
{
	const char *end = memchr(scan->rest.data, '\n', scan->rest.size);
	if (end == NULL)
		return false;
	size_t size = (size_t)(end - scan->rest.data);
	struct text line = { scan->rest.data, size };
	scan->rest = text_cut(scan->rest, size + 1);
	if (size > 0 && line.data[size - 1] == '\r')
		line.size--;
	else
		refuse(scan, 400, "Bare LF in Header");
	*out_line = line;
	return true;
}

// A quoted-pair may hold a control character, NUL even (RFC 3261 25.1, RFC 4475 3.1.1.2): no other
// place may, and CR not even there.
static bool has_bare_control(struct text value)
{
	bool is_quoted = false;
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && value.data[i] == '\\' && i + 1 < value.size &&
			 value.data[i + 1] != '\r')
			i++;
		else if (sip_value_octets[(uint8_t)value.data[i]] == SIP_OCTET_FORBIDDEN)
			return true;
	}
	return false;
}

static void scan_value(struct scan *scan, struct text value)
{
	unsigned counts[SIP_OCTET_COUNT] = { 0 };
	for (size_t i = 0; i < value.size; i++) {
		enum sip_octet octet = sip_value_octets[(uint8_t)value.data[i]];
		if (octet >=
		    SIP_OCTET_SEMICOLON) // rare; a count for each octet would wait for the last
			counts[octet]++;
	}
	if (counts[SIP_OCTET_FORBIDDEN] > 0 && has_bare_control(value))
		refuse(scan, 400, "Control Character in Header");
	if (value.size > SIP_SCAN_VALUE_MAX || counts[SIP_OCTET_SEMICOLON] > SIP_SCAN_PIECES_MAX ||
	    counts[SIP_OCTET_AMPERSAND] > SIP_SCAN_PIECES_MAX ||
	    counts[SIP_OCTET_COMMA] > SIP_SCAN_PIECES_MAX)
		refuse(scan, 400, "Header Too Long");
}

// ---- the headers the scan itself understands

static void scan_via(struct scan *scan, struct text value)
{
	if (scan->message->via_count == 0 && !sip_value_via(value, &scan->message->via)) {
		scan->message->via.whole = value;
		refuse(scan, 400, "Malformed Via");
	}
	do {
		if (sip_value_list(&value).size == 0)
			refuse(scan, 400, "Malformed Via");
		scan->message->via_count++;
	} while (value.data != NULL);
	if (scan->message->via_count > SIP_SCAN_VIA_MAX)
		refuse(scan, 400, "Too Many Vias");
}

static void scan_cseq(struct scan *scan, struct text value)
{
	struct sip_message *message = scan->message;
	message->cseq_value = value;
	struct cursor cursor = cursor_of(value);
	uint64_t number = cursor_unsigned(&cursor, CSEQ_MAX);
	char space = cursor_peek(&cursor);
	cursor_skip_space(&cursor);
	if (cursor.failed || (space != ' ' && space != '\t') || !sip_value_is_token(cursor.rest)) {
		refuse(scan, 400, "Malformed CSeq");
		return;
	}
	message->cseq = (uint32_t)number;
	if (!message->is_request) {
		message->method_text = cursor.rest;
		message->method = sip_method_of(cursor.rest);
	} else if (!text_is_equal(cursor.rest, message->method_text)) {
		refuse(scan, 400, "CSeq Method Mismatch");
	}
}

static void scan_max_forwards(struct scan *scan, struct text value)
{
	uint64_t number;
	if (text_to_unsigned(value, 255, &number))
		scan->message->max_forwards = (unsigned)number;
	else
		refuse(scan, 400, "Malformed Max-Forwards");
}

static void scan_expires(struct scan *scan, struct text value)
{
	uint64_t number;
	if (!text_to_unsigned(value, UINT32_MAX, &number))
		refuse(scan, 400, "Malformed Expires");
}

// What is demanded in a way that cannot be read is not passed over. An empty header demands nothing, and
// in ACK and CANCEL neither counts (RFC 3261 8.2.2.3).
static void scan_option_tags(struct scan *scan, struct text value, const char *reason)
{
	const struct sip_message *message = scan->message;
	bool counts = message->is_request && message->method != SIP_ACK &&
		      message->method != SIP_CANCEL && value.size > 0;
	if (counts && !sip_value_is_token_list(value))
		refuse(scan, 400, reason);
}

static bool is_call_id(struct text value)
{
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] == ' ' || value.data[i] == '\t' || value.data[i] == ',')
			return false;
	return value.size > 0;
}

static void scan_known(struct scan *scan, enum header header, struct text value)
{
	struct sip_message *message = scan->message;
	bool may_repeat = header == VIA || header == REQUIRE || header == PROXY_REQUIRE;
	if (!may_repeat && (scan->seen & (1u << header)) != 0) {
		refuse(scan, 400, "Header Repeated");
		return;
	}
	scan->seen |= 1u << header;
	switch (header) {
	case VIA:
		scan_via(scan, value);
		break;
	case FROM:
		message->from_value = value;
		break;
	case TO:
		message->to_value = value;
		break;
	case CALL_ID:
		message->call_id = value;
		if (!is_call_id(value))
			refuse(scan, 400, "Malformed Call-ID");
		break;
	case CSEQ:
		scan_cseq(scan, value);
		break;
	case MAX_FORWARDS:
		scan_max_forwards(scan, value);
		break;
	case CONTENT_LENGTH:
		scan->content_length = value;
		break;
	case CONTENT_TYPE:
		message->content_type = text_trim(text_split(&value, ';'));
		break;
	case EXPIRES:
	case MIN_EXPIRES:
		scan_expires(scan, value);
		break;
	case REQUIRE:
		scan_option_tags(scan, value, "Malformed Require");
		break;
	case PROXY_REQUIRE:
		scan_option_tags(scan, value, "Malformed Proxy-Require");
		break;
	default:
		break;
	}
}

static void scan_header(struct scan *scan, struct text line)
{
	struct text value = line;
	struct text name = text_split(&value, ':');
	if (name.size == line.size) {
		refuse(scan, 400, "Malformed Header");
		return;
	}
	// HCOLON allows spaces and tabs before the colon, and nothing else.
	struct text trimmed = text_trim(name);
	value = text_trim(value);
	if (!sip_value_is_token(trimmed) || trimmed.data != name.data ||
	    trimmed.size > NAME_SIZE_MAX) {
		refuse(scan, 400, "Malformed Header Name");
		return;
	}
	struct sip_message *message = scan->message;
	if (message->header_count == SIP_HEADERS_MAX) {
		refuse(scan, 400, "Too Many Headers");
		return;
	}
	scan_value(scan, value);
	message->headers[message->header_count++] = (struct sip_header){ trimmed, value };
	enum header header = header_of(trimmed);
	if (header != OTHER)
		scan_known(scan, header, value);
}

// true: the empty line was found.
static bool scan_headers(struct scan *scan)
{
	struct text line;
	const char *start = scan->rest.data;
	while (take_line(scan, &line)) {
		if (line.size == 0)
			return true;
		if (line.data[0] == ' ' || line.data[0] == '\t')
			scan->is_folded = true;
		else
			scan_header(scan, line);
		if (scan->rest.data - start > SIP_SCAN_HEAD_MAX) {
			refuse(scan, 513, NULL);
			return true;
		}
	}
	refuse(scan, 400, "Header Section Not Terminated");
	return false;
}

// ---- start lines

static void scan_version(struct scan *scan, struct text version)
{
	if (text_is_same(version, TEXT("SIP/2.0")))
		return;
	struct cursor cursor = cursor_of(version);
	if (!cursor_take_text(&cursor, TEXT("SIP/"))) {
		scan->is_alien = true;
		return;
	}
	(void)cursor_unsigned(&cursor, UINT32_MAX);
	cursor_expect(&cursor, '.');
	(void)cursor_unsigned(&cursor, UINT32_MAX);
	if (cursor.failed || cursor.rest.size > 0)
		refuse(scan, 400, "Malformed Request-Line");
	else
		refuse(scan, 505, NULL);
}

static void scan_target(struct scan *scan, struct text text)
{
	switch (sip_uri_split(text, &scan->message->target)) {
	case SIP_URI_OK:
		// Header fields in a Request-URI are refused (RFC 3261 19.1.1).
		if (text_find(scan->message->target.parameters, '?') != NULL)
			refuse(scan, 400, "Headers in Request-URI");
		// Routed by nobody who takes it for the end of a string.
		if (sip_uri_hides_nul(&scan->message->target))
			refuse(scan, 400, "Malformed Request-URI");
		break;
	case SIP_URI_MALFORMED:
		scan->message->target.whole = text;
		refuse(scan, 400, "Malformed Request-URI");
		break;
	case SIP_URI_UNKNOWN_SCHEME:
		refuse(scan, 416, NULL);
		break;
	}
}

// Method SP Request-URI SP SIP-Version, single spaces; the version is what follows the last one.
static void scan_request_line(struct scan *scan, struct text line)
{
	struct sip_message *message = scan->message;
	message->is_request = true;
	struct text target = line;
	struct text method = text_split(&target, ' ');
	if (!sip_value_is_token(method) || method.size > METHOD_SIZE_MAX) {
		scan->is_alien = true;
		return;
	}
	message->method_text = method;
	message->method = sip_method_of(method);
	const char *space = memrchr(target.data, ' ', target.size);
	if (space == NULL) {
		scan->is_alien = true;
		return;
	}
	struct text version = text_cut(target, (size_t)(space - target.data) + 1);
	target.size = (size_t)(space - target.data);
	if (version.size == 0) // "SIP/2.0 " with spaces behind it
		refuse(scan, 400, "Malformed Request-Line");
	else
		scan_version(scan, version);
	if (target.size > SIP_SCAN_VALUE_MAX) {
		refuse(scan, 414, NULL);
		return;
	}
	scan_target(scan, target);
	if (message->method == SIP_UNKNOWN)
		refuse(scan, 501, NULL);
}

// SIP-Version SP Status-Code SP Reason-Phrase. Whatever is wrong here is dropped.
static void scan_status_line(struct scan *scan, struct text line)
{
	struct cursor cursor = cursor_of(line);
	bool is_version = cursor_take_text(&cursor, TEXT("SIP/2.0 "));
	struct text digits = { cursor.rest.data, cursor.rest.size < 3 ? cursor.rest.size : 3 };
	uint64_t status = 0;
	bool is_number = text_to_unsigned(digits, 699, &status);
	cursor.rest = text_cut(cursor.rest, digits.size);
	if (!is_version || !is_number || status < 100 || !cursor_take(&cursor, ' '))
		refuse(scan, 400, NULL);
	scan->message->status = (unsigned)status;
	scan->message->reason = cursor.rest;
	for (size_t i = 0; i < cursor.rest.size; i++)
		if (sip_value_octets[(uint8_t)cursor.rest.data[i]] == SIP_OCTET_FORBIDDEN)
			refuse(scan, 400, NULL);
}

static void scan_start(struct scan *scan, struct text line)
{
	if (text_has_prefix(line, TEXT("SIP/")) || text_has_prefix(line, TEXT("sip/")))
		scan_status_line(scan, line);
	else
		scan_request_line(scan, line);
}

// ---- the whole

static void scan_body(struct scan *scan)
{
	scan->message->body = scan->rest;
	if (scan->content_length.data == NULL)
		return;
	uint64_t size;
	if (!text_to_unsigned(scan->content_length, SIP_MESSAGE_MAX, &size))
		refuse(scan, 400, "Malformed Content-Length");
	else if (size > scan->rest.size)
		refuse(scan, 400, "Content-Length Beyond Message");
	else
		scan->message->body.size = (size_t)size;
}

static enum sip_scan_verdict judge(struct scan *scan)
{
	const uint32_t mandatory = 1u << VIA | 1u << FROM | 1u << TO | 1u << CALL_ID | 1u << CSEQ;
	const struct sip_message *message = scan->message;
	if (scan->is_alien)
		return SIP_SCAN_DROP;
	bool is_whole = (scan->seen & mandatory) == mandatory;
	if (!is_whole)
		refuse(scan, 400, "Mandatory Header Missing");
	if (scan->refusal->status == 0)
		return SIP_SCAN_OK;
	// To answer it takes a way back and what its transaction is found by (RFC 3261 17.1.3); the
	// rest may be missing (RFC 4475 3.3.1).
	bool is_named = message->via.whole.size > 0 && message->cseq_value.size > 0;
	bool may_answer = message->is_request && message->method != SIP_ACK && is_named;
	return may_answer ? SIP_SCAN_REFUSE : SIP_SCAN_DROP;
}

static void reset(struct sip_message *message, struct text octets)
{
	memset(message, 0, offsetof(struct sip_message, headers));
	message->header_count = 0;
	message->max_forwards = 70;
	message->method = SIP_UNKNOWN;
	message->raw = octets;
	message->flow = (struct sip_flow){ 0 };
}

enum sip_scan_verdict sip_scan_message(struct text octets, struct sip_message *out_message,
				       struct sip_scan_refusal *out_refusal)
{
	struct scan scan = { .rest = octets, .message = out_message, .refusal = out_refusal };
	struct text line;
	*out_refusal = (struct sip_scan_refusal){ 0 };
	reset(out_message, octets);
	while (scan.rest.size >= 2 && memcmp(scan.rest.data, "\r\n", 2) == 0)
		scan.rest = text_cut(scan.rest, 2);
	if (scan.rest.size == 0)
		return octets.size > 0 ? SIP_SCAN_KEEPALIVE : SIP_SCAN_DROP;
	if (sip_value_octets[(uint8_t)scan.rest.data[0]] != SIP_OCTET_TOKEN ||
	    !take_line(&scan, &line))
		return SIP_SCAN_DROP;
	scan_start(&scan, line);
	if (scan.is_alien)
		return SIP_SCAN_DROP;
	bool has_end = scan_headers(&scan);
	if (scan.is_folded)
		return SIP_SCAN_FOLDED;
	if (has_end)
		scan_body(&scan);
	return judge(&scan);
}

struct text sip_scan_unfold(struct text octets, char *room)
{
	size_t start = 0;
	memcpy(room, octets.data, octets.size);
	while (start + 2 <= octets.size && memcmp(room + start, "\r\n", 2) == 0)
		start += 2;
	for (size_t i = start; i + 2 < octets.size; i++) {
		if (room[i] != '\r' || room[i + 1] != '\n')
			continue;
		if (room[i + 2] == ' ' || room[i + 2] == '\t')
			room[i] = room[i + 1] = ' ';
		else if (room[i + 2] == '\r' && i + 3 < octets.size && room[i + 3] == '\n')
			break;
	}
	return (struct text){ room, octets.size };
}
