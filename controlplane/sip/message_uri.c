// URIs and name-addr. The only file that knows libosip2: it judges pieces of at most 2 kB that the
// scan has bounded, in an arena that is emptied before each, and its results are never used as text,
// since it unescapes in place and cuts at %00.
// Runs on the control thread alone: libosip2 has one allocator per process, without a context.

#include "sip/message_uri.h"

#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>
#include <osipparser2/osip_uri.h>
#include <string.h>

#include "sip/scan.h"
#include "sip/value.h"

#define ARENA_SIZE 32768
#define ARENA_ALIGN 16

// The one mutable static of this folder: osip_set_allocators takes functions without a context.
static struct arena {
	_Alignas(ARENA_ALIGN) char room[ARENA_SIZE];
	size_t used;
} arena;

// Each block is preceded by its size, which realloc needs.
static void *arena_take(size_t size)
{
	if (size > ARENA_SIZE)
		return NULL;
	size_t needed = ARENA_ALIGN + (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (needed > ARENA_SIZE - arena.used)
		return NULL;
	char *block = arena.room + arena.used;
	memcpy(block, &size, sizeof(size));
	arena.used += needed;
	return block + ARENA_ALIGN;
}

static void *arena_resize(void *block, size_t size)
{
	void *moved = arena_take(size);
	if (moved != NULL && block != NULL) {
		size_t old;
		memcpy(&old, (char *)block - ARENA_ALIGN, sizeof(old));
		memcpy(moved, block, old < size ? old : size);
	}
	return moved;
}

static void arena_give(void *block)
{
	(void)block; // the arena is emptied as a whole
}

static void ignore_trace(const char *file, int line, osip_trace_level_t level, const char *format,
			 va_list arguments)
{
	(void)file, (void)line, (void)level, (void)format, (void)arguments;
}

void sip_message_start(void)
{
	// Without a function of ours libosip2 prints what it refuses to stdout: a stranger's lever.
	osip_trace_initialize_func(END_TRACE_LEVEL, ignore_trace);
	osip_set_allocators(arena_take, arena_resize, arena_give);
	parser_init();
	arena.used = 0;
}

bool sip_uri_is_valid(const struct sip_uri *uri)
{
	arena.used = 0;
	char *copy = arena_take(uri->whole.size + 1);
	if (copy == NULL || uri->whole.size > SIP_SCAN_VALUE_MAX ||
	    !text_copy(uri->whole, copy, uri->whole.size + 1))
		return false;
	osip_uri_t *parsed;
	return osip_uri_init(&parsed) == OSIP_SUCCESS &&
	       osip_uri_parse(parsed, copy) == OSIP_SUCCESS;
}

// ---- our own split, which borrows

static bool is_hexadecimal(char character)
{
	return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
	       (character >= 'A' && character <= 'F');
}

// Escapes must be whole, and may not hide what ends lines elsewhere. %00 is sound in an address that
// is only told (RFC 4475 3.1.1.4): nothing is unescaped here.
static bool has_sound_escapes(struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '%')
			continue;
		if (text.size - i < 3 || !is_hexadecimal(text.data[i + 1]) ||
		    !is_hexadecimal(text.data[i + 2]))
			return false;
		struct text code = { text.data + i + 1, 2 };
		if (text_is_same(code, TEXT("0d")) || text_is_same(code, TEXT("0a")))
			return false;
	}
	return true;
}

bool sip_uri_hides_nul(const struct sip_uri *uri)
{
	return memmem(uri->whole.data, uri->whole.size, "%00", 3) != NULL;
}

// What an octet may stand in, besides letters and digits, which may stand in all (RFC 3261 25.1).
enum place {
	USERINFO = 1,
	HOST = 2,
	LITERAL = 4, // an IPv6 address
	PARAMETERS = 8,
	NUMBER = 16, // of a tel: URI
	SCHEME = 32,
};

// clang-format off
static const uint8_t places[256] = {
	['0' ... '9'] = 63, ['A' ... 'Z'] = 63, ['a' ... 'z'] = 63,
	['-'] = USERINFO | HOST | PARAMETERS | NUMBER | SCHEME,
	['.'] = USERINFO | HOST | LITERAL | PARAMETERS | NUMBER | SCHEME,
	['_'] = USERINFO | HOST | PARAMETERS,
	['!'] = USERINFO | PARAMETERS, ['~'] = USERINFO | PARAMETERS, ['\''] = USERINFO | PARAMETERS,
	['*'] = USERINFO | PARAMETERS | NUMBER, ['('] = USERINFO | PARAMETERS | NUMBER,
	[')'] = USERINFO | PARAMETERS | NUMBER, ['%'] = USERINFO | PARAMETERS,
	['&'] = USERINFO | PARAMETERS, ['='] = USERINFO | PARAMETERS,
	['+'] = USERINFO | PARAMETERS | NUMBER | SCHEME, ['$'] = USERINFO | PARAMETERS,
	[','] = USERINFO | PARAMETERS, [';'] = USERINFO | PARAMETERS, ['?'] = USERINFO | PARAMETERS,
	['/'] = USERINFO | PARAMETERS, [':'] = USERINFO | LITERAL | PARAMETERS,
	['#'] = USERINFO | NUMBER, ['['] = PARAMETERS, [']'] = PARAMETERS,
};
// clang-format on

static bool consists_of(struct text text, enum place place)
{
	for (size_t i = 0; i < text.size; i++)
		if ((places[(uint8_t)text.data[i]] & place) == 0)
			return false;
	return true;
}

static bool is_userinfo(struct text text)
{
	return text.size > 0 && consists_of(text, USERINFO) && has_sound_escapes(text);
}

static bool is_parameters(struct text text)
{
	return consists_of(text, PARAMETERS) && has_sound_escapes(text);
}

static bool split_host(struct cursor *cursor, struct sip_uri *uri)
{
	struct text whole = cursor->rest;
	size_t size = 0;
	if (cursor_take(cursor, '[')) {
		uri->host = cursor_until(cursor, ']');
		size = uri->host.size + 2;
		if (size > whole.size || !consists_of(uri->host, LITERAL))
			return false;
	} else {
		while (size < whole.size && (places[(uint8_t)whole.data[size]] & HOST) != 0)
			size++;
		uri->host = (struct text){ whole.data, size };
		cursor->rest = text_cut(whole, size);
	}
	if (cursor_take(cursor, ':')) {
		uri->port = (uint16_t)cursor_unsigned(cursor, 65535);
		if (uri->port == 0)
			return false;
	}
	return !cursor->failed && uri->host.size > 0;
}

static bool split_sip(struct cursor *cursor, struct sip_uri *uri)
{
	// A user may hold ';' and '?', so the '@' is looked for first; there can be one only.
	if (text_find(cursor->rest, '@') != NULL) {
		struct text userinfo = cursor_until(cursor, '@');
		if (!is_userinfo(userinfo))
			return false;
		uri->user = text_split(&userinfo, ':');
	}
	if (!split_host(cursor, uri))
		return false;
	uri->parameters = cursor->rest;
	char next = cursor_peek(cursor);
	return (next == 0 || next == ';' || next == '?') && text_find(cursor->rest, '@') == NULL &&
	       is_parameters(uri->parameters);
}

static bool split_tel(struct cursor *cursor, struct sip_uri *uri)
{
	struct text rest = cursor->rest;
	uri->user = text_split(&rest, ';');
	uri->parameters = text_cut(cursor->rest, uri->user.size);
	return uri->user.size > 0 && consists_of(uri->user, NUMBER) &&
	       is_parameters(uri->parameters);
}

static bool is_scheme(struct text text)
{
	char first = text.size > 0 ? (char)(text.data[0] | 32) : 0;
	return first >= 'a' && first <= 'z' && consists_of(text, SCHEME);
}

// Nothing that URIs cannot hold and lines or brackets end with.
static bool is_opaque(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((uint8_t)text.data[i] <= ' ' || text.data[i] == '<' || text.data[i] == '>' ||
		    text.data[i] == '"')
			return false;
	return text.size > 0;
}

enum sip_uri_verdict sip_uri_split(struct text text, struct sip_uri *out_uri)
{
	struct sip_uri uri = { .whole = text };
	struct cursor cursor = cursor_of(text);
	if (!is_opaque(text) || text_find(text, ':') == NULL)
		return SIP_URI_MALFORMED;
	uri.scheme = cursor_until(&cursor, ':');
	if (!is_scheme(uri.scheme))
		return SIP_URI_MALFORMED;
	bool is_sound;
	if (text_is_same(uri.scheme, TEXT("sip")) || text_is_same(uri.scheme, TEXT("sips"))) {
		is_sound = split_sip(&cursor, &uri);
	} else if (text_is_same(uri.scheme, TEXT("tel"))) {
		is_sound = split_tel(&cursor, &uri);
	} else {
		*out_uri = uri;
		return SIP_URI_UNKNOWN_SCHEME;
	}
	if (!is_sound)
		return SIP_URI_MALFORMED;
	*out_uri = uri;
	return SIP_URI_OK;
}

bool sip_uri_parse(struct text text, struct sip_uri *out_uri)
{
	struct sip_uri uri = { 0 };
	if (text.size > SIP_SCAN_VALUE_MAX || sip_uri_split(text, &uri) == SIP_URI_MALFORMED)
		return false;
	if (uri.host.size > 0 && !sip_uri_is_valid(&uri))
		return false;
	*out_uri = uri;
	return true;
}

struct text sip_uri_parameter(const struct sip_uri *uri, const char *name, bool *out_is_present)
{
	struct text rest = uri->parameters;
	struct text wanted = text_of(name);
	rest = text_split(&rest, '?');
	rest = text_cut(rest, rest.size > 0 ? 1 : 0); // the first ';'
	while (rest.size > 0) {
		struct text value = text_split(&rest, ';');
		struct text key = text_split(&value, '=');
		if (text_is_same(key, wanted)) {
			*out_is_present = true;
			return value;
		}
	}
	*out_is_present = false;
	return TEXT_NONE;
}

struct text sip_uri_target(const struct sip_uri *uri)
{
	const char *question = text_find(uri->parameters, '?');
	struct text text = uri->whole;
	if (question != NULL)
		text.size = (size_t)(question - text.data);
	return text;
}

// ---- name-addr

// What precedes '<': nothing, one quoted string, or tokens.
static bool split_display(struct cursor *cursor, struct text *out_display)
{
	struct text display = TEXT_NONE;
	if (cursor_peek(cursor) == '"') {
		if (!sip_value_quoted(cursor, &display))
			return false;
		cursor_skip_space(cursor);
		cursor_expect(cursor, '<');
	} else {
		display = text_trim(cursor_until(cursor, '<'));
		for (size_t i = 0; i < display.size; i++) {
			char next = display.data[i];
			bool is_space = next == ' ' || next == '\t';
			bool is_utf8 =
				((uint8_t)next & 0x80) != 0; // seen in the wild without quotes
			if (!is_space && !is_utf8 &&
			    sip_value_octets[(uint8_t)next] != SIP_OCTET_TOKEN)
				return false;
		}
	}
	*out_display = display;
	return !cursor->failed;
}

static bool split_tag(struct text rest, struct sip_party *party)
{
	struct sip_parameter parameter;
	rest = text_trim(rest);
	while (sip_value_parameter(&rest, &parameter)) {
		if (!text_is_same(parameter.name, TEXT("tag")))
			continue;
		if (party->tag.size > 0 || !sip_value_is_token(parameter.value))
			return false;
		party->tag = parameter.value;
	}
	return rest.size == 0;
}

// A comma list's first value, as Contact may be one; "*" is present with an empty URI.
bool sip_party_split(struct text value, struct sip_party *out_party)
{
	struct sip_party party = { .is_present = true };
	struct text uri;
	struct cursor cursor = cursor_of(sip_value_list(&value));
	if (cursor.rest.size == 0)
		return false;
	if (text_is_equal(cursor.rest, TEXT("*"))) {
		*out_party = party;
		return true;
	}
	if (cursor_peek(&cursor) == '"' || text_find(cursor.rest, '<') != NULL) {
		if (!split_display(&cursor, &party.display) || text_find(cursor.rest, '>') == NULL)
			return false;
		uri = cursor_until(&cursor, '>');
	} else {
		// Without brackets ';' begins the header's own parameters, and '?' and ',' are not
		// allowed (RFC 3261 20.10).
		uri = text_trim(cursor_until(&cursor, ';'));
		cursor.rest = (struct text){ uri.data + uri.size,
					     (size_t)(cursor.rest.data + cursor.rest.size -
						      (uri.data + uri.size)) };
		if (text_find(uri, '?') != NULL || text_find(uri, ',') != NULL)
			return false;
	}
	if (sip_uri_split(uri, &party.uri) == SIP_URI_MALFORMED || !split_tag(cursor.rest, &party))
		return false;
	if (party.uri.whole.data == NULL)
		party.uri.whole = uri;
	*out_party = party;
	return true;
}

bool sip_party_parse(struct text value, struct sip_party *out_party)
{
	struct sip_party party;
	if (value.size > SIP_SCAN_VALUE_MAX || !sip_party_split(value, &party))
		return false;
	if (party.uri.host.size > 0 && !sip_uri_is_valid(&party.uri))
		return false;
	*out_party = party;
	return true;
}
