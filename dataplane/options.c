// The arguments of trunkd-dataplane: one row per option gives its parsing, its limits and its help.
// Runs on: main, before anything else starts. Replaces nothing silently: a wrong value is refused.

#include "dataplane/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dataplane/crypto/crypto.h"

struct option_row;
typedef bool (*option_fn)(const struct option_row *row, struct text value, void *target);

struct option_row {
	const char *name, *takes;
	option_fn set;
	size_t offset; // of its field in struct options
	size_t count_offset; // of the number of values, where it may be repeated
	unsigned min, max; // of a number, or of how many values
	const char *help;
};

static bool set_string(const struct option_row *row, struct text value, void *target)
{
	(void)row;
	*(const char **)target = value.data; // arguments end with a zero and live as long as we do
	return value.size > 0;
}

static bool set_interface(const struct option_row *row, struct text value, void *target)
{
	bool is_name = value.size < 16 && !text_find(value, '/') && !text_find(value, ',') &&
		       !text_find(value, ' ') && !text_find(value, '"');
	return is_name && set_string(row, value, target);
}

// As the kernel writes it: 0000:3d:01.0.
static bool is_pci(struct text device)
{
	static const char form[] = "xxxx:xx:xx.x";
	bool fits = device.size == strlen(form);
	for (size_t i = 0; fits && i < device.size; i++) {
		bool is_hex = text_find(TEXT("0123456789abcdef"), device.data[i]);
		fits = form[i] == 'x' ? is_hex : device.data[i] == form[i];
	}
	return fits;
}

// One of the names the door to SRTP knows; "NAME:PCI" among them is a card, and needs to know which.
static bool set_engine(const struct option_row *row, struct text value, void *target)
{
	struct options *options = target;
	struct text names = text_of(crypto_engine_names()), device = value, form = TEXT_NONE;
	struct text name = text_split(&device, ':');
	bool is_known = false, is_card = false;
	(void)row;
	while (names.size > 0 && !is_known) {
		form = text_trim(text_split(&names, ','));
		is_card = text_find(form, ':');
		is_known = text_is_equal(name, text_split(&form, ':'));
	}
	if (!is_known || name.size >= sizeof(options->crypto) ||
	    (is_card ? !is_pci(device) : name.size != value.size))
		return false;
	options->crypto_device = is_card ? device.data : NULL;
	return text_copy(name, options->crypto, sizeof(options->crypto));
}

static bool set_number(const struct option_row *row, struct text value, void *target)
{
	uint64_t number;
	if (!text_to_unsigned(value, row->max, &number) || number < row->min)
		return false;
	*(unsigned *)target = (unsigned)number;
	return true;
}

static bool set_choice(const struct option_row *row, struct text value, void *target)
{
	static const char *const choices[] = { "auto", "on", "off" };
	(void)row;
	for (unsigned i = 0; i < 3; i++) {
		if (!text_is_equal(value, text_of(choices[i])))
			continue;
		*(enum option_choice *)target = (enum option_choice)i;
		return true;
	}
	return false;
}

static bool set_polling(const struct option_row *row, struct text value, void *target)
{
	(void)row;
	*(bool *)target = text_is_equal(value, TEXT("busy"));
	return *(bool *)target || text_is_equal(value, TEXT("adaptive"));
}

static unsigned *count_of(const struct option_row *row, void *options)
{
	return (unsigned *)((char *)options + row->count_offset);
}

// Rows of lists get the options themselves, to append.
static bool add_address(const struct option_row *row, struct text value, void *options)
{
	unsigned *count = count_of(row, options);
	struct address *list = (struct address *)((char *)options + row->offset);
	struct address address;
	if (*count >= row->max || !address_parse(value, &address) || address.port != 0 ||
	    address_is_unspecified(&address))
		return false;
	for (unsigned i = 0; i < *count; i++)
		if (address_is_equal(&list[i], &address))
			return false;
	list[(*count)++] = address;
	return true;
}

static bool add_prefix(const struct option_row *row, struct text value, void *options)
{
	unsigned *count = count_of(row, options);
	struct prefix *list = (struct prefix *)((char *)options + row->offset);
	struct text rest = value;
	struct text host = text_split(&rest, '/');
	struct prefix prefix;
	uint64_t bits;
	if (*count >= row->max || !address_parse(host, &prefix.address) || prefix.address.port != 0)
		return false;
	unsigned bits_max = prefix.address.family == ADDRESS_IPV4 ? 32 : 128;
	if (!text_to_unsigned(rest, bits_max, &bits))
		return false;
	prefix.bits = (uint8_t)bits;
	list[(*count)++] = prefix;
	return true;
}

static bool set_cores(const struct option_row *row, struct text value, void *options)
{
	unsigned *count = count_of(row, options);
	unsigned *list = (unsigned *)((char *)options + row->offset);
	*count = 0;
	while (value.size > 0) {
		uint64_t core;
		struct text one = text_split(&value, ',');
		if (*count >= row->max || !text_to_unsigned(one, 1023, &core))
			return false;
		list[(*count)++] = (unsigned)core;
	}
	return *count > 0;
}

#define FIELD(field) offsetof(struct options, field)
// clang-format off
static const struct option_row rows[] = {
	{ "--port", "DRIVER:ARGUMENT", set_string, FIELD(port), 0, 0, 0,
	  "the cable: pci:0000:01:00.0, af_xdp:eth1, af_packet:eth1; for tests pcap:RX,TX[,KRX,KTX], ring:, null:" },
	{ "--media", "ADDRESS", add_address, FIELD(media), FIELD(media_count), 0, MEDIA_ADDRESSES_MAX,
	  "a media address, IPv4 or IPv6, each given once; repeat for more, at most 16" },
	{ "--socket", "PATH", set_string, FIELD(socket_path), 0, 0, 0,
	  "where trunkd attaches (/run/trunkd/dataplane.sock)" },
	{ "--interface", "NAME", set_interface, FIELD(interface), 0, 0, 0,
	  "the kernel interface made for all that is not media, up to 15 characters (trunk0); af_xdp: has none" },
	{ "--address", "ADDRESS/BITS", add_prefix, FIELD(addresses), FIELD(address_count), 0, OPTIONS_ADDRESSES_MAX,
	  "an address for the kernel interface, 198.51.100.1/24 say; repeat for more, at most 16" },
	{ "--gateway", "ADDRESS", add_address, FIELD(gateways), FIELD(gateway_count), 0, OPTIONS_GATEWAYS_MAX,
	  "default route through the kernel interface; at most one for IPv4 and one for IPv6" },
	{ "--workers", "COUNT", set_number, FIELD(workers), 0, 1, OPTIONS_WORKERS_MAX,
	  "poll-mode threads, 1 to 32 (1)" },
	{ "--cores", "LIST", set_cores, FIELD(cores), FIELD(core_count), 0, OPTIONS_WORKERS_MAX,
	  "a CPU for each worker, 2,3 say (the last ones this process may use)" },
	{ "--polling", "adaptive|busy", set_polling, FIELD(polls_busy), 0, 0, 0,
	  "adaptive: an idle worker sleeps up to 0.2 ms at a time; busy: it never sleeps (adaptive)" },
	{ "--huge-pages", "auto|on|off", set_choice, FIELD(huge_pages), 0, 0, 0,
	  "auto: used when enough of them are free (auto)" },
	{ "--memory-mb", "MEGABYTES", set_number, FIELD(memory_mb), 0, 64, 65536,
	  "for packets and streams, taken at start, 64 to 65536 (256)" },
	{ "--min-ttl", "TTL", set_number, FIELD(min_ttl), 0, 0, 255,
	  "media with a lower TTL or hop limit is dropped, 0 to 255 (11)" },
	{ "--crypto", "ENGINE", set_engine, 0, 0, 0, 0,
	  "what does SRTP: auto (the fastest that works here), off (nothing, secure streams stay silent), ipsec_mb, "
	  "crypto_aesni_mb, crypto_openssl, crypto_qat:PCI (a card, crypto_qat:0000:3d:01.0 say), libsrtp2 (auto)" },
	{ "--verify-udp-checksum", "auto|on|off", set_choice, FIELD(verify_udp_checksum), 0, 0, 0,
	  "of received media; auto: on for pci:, off elsewhere, where local senders leave it unfinished (auto)" },
	{ "--allow-uid", "UID", set_number, FIELD(allow_uid), 0, 0, UINT32_MAX - 1,
	  "a user that may attach beside root and the one this runs as" },
};
// clang-format on
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void print_help(void)
{
	printf("Usage: trunkd-dataplane --port DRIVER:ARGUMENT --media ADDRESS [option...]\n"
	       "Relays media between the legs of calls; trunkd attaches to it and commands "
	       "it.\n\n");
	for (unsigned i = 0; i < ROW_COUNT; i++)
		printf("  %s %s\n      %s\n", rows[i].name, rows[i].takes, rows[i].help);
	printf("  --help\n      this text\n");
}

static const struct option_row *find_row(struct text name)
{
	for (unsigned i = 0; i < ROW_COUNT; i++)
		if (text_is_equal(name, text_of(rows[i].name)))
			return &rows[i];
	return NULL;
}

static bool set_option(const struct option_row *row, const char *value, struct options *options)
{
	void *target = row->count_offset ? (void *)options : (char *)options + row->offset;
	if (row->set(row, text_of(value), target))
		return true;
	fprintf(stderr, "trunkd-dataplane: %s %s: takes %s: %s\n", row->name, value, row->takes,
		row->help);
	return false;
}

static bool check_whole(const struct options *options)
{
	if (!options->port)
		fprintf(stderr, "trunkd-dataplane: --port is missing: say which cable, "
				"af_packet:eth1 for example\n");
	if (options->media_count == 0)
		fprintf(stderr, "trunkd-dataplane: --media is missing: say which address media "
				"comes to\n");
	bool has_cores = options->core_count == 0 || options->core_count == options->workers;
	if (!has_cores)
		fprintf(stderr,
			"trunkd-dataplane: --cores names %u, --workers %u: give one core "
			"for each worker\n",
			options->core_count, options->workers);
	return options->port && options->media_count > 0 && has_cores;
}

enum options_answer options_parse(int count, char *const *arguments, struct options *out_options)
{
	struct options options = {
		.socket_path = "/run/trunkd/dataplane.sock",
		.interface = "trunk0",
		.workers = 1,
		.memory_mb = 256,
		.min_ttl = 11,
		.crypto = "auto",
		.allow_uid = UINT32_MAX,
	};
	for (int i = 1; i < count; i += 2) {
		if (strcmp(arguments[i], "--help") == 0) {
			print_help();
			return OPTIONS_HELP;
		}
		const struct option_row *row = find_row(text_of(arguments[i]));
		if (!row || i + 1 == count) {
			fprintf(stderr, "trunkd-dataplane: %s: %s; --help lists the options\n",
				arguments[i], row ? "its value is missing" : "no such option");
			return OPTIONS_WRONG;
		}
		if (!set_option(row, arguments[i + 1], &options))
			return OPTIONS_WRONG;
	}
	if (!check_whole(&options))
		return OPTIONS_WRONG;
	*out_options = options;
	return OPTIONS_RUN;
}
