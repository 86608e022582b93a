// Values: from the text of the file into the field of an option, and what is allowed, in words.
// Runs on: any thread; pure. Never repairs a value: it is taken as it stands or refused.

#include "config/schema.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define DOMAIN_MAX 253 // RFC 1035 2.3.4
#define LABEL_MAX 63
#define IFACE_MAX 15 // IFNAMSIZ without its zero

typedef bool (*parse_fn)(const struct config_option *option, struct text text, void *item);

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_word(struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

static bool is_domain(struct text text)
{
	if (text.size == 0 || text.size > DOMAIN_MAX || text.data[text.size - 1] == '.')
		return false;
	while (text.size > 0) {
		struct text label = text_split(&text, '.');
		if (label.size == 0 || label.size > LABEL_MAX)
			return false;
		if (!is_word(label) || text_find(label, '_'))
			return false;
		if (label.data[0] == '-' || label.data[label.size - 1] == '-')
			return false;
	}
	return true;
}

// In small letters: names of DNS are compared without regard to case (RFC 1035 2.3.3).
static bool copy_label(struct text text, char *room)
{
	if (!is_domain(text) || text_find(text, '.') || !text_copy(text, room, CONFIG_LABEL_SIZE))
		return false;
	for (char *at = room; *at; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
	return true;
}

// Empty is a value where it is the default ("none"), and nowhere else.
static bool may_be_empty(const struct config_option *option)
{
	return option->initial && option->initial[0] == 0;
}

static bool store(const struct config_option *option, struct text text, void *field)
{
	if (text.size == 0 && !may_be_empty(option))
		return false;
	return !text_find(text, 0) && text_copy(text, field, option->size);
}

static bool parse_word(const struct config_option *option, struct text text, void *field)
{
	return is_word(text) && store(option, text, field);
}

static bool parse_domain(const struct config_option *option, struct text text, void *field)
{
	return (text.size == 0 || is_domain(text)) && store(option, text, field);
}

static bool parse_label(const struct config_option *option, struct text text, void *item)
{
	(void)option;
	return copy_label(text, item);
}

static bool parse_path(const struct config_option *option, struct text text, void *field)
{
	return (text.size == 0 || text.data[0] == '/') && store(option, text, field);
}

static bool parse_number(const struct config_option *option, struct text text, void *item)
{
	uint64_t value;
	if (!text_to_unsigned(text, option->max, &value) || value < option->min)
		return false;
	*(unsigned *)item = (unsigned)value;
	return true;
}

static bool parse_boolean(const struct config_option *option, struct text text, void *field)
{
	(void)option;
	bool is_true = text_is_equal(text, TEXT("true"));
	if (!is_true && !text_is_equal(text, TEXT("false")))
		return false;
	*(bool *)field = is_true;
	return true;
}

static bool parse_choice(const struct config_option *option, struct text text, void *field)
{
	struct text rest = text_of(option->choices);
	for (unsigned i = 0; rest.size > 0; i++) {
		if (text_is_equal(text_split(&rest, ' '), text)) {
			*(unsigned *)field = i;
			return true;
		}
	}
	return false;
}

static bool parse_address_and_port(const struct config_option *option, struct text text,
				   void *field)
{
	(void)option;
	struct address address;
	if (!address_parse(text, &address) || address.port == 0)
		return false;
	*(struct address *)field = address;
	return true;
}

// The address of a PCI device: 0000:03:00.0, or 03:00.0 without its domain.
static bool is_pci(struct text text)
{
	static const char *const forms[] = { "xxxx:xx:xx.x", "xx:xx.x" };
	for (size_t form = 0; form < 2; form++) {
		bool fits = text.size == strlen(forms[form]);
		for (size_t i = 0; fits && i < text.size; i++) {
			char wanted = forms[form][i];
			char c = text.data[i];
			bool is_hex = memchr("0123456789abcdefABCDEF", c, 22) != NULL;
			fits = wanted == 'x' ? is_hex : c == wanted;
		}
		if (fits)
			return true;
	}
	return false;
}

static bool parse_driver(const struct config_option *option, struct text text, void *field)
{
	struct text rest = text;
	struct text driver = text_split(&rest, ':');
	bool is_iface = rest.size > 0 && rest.size <= IFACE_MAX && is_word(rest);
	bool is_known =
		text_is_equal(driver, TEXT("pci")) ? is_pci(rest)
		: text_is_equal(driver, TEXT("af_xdp")) || text_is_equal(driver, TEXT("af_packet"))
			? is_iface
			: false;
	return is_known && store(option, text, field);
}

// The names are those of the dataplane's engines. Of a card it has to be said which one, in full and as
// the kernel writes it.
static bool parse_engine(const struct config_option *option, struct text text, void *field)
{
	static const char *const names[] = {
		"auto", "off", "ipsec_mb", "crypto_openssl", "crypto_aesni_mb", "libsrtp2"
	};
	struct text rest = text;
	bool is_known = false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is_known |= text_is_equal(text, text_of(names[i]));
	if (!is_known && text_is_equal(text_split(&rest, ':'), TEXT("crypto_qat")))
		is_known = rest.size == strlen("0000:00:00.0") && is_pci(rest);
	for (size_t i = 0; i < text.size; i++)
		is_known &= text.data[i] < 'A' || text.data[i] > 'F';
	return is_known && store(option, text, field);
}

static bool parse_url(const struct config_option *option, struct text text, void *field)
{
	struct cursor cursor = cursor_of(text);
	if (cursor_take_text(&cursor, TEXT("unix://"))) {
		if (cursor_peek(&cursor) != '/')
			return false;
	} else if (cursor_take_text(&cursor, TEXT("redis://"))) {
		struct text host = cursor_until(&cursor, ':');
		uint64_t port = cursor_unsigned(&cursor, UINT16_MAX);
		if (!is_domain(host) || port == 0 || cursor.failed || cursor.rest.size > 0)
			return false;
	} else if (text.size > 0) {
		return false;
	}
	return store(option, text, field);
}

static bool parse_lookup_url(const struct config_option *option, struct text text, void *field)
{
	bool is_http =
		text_has_prefix(text, TEXT("https://")) || text_has_prefix(text, TEXT("http://"));
	if (text.size > 0 && !is_http)
		return false;
	if (!store(option, text, field))
		return false;
	return text.size == 0 || strstr(field, "{number}") != NULL;
}

// RFC 5321 4.1.2, without quoted strings and literals: nothing of it can end a line or a path.
static bool is_mailbox(struct text text)
{
	struct text domain = text, local = text_split(&domain, '@');
	for (size_t i = 0; i < local.size; i++) {
		char c = local.data[i];
		if (!is_letter_or_digit(c) && (c == 0 || !strchr("!#$%&'*+-/=?^_.{|}~", c)))
			return false;
	}
	return local.size > 0 && local.size <= 64 && is_domain(domain);
}

static bool parse_mailbox(const struct config_option *option, struct text text, void *field)
{
	return (text.size == 0 || is_mailbox(text)) && store(option, text, field);
}

static bool parse_mail_user(const struct config_option *option, struct text text, void *field)
{
	return (is_word(text) || is_mailbox(text)) && store(option, text, field);
}

// smtp://HOST[:PORT], smtps too; an IPv6 address in brackets.
static bool parse_mail_server(const struct config_option *option, struct text text, void *field)
{
	struct cursor cursor = cursor_of(text);
	struct address address;
	if (text.size == 0)
		return store(option, text, field);
	if (!cursor_take_text(&cursor, TEXT("smtps://")) &&
	    !cursor_take_text(&cursor, TEXT("smtp://")))
		return false;
	if (cursor_peek(&cursor) == '[')
		return address_parse(cursor.rest, &address) && store(option, text, field);
	struct text port = cursor.rest, host = text_split(&port, ':');
	uint64_t number;
	bool has_port = host.size < cursor.rest.size;
	return is_domain(host) &&
	       (!has_port || (text_to_unsigned(port, UINT16_MAX, &number) && number > 0)) &&
	       store(option, text, field);
}

// "404", or "6xx" for the class.
static bool parse_code(const struct config_option *option, struct text text, void *item)
{
	(void)option;
	uint64_t value;
	bool is_class = text.size == 3 && text_has_suffix_same(text, TEXT("xx"));
	if (is_class)
		text.size = 1;
	if (!text_to_unsigned(text, 699, &value) || value < (is_class ? 3 : 300) ||
	    (is_class && value > 6))
		return false;
	*(unsigned *)item = (unsigned)value;
	return true;
}

static bool parse_country(const struct config_option *option, struct text text, void *set)
{
	(void)option;
	return country_set_add_code(set, text);
}

static bool parse_account(const struct config_option *option, struct text text, void *item)
{
	(void)option;
	bool is_sid = text.size == CONFIG_SID_SIZE - 1 && text_has_prefix(text, TEXT("AC"));
	for (size_t i = 2; i < text.size; i++)
		is_sid &= text.data[i] != '\0' && strchr("0123456789abcdef", text.data[i]) != NULL;
	return is_sid && text_copy(text, item, CONFIG_SID_SIZE);
}

static bool parse_address(const struct config_option *option, struct text text, void *item)
{
	(void)option;
	struct address address;
	if (!address_parse(text, &address) || address.port != 0)
		return false;
	*(struct address *)item = address;
	return true;
}

static bool parse_place(const struct config_option *option, struct text text, void *item)
{
	(void)option;
	struct address address;
	if (!address_parse(text, &address))
		return false;
	*(struct address *)item = address;
	return true;
}

static bool parse_prefix(const struct config_option *option, struct text text, void *item)
{
	(void)option;
	struct prefix prefix;
	if (!prefix_parse(text, &prefix) || !text_find(text, '/'))
		return false;
	*(struct prefix *)item = prefix;
	return true;
}

// It stands in answers and in pages: no space, quote, bracket or control character.
static bool parse_link(const struct config_option *option, struct text text, void *field)
{
	bool is_link = text_has_prefix(text, TEXT("http://")) ||
		       text_has_prefix(text, TEXT("https://")) ||
		       text_has_prefix(text, TEXT("mailto:"));
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("\"'<>\\", text.data[i]))
			return false;
	return (is_link || text.size == 0) && store(option, text, field);
}

// A list is its count and then its items, whatever they are.
static_assert(offsetof(struct config_addresses, items) == sizeof(unsigned));
static_assert(offsetof(struct config_prefixes, items) == sizeof(unsigned));
static_assert(offsetof(struct config_labels, items) == sizeof(unsigned));
static_assert(offsetof(struct config_accounts, items) == sizeof(unsigned));
static_assert(offsetof(struct config_numbers, items) == sizeof(unsigned));
static_assert(offsetof(struct config_countries, set) == sizeof(unsigned));

// clang-format off
static const struct {
	const char *noun;
	const char *allowed; // NULL: made from the row
	parse_fn parse;
	size_t item_size; // 0: no list
	bool is_set; // whose items are not one behind the other
} kinds[CONFIG_KIND_COUNT] = {
	[CONFIG_WORD] = { "a plain word", "letters, digits, '.', '_' and '-'", parse_word, 0 },
	[CONFIG_DOMAIN] = { "a domain name", "a domain name", parse_domain, 0 },
	[CONFIG_LABEL] = { "a label of a domain name", "letters, digits and inner dashes, 63 at most", parse_label, 0 },
	[CONFIG_PATH] = { "an absolute path", "a path that starts with /", parse_path, 0 },
	[CONFIG_NUMBER] = { "a number", NULL, parse_number, 0 },
	[CONFIG_BOOLEAN] = { "true or false", "true, false", parse_boolean, 0 },
	[CONFIG_CHOICE] = { "one of its words", NULL, parse_choice, 0 },
	[CONFIG_ADDRESS_AND_PORT] = { "an address with a port", "ADDRESS:PORT or [IPV6-ADDRESS]:PORT", parse_address_and_port, 0 },
	[CONFIG_DRIVER] = { "a driver with its device", "pci:DEVICE, af_xdp:INTERFACE, af_packet:INTERFACE", parse_driver, 0 },
	[CONFIG_ENGINE] = { "an engine", "auto, off, ipsec_mb, crypto_aesni_mb, crypto_openssl, crypto_qat:PCI-DEVICE, libsrtp2",
			    parse_engine, 0 },
	[CONFIG_URL] = { "a URL it knows", "unix:///PATH, redis://HOST:PORT", parse_url, 0 },
	[CONFIG_LINK] = { "a link", "a URL that begins with https://, http:// or mailto:", parse_link, 0 },
	[CONFIG_MAIL_SERVER] = { "a mail server", "smtp://HOST[:PORT], smtps://HOST[:PORT]", parse_mail_server, 0 },
	[CONFIG_MAILBOX] = { "an address of e-mail", "NAME@DOMAIN", parse_mailbox, 0 },
	[CONFIG_MAIL_USER] = { "a user of a mail server", "a word, or NAME@DOMAIN", parse_mail_user, 0 },
	[CONFIG_LOOKUP_URL] = { "a URL with a place for the number", "https://HOST/…{number}…, or with http",
				parse_lookup_url, 0 },
	[CONFIG_LIST_OF_ADDRESSES] = { "an address", "IPv4 and IPv6 addresses", parse_address, sizeof(struct address) },
	[CONFIG_LIST_OF_PLACES] = { "an address", "addresses, as 192.0.2.7, 192.0.2.7:6380, [2001:db8::7]:6380", parse_place,
				    sizeof(struct address) },
	[CONFIG_LIST_OF_PREFIXES] = { "an address with a prefix length", "addresses with a prefix length, as 192.0.2.1/24",
				      parse_prefix, sizeof(struct prefix) },
	[CONFIG_LIST_OF_LABELS] = { "a label of a domain name", "letters, digits and inner dashes", parse_label, CONFIG_LABEL_SIZE },
	[CONFIG_LIST_OF_NUMBERS] = { "a number", NULL, parse_number, sizeof(unsigned) },
	[CONFIG_LIST_OF_CODES] = { "a code of SIP responses", "300 to 699, and 3xx to 6xx for all of a class", parse_code,
				   sizeof(unsigned) },
	[CONFIG_LIST_OF_COUNTRIES] = { "a country", "codes of two letters (ISO 3166-1), 001 for international networks, or all",
				       parse_country, sizeof(struct country_set), .is_set = true },
	[CONFIG_LIST_OF_ACCOUNTS] = { "an account's SID", "AC and 32 digits of 0-9 and a-f, as show accounts has them", parse_account,
				      CONFIG_SID_SIZE },
};
// clang-format on

const char *config_value_noun(const struct config_option *option)
{
	return kinds[option->kind].noun;
}

bool config_value_is_list(const struct config_option *option)
{
	return kinds[option->kind].item_size > 0;
}

static unsigned list_capacity(const struct config_option *option)
{
	bool is_numbers = option->kind == CONFIG_LIST_OF_NUMBERS;
	return is_numbers ? CONFIG_LIST_MAX : option->max;
}

bool config_value_is_full(const struct config_option *option, const void *field)
{
	return *(const unsigned *)field >= list_capacity(option);
}

bool config_value_parse(const struct config_option *option, struct text text, void *field)
{
	size_t item_size = kinds[option->kind].item_size;
	if (item_size == 0)
		return kinds[option->kind].parse(option, text, field);
	unsigned *count = field;
	char *items = (char *)field + sizeof(unsigned);
	size_t at = kinds[option->kind].is_set ? 0 : *count * item_size;
	if (*count >= list_capacity(option) || !kinds[option->kind].parse(option, text, items + at))
		return false;
	(*count)++;
	return true;
}

bool config_codes_have(const struct config_numbers *codes, unsigned status)
{
	bool has = false;
	for (unsigned i = 0; i < codes->count; i++)
		has |= codes->items[i] == status || codes->items[i] == status / 100;
	return has;
}

static void write_choices(const struct config_option *option, struct writer *writer)
{
	struct text rest = text_of(option->choices);
	while (rest.size > 0) {
		writer_text(writer, text_split(&rest, ' '));
		writer_string(writer, rest.size > 0 ? ", " : "");
	}
}

void config_value_write_allowed(const struct config_option *option, struct writer *writer)
{
	if (kinds[option->kind].allowed) {
		writer_string(writer, kinds[option->kind].allowed);
	} else if (option->kind == CONFIG_CHOICE) {
		write_choices(option, writer);
	} else {
		writer_format(writer, "%s%u to %u", config_value_is_list(option) ? "numbers " : "",
			      option->min, option->max);
		if (option->unit && option->unit[0])
			writer_format(writer, " %s", option->unit);
	}
	if (may_be_empty(option) && !config_value_is_list(option))
		writer_string(writer, ", or empty");
	if (config_value_is_list(option))
		writer_format(writer, ", %s%u at most", option->initial ? "" : "at least one, ",
			      list_capacity(option));
}
