// The forms of values that pass from leg to leg. Runs on the control thread; pure.

#include "call/header/value.h"

#include "sip/message_uri.h"
#include "sip/value.h"

#define REASON_TEXT_MAX 128
#define RETRY_AFTER_MAX 86400

// What cannot be told stays, the others of the list go on in their order (DIV-008).
typedef bool (*one_fn)(struct text one, const struct places *places, struct writer *writer);

static bool write_list(struct text value, one_fn write_one, const struct places *places,
		       struct writer *writer)
{
	size_t start = writer->used;
	while (value.data != NULL) {
		struct text one = sip_value_list(&value);
		size_t before = writer->used;
		if (one.size == 0)
			continue;
		if (before > start)
			writer_text(writer, TEXT(", "));
		if (!write_one(one, places, writer))
			writer->used = before;
	}
	return writer->used > start;
}

// ---- URIs

// What stands for a hidden host. Ours says that the call was here, which we say of no number of others
// (DIV-005); RFC 3323 4.1.1.3 has a name for nobody's.
static struct text stand_in(const struct sip_uri *uri, const struct places *places)
{
	const struct header_claims *claims = places->claims;
	bool is_ours = claims == NULL || claims->is_own(claims->context, uri);
	return is_ours ? places->domain : TEXT("anonymous.invalid");
}

// The headers of a URI tell why a target was left (RFC 7044 5); its parameters are of its host.
static void write_hidden(const struct sip_uri *uri, const struct places *places,
			 struct writer *writer)
{
	const char *question = text_find(uri->parameters, '?');
	bool is_phone = false;
	struct text user = sip_uri_parameter(uri, "user", &is_phone);
	writer_text(writer, uri->scheme);
	writer_char(writer, ':');
	writer_text(writer, uri->user);
	writer_char(writer, '@');
	writer_text(writer, stand_in(uri, places));
	if (is_phone && text_is_same(user, TEXT("phone")))
		writer_text(writer, TEXT(";user=phone"));
	if (question != NULL)
		writer_text(writer,
			    text_cut(uri->parameters, (size_t)(question - uri->parameters.data)));
}

// What follows the URI: index, reason, counter …
static struct text parameters_of(struct text one, const struct sip_uri *uri)
{
	struct text rest = text_cut(one, (size_t)(uri->whole.data + uri->whole.size - one.data));
	if (rest.size > 0 && rest.data[0] == '>')
		rest = text_cut(rest, 1);
	return text_trim(rest);
}

static bool write_uri(struct text one, const struct places *places, struct writer *writer)
{
	struct sip_party party;
	size_t start = writer->used;
	if (!sip_party_split(one, &party) || party.uri.whole.size == 0)
		return false;
	bool has_host = party.uri.host.size > 0;
	if (has_host && places_hide(places, party.uri.host) && party.uri.user.size == 0)
		return false; // it says nothing but the host
	if (party.display.size > 0) {
		writer_text(writer, party.display);
		writer_char(writer, ' ');
	}
	writer_char(writer, '<');
	if (has_host && places_hide(places, party.uri.host))
		write_hidden(&party.uri, places, writer);
	else
		writer_text(writer, party.uri.whole);
	writer_char(writer, '>');
	writer_text(writer, parameters_of(one, &party.uri));
	return !writer->failed &&
	       !places_are_in(places, (struct text){ writer->room + start, writer->used - start });
}

// DIV-006: what claims a number of another customer is left out, the others go on.
static bool write_diversion(struct text one, const struct places *places, struct writer *writer)
{
	struct sip_party party;
	struct header_claims *claims = places->claims;
	if (claims != NULL && sip_party_split(one, &party) &&
	    claims->is_foreign(claims->context, &party.uri)) {
		claims->dropped++;
		return false;
	}
	return write_uri(one, places, writer);
}

static bool has_scheme(struct text one, struct text scheme)
{
	struct text uri = text_trim(one);
	if (uri.size > 0 && uri.data[0] == '<')
		uri = text_cut(uri, 1);
	return uri.size >= scheme.size &&
	       text_is_same((struct text){ uri.data, scheme.size }, scheme);
}

static bool write_ring(struct text one, const struct places *places, struct writer *writer)
{
	if (!has_scheme(one, TEXT("urn:")) || places_are_in(places, one))
		return false;
	writer_text(writer, one);
	return true;
}

static bool write_reference(struct text one, const struct places *places, struct writer *writer)
{
	if (has_scheme(one, TEXT("cid:")) || places_are_in(places, one))
		return false;
	writer_text(writer, one);
	return true;
}

// ---- reasons

static bool is_cause(struct text cause)
{
	uint64_t number;
	return text_to_unsigned(cause, 999, &number);
}

// A text that names the leg is left out; the cause alone still tells.
static bool write_reason(struct text one, const struct places *places, struct writer *writer)
{
	struct cursor cursor = cursor_of(one);
	struct text protocol = sip_value_token(&cursor), text = TEXT_NONE, cause = TEXT_NONE;
	struct sip_parameter parameter;
	while (sip_value_parameter(&cursor.rest, &parameter)) {
		if (text_is_same(parameter.name, TEXT("cause")))
			cause = parameter.value;
		else if (text_is_same(parameter.name, TEXT("text")))
			text = parameter.value;
	}
	if (protocol.size == 0 || places_are_in(places, protocol) || !is_cause(cause))
		return false;
	writer_text(writer, protocol);
	writer_text(writer, TEXT(";cause="));
	writer_text(writer, cause);
	bool is_quoted = text.size >= 2 && text.data[0] == '"';
	if (is_quoted && text.size <= REASON_TEXT_MAX && !places_are_in(places, text)) {
		writer_text(writer, TEXT(";text="));
		writer_text(writer, text);
	}
	return true;
}

static bool write_seconds(struct text value, struct writer *writer)
{
	struct cursor cursor = cursor_of(value);
	uint64_t seconds = cursor_unsigned(&cursor, RETRY_AFTER_MAX);
	if (cursor.failed)
		return false;
	writer_unsigned(writer, seconds);
	return true;
}

// ---- option tags

// Those that ask something of whoever is the peer of a leg: of us, who do not do it, or do it leg by
// leg and say so ourselves.
static bool binds_a_leg(struct text tag)
{
	static const struct text tags[] = {
		TEXT("timer"),
		TEXT("100rel"),
		TEXT("replaces"),
		TEXT("join"),
		TEXT("tdialog"),
		TEXT("norefersub"),
		TEXT("multiple-refer"),
		TEXT("explicitsub"),
		TEXT("nosub"),
		TEXT("precondition"),
		TEXT("outbound"),
		TEXT("path"),
		TEXT("gruu"),
		TEXT("pref"),
		TEXT("sec-agree"),
		TEXT("eventlist"),
		TEXT("ice"),
		TEXT("trickle-ice"),
		TEXT("resource-priority"),
		TEXT("siprec"),
		TEXT("record-aware"),
		TEXT("sip-cc"),
		TEXT("early-session"),
		TEXT("from-change"),
		TEXT("recipient-list-invite"),
	};
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		if (text_is_same(tag, tags[i]))
			return true;
	return false;
}

static bool write_option(struct text one, const struct places *places, struct writer *writer)
{
	if (!sip_value_is_token(one) || binds_a_leg(one) || places_are_in(places, one))
		return false;
	writer_text(writer, one);
	return true;
}

bool header_value_write(enum header_form form, struct text value, const struct places *places,
			struct writer *writer)
{
	switch (form) {
	case HEADER_URIS:
		return write_list(value, write_uri, places, writer);
	case HEADER_DIVERSIONS:
		return write_list(value, write_diversion, places, writer);
	case HEADER_RINGS:
		return write_list(value, write_ring, places, writer);
	case HEADER_REFERENCES:
		return write_list(value, write_reference, places, writer);
	case HEADER_REASONS:
		return write_list(value, write_reason, places, writer);
	case HEADER_OPTIONS:
		return write_list(value, write_option, places, writer);
	case HEADER_SECONDS:
		return write_seconds(value, writer);
	case HEADER_RAW:
	case HEADER_TIMER:
	case HEADER_FORM_COUNT:
		break;
	}
	writer_text(writer, value);
	return true;
}
