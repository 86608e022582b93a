// Values of SIP headers by RFC 3261 25: tokens, lists, parameters, Via.
// Runs on any thread; pure. The scan has bounded what comes here; nothing here reads past its text.

#include "sip/value.h"

#include <string.h>

// clang-format off
const uint8_t sip_value_octets[256] = {
	[0 ... 8] = SIP_OCTET_FORBIDDEN, [10 ... 31] = SIP_OCTET_FORBIDDEN,
	['!'] = SIP_OCTET_TOKEN, ['%'] = SIP_OCTET_TOKEN, ['\''] = SIP_OCTET_TOKEN,
	['*'] = SIP_OCTET_TOKEN, ['+'] = SIP_OCTET_TOKEN, ['-'] = SIP_OCTET_TOKEN,
	['.'] = SIP_OCTET_TOKEN, ['_'] = SIP_OCTET_TOKEN, ['`'] = SIP_OCTET_TOKEN,
	['~'] = SIP_OCTET_TOKEN,
	['0' ... '9'] = SIP_OCTET_TOKEN, ['A' ... 'Z'] = SIP_OCTET_TOKEN,
	['a' ... 'z'] = SIP_OCTET_TOKEN,
	[';'] = SIP_OCTET_SEMICOLON, ['&'] = SIP_OCTET_AMPERSAND, [','] = SIP_OCTET_COMMA,
};
// clang-format on

bool sip_value_is_token(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (sip_value_octets[(uint8_t)text.data[i]] != SIP_OCTET_TOKEN)
			return false;
	return text.size > 0;
}

struct text sip_value_token(struct cursor *cursor)
{
	size_t size = 0;
	while (size < cursor->rest.size &&
	       sip_value_octets[(uint8_t)cursor->rest.data[size]] == SIP_OCTET_TOKEN)
		size++;
	struct text token = { cursor->rest.data, size };
	cursor->rest = text_cut(cursor->rest, size);
	return token;
}

struct text sip_value_list(struct text *rest)
{
	struct text whole = *rest;
	bool is_quoted = false, is_bracketed = false;
	if (text_find(whole, ',') == NULL) { // nearly always, and memchr is many times faster
		*rest = TEXT_NONE;
		return text_trim(whole);
	}
	for (size_t i = 0; i < whole.size; i++) {
		char character = whole.data[i];
		if (is_quoted && character == '\\')
			i++;
		else if (character == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && (character == '<' || character == '>'))
			is_bracketed = character == '<';
		else if (character == ',' && !is_quoted && !is_bracketed) {
			*rest = text_cut(whole, i + 1);
			return text_trim((struct text){ whole.data, i });
		}
	}
	*rest = TEXT_NONE;
	return text_trim(whole);
}

bool sip_value_is_token_list(struct text value)
{
	bool is_list = true;
	do
		is_list &= sip_value_is_token(sip_value_list(&value));
	while (value.data != NULL);
	return is_list;
}

bool sip_value_quoted(struct cursor *cursor, struct text *out_value)
{
	struct text whole = cursor->rest;
	for (size_t i = 1; i < whole.size; i++) {
		if (whole.data[i] == '\\') {
			i++;
		} else if (whole.data[i] == '"') {
			*out_value = (struct text){ whole.data, i + 1 };
			cursor->rest = text_cut(whole, i + 1);
			return true;
		}
	}
	return false;
}

static bool is_value_octet(char character)
{
	switch (character) {
	case '[':
	case ']':
	case ':':
	case '/':
	case '?':
	case '&':
	case '+':
	case '$':
	case '@':
	case '=':
	case '#':
		return true;
	default:
		return sip_value_octets[(uint8_t)character] == SIP_OCTET_TOKEN ||
		       (character & 0x80) != 0;
	}
}

// A generic-param (RFC 3261 25.1). A value may also hold what hosts, URIs and sloppy senders put there.
bool sip_value_parameter(struct text *rest, struct sip_parameter *out_parameter)
{
	struct cursor cursor = cursor_of(*rest);
	struct sip_parameter parameter = { 0 };
	cursor_skip_space(&cursor);
	if (!cursor_take(&cursor, ';'))
		return false;
	cursor_skip_space(&cursor);
	parameter.name = sip_value_token(&cursor);
	if (parameter.name.size == 0)
		return false;
	cursor_skip_space(&cursor);
	if (cursor_take(&cursor, '=')) {
		cursor_skip_space(&cursor);
		parameter.has_value = true;
		size_t size = 0;
		while (size < cursor.rest.size && is_value_octet(cursor.rest.data[size]))
			size++;
		parameter.value = (struct text){ cursor.rest.data, size };
		if (cursor_peek(&cursor) == '"') {
			if (!sip_value_quoted(&cursor, &parameter.value))
				return false;
		} else if (size == 0) {
			return false;
		} else {
			cursor.rest = text_cut(cursor.rest, size);
		}
		cursor_skip_space(&cursor);
	}
	*rest = cursor.rest;
	*out_parameter = parameter;
	return true;
}

static bool parse_sent_by(struct cursor *cursor, struct sip_via *via)
{
	struct text whole = cursor->rest;
	size_t size = 0;
	if (cursor_peek(cursor) == '[') {
		const char *end = text_find(whole, ']');
		if (end == NULL)
			return false;
		size = (size_t)(end - whole.data) + 1;
		via->host = (struct text){ whole.data + 1, size - 2 };
		cursor->rest = text_cut(whole, size);
	} else {
		via->host = sip_value_token(cursor);
	}
	cursor_skip_space(cursor);
	if (cursor_take(cursor, ':')) {
		cursor_skip_space(cursor);
		via->port = (uint16_t)cursor_unsigned(cursor, 65535);
		if (via->port == 0)
			return false;
	}
	cursor_skip_space(cursor);
	return !cursor->failed && via->host.size > 0;
}

static bool parse_via_parameters(struct text rest, struct sip_via *via)
{
	struct sip_parameter parameter;
	while (sip_value_parameter(&rest, &parameter)) {
		if (text_is_same(parameter.name, TEXT("branch"))) {
			if (via->branch.size > 0 || parameter.value.size == 0)
				return false;
			via->branch = parameter.value;
		} else if (text_is_same(parameter.name, TEXT("rport"))) {
			via->has_rport = true;
		}
	}
	return text_trim(rest).size == 0;
}

bool sip_value_via(struct text value, struct sip_via *out_via)
{
	struct sip_via via = { .whole = sip_value_list(&value) };
	struct cursor cursor = cursor_of(via.whole);
	bool is_sip = cursor_take_text(&cursor, TEXT("SIP"));
	cursor_skip_space(&cursor);
	cursor_expect(&cursor, '/');
	cursor_skip_space(&cursor);
	bool is_version = cursor_take_text(&cursor, TEXT("2.0"));
	cursor_skip_space(&cursor);
	cursor_expect(&cursor, '/');
	cursor_skip_space(&cursor);
	via.transport = sip_value_token(&cursor);
	char space = cursor_peek(&cursor);
	cursor_skip_space(&cursor);
	if (!is_sip || !is_version || cursor.failed || via.transport.size == 0 ||
	    (space != ' ' && space != '\t'))
		return false;
	if (!parse_sent_by(&cursor, &via) || !parse_via_parameters(cursor.rest, &via))
		return false;
	*out_via = via;
	return true;
}
