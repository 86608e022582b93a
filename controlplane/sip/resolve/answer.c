// One walk over a DNS message (RFC 1035 4.1). Names are unpacked by c-ares, which bounds them and ends
// circles of pointers; everything else is bounded here. c-ares' own record parsers keep no TTL of SRV
// and NAPTR, and no bound of how many.
// Runs on: any thread; pure. Never believes a count or a length of the message.

#include "sip/resolve/answer.h"

#include <ares.h>
#include <string.h>

#define HEADER_SIZE 12
#define RECORDS_WALKED 64 // of a whole message; a real one has a handful
#define ALIASES_MAX 8
#define LABEL_MAX 63
#define CLASS_IN 1
#define TYPE_CNAME 5
#define TYPE_SOA 6
#define RESPONSE 0x80 // of the third octet
#define RCODE_NO_NAME 3

struct found { // a record of the message, by place
	char owner[DNS_NAME_SIZE];
	unsigned type;
	uint32_t ttl_s;
	size_t at, size; // its data
	bool is_authority;
};

struct reader { // of a message; it cannot pass its end, and remembers that it tried
	const uint8_t *octets;
	size_t size, at;
	bool has_failed;
};

struct walk {
	struct reader reader;
	unsigned count;
	struct found records[RECORDS_WALKED];
};

static unsigned take16(struct reader *reader)
{
	if (reader->has_failed || reader->size - reader->at < 2) {
		reader->has_failed = true;
		return 0;
	}
	reader->at += 2;
	return (unsigned)reader->octets[reader->at - 2] << 8 | reader->octets[reader->at - 1];
}

static uint32_t take32(struct reader *reader)
{
	uint32_t high = take16(reader);
	return high << 16 | take16(reader);
}

static bool is_name_octet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

bool dns_answer_is_name(struct text name)
{
	if (name.size == 0 || name.size >= DNS_NAME_SIZE)
		return false;
	struct text rest = name;
	while (rest.data != NULL) {
		bool is_last = text_find(rest, '.') == NULL;
		struct text label = text_split(&rest, '.');
		if (label.size == 0 || label.size > LABEL_MAX)
			return false;
		for (size_t i = 0; i < label.size; i++)
			if (!is_name_octet(label.data[i]))
				return false;
		if (is_last)
			break;
	}
	return true;
}

static void lower(char *name)
{
	for (char *at = name; *at != '\0'; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
}

// Copies it in lower case. A name with other octets than a host's is left empty: nobody asks for it.
static void take_name(struct reader *reader, char room[static DNS_NAME_SIZE])
{
	char *name = NULL;
	long size = 0;
	room[0] = '\0';
	if (reader->has_failed || reader->at >= reader->size ||
	    ares_expand_name(reader->octets + reader->at, reader->octets, (int)reader->size, &name,
			     &size) != ARES_SUCCESS) {
		reader->has_failed = true;
		return;
	}
	reader->at += (size_t)size;
	if (dns_answer_is_name(text_of(name)))
		(void)text_copy(text_of(name), room, DNS_NAME_SIZE);
	lower(room);
	ares_free_string(name);
}

static struct text take_string(struct reader *reader) // RFC 1035 3.3: one octet of length
{
	if (reader->has_failed || reader->at >= reader->size ||
	    reader->octets[reader->at] >= reader->size - reader->at) {
		reader->has_failed = true;
		return TEXT_NONE;
	}
	size_t size = reader->octets[reader->at];
	struct text text = { (const char *)reader->octets + reader->at + 1, size };
	reader->at += 1 + size;
	return text;
}

static void take_record(struct walk *walk, bool is_authority)
{
	struct found *found = &walk->records[walk->count];
	struct reader *reader = &walk->reader;
	take_name(reader, found->owner);
	found->type = take16(reader);
	bool is_internet = take16(reader) == CLASS_IN;
	found->ttl_s = take32(reader);
	found->size = take16(reader);
	found->at = reader->at;
	found->is_authority = is_authority;
	if (reader->has_failed || reader->size - reader->at < found->size) {
		reader->has_failed = true;
		return;
	}
	if (found->ttl_s > INT32_MAX) // RFC 2181 8
		found->ttl_s = 0;
	reader->at += found->size;
	walk->count += is_internet;
}

static void take_section(struct walk *walk, unsigned count, bool is_authority)
{
	while (count-- > 0 && !walk->reader.has_failed && walk->count < RECORDS_WALKED)
		take_record(walk, is_authority);
}

// A reader of one record's data that cannot pass its end; names in it may point back into the message.
static struct reader data_of(const struct walk *walk, const struct found *found)
{
	return (struct reader){ .octets = walk->reader.octets,
				.size = found->at + found->size,
				.at = found->at };
}

static void lower_ttl(struct dns_answer *answer, uint32_t ttl_s)
{
	if (ttl_s < answer->ttl_s)
		answer->ttl_s = ttl_s;
}

// ---- records by type; false: it is of no use

static bool fill_address(struct reader *data, const struct found *found, struct dns_record *record)
{
	size_t size = found->type == DNS_A ? 4 : 16;
	if (found->size != size)
		return false;
	record->address.family = found->type == DNS_A ? ADDRESS_IPV4 : ADDRESS_IPV6;
	memcpy(record->address.octets, data->octets + data->at, size);
	return !address_is_unspecified(&record->address);
}

static bool fill_srv(struct reader *data, const struct found *found, struct dns_record *record)
{
	record->priority = (uint16_t)take16(data);
	record->weight = (uint16_t)take16(data);
	record->port = (uint16_t)take16(data);
	bool is_root = found->size == 7 && data->octets[data->at] == 0; // RFC 2782: "."
	take_name(data, record->name);
	return !data->has_failed && (is_root || (record->name[0] != '\0' && record->port != 0));
}

// RFC 3263 4.1: only the services of SIP that lead to SRV records.
static bool fill_naptr(struct reader *data, const struct found *found, struct dns_record *record)
{
	static const struct {
		const char *service;
		enum sip_protocol protocol;
	} services[] = { { "SIP+D2U", SIP_UDP }, { "SIP+D2T", SIP_TCP }, { "SIPS+D2T", SIP_TLS } };
	(void)found;
	record->priority = (uint16_t)take16(data);
	record->weight = (uint16_t)take16(data);
	struct text flags = take_string(data);
	struct text service = take_string(data);
	struct text expression = take_string(data);
	take_name(data, record->name);
	if (data->has_failed || !text_is_same(flags, TEXT("s")) || expression.size > 0 ||
	    record->name[0] == '\0')
		return false;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		record->protocol = services[i].protocol;
		if (text_is_same(service, text_of(services[i].service)))
			return true;
	}
	return false;
}

static void collect(const struct walk *walk, const char *owner, enum dns_type type,
		    struct dns_answer *answer)
{
	for (unsigned i = 0; i < walk->count && answer->count < DNS_RECORDS_MAX; i++) {
		const struct found *found = &walk->records[i];
		struct dns_record *record = &answer->records[answer->count];
		struct reader data = data_of(walk, found);
		if (found->is_authority || found->type != (unsigned)type ||
		    strcmp(found->owner, owner) != 0)
			continue;
		*record = (struct dns_record){ 0 };
		bool is_useful = type == DNS_SRV     ? fill_srv(&data, found, record)
				 : type == DNS_NAPTR ? fill_naptr(&data, found, record)
						     : fill_address(&data, found, record);
		if (!is_useful)
			continue;
		lower_ttl(answer, found->ttl_s);
		answer->count++;
	}
}

// Follows the aliases that the message itself holds. False: they go in a circle, or are too many.
static bool follow(const struct walk *walk, char name[static DNS_NAME_SIZE],
		   struct dns_answer *answer)
{
	for (unsigned hops = 0; hops < ALIASES_MAX; hops++) {
		unsigned i = 0;
		while (i < walk->count &&
		       (walk->records[i].is_authority || walk->records[i].type != TYPE_CNAME ||
			strcmp(walk->records[i].owner, name) != 0))
			i++;
		if (i == walk->count)
			return true;
		struct reader data = data_of(walk, &walk->records[i]);
		take_name(&data, name);
		lower_ttl(answer, walk->records[i].ttl_s);
		if (name[0] == '\0')
			return false;
	}
	return false;
}

// RFC 2308 5: how long "there is none" holds; 0 when the zone does not say.
static uint32_t negative_ttl(const struct walk *walk)
{
	char names[2][DNS_NAME_SIZE];
	for (unsigned i = 0; i < walk->count; i++) {
		const struct found *found = &walk->records[i];
		struct reader data = data_of(walk, found);
		if (!found->is_authority || found->type != TYPE_SOA)
			continue;
		take_name(&data, names[0]);
		take_name(&data, names[1]);
		for (unsigned number = 0; number < 4; number++) // serial, refresh, retry, expire
			(void)take32(&data);
		uint32_t minimum_s = take32(&data);
		if (!data.has_failed)
			return minimum_s < found->ttl_s ? minimum_s : found->ttl_s;
	}
	return 0;
}

static void conclude(const struct walk *walk, const char *asked, enum dns_type type,
		     struct dns_answer *answer)
{
	char name[DNS_NAME_SIZE];
	bool has_no_name = (walk->reader.octets[3] & 0x0f) == RCODE_NO_NAME;
	answer->problem = NULL;
	answer->ttl_s = UINT32_MAX;
	(void)text_copy(text_of(asked), name, sizeof(name));
	if (!follow(walk, name, answer)) {
		dns_answer_fail(answer, "its aliases lead nowhere");
		return;
	}
	collect(walk, name, type, answer);
	if (answer->count > 0) {
		answer->outcome = DNS_FOUND;
		return;
	}
	answer->outcome = has_no_name ? DNS_NO_NAME : DNS_NO_DATA;
	uint32_t ttl_s = negative_ttl(walk);
	bool is_alias = strcmp(name, asked) != 0 && !has_no_name;
	if (is_alias && ttl_s == 0) // the zone of the alias was not asked yet
		(void)text_copy(text_of(name), answer->alias, sizeof(answer->alias));
	else
		lower_ttl(answer, ttl_s);
}

static const char *problem_of(unsigned rcode)
{
	switch (rcode) {
	case 1:
		return "the server did not understand";
	case 2:
		return "the server failed";
	case 4:
		return "the server knows no such question";
	case 5:
		return "the server refused";
	default:
		return "the server answered with an error";
	}
}

void dns_answer_fail(struct dns_answer *out_answer, const char *problem)
{
	out_answer->outcome = DNS_FAILED;
	out_answer->problem = problem;
	out_answer->ttl_s = 0;
	out_answer->count = 0;
	out_answer->alias[0] = '\0';
}

static bool is_asked(struct reader *reader, const char *name, enum dns_type type)
{
	char asked[DNS_NAME_SIZE];
	take_name(reader, asked);
	bool is_type = take16(reader) == (unsigned)type && take16(reader) == CLASS_IN;
	return !reader->has_failed && is_type && text_is_same(text_of(asked), text_of(name));
}

void dns_answer_parse(struct text octets, const char *name, enum dns_type type,
		      struct dns_answer *out_answer)
{
	struct walk walk; // of its records those that were walked are filled
	struct reader *reader = &walk.reader;
	char asked[DNS_NAME_SIZE];
	walk.reader = (struct reader){ (const uint8_t *)octets.data, octets.size, 4, false };
	walk.count = 0;
	dns_answer_fail(out_answer, "the answer is malformed");
	if (octets.size < HEADER_SIZE || octets.size > UINT16_MAX ||
	    (reader->octets[2] & RESPONSE) == 0 || !text_copy(text_of(name), asked, sizeof(asked)))
		return;
	unsigned rcode = reader->octets[3] & 0x0f;
	if (rcode != 0 && rcode != RCODE_NO_NAME) {
		dns_answer_fail(out_answer, problem_of(rcode));
		return;
	}
	unsigned questions = take16(reader), answers = take16(reader), authorities = take16(reader);
	(void)take16(reader); // additional records are not believed
	if (questions != 1 || !is_asked(reader, name, type))
		return;
	lower(asked);
	take_section(&walk, answers, false);
	take_section(&walk, authorities, true);
	if (reader->has_failed && walk.count == 0)
		return;
	conclude(&walk, asked, type, out_answer);
}

const char *dns_type_name(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_AAAA:
		return "AAAA";
	case DNS_SRV:
		return "SRV";
	case DNS_NAPTR:
		return "NAPTR";
	}
	return "?";
}

const char *dns_outcome_name(enum dns_outcome outcome)
{
	static const char *const names[DNS_OUTCOMES] = { [DNS_FOUND] = "found",
							 [DNS_NO_DATA] = "no_data",
							 [DNS_NO_NAME] = "no_name",
							 [DNS_FAILED] = "failed" };
	return names[outcome];
}
