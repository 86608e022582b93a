// The rules an object has to keep with the others, before a change is sent to the store, which repeats
// those that another node could break meanwhile.
// Runs on: control thread. Never changes anything.

#include <string.h>

#include "config/edges.h"
#include "directory/index/peers.h"
#include "directory/mirror.h"
#include "directory/number.h"
#include "directory/room.h"
#include "directory/value.h"

struct check {
	const struct directory *directory;
	const struct directory_object *object;
	const struct directory_object *before; // what it replaces; NULL: new
	struct directory_problem *problem;
	struct directory_object *const *group; // that come with it, and are not in the mirror
	unsigned group_count;
};

static bool is_reference(const struct directory_field *row)
{
	return row->type == DIRECTORY_REFERENCE || row->type == DIRECTORY_REFERENCES;
}

static enum status check_identity(const struct check *check, bool is_new)
{
	const struct directory_object *object = check->object;
	const char *name = directory_schema(object->kind)->name;
	if (is_new && check->before) {
		directory_problem_set(check->problem, "sid", "%s is taken", object->sid);
		return ERR_CONFLICT;
	}
	if (is_new)
		return OK;
	if (!check->before || check->before->kind != object->kind) {
		directory_problem_set(check->problem, "sid", "there is no %s %s", name,
				      object->sid);
		return ERR_NOT_FOUND;
	}
	if (check->before->version != object->version) {
		directory_problem_set(
			check->problem, "version",
			"the %s was changed meanwhile (version %lu, yours is based on "
			"%lu): look at it again, then repeat",
			name, check->before->version, object->version);
		return ERR_CONFLICT;
	}
	return OK;
}

static enum status check_presence(const struct check *check, unsigned field)
{
	const struct directory_field *row = &directory_schema(check->object->kind)->fields[field];
	const char *value = check->object->values[field];
	if (row->is_required && !value) {
		if (row->is_hidden)
			directory_problem_set(check->problem, "password", "is required");
		else
			directory_problem_set(check->problem, row->name, "is required: %s",
					      row->text);
		return ERR_MALFORMED;
	}
	if (!check->before || !row->is_fixed)
		return OK;
	if (text_is_equal(text_of(value), text_of(check->before->values[field])))
		return OK;
	directory_problem_set(check->problem, row->name,
			      "cannot be changed; remove the %s and add another",
			      directory_schema(check->object->kind)->name);
	return ERR_CONFLICT;
}

static const struct directory_object *find_object(const struct check *check, struct text sid)
{
	for (unsigned i = 0; i < check->group_count; i++)
		if (text_is_equal(text_of(check->group[i]->sid), sid))
			return check->group[i];
	const struct directory_entry *entry = directory_mirror_entry(check->directory, sid);
	return entry ? entry->object : NULL;
}

static const struct directory_object *find_holder(const struct check *check, unsigned field,
						  struct text key)
{
	char room[DIRECTORY_KEY_SIZE];
	for (unsigned i = 0; i < check->group_count; i++) {
		struct writer other = writer_of(room, sizeof(room));
		if (check->group[i]->kind == check->object->kind &&
		    directory_relation_key_of(check->group[i], field, &other) &&
		    text_is_equal(writer_done(&other), key))
			return check->group[i];
	}
	const struct directory_entry *entry = directory_mirror_unique(check->directory, key);
	return entry ? entry->object : NULL;
}

static enum status check_unique(const struct check *check, unsigned field)
{
	char room[DIRECTORY_KEY_SIZE];
	struct writer key = writer_of(room, sizeof(room));
	if (!directory_relation_key_of(check->object, field, &key))
		return OK;
	const struct directory_object *holder = find_holder(check, field, writer_done(&key));
	if (!holder || strcmp(holder->sid, check->object->sid) == 0)
		return OK;
	directory_problem_set(check->problem,
			      directory_schema(check->object->kind)->fields[field].name,
			      "'%s' is taken by %s", check->object->values[field], holder->sid);
	return ERR_CONFLICT;
}

static enum status check_reference(const struct check *check, const struct directory_field *row,
				   struct text sid)
{
	const struct directory_object *target = find_object(check, sid);
	const char *kind = directory_schema(row->refers_to)->name;
	if (!target || target->kind != row->refers_to) {
		directory_problem_set(check->problem, row->name, "there is no %s %.*s", kind,
				      TEXT_FORMAT(sid));
		return ERR_NOT_FOUND;
	}
	struct text own = directory_object_get(check->object, "account");
	struct text theirs = directory_object_get(target, "account");
	if (own.size == 0 || theirs.size == 0 || text_is_equal(own, theirs))
		return OK;
	directory_problem_set(
		check->problem, row->name,
		"%s %.*s belongs to another account, %.*s; only those of %.*s may be used", kind,
		TEXT_FORMAT(sid), TEXT_FORMAT(theirs), TEXT_FORMAT(own));
	return ERR_FORBIDDEN;
}

static enum status check_references(const struct check *check, unsigned field)
{
	const struct directory_field *row = &directory_schema(check->object->kind)->fields[field];
	struct text rest = text_of(check->object->values[field]), sid;
	enum status status = OK;
	if (!is_reference(row))
		return OK;
	while (status == OK && (sid = directory_value_next(&rest)).size > 0)
		status = check_reference(check, row, sid);
	return status;
}

// Sub-accounts are one level deep: an account above is nobody's sub-account.
static enum status check_parent(const struct check *check)
{
	const struct directory_object *object = check->object;
	struct text parent = object->kind == DIRECTORY_ACCOUNT
				     ? directory_object_get(object, "parent")
				     : TEXT_NONE;
	const struct directory_entry *above = directory_mirror_entry(check->directory, parent);
	if (!above || directory_object_get(above->object, "parent").size == 0)
		return OK;
	directory_problem_set(check->problem, "parent",
			      "is itself a sub-account, of %.*s; allowed: an account that is none",
			      TEXT_FORMAT(directory_object_get(above->object, "parent")));
	return ERR_CONFLICT;
}

// The mirror's count; the store counts again when it writes.
static enum status check_room(const struct check *check)
{
	struct directory_room room;
	if (!directory_room_of(check->directory, check->object, &room))
		return OK;
	unsigned used = directory_room_used(check->directory, &room);
	return used < room.most
		       ? OK
		       : directory_room_refuse(check->directory, &room, used, check->problem);
}

// TERM-010: whose trunks may be below one of the owner's: its own, and its sub-accounts'.
static bool may_be_below(const struct check *check, const struct directory_object *owner)
{
	struct text above = directory_object_get(owner, "account");
	struct text account = directory_object_get(check->object, "account");
	const struct directory_entry *entry = directory_mirror_entry(check->directory, account);
	return text_is_equal(above, account) ||
	       (entry && text_is_equal(above, directory_object_get(entry->object, "parent")));
}

// TERM-009: the parent first. TERM-010: of the same account or the one above. TERM-011: and it keeps its
// name.
static enum status check_domain(const struct check *check)
{
	const struct directory_object *object = check->object;
	struct text parent = directory_relation_parent(object);
	struct text before = check->before && object->kind == DIRECTORY_TRUNK
				     ? directory_object_get(check->before, "domain")
				     : TEXT_NONE;
	const struct directory_object *owner =
		parent.size > 0 ? directory_relation_owner(check->directory, parent) : NULL;
	if (parent.size > 0 && (!owner || strcmp(owner->sid, object->sid) == 0)) {
		directory_problem_set(check->problem, "domain",
				      "a sub-domain needs a trunk with the domain '%.*s' first; "
				      "or use dashes instead of dots",
				      TEXT_FORMAT(parent));
		return ERR_CONFLICT;
	}
	if (owner && !may_be_below(check, owner)) {
		directory_problem_set(check->problem, "domain",
				      "its parent domain '%.*s' belongs to another account; "
				      "allowed: one of the same account, or of its parent's",
				      TEXT_FORMAT(parent));
		return ERR_FORBIDDEN;
	}
	const struct mirror_group *below =
		before.size > 0 && !text_is_equal(before, directory_object_get(object, "domain"))
			? directory_mirror_group(check->directory, before, DIRECTORY_TRUNK)
			: NULL;
	if (!below)
		return OK;
	directory_problem_set(check->problem, "domain", "'%.*s' is the parent domain of trunk %s",
			      TEXT_FORMAT(before), below->first->entry->object->sid);
	return ERR_CONFLICT;
}

// A group that nobody is in is most likely misspelt, and its calls would hear 503.
static enum status check_groups(const struct check *check)
{
	bool is_route = check->object->kind == DIRECTORY_ROUTE;
	struct text rest = is_route ? directory_object_get(check->object, "groups") : TEXT_NONE;
	struct text group;
	while ((group = directory_value_next(&rest)).size > 0) {
		const struct directory_entry *entry =
			check->directory->kinds[DIRECTORY_CARRIER].first;
		while (entry && !text_is_equal(text_of(entry->view.carrier.group), group))
			entry = entry->next;
		if (entry)
			continue;
		directory_problem_set(
			check->problem, "groups",
			"no carrier is in group '%.*s'; change carrier NAME group=%.*s "
			"first, or see show carriers for those there are",
			TEXT_FORMAT(directory_value_shown(group)),
			TEXT_FORMAT(directory_value_shown(group)));
		return ERR_NOT_FOUND;
	}
	return OK;
}

// NET-013: told before a call fails for it; what was there before the edge was closed may still be changed.
static enum status check_edge(const struct check *check)
{
	const struct directory_object *object = check->object;
	struct text uri = object->kind == DIRECTORY_ORIGINATION_URI
				  ? directory_object_get(object, "uri")
				  : TEXT_NONE;
	const struct edges_config *edges = check->directory->rules.edges;
	struct directory_uri parts;
	bool is_old =
		check->before && text_is_equal(uri, directory_object_get(check->before, "uri"));
	if (uri.size == 0 || is_old || edges == NULL || directory_uri_read(uri, &parts) != NULL)
		return OK;
	const struct directory_object *trunk =
		find_object(check, directory_object_get(object, "trunk"));
	struct text account = trunk ? directory_object_get(trunk, "account") : TEXT_NONE;
	if (config_edge_is_open(edges, parts.tnx, parts.edge, account))
		return OK;
	directory_problem_set(check->problem, "uri",
			      "names the connection '%s', which is not open to account %.*s: the "
			      "operator lists it in edges.accounts, or leave tnx and edge out",
			      parts.tnx[0] ? parts.tnx : parts.edge, TEXT_FORMAT(account));
	return ERR_FORBIDDEN;
}

static enum status check_object(struct check *check, bool is_new)
{
	static enum status (*const by_field[])(const struct check *, unsigned) = { check_presence,
										   check_references,
										   check_unique };
	const struct directory_object *object = check->object;
	const struct directory_entry *entry =
		directory_mirror_entry(check->directory, text_of(object->sid));
	check->before = entry ? entry->object : NULL;
	unsigned field_count = directory_schema(object->kind)->field_count;
	enum status status = check_identity(check, is_new);
	for (unsigned rule = 0; rule < sizeof(by_field) / sizeof(by_field[0]); rule++) {
		for (unsigned i = 0; status == OK && i < field_count; i++)
			status = by_field[rule](check, i);
	}
	if (status == OK)
		status = directory_number_check(object, check->problem);
	if (status == OK)
		status = check_parent(check);
	if (status == OK)
		status = check_room(check);
	if (status == OK)
		status = check_domain(check);
	if (status == OK)
		status = check_groups(check);
	return status == OK ? check_edge(check) : status;
}

enum status directory_check(const struct directory *directory,
			    const struct directory_object *object, bool is_new,
			    struct directory_problem *out_problem)
{
	struct check check = { .directory = directory, .object = object, .problem = out_problem };
	return check_object(&check, is_new);
}

enum status directory_check_group(const struct directory *directory,
				  struct directory_object *const *objects, unsigned count,
				  struct directory_problem *out_problem)
{
	enum status status = OK;
	for (unsigned i = 0; status == OK && i < count; i++) {
		struct check check = { .directory = directory,
				       .object = objects[i],
				       .problem = out_problem,
				       .group = objects,
				       .group_count = i };
		status = check_object(&check, objects[i]->version == 0);
	}
	return status;
}

// Writes the first few who refer to the target, and counts all.
static unsigned write_referrers(const struct directory *directory, struct text target,
				enum directory_kind kind, struct writer *out)
{
	const struct mirror_group *group = directory_mirror_group(directory, target, kind);
	const struct mirror_link *link = group ? group->first : NULL;
	unsigned count = 0;
	for (; link; link = link->next) {
		if (link->is_released)
			continue;
		struct writer longer = *out;
		writer_format(&longer, "%s%s %s", out->used > 0 ? ", " : "",
			      directory_schema(kind)->name, link->entry->object->sid);
		if (!longer.failed)
			*out = longer;
		count++;
	}
	return count;
}

enum status directory_check_removal(const struct directory *directory,
				    const struct directory_object *object,
				    struct directory_problem *out_problem)
{
	char room[130];
	struct writer out = writer_of(room, sizeof(room));
	unsigned count = 0;
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++)
		count += write_referrers(directory, text_of(object->sid), (enum directory_kind)kind,
					 &out);
	struct text domain = object->kind == DIRECTORY_TRUNK
				     ? directory_object_get(object, "domain")
				     : TEXT_NONE;
	if (domain.size > 0)
		count += write_referrers(directory, domain, DIRECTORY_TRUNK, &out);
	if (count == 0)
		return OK;
	directory_problem_set(out_problem, "sid", "still used by %u: %s", count,
			      writer_string_done(&out));
	return ERR_CONFLICT;
}

// ORIG-013: who writes sips may expect TLS all the way.
static bool hint_origination(const struct directory_object *object,
			     struct directory_problem *out_hint)
{
	struct directory_uri uri;
	if (directory_uri_read(directory_object_get(object, "uri"), &uri) != NULL || !uri.is_sips)
		return false;
	directory_problem_set(
		out_hint, "uri",
		"sips is sent as sip with transport=tls, from here to that host and no "
		"further: write sip: and transport=tls instead");
	return true;
}

static bool hint_address(const struct directory_object *object, struct directory_problem *out_hint)
{
	struct prefix prefix;
	if (!prefix_parse(directory_object_get(object, "address"), &prefix) ||
	    !directory_peers_is_wide(&prefix))
		return false;
	directory_problem_set(
		out_hint, "address",
		"so many addresses make nobody a known peer, and let in whoever is at "
		"one of them: attach a credential list to the trunk");
	return true;
}

bool directory_hint(const struct directory_object *object, struct directory_problem *out_hint)
{
	if (object->kind == DIRECTORY_ORIGINATION_URI)
		return hint_origination(object, out_hint);
	if (object->kind == DIRECTORY_ACL_ADDRESS)
		return hint_address(object, out_hint);
	if (object->kind != DIRECTORY_TRUNK)
		return false;
	bool has_acl = directory_object_get(object, "acls").size > 0;
	bool has_list = directory_object_get(object, "credential_lists").size > 0;
	if (directory_object_get(object, "domain").size == 0)
		directory_problem_set(out_hint, "domain", "without a domain it can place no calls");
	else if (!has_acl && !has_list)
		directory_problem_set(
			out_hint, "credential_lists",
			"it can place calls once an ACL or a credential list is attached");
	else if (!has_list)
		directory_problem_set(
			out_hint, "credential_lists",
			"an ACL alone does not stop every attack: attach a credential "
			"list too");
	else if (directory_relation_parent(object).size > 0)
		directory_problem_set(out_hint, "domain",
				      "dashes read better than dots, and need no parent domain");
	else
		return false;
	return true;
}
