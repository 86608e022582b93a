// What calls ask of the mirror: each answer costs a few hashes, whatever the number of customers.
// Runs on: control thread. Never allocates; what it returns is the mirror's own.

#include <stddef.h>

#include "config/accounts.h"
#include "config/edges.h"
#include "directory/index/expect.h"
#include "directory/mirror.h"
#include "directory/value.h"
#include "directory/verification/verification.h"

// Cuts ".suffix" off the end.
static bool take_suffix(struct text *host, struct text suffix)
{
	if (suffix.size == 0 || host->size < suffix.size + 2 ||
	    !text_has_suffix_same(*host, suffix) || host->data[host->size - suffix.size - 1] != '.')
		return false;
	host->size -= suffix.size + 1;
	return true;
}

// TERM-012 and TERM-013: where the base domain is "pstn.example.com", "acme.pstn.dublin.example.com"
// and "acme.pstn.ie1.example.com" name the same trunk as "acme.pstn.example.com".
static bool take_edge(const struct directory *directory, struct text *host)
{
	size_t dot = host->size;
	while (dot > 0 && host->data[dot - 1] != '.')
		dot--;
	if (dot == 0 || directory->rules.edges == NULL ||
	    config_edge_named(directory->rules.edges, text_cut(*host, dot)) == NULL)
		return false;
	host->size = dot - 1;
	return true;
}

static struct text domain_below(const struct directory *directory, struct text host,
				struct text base)
{
	struct text rest = base;
	struct text first = text_split(&rest, '.');
	if (host.size > 0 && host.data[host.size - 1] == '.')
		host.size--; // the root, written out (RFC 1034 3.1)
	struct text domain = host;
	if (take_suffix(&domain, base))
		return domain;
	if (take_suffix(&domain, rest) && take_edge(directory, &domain) &&
	    take_suffix(&domain, first))
		return domain;
	return TEXT_NONE;
}

static struct text domain_of(const struct directory *directory, struct text host)
{
	return domain_below(directory, host, text_of(directory->base_domain));
}

// "sip.example.com" where the base domain is "pstn.example.com".
static bool is_below_sip(const struct directory *directory, struct text host)
{
	char room[DIRECTORY_HOST_SIZE + 4];
	struct writer sip = writer_of(room, sizeof(room));
	struct text parent = text_of(directory->base_domain);
	(void)text_split(&parent, '.');
	writer_string(&sip, "sip.");
	writer_text(&sip, parent);
	return parent.size > 0 && domain_below(directory, host, writer_done(&sip)).size > 0;
}

// "x." before it makes of the bare domain, and of its localized forms, the name of a trunk.
bool directory_is_platform_host(const struct directory *directory, struct text host,
				struct text platform)
{
	char room[DIRECTORY_HOST_SIZE + 2];
	struct writer longer = writer_of(room, sizeof(room));
	writer_text(&longer, TEXT("x."));
	writer_text(&longer, host);
	struct text below = writer_done(&longer);
	if (below.size > 0 && below.data[below.size - 1] == '.')
		below.size--;
	return take_suffix(&below, platform) || domain_of(directory, below).size > 0 ||
	       is_below_sip(directory, below);
}

static const struct directory_entry *find_unique(const struct directory *directory,
						 enum directory_kind kind, struct text field,
						 struct text scope, struct text value)
{
	const struct directory_schema *schema = directory_schema(kind);
	unsigned index = directory_field_index(schema, field);
	char room[DIRECTORY_KEY_SIZE];
	struct writer key = writer_of(room, sizeof(room));
	if (!directory_relation_key(kind, &schema->fields[index], scope, value, &key))
		return NULL;
	return directory_mirror_unique(directory, writer_done(&key));
}

static const struct directory_entry *find(const struct directory *directory,
					  enum directory_kind kind, struct text sid)
{
	const struct directory_entry *entry = directory_mirror_entry(directory, sid);
	return entry && entry->kind == kind ? entry : NULL;
}

const struct account *directory_account(const struct directory *directory, const char *sid)
{
	const struct directory_entry *entry = find(directory, DIRECTORY_ACCOUNT, text_of(sid));
	return entry ? &entry->view.account : NULL;
}

// The entries of a trunk's only list; NULL: it has none, or several.
static const struct mirror_group *only_list(const struct directory *directory, unsigned count,
					    const char *lists, enum directory_kind kind)
{
	return count == 1 ? directory_mirror_group(directory, text_of(lists), kind) : NULL;
}

// Trunks are the directory's own: it may note with one what is found for it.
static const struct mirror_memo *memo_of(const struct directory *directory,
					 const struct trunk *trunk)
{
	union directory_view *view = map_entry((struct trunk *)trunk, union directory_view, trunk);
	struct mirror_memo *memo = &view->memo;
	if (memo->changes == directory->changes)
		return memo;
	memo->changes = directory->changes;
	memo->account = directory_account(directory, trunk->account_sid);
	memo->acl = only_list(directory, trunk->acl_count, memo->acls, DIRECTORY_ACL_ADDRESS);
	memo->users = only_list(directory, trunk->credential_list_count, memo->credential_lists,
				DIRECTORY_CREDENTIAL);
	return memo;
}

void directory_expect(const struct directory *directory, struct text called)
{
	directory_index_expect_number(directory, DIRECTORY_BLOCKED_NUMBER, called);
}

void directory_expect_more(const struct directory *directory, const struct trunk *trunk,
			   const struct address *source, struct text caller)
{
	const struct mirror_memo *memo = memo_of(directory, trunk);
	if (memo->acl)
		directory_index_expect_address(directory, memo->acl, source);
	if (memo->account)
		directory_index_expect_owned(directory, text_of(memo->account->sid), caller);
}

void directory_expect_user(const struct directory *directory, const struct trunk *trunk,
			   struct text user)
{
	const struct mirror_memo *memo = memo_of(directory, trunk);
	if (memo->users)
		directory_index_expect_credential(directory, memo->users, user);
}

// What calls ask of a trunk next, fetched at once and not one after the other.
static void expect_led(const struct directory_entry *entry)
{
	const struct mirror_memo *memo = &entry->view.memo;
	const char *account = (const char *)memo->account;
	__builtin_prefetch(account);
	__builtin_prefetch(account + DIRECTORY_LINE);
	__builtin_prefetch(memo->acl);
}

const struct trunk *directory_trunk_by_host(const struct directory *directory, struct text host)
{
	char room[DIRECTORY_NAME_SIZE];
	struct text domain = domain_of(directory, host);
	if (domain.size == 0 || !text_copy(domain, room, sizeof(room)))
		return NULL;
	for (char *at = room; *at; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
	domain.data = room;
	const struct directory_entry *entry = directory_index_trunk(directory, domain);
	if (!entry)
		return NULL;
	(void)memo_of(directory, &entry->view.trunk);
	expect_led(entry);
	return &entry->view.trunk;
}

const struct trunk *directory_trunk(const struct directory *directory, const char *sid)
{
	const struct directory_entry *entry = find(directory, DIRECTORY_TRUNK, text_of(sid));
	return entry ? &entry->view.trunk : NULL;
}

bool directory_account_is_active(const struct directory *directory, const struct account *account)
{
	if (account == NULL || !account->is_active || !account->has_parent)
		return account != NULL && account->is_active;
	const struct account *parent = directory_account(directory, account->parent_sid);
	return parent == NULL || parent->is_active;
}

const struct country_set *directory_countries(const struct directory *directory,
					      const struct account *account)
{
	static const struct country_set all = { .is_all = true };
	const struct accounts_config *accounts = directory->rules.accounts;
	if (account->has_countries)
		return &account->countries;
	return accounts != NULL ? &accounts->voice_countries.set : &all;
}

bool directory_allows_deprecated_tls(const struct directory *directory)
{
	return directory->deprecated_tls_count > 0;
}

const struct account *directory_trunk_account(const struct directory *directory,
					      const struct trunk *trunk)
{
	return memo_of(directory, trunk)->account;
}

bool directory_trunk_allows(const struct directory *directory, const struct trunk *trunk,
			    const struct address *source)
{
	const struct mirror_memo *memo = memo_of(directory, trunk);
	struct text lists = trunk->acl_count > 1 ? text_of(memo->acls) : TEXT_NONE, list;
	bool is_allowed = memo->acl && directory_index_has_address(directory, memo->acl, source);
	while (!is_allowed && (list = directory_value_next(&lists)).size > 0) {
		const struct mirror_group *group =
			directory_mirror_group(directory, list, DIRECTORY_ACL_ADDRESS);
		is_allowed = group && directory_index_has_address(directory, group, source);
	}
	return is_allowed;
}

const struct credential *directory_trunk_credential(const struct directory *directory,
						    const struct trunk *trunk, struct text user)
{
	const struct mirror_memo *memo = memo_of(directory, trunk);
	const struct mirror_group *group = memo->users;
	struct text lists =
		trunk->credential_list_count > 1 ? text_of(memo->credential_lists) : TEXT_NONE;
	struct text list;
	const struct directory_entry *entry =
		group ? directory_index_credential(directory, group, user) : NULL;
	while (!entry && (list = directory_value_next(&lists)).size > 0) {
		group = directory_mirror_group(directory, list, DIRECTORY_CREDENTIAL);
		entry = group ? directory_index_credential(directory, group, user) : NULL;
	}
	return entry ? &entry->view.credential : NULL;
}

bool directory_is_verified(const struct directory *directory, const struct account *account,
			   struct text e164)
{
	const struct directory_entry *entry = find_unique(
		directory, DIRECTORY_CALLER_ID, TEXT("e164"), text_of(account->sid), e164);
	return entry != NULL && !directory_verification_is_pending(entry->object);
}

bool directory_is_blocked(const struct directory *directory, struct text e164)
{
	return directory_index_number(directory, DIRECTORY_BLOCKED_NUMBER, e164) != NULL;
}

bool directory_has_number(const struct directory *directory, const struct account *account,
			  struct text e164)
{
	return directory_index_is_owned(directory, text_of(account->sid), e164);
}

const struct number *directory_number(const struct directory *directory, struct text e164)
{
	const struct directory_entry *entry =
		directory_index_number(directory, DIRECTORY_NUMBER, e164);
	return entry && entry->view.number.account_sid[0] ? &entry->view.number : NULL;
}

const struct carrier *directory_carrier(const struct directory *directory, const char *sid)
{
	const struct directory_entry *entry = find(directory, DIRECTORY_CARRIER, text_of(sid));
	return entry ? &entry->view.carrier : NULL;
}

unsigned directory_carriers(const struct directory *directory,
			    const struct carrier *out_carriers[DIRECTORY_CARRIERS_MAX])
{
	for (unsigned i = 0; i < directory->carrier_count; i++)
		out_carriers[i] = directory->carriers[i];
	return directory->carrier_count;
}
