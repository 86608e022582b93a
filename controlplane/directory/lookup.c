// What calls ask of the mirror: each answer costs a few hashes, whatever the number of customers.
// Runs on: control thread. Never allocates; what it returns is the mirror's own.

#include "config/accounts.h"
#include "config/edges.h"
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

static struct text domain_of(const struct directory *directory, struct text host)
{
	struct text base = text_of(directory->base_domain);
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
	return take_suffix(&below, platform) || domain_of(directory, writer_done(&longer)).size > 0;
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

const struct trunk *directory_trunk_by_host(const struct directory *directory, struct text host)
{
	char room[DIRECTORY_NAME_SIZE];
	struct text domain = domain_of(directory, host);
	if (domain.size == 0 || !text_copy(domain, room, sizeof(room)))
		return NULL;
	for (char *at = room; *at; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
	domain.data = room;
	const struct directory_entry *entry =
		find_unique(directory, DIRECTORY_TRUNK, TEXT("domain"), TEXT_NONE, domain);
	return entry ? &entry->view.trunk : NULL;
}

static const struct directory_entry *find(const struct directory *directory,
					  enum directory_kind kind, struct text sid)
{
	const struct directory_entry *entry = directory_mirror_entry(directory, sid);
	return entry && entry->object->kind == kind ? entry : NULL;
}

const struct trunk *directory_trunk(const struct directory *directory, const char *sid)
{
	const struct directory_entry *entry = find(directory, DIRECTORY_TRUNK, text_of(sid));
	return entry ? &entry->view.trunk : NULL;
}

const struct account *directory_account(const struct directory *directory, const char *sid)
{
	const struct directory_entry *entry = find(directory, DIRECTORY_ACCOUNT, text_of(sid));
	return entry ? &entry->view.account : NULL;
}

bool directory_account_is_active(const struct directory *directory, const struct account *account)
{
	if (account == NULL || !account->is_active)
		return false;
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

static const struct account *account_of_list(const struct directory *directory, struct text list)
{
	const struct directory_entry *entry = find(directory, DIRECTORY_ACL, list);
	const struct text sid = entry ? directory_object_get(entry->object, "account") : TEXT_NONE;
	entry = find(directory, DIRECTORY_ACCOUNT, sid);
	return entry ? &entry->view.account : NULL;
}

const struct account *directory_account_by_source(const struct directory *directory,
						  const struct address *source)
{
	const struct account *found = NULL;
	const struct directory_entry *entry = directory->kinds[DIRECTORY_ACL_ADDRESS].first;
	for (; entry; entry = entry->next) {
		if (!prefix_contains(&entry->view.prefix, source))
			continue;
		const struct account *account =
			account_of_list(directory, directory_object_get(entry->object, "acl"));
		if (found && account && account != found)
			return NULL;
		found = account ? account : found;
	}
	return found;
}

static struct text lists_of(const struct directory *directory, const struct trunk *trunk,
			    const char *field)
{
	const struct directory_entry *entry = find(directory, DIRECTORY_TRUNK, text_of(trunk->sid));
	return entry ? directory_object_get(entry->object, field) : TEXT_NONE;
}

bool directory_trunk_allows(const struct directory *directory, const struct trunk *trunk,
			    const struct address *source)
{
	struct text lists = lists_of(directory, trunk, "acls"), list;
	while ((list = directory_value_next(&lists)).size > 0) {
		const struct mirror_group *group =
			directory_mirror_group(directory, list, DIRECTORY_ACL_ADDRESS);
		const struct mirror_link *link = group ? group->first : NULL;
		for (; link; link = link->next) {
			if (prefix_contains(&link->entry->view.prefix, source))
				return true;
		}
	}
	return false;
}

const struct credential *directory_trunk_credential(const struct directory *directory,
						    const struct trunk *trunk, struct text user)
{
	struct text lists = lists_of(directory, trunk, "credential_lists"), list;
	while ((list = directory_value_next(&lists)).size > 0) {
		const struct directory_entry *entry =
			find_unique(directory, DIRECTORY_CREDENTIAL, TEXT("user"), list, user);
		if (entry)
			return &entry->view.credential;
	}
	return NULL;
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
	return find_unique(directory, DIRECTORY_BLOCKED_NUMBER, TEXT("e164"), TEXT_NONE, e164) !=
	       NULL;
}

const struct number *directory_number(const struct directory *directory, struct text e164)
{
	const struct directory_entry *entry =
		find_unique(directory, DIRECTORY_NUMBER, TEXT("e164"), TEXT_NONE, e164);
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
