// A look at a message's lines. Runs on the control thread; pure. Never allocates, reads each octet of
// the head twice at most, and stops where the scan would refuse.

#include "sip/guard/peek.h"

#include <string.h>

#define LINES_MAX 64
#define OCTETS_MAX 8192

// Scanners as they name themselves at the beginning of User-Agent, in lower case. Programs that
// customers use for good ends as well, such as sipsak, do not belong here.
static const struct text scanners[] = {
	TEXT("friendly-scanner"), // sipvicious
	TEXT("friendly-request"),
	TEXT("sipvicious"),
	TEXT("sipcli"),
	TEXT("pplsip"),
	TEXT("sip-scan"),
	TEXT("sipscan"),
	TEXT("sundayddr"),
	TEXT("iwar"),
	TEXT("smap"),
	TEXT("sipptk"),
	TEXT("vaxsipuseragent"),
	TEXT("vaxipuseragent"),
};

static bool has_prefix_same(struct text text, struct text prefix)
{
	return text.size >= prefix.size &&
	       text_is_same((struct text){ text.data, prefix.size }, prefix);
}

bool sip_guard_is_scanner(struct text user_agent)
{
	for (size_t i = 0; i < sizeof(scanners) / sizeof(scanners[0]); i++)
		if (has_prefix_same(user_agent, scanners[i]))
			return true;
	return false;
}

// "OPTIONS sip:user@host:port;parameters SIP/2.0": what stands between "@" or ":" and ":", ";", "?".
static struct text host_of(struct text line)
{
	struct text uri = line;
	(void)text_split(&uri, ' ');
	uri = text_split(&uri, ' ');
	(void)text_split(&uri, ':');
	const char *at = uri.size > 0 ? memchr(uri.data, '@', uri.size) : NULL;
	if (at != NULL)
		uri = text_cut(uri, (size_t)(at - uri.data) + 1);
	size_t size = 0;
	bool is_bracketed = uri.size > 0 && uri.data[0] == '[';
	while (size < uri.size && strchr(is_bracketed ? "]" : ":;?>", uri.data[size]) == NULL)
		size++;
	return (struct text){ uri.data, size };
}

static void look_at_start(struct text line, struct sip_guard_peek *peek)
{
	static const struct {
		struct text start;
		enum sip_guard_kind kind;
	} rows[] = {
		{ TEXT("SIP/2.0 "), SIP_GUARD_RESPONSE },
		{ TEXT("INVITE "), SIP_GUARD_INVITE },
		{ TEXT("ACK "), SIP_GUARD_ACK },
		{ TEXT("OPTIONS "), SIP_GUARD_OPTIONS },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_has_prefix(line, rows[i].start))
			peek->kind = rows[i].kind;
	if (peek->kind == SIP_GUARD_OPTIONS)
		peek->host = host_of(line);
}

// The value of a line when it is of that header: its name or its compact form, spaces, a colon.
static bool is_header(struct text line, struct text name, char compact, struct text *out_value)
{
	size_t size = has_prefix_same(line, name)                        ? name.size
		      : compact != 0 && (line.data[0] | 0x20) == compact ? 1
									 : 0;
	while (size > 0 && size < line.size && (line.data[size] == ' ' || line.data[size] == '\t'))
		size++;
	if (size == 0 || size >= line.size || line.data[size] != ':')
		return false;
	*out_value = text_trim(text_cut(line, size + 1));
	return true;
}

// A tag is a parameter of the header, not of the URI in its angle brackets.
static bool has_tag(struct text value)
{
	const char *bracket = value.size > 0 ? memrchr(value.data, '>', value.size) : NULL;
	if (bracket != NULL)
		value = text_cut(value, (size_t)(bracket - value.data) + 1);
	while (value.size > 0) {
		struct text parameter = text_trim(text_split(&value, ';'));
		if (has_prefix_same(parameter, TEXT("tag")) && parameter.size > 3 &&
		    strchr("= \t", parameter.data[3]) != NULL)
			return true;
	}
	return false;
}

static void look_at_header(struct text line, struct sip_guard_peek *peek)
{
	struct text value;
	switch (line.data[0] | 0x20) {
	case 'v':
		if (peek->via.size == 0 && is_header(line, TEXT("via"), 'v', &value))
			peek->via = value;
		break;
	case 't':
		if (is_header(line, TEXT("to"), 't', &value))
			peek->has_to_tag |= has_tag(value);
		break;
	case 'u':
		if (is_header(line, TEXT("user-agent"), 0, &value))
			peek->user_agent = value;
		break;
	case 'p':
		peek->has_credentials |= is_header(line, TEXT("proxy-authorization"), 0, &value);
		break;
	default:
		break;
	}
}

static bool take_line(struct text *rest, struct text *out_line)
{
	const char *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
	if (end == NULL)
		return false;
	*out_line = (struct text){ rest->data, (size_t)(end - rest->data) };
	*rest = text_cut(*rest, out_line->size + 1);
	if (out_line->size > 0 && out_line->data[out_line->size - 1] == '\r')
		out_line->size--;
	return true;
}

void sip_guard_peek(struct text octets, struct sip_guard_peek *out_peek)
{
	struct text line, rest = octets;
	*out_peek = (struct sip_guard_peek){ 0 };
	if (rest.size > OCTETS_MAX)
		rest.size = OCTETS_MAX;
	do { // empty lines may come before the start line
		if (!take_line(&rest, &line))
			return;
	} while (line.size == 0);
	look_at_start(line, out_peek);
	if (out_peek->kind == SIP_GUARD_RESPONSE || out_peek->kind == SIP_GUARD_ACK)
		return; // nothing more is asked of them
	for (unsigned i = 0; i < LINES_MAX && take_line(&rest, &line) && line.size > 0; i++)
		look_at_header(line, out_peek);
}
