// Origination URIs, from text to pieces, and those of a trunk. Reading is pure; lookups run on the
// control thread. Nothing passes that is not known: a URI must not bring a header, a parameter or a line
// end of the customer's making into our messages.

#include "directory/origination/origination.h"

#include <string.h>

#include "base/address.h"
#include "directory/mirror.h"
#include "directory/value.h"

#define HEADER_NAME_MAX 64

static bool is_alphanumeric(char octet)
{
	return (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') ||
	       (octet >= 'A' && octet <= 'Z');
}

static bool consists_of(struct text text, const char *besides)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_alphanumeric(text.data[i]) &&
		    (text.data[i] == '\0' || strchr(besides, text.data[i]) == NULL))
			return false;
	return text.size > 0;
}

static int digit_of(char octet)
{
	if (octet >= '0' && octet <= '9')
		return octet - '0';
	octet = (char)(octet | 32);
	return octet >= 'a' && octet <= 'f' ? octet - 'a' + 10 : -1;
}

// RFC 3986 2.1. False: an escape that is not whole.
static bool unescape(struct text text, struct writer *out)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '%') {
			writer_char(out, text.data[i]);
			continue;
		}
		int high = i + 2 < text.size ? digit_of(text.data[i + 1]) : -1;
		int low = i + 2 < text.size ? digit_of(text.data[i + 2]) : -1;
		if (high < 0 || low < 0)
			return false;
		writer_char(out, (char)(high << 4 | low));
		i += 2;
	}
	return true;
}

// It stays escaped: as such it stands in the Request-URI.
static const char *read_user(struct text user, struct directory_uri *uri)
{
	char room[DIRECTORY_NAME_SIZE];
	struct writer plain = writer_of(room, sizeof(room));
	if (!consists_of(user, "-_.!~*'()&=+$,%") || !unescape(user, &plain) || plain.failed ||
	    !directory_value_is_printable(writer_done(&plain)) ||
	    !text_copy(user, uri->user, sizeof(uri->user)))
		return "before @ a user of at most 64 letters, digits and -_.!~*'()&=+$, without "
		       "password, or no user and no @ at all";
	return NULL;
}

static bool read_address(struct text text, struct directory_uri *uri)
{
	struct address address;
	struct writer host = writer_of(uri->host, sizeof(uri->host));
	if (!address_parse(text, &address) || address_is_unspecified(&address) ||
	    address_is_confined(&address))
		return false;
	bool is_bare = address.family == ADDRESS_IPV6 && text.data[0] != '[';
	address_write_host(&address, &host);
	uri->port = address.port;
	return !is_bare && writer_string_done(&host) != NULL;
}

static bool read_name(struct text text, struct directory_uri *uri)
{
	struct text port = text;
	struct text name = text_split(&port, ':');
	uint64_t number = 0;
	struct writer host = writer_of(uri->host, sizeof(uri->host));
	if (!directory_value_write_host_name(name, &host) || writer_string_done(&host) == NULL)
		return false;
	if (name.size < text.size && (!text_to_unsigned(port, UINT16_MAX, &number) || number == 0))
		return false;
	uri->port = (uint16_t)number;
	return true;
}

// "[2001:db8::1]" has no port, which address_parse wants after brackets.
static const char *read_host(struct text text, struct directory_uri *uri)
{
	bool is_bracketed = text.size > 2 && text.data[0] == '[' && text.data[text.size - 1] == ']';
	char room[80];
	struct writer with_port = writer_of(room, sizeof(room));
	if (is_bracketed) {
		writer_text(&with_port, text);
		writer_string(&with_port, ":1");
	}
	bool is_read = is_bracketed ? read_address(writer_done(&with_port), uri)
				    : read_address(text, uri) || read_name(text, uri);
	if (is_bracketed)
		uri->port = 0;
	return is_read ? NULL
		       : "a host name or IP address that can be reached, with or without port, "
			 "like sip:pbx.example.com or sip:192.0.2.7:5062";
}

static const char *read_transport(struct text value, struct directory_uri *uri)
{
	static const struct {
		const char *name;
		enum directory_transport transport;
	} rows[] = { { "udp", DIRECTORY_TRANSPORT_UDP },
		     { "tcp", DIRECTORY_TRANSPORT_TCP },
		     { "tls", DIRECTORY_TRANSPORT_TLS } };
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!text_is_same(value, text_of(rows[i].name)))
			continue;
		uri->transport = rows[i].transport;
		return NULL;
	}
	return "transport=udp, transport=tcp or transport=tls";
}

static const char *read_edge(struct text value, struct directory_uri *uri)
{
	if (uri->edge[0] == '\0' && consists_of(value, "-") &&
	    text_copy(value, uri->edge, sizeof(uri->edge)))
		return NULL;
	return "one edge=NAME, or region=NAME, of letters, digits and dashes";
}

static const char *read_tnx(struct text value, struct directory_uri *uri)
{
	if (consists_of(value, "-_.") && text_copy(value, uri->tnx, sizeof(uri->tnx)))
		return NULL;
	return "tnx=NAME of letters, digits and -_.";
}

static const struct {
	const char *name;
	const char *(*read)(struct text value, struct directory_uri *uri);
} parameters[] = {
	{ "transport", read_transport },
	{ "edge", read_edge },
	{ "region", read_edge },
	{ "tnx", read_tnx },
};

#define PARAMETER_COUNT (sizeof(parameters) / sizeof(parameters[0]))

static const char *read_parameters(struct text rest, struct directory_uri *uri)
{
	unsigned seen = 0;
	while (rest.size > 0) {
		struct text value = text_split(&rest, ';');
		struct text name = text_split(&value, '=');
		unsigned i = 0;
		while (i < PARAMETER_COUNT && !text_is_same(name, text_of(parameters[i].name)))
			i++;
		if (i == PARAMETER_COUNT || (seen & 1u << i) != 0)
			return "the parameters transport, edge, region and tnx, each once";
		seen |= 1u << i;
		const char *allowed = parameters[i].read(value, uri);
		if (allowed != NULL)
			return allowed;
	}
	return NULL;
}

// ORIG-007: the name is a token that begins with X-, what it says is one line of text.
static const char *read_header(struct text header, struct writer *lines)
{
	char room[DIRECTORY_URI_MAX];
	struct writer plain = writer_of(room, sizeof(room));
	struct text value = header;
	struct text name = text_split(&value, '=');
	bool is_own = name.size > 2 && name.size <= HEADER_NAME_MAX &&
		      text_is_same((struct text){ name.data, 2 }, TEXT("X-")) &&
		      consists_of(name, "-._!~*'`+");
	if (!is_own || name.size == header.size)
		return "after ? headers whose names begin with X-, like ?X-site=berlin&X-floor=2";
	if (text_find(value, ' ') || !unescape(value, &plain) || plain.failed ||
	    !directory_value_is_printable(writer_done(&plain)))
		return "header values of printable text without line ends, spaces as %20";
	writer_format(lines, "%.*s: %.*s\r\n", TEXT_FORMAT(name), TEXT_FORMAT(writer_done(&plain)));
	return NULL;
}

static const char *read_headers(struct text rest, struct directory_uri *uri)
{
	struct writer lines = writer_of(uri->lines, sizeof(uri->lines));
	unsigned count = 0;
	while (rest.size > 0) {
		const char *allowed = read_header(text_split(&rest, '&'), &lines);
		if (allowed != NULL)
			return allowed;
		count++;
	}
	if (writer_string_done(&lines) == NULL || count > DIRECTORY_URI_HEADERS_MAX)
		return "at most 10 headers of 512 octets together";
	return NULL;
}

// Cuts "sip:" or "sips:" off. False: neither.
static bool take_scheme(struct text *rest, struct directory_uri *uri)
{
	struct text after = *rest;
	struct text scheme = text_split(&after, ':');
	uri->is_sips = text_is_same(scheme, TEXT("sips"));
	if (scheme.size == rest->size || (!uri->is_sips && !text_is_same(scheme, TEXT("sip"))))
		return false;
	*rest = after;
	return true;
}

const char *directory_uri_read(struct text text, struct directory_uri *out_uri)
{
	struct directory_uri uri = { .transport = DIRECTORY_TRANSPORT_UDP };
	struct text headers = text;
	struct text place = text_split(&headers, '?');
	if (text.size > DIRECTORY_URI_MAX || !directory_value_is_printable(text))
		return "a SIP URI of at most 512 printable octets";
	if (!take_scheme(&place, &uri))
		return "a SIP URI, like sip:pbx.example.com or "
		       "sip:user@192.0.2.7:5062;transport=tls";
	bool has_user = text_find(place, '@') != NULL;
	struct text user = has_user ? text_split(&place, '@') : TEXT_NONE;
	struct text host = text_split(&place, ';');
	const char *allowed = has_user ? read_user(user, &uri) : NULL;
	if (allowed == NULL)
		allowed = read_host(host, &uri);
	if (allowed == NULL)
		allowed = read_parameters(place, &uri);
	if (allowed == NULL)
		allowed = read_headers(headers, &uri);
	if (allowed != NULL)
		return allowed;
	if (uri.is_sips) // D-23
		uri.transport = DIRECTORY_TRANSPORT_TLS;
	*out_uri = uri;
	return NULL;
}

const struct origination_uri *directory_origination_uri(const struct directory *directory,
							const char *sid)
{
	const struct directory_entry *entry = directory_mirror_entry(directory, text_of(sid));
	return entry && entry->object->kind == DIRECTORY_ORIGINATION_URI ? &entry->view.origination
									 : NULL;
}

static bool is_before(const struct origination_uri *a, const struct origination_uri *b)
{
	return a->priority != b->priority ? a->priority < b->priority : strcmp(a->sid, b->sid) < 0;
}

unsigned
directory_origination_uris(const struct directory *directory, const char *trunk_sid,
			   const struct origination_uri *out_uris[DIRECTORY_ORIGINATION_MAX])
{
	const struct mirror_group *group =
		directory_mirror_group(directory, text_of(trunk_sid), DIRECTORY_ORIGINATION_URI);
	const struct mirror_link *link = group ? group->first : NULL;
	unsigned count = 0;
	for (; link && count < DIRECTORY_ORIGINATION_MAX; link = link->next) {
		const struct origination_uri *uri = &link->entry->view.origination;
		if (!uri->is_enabled) // ORIG-026
			continue;
		unsigned at = count++;
		for (; at > 0 && is_before(uri, out_uris[at - 1]); at--)
			out_uris[at] = out_uris[at - 1];
		out_uris[at] = uri;
	}
	return count;
}
