// Checks and canonical forms by type, one row per type. What passes here is what every other part
// relies on: bounded, printable, unambiguous.
// Runs on: any thread; pure. Never looks at the directory.

#include "directory/value.h"

#include <string.h>

#include "base/address.h"
#include "base/country/country.h"
#include "directory/object.h"
#include "directory/origination/origination.h"
#include "directory/schema.h"
#include "directory/web/web.h"

#define LABEL_MAX 63 // RFC 1035 2.3.4
#define E164_DIGITS_MAX 15
#define HOST_MAX 253
#define SEEN_MAX 40 // octets of a refused value that are shown

typedef const char *(*write_fn)(const struct directory_field *field, struct text value,
				struct writer *out); // NULL, or what is allowed

static bool is_digit(char octet)
{
	return octet >= '0' && octet <= '9';
}

static char lower(char octet)
{
	return octet >= 'A' && octet <= 'Z' ? (char)(octet + ('a' - 'A')) : octet;
}

static size_t sequence_size(const unsigned char *at)
{
	if (at[0] < 0x80)
		return at[0] >= 0x20 && at[0] != 0x7f ? 1 : 0;
	return at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
}

bool directory_value_is_printable(struct text text)
{
	while (text.size > 0) {
		const unsigned char *at = (const unsigned char *)text.data;
		size_t size = sequence_size(at);
		if (size == 0 || size > text.size)
			return false;
		for (size_t i = 1; i < size; i++) {
			if ((at[i] & 0xc0) != 0x80)
				return false;
		}
		bool is_overlong = size > 1 && ((at[0] == 0xe0 && at[1] < 0xa0) ||
						(at[0] == 0xf0 && at[1] < 0x90));
		bool is_outside = size > 1 && ((at[0] == 0xed && at[1] > 0x9f) ||
					       (at[0] == 0xf4 && at[1] > 0x8f));
		bool is_control = at[0] == 0xc2 && at[1] < 0xa0;
		if (is_overlong || is_outside || is_control)
			return false;
		text = text_cut(text, size);
	}
	return true;
}

static const char *write_text(const struct directory_field *field, struct text value,
			      struct writer *out)
{
	if (value.size < field->min || value.size > field->max ||
	    !directory_value_is_printable(value))
		return "printable UTF-8";
	writer_text(out, value);
	return NULL;
}

static const char *write_path(const struct directory_field *field, struct text value,
			      struct writer *out)
{
	if (value.size == 0 || value.data[0] != '/')
		return "an absolute path, printable UTF-8";
	return write_text(field, value, out);
}

// What a quoted string would have to escape, and the colon that ends the user in what is hashed
// (RFC 7616 3.4.2), are left out: no client agrees with another on them.
static const char *write_user(const struct directory_field *field, struct text value,
			      struct writer *out)
{
	bool is_clean = !text_find(value, '"') && !text_find(value, '\\') && !text_find(value, ':');
	if (!is_clean || write_text(field, value, out))
		return "printable UTF-8 without quotes, backslashes and colons";
	return NULL;
}

static bool is_label(struct text label)
{
	if (label.size == 0 || label.size > LABEL_MAX)
		return false;
	if (label.data[0] == '-' || label.data[label.size - 1] == '-')
		return false;
	for (size_t i = 0; i < label.size; i++) {
		char octet = lower(label.data[i]);
		if (!(octet >= 'a' && octet <= 'z') && !is_digit(octet) && octet != '-')
			return false;
	}
	return true;
}

static const char *write_label(const struct directory_field *field, struct text value,
			       struct writer *out)
{
	static const char allowed[] = "letters, digits and inner dashes, like acme or berlin-acme; "
				      "a dot only before a parent domain";
	struct text rest = value;
	if (value.size > field->max || value.data[value.size - 1] == '.')
		return allowed;
	while (rest.size > 0) {
		if (!is_label(text_split(&rest, '.')))
			return allowed;
	}
	for (size_t i = 0; i < value.size; i++)
		writer_char(out, lower(value.data[i]));
	return NULL;
}

static const char *write_e164(const struct directory_field *field, struct text value,
			      struct writer *out)
{
	bool is_prefix = field->max > 0;
	const char *allowed = is_prefix ? "a plus sign and up to 15 digits, the first not 0"
					: "a plus sign and 2 to 15 digits, the first not 0";
	if (value.size < (is_prefix ? 1 : 3) || value.size > E164_DIGITS_MAX + 1 ||
	    value.data[0] != '+' || (value.size > 1 && value.data[1] == '0'))
		return allowed;
	for (size_t i = 1; i < value.size; i++) {
		if (!is_digit(value.data[i]))
			return allowed;
	}
	writer_text(out, value);
	return NULL;
}

static const char *write_bool(const struct directory_field *field, struct text value,
			      struct writer *out)
{
	(void)field;
	static const struct {
		const char *word;
		const char *value;
	} words[] = {
		{ "true", "true" },   { "yes", "true" }, { "on", "true" },   { "1", "true" },
		{ "false", "false" }, { "no", "false" }, { "off", "false" }, { "0", "false" }
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_is_same(value, text_of(words[i].word))) {
			writer_string(out, words[i].value);
			return NULL;
		}
	}
	return "true or false";
}

static const char *write_number(const struct directory_field *field, struct text value,
				struct writer *out)
{
	uint64_t number;
	if (!text_to_unsigned(value, field->max, &number) || number < field->min)
		return "a whole number";
	writer_unsigned(out, number);
	return NULL;
}

static bool is_mapped(const struct address *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; // RFC 4291 2.5.5.2
	return address->family == ADDRESS_IPV6 && memcmp(address->octets, mapped, 12) == 0;
}

static bool has_host_bits(const struct prefix *prefix)
{
	for (unsigned bit = prefix->bits; bit < 8 * sizeof(prefix->address.octets); bit++) {
		if (prefix->address.octets[bit / 8] & (0x80 >> bit % 8))
			return true;
	}
	return false;
}

// Sources are told as IPv4 when they are, so a mapped prefix would never match anything.
static const char *write_prefix(const struct directory_field *field, struct text value,
				struct writer *out)
{
	(void)field;
	struct prefix prefix;
	if (!prefix_parse(value, &prefix))
		return "an IP address or prefix, like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48";
	if (is_mapped(&prefix.address))
		return "this address as IPv4";
	if (has_host_bits(&prefix))
		return "a prefix whose host part is zero, or an address without a length";
	address_write_host(&prefix.address, out);
	if (prefix.bits < (prefix.address.family == ADDRESS_IPV4 ? 32 : 128))
		writer_format(out, "/%u", prefix.bits);
	return NULL;
}

// What comes from there is believed to be a carrier: the whole Internet is not.
static bool is_narrow(struct text word)
{
	struct prefix prefix;
	return prefix_parse(word, &prefix) &&
	       prefix.bits >= (prefix.address.family == ADDRESS_IPV4 ? 16 : 32);
}

static const char *write_prefixes(const struct directory_field *field, struct text value,
				  struct writer *out)
{
	const char *allowed = NULL;
	struct text word;
	for (unsigned count = 0; allowed == NULL && (word = directory_value_next(&value)).size > 0;
	     count++) {
		if (count == field->max)
			return "fewer addresses and prefixes";
		if (count > 0)
			writer_char(out, ' ');
		allowed =
			is_narrow(word)
				? write_prefix(field, word, out)
				: "IP addresses or prefixes, of 16 bits at least (IPv6: 32), like "
				  "192.0.2.7 198.51.100.0/24";
	}
	return allowed;
}

// RFC 1123 2.1; a name whose last label is a number could be taken for an address.
bool directory_value_write_host_name(struct text host, struct writer *out)
{
	struct text rest = host, last = TEXT_NONE;
	uint64_t number;
	if (host.size == 0 || host.size > HOST_MAX || host.data[host.size - 1] == '.')
		return false;
	while (rest.size > 0) {
		last = text_split(&rest, '.');
		if (!is_label(last))
			return false;
	}
	if (text_to_unsigned(last, UINT64_MAX, &number))
		return false;
	for (size_t i = 0; i < host.size; i++)
		writer_char(out, lower(host.data[i]));
	return true;
}

static const char *write_host(const struct directory_field *field, struct text value,
			      struct writer *out)
{
	(void)field;
	static const char allowed[] = "a host name or an IP address, with or without port, like "
				      "sip.example.com, 192.0.2.7:5060 or [2001:db8::1]:5060";
	struct address address;
	struct text port = value;
	struct text host = text_split(&port, ':');
	uint64_t number = 0;
	if (address_parse(value, &address)) {
		if (address_is_unspecified(&address) || is_mapped(&address))
			return allowed;
		address_write(&address, out);
		return NULL;
	}
	bool has_port = host.size < value.size;
	if (has_port && (!text_to_unsigned(port, UINT16_MAX, &number) || number == 0))
		return allowed;
	if (!directory_value_write_host_name(host, out))
		return allowed;
	if (has_port)
		writer_format(out, ":%u", (unsigned)number);
	return NULL;
}

static const char *write_uri(const struct directory_field *field, struct text value,
			     struct writer *out)
{
	struct directory_uri uri;
	(void)field;
	writer_text(out, value); // as it was given: what it means is read again from that (D-23)
	return directory_uri_read(value, &uri);
}

static const char *write_choice(const struct directory_field *field, struct text value,
				struct writer *out)
{
	struct text rest = text_of(field->choices);
	while (rest.size > 0) {
		struct text choice = text_trim(text_split(&rest, ','));
		if (!text_is_same(choice, value))
			continue;
		writer_text(out, choice);
		return NULL;
	}
	return field->choices;
}

struct text directory_value_next(struct text *rest)
{
	while (rest->size > 0 && (rest->data[0] == ' ' || rest->data[0] == ','))
		*rest = text_cut(*rest, 1);
	size_t size = 0;
	while (size < rest->size && rest->data[size] != ' ' && rest->data[size] != ',')
		size++;
	struct text word = { rest->data, size };
	*rest = text_cut(*rest, size);
	return word;
}

static bool has_word(struct text words, struct text wanted)
{
	struct text word;
	while ((word = directory_value_next(&words)).size > 0) {
		if (text_is_equal(word, wanted))
			return true;
	}
	return false;
}

// Named twice counts once: the list is a set.
static const char *write_references(const struct directory_field *field, struct text value,
				    struct writer *out)
{
	size_t start = out->used, count = 0;
	struct text word;
	while ((word = directory_value_next(&value)).size > 0) {
		if (directory_kind_of_sid(word) != field->refers_to)
			return "SIDs";
		if (has_word((struct text){ out->room + start, out->used - start }, word))
			continue;
		if (++count > (field->type == DIRECTORY_REFERENCES ? field->max : 1))
			return field->type == DIRECTORY_REFERENCES ? "fewer SIDs" : "one SID";
		if (count > 1)
			writer_char(out, ' ');
		writer_text(out, word);
	}
	return NULL;
}

static const char *write_countries(const struct directory_field *field, struct text value,
				   struct writer *out)
{
	(void)field;
	struct country_set set = { 0 };
	struct text word;
	while ((word = directory_value_next(&value)).size > 0) {
		if (!country_set_add_code(&set, word))
			return "codes of countries (ISO 3166-1), like US JP, 001 for "
			       "international networks, or all";
	}
	country_set_write(&set, out);
	return NULL;
}

static const char *write_hex(const struct directory_field *field, struct text value,
			     struct writer *out)
{
	if (value.size < field->min || value.size > field->max)
		return "hexadecimal digits";
	for (size_t i = 0; i < value.size; i++) {
		char octet = lower(value.data[i]);
		if (!is_digit(octet) && !(octet >= 'a' && octet <= 'f'))
			return "hexadecimal digits";
		writer_char(out, octet);
	}
	return NULL;
}

static const char *write_country(const struct directory_field *field, struct text value,
				 struct writer *out)
{
	(void)field;
	unsigned country = value.size == 2 ? country_of_code(value) : COUNTRY_NONE;
	if (country == COUNTRY_NONE)
		return "a country's two letters of ISO 3166, like US or JP";
	writer_string(out, country_code(country));
	return NULL;
}

static const char *write_codes(const struct directory_field *field, struct text value,
			       struct writer *out)
{
	static const char allowed[] = "all, or up to 32 codes of five digits";
	size_t count = 0;
	uint64_t code;
	struct text word, rest = value;
	if (text_is_same(value, TEXT("all"))) {
		writer_string(out, "all");
		return NULL;
	}
	while ((word = directory_value_next(&rest)).size > 0) {
		if (word.size != 5 || !text_to_unsigned(word, 99999, &code) || code < 10000 ||
		    ++count > field->max)
			return allowed;
		writer_string(out, count > 1 ? " " : "");
		writer_unsigned(out, code);
	}
	return count > 0 ? NULL : allowed;
}

static const char *write_url(const struct directory_field *field, struct text value,
			     struct writer *out)
{
	return directory_web_write_url(value, field->max, out);
}

static const char *write_mail(const struct directory_field *field, struct text value,
			      struct writer *out)
{
	return directory_web_write_mail(value, field->max, out);
}

static const struct {
	write_fn write;
	const char *range; // how min and max read; NULL: they mean nothing here
} types[] = {
	[DIRECTORY_TEXT] = { write_text, "octets" },
	[DIRECTORY_LABEL] = { write_label, "characters" },
	[DIRECTORY_E164] = { write_e164, NULL },
	[DIRECTORY_BOOL] = { write_bool, NULL },
	[DIRECTORY_UNSIGNED] = { write_number, "" },
	[DIRECTORY_PREFIX] = { write_prefix, NULL },
	[DIRECTORY_PREFIXES] = { write_prefixes, NULL },
	[DIRECTORY_HOST] = { write_host, NULL },
	[DIRECTORY_CHOICE] = { write_choice, NULL },
	[DIRECTORY_REFERENCE] = { write_references, NULL },
	[DIRECTORY_REFERENCES] = { write_references, NULL },
	[DIRECTORY_HEX] = { write_hex, "digits" },
	[DIRECTORY_USER] = { write_user, "octets" },
	[DIRECTORY_COUNTRY] = { write_country, NULL },
	[DIRECTORY_COUNTRIES] = { write_countries, NULL },
	[DIRECTORY_PATH] = { write_path, "octets" },
	[DIRECTORY_SIP_URI] = { write_uri, NULL },
	[DIRECTORY_CODES] = { write_codes, NULL },
	[DIRECTORY_URL] = { write_url, NULL },
	[DIRECTORY_MAIL] = { write_mail, NULL },
};

struct text directory_value_shown(struct text value)
{
	struct text seen = { value.data, value.size < SEEN_MAX ? value.size : SEEN_MAX };
	while (seen.size > 0 && seen.size < value.size && (value.data[seen.size] & 0xc0) == 0x80)
		seen.size--;
	return directory_value_is_printable(seen) ? seen : TEXT("(not shown)");
}

static void describe(const struct directory_field *field, struct text value, const char *allowed,
		     struct directory_problem *out_problem)
{
	struct text seen = field->is_hidden ? TEXT("(not shown)") : directory_value_shown(value);
	const char *range = types[field->type].range;
	bool is_reference =
		field->type == DIRECTORY_REFERENCE || field->type == DIRECTORY_REFERENCES;
	const char *kind = is_reference ? directory_schema(field->refers_to)->name : "";
	const char *dots = seen.data == value.data && seen.size < value.size ? "..." : "";
	if (range)
		directory_problem_set(out_problem, field->name,
				      "'%.*s%s' is not allowed; allowed: %s, %lu to %lu%s%s",
				      TEXT_FORMAT(seen), dots, allowed, (unsigned long)field->min,
				      (unsigned long)field->max, range[0] ? " " : "", range);
	else
		directory_problem_set(out_problem, field->name,
				      "'%.*s%s' is not allowed; allowed: %s%s%s", TEXT_FORMAT(seen),
				      dots, allowed, is_reference ? " of kind " : "", kind);
}

enum status directory_value_write(const struct directory_field *field, struct text value,
				  struct writer *out, struct directory_problem *out_problem)
{
	const char *allowed = types[field->type].write(field, value, out);
	if (!allowed && out->failed)
		allowed = "a shorter value";
	if (!allowed)
		return OK;
	describe(field, value, allowed, out_problem);
	return ERR_MALFORMED;
}
