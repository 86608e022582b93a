// What names a leg, and whether a text does. Runs on the control thread; pure.

#include "call/header/place.h"

#include <string.h>

#include "sip/value.h"

#define SHORTEST 4 // shorter ones, such as a tag "1", are part of many an innocent text
#define LITERAL_MAX 60

static char lower(char character)
{
	return character >= 'A' && character <= 'Z' ? (char)(character | 32) : character;
}

static void add(struct places *places, struct text text)
{
	if (text.size >= SHORTEST && places->count < PLACES_MAX)
		places->items[places->count++] = text;
}

static void add_vias(struct places *places, const struct sip_message *message)
{
	struct text value;
	for (unsigned nth = 0; (value = sip_message_header(message, "Via", nth)).data != NULL;
	     nth++) {
		while (value.data != NULL) {
			struct sip_via via;
			if (sip_value_via(sip_value_list(&value), &via))
				add(places, via.host);
		}
	}
}

static void add_routes(struct places *places, const struct sip_message *message)
{
	struct text value;
	for (unsigned nth = 0;
	     (value = sip_message_header(message, "Record-Route", nth)).data != NULL; nth++) {
		while (value.data != NULL) {
			struct sip_party party;
			if (sip_party_parse(sip_value_list(&value), &party))
				add(places, party.uri.host);
		}
	}
}

void places_read(const struct sip_message *message, const char *domain, struct places *out_places)
{
	struct places *places = out_places;
	struct writer source = writer_of(places->source, sizeof(places->source));
	places->count = 0;
	places->domain = text_of(domain);
	address_write_host(&message->flow.remote, &source);
	add(places, writer_done(&source));
	add(places, message->call_id);
	add(places, message->from.tag);
	add(places, message->to.tag);
	add(places, message->contact.uri.host);
	if (message->is_request)
		add_vias(places, message);
	add_routes(places, message);
}

static bool is_at(struct text text, size_t at, struct text wanted)
{
	return wanted.size <= text.size - at &&
	       text_is_same((struct text){ text.data + at, wanted.size }, wanted);
}

static bool contains(struct text text, struct text wanted)
{
	char first = lower(wanted.data[0]);
	for (size_t i = 0; i + wanted.size <= text.size; i++)
		if (lower(text.data[i]) == first && is_at(text, i, wanted))
			return true;
	return false;
}

static bool is_literal_octet(char character)
{
	return (character >= '0' && character <= '9') ||
	       (lower(character) >= 'a' && lower(character) <= 'f') || character == '.' ||
	       character == ':';
}

// A sentence may end behind it, or a port.
static bool is_literal(struct text run)
{
	struct address address;
	while (run.size > 0 && (run.data[run.size - 1] == '.' || run.data[run.size - 1] == ':'))
		run.size--;
	if (run.size < sizeof("::1") - 1 || run.size > LITERAL_MAX)
		return false;
	if (address_parse(run, &address))
		return true;
	const char *colon = text_find(run, ':'); // 10.0.0.1:99999
	return colon != NULL && text_find(run, '.') != NULL &&
	       address_parse((struct text){ run.data, (size_t)(colon - run.data) }, &address);
}

static bool contains_literal(struct text text)
{
	for (size_t start = 0; start < text.size;) {
		size_t end = start;
		while (end < text.size && is_literal_octet(text.data[end]))
			end++;
		if (end > start && is_literal((struct text){ text.data + start, end - start }))
			return true;
		start = end + 1;
	}
	return false;
}

static bool contains_our_host(const struct places *places, struct text text)
{
	for (size_t i = 1; places->domain.size > 0 && i < text.size; i++)
		if (text.data[i - 1] == '.' && is_at(text, i, places->domain))
			return true;
	return false;
}

bool places_are_in(const struct places *places, struct text text)
{
	for (unsigned i = 0; i < places->count; i++)
		if (contains(text, places->items[i]))
			return true;
	return contains_our_host(places, text) || contains_literal(text);
}

bool places_hide(const struct places *places, struct text host)
{
	static const struct text inner[] = { TEXT(".local"), TEXT(".lan"), TEXT(".internal"),
					     TEXT(".localdomain"), TEXT(".home.arpa") };
	struct address address;
	if (host.size == 0 || address_parse(host, &address) || text_find(host, '.') == NULL ||
	    text_is_same(host, places->domain) || places_are_in(places, host))
		return true;
	for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++)
		if (text_has_suffix_same(host, inner[i]))
			return true;
	return false;
}
