// Directories of any size. Runs on one thread; what cannot be made ends the program's part.

#include "admissioncost.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "directory/object.h"
#include "sip/digest/digest.h"

static const unsigned lengths4[] = { 32, 29, 28, 27, 30, 24, 31, 26, 25, 23, 22, 20 };
static const unsigned lengths6[] = { 128, 64, 56, 48, 60, 120, 44, 112 };

uint32_t cost_random(uint32_t *order, uint32_t below)
{
	*order = *order * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)*order * below >> 32);
}

// Pairs of field and value, ended by NULL.
__attribute__((sentinel)) static bool add(struct directory *directory, char out_sid[35],
					  enum directory_kind kind, ...)
{
	struct directory_object *object = directory_object_create(kind);
	struct directory_problem problem;
	const char *field;
	bool is_good = object != NULL;
	va_list pairs;
	va_start(pairs, kind);
	while (is_good && (field = va_arg(pairs, const char *)) != NULL)
		is_good =
			directory_object_set(object, text_of(field),
					     text_of(va_arg(pairs, const char *)), &problem) == OK;
	va_end(pairs);
	if (!is_good) {
		directory_object_destroy(object);
		return false;
	}
	if (out_sid != NULL)
		memcpy(out_sid, object->sid, 35);
	return directory_put(directory, object) == OK;
}

static const char *format(char *room, size_t size, const char *pattern, unsigned number)
{
	struct writer writer = writer_of(room, size);
	writer_format(&writer, pattern, number);
	return writer_string_done(&writer);
}

// The nth entry's own block of addresses, so that none is in another's: of IPv4 a /20, of IPv6 a /40.
static void write_entry(unsigned nth, char room[static ADDRESS_TEXT_SIZE],
			struct address *out_inside)
{
	bool is_six = nth % 4 == 3;
	unsigned bits = is_six ? lengths6[nth / 4 % (sizeof(lengths6) / sizeof(lengths6[0]))]
			       : lengths4[nth % (sizeof(lengths4) / sizeof(lengths4[0]))];
	struct writer writer = writer_of(room, ADDRESS_TEXT_SIZE);
	struct address address = { .family = is_six ? ADDRESS_IPV6 : ADDRESS_IPV4 };
	unsigned block = (is_six ? 0x20010000u : 0x01000000u) + (nth << (is_six ? 4 : 12));
	for (unsigned i = 0; i < 4; i++)
		address.octets[i] = (uint8_t)(block >> (24 - 8 * i));
	address_write_host(&address, &writer);
	writer_format(&writer, "/%u", bits);
	(void)writer_string_done(&writer);
	*out_inside = address;
}

static bool add_entries(struct directory *directory, const char *acl, unsigned first,
			unsigned count, struct address *out_inside)
{
	char room[ADDRESS_TEXT_SIZE];
	bool is_good = true;
	for (unsigned i = 0; i < count && is_good; i++) {
		write_entry(first + i, room, out_inside);
		is_good = add(directory, NULL, DIRECTORY_ACL_ADDRESS, "acl", acl, "address", room,
			      NULL);
	}
	return is_good;
}

static const char *hex(const uint8_t *octets, unsigned size, char *room)
{
	struct writer writer = writer_of(room, 2 * size + 1);
	for (unsigned i = 0; i < size; i++)
		writer_format(&writer, "%02x", octets[i]);
	return writer_string_done(&writer);
}

static bool add_credentials(struct directory *directory, const char *account, char list[35])
{
	struct sip_digest_secret secret;
	char md5[33], sha256[65];
	sip_digest_derive(TEXT("pbx"), TEXT(COST_BASE), TEXT("secret"), &secret);
	return add(directory, list, DIRECTORY_CREDENTIAL_LIST, "account", account, "name", "users",
		   NULL) &&
	       add(directory, NULL, DIRECTORY_CREDENTIAL, "list", list, "user", "pbx", "realm",
		   COST_BASE, "ha1_md5", hex(secret.md5, sizeof(secret.md5), md5), "ha1_sha256",
		   hex(secret.sha256, sizeof(secret.sha256), sha256), NULL);
}

static bool add_numbers(struct directory *directory, const char *account, const char *trunk,
			struct cost_trunk *row, unsigned first, unsigned count)
{
	bool is_good = true;
	for (unsigned i = 0; i < count && is_good; i++)
		is_good = add(directory, NULL, DIRECTORY_NUMBER, "account", account, "e164",
			      format(row->number, sizeof(row->number), "+1415%07u", first + i),
			      "trunk", trunk, NULL);
	return is_good;
}

static bool add_trunk(struct cost_world *world, struct directory *directory, unsigned nth,
		      const struct cost_size *size, const char *shared, bool has_digest)
{
	struct cost_trunk *row = &world->trunks[nth];
	unsigned entries = size->entries / size->trunks, numbers = size->numbers / size->trunks;
	char account[35], acl[35], list[35] = "", trunk[35], name[16], room[ADDRESS_TEXT_SIZE];
	bool is_good = add(directory, account, DIRECTORY_ACCOUNT, "name",
			   format(name, sizeof(name), "account %u", nth), NULL) &&
		       (!has_digest || add_credentials(directory, account, list));
	if (shared != NULL)
		memcpy(acl, shared, 35);
	else
		is_good = is_good &&
			  add(directory, acl, DIRECTORY_ACL, "account", account, "name", "office",
			      NULL) &&
			  add_entries(directory, acl, nth * entries, entries, &row->source);
	if (shared != NULL)
		write_entry(nth * entries, room, &row->source);
	return is_good &&
	       add(directory, trunk, DIRECTORY_TRUNK, "account", account, "domain",
		   format(row->domain, sizeof(row->domain), "pbx-%u", nth), "acls", acl,
		   "credential_lists", list, NULL) &&
	       add_numbers(directory, account, trunk, row, nth * numbers, numbers);
}

static bool fill(struct cost_world *world, struct directory *directory,
		 const struct cost_size *size, bool is_shared, bool has_digest)
{
	char acl[35], account[35], room[17];
	struct address inside;
	bool is_good =
		add(directory, account, DIRECTORY_ACCOUNT, "name", "all", NULL) &&
		add(directory, acl, DIRECTORY_ACL, "account", account, "name", "shared", NULL);
	if (is_shared)
		is_good = is_good && add_entries(directory, acl, 0, size->entries, &inside);
	for (unsigned i = 0; i < size->blocked && is_good; i++)
		is_good = add(directory, NULL, DIRECTORY_BLOCKED_NUMBER, "e164",
			      format(room, sizeof(room), "+1900%07u", i), NULL);
	for (unsigned i = 0; i < size->trunks && is_good; i++)
		is_good = add_trunk(world, directory, i, size, is_shared ? acl : NULL, has_digest);
	return is_good;
}

bool cost_world_create(struct cost_world *world, const struct cost_size *size, bool is_shared,
		       bool has_digest)
{
	struct directory *directory = directory_create(TEXT(COST_BASE));
	*world = (struct cost_world){ .clock = { .now_ms = 5000000 }, .count = size->trunks };
	world->trunks = calloc(size->trunks, sizeof(*world->trunks));
	world->calls.clock = &world->clock;
	world->calls.directory = directory;
	world->calls.dialogs = sip_dialogs_create(1024);
	world->calls.digest = sip_digest_create(&world->clock, TEXT(COST_BASE), 120);
	if (!directory || !world->trunks || !world->calls.dialogs || !world->calls.digest)
		return false;
	sip_digest_offer(world->calls.digest, SIP_DIGEST_OFFER_MD5);
	return fill(world, directory, size, is_shared, has_digest);
}
