// New lists within the command that adds or changes a trunk. Runs on the control thread. Must never keep a
// password: it goes to admin_change_fill, which hashes it.

#include "admin/trunk/lists.h"

#include <string.h>

#include "admin/change.h"
#include "directory/object.h"
#include "store/store.h"

_Static_assert(ADMIN_TRUNK_GROUP_MAX == STORE_GROUP_MAX, "one command is one group");
#define ADDRESSES_MAX (ADMIN_TRUNK_GROUP_MAX - 4) // besides both lists, the user and the trunk
#define SIDS_SIZE 2048

enum word { ACL, ADDRESSES, LIST, USER, PASSWORD, WORD_COUNT };

static const struct {
	const char *name, *text;
} WORDS[WORD_COUNT] = {
	[ACL] = { "new_acl", "Makes an ACL of that name and attaches it (AUTH-018)." },
	[ADDRESSES] = { "new_acl_addresses", "Addresses and prefixes in the new ACL, eight at "
					     "most, separated by spaces." },
	[LIST] = { "new_credential_list",
		   "Makes a credential list of that name and attaches it (AUTH-018)." },
	[USER] = { "new_user", "The first user in the new credential list." },
	[PASSWORD] = { "password", "The new user's; only its hashes are kept." },
};

struct wanted {
	struct text values[WORD_COUNT]; // data NULL: not among the words
};

static enum word word_of(struct text word)
{
	unsigned i = 0;
	struct text value = word, name = text_split(&value, '=');
	while (i < WORD_COUNT && !text_is_same(name, text_of(WORDS[i].name)))
		i++;
	return (enum word)i;
}

bool admin_trunk_is_of_list(struct text word)
{
	return text_find(word, '=') && word_of(word) < WORD_COUNT;
}

const char *admin_trunk_list_word(unsigned row, const char **out_text)
{
	if (row >= WORD_COUNT)
		return NULL;
	*out_text = WORDS[row].text;
	return WORDS[row].name;
}

static void read_words(const struct admin_change *change, struct wanted *wanted)
{
	for (unsigned i = 0; i < change->count; i++) {
		struct text value = change->words[i];
		enum word word = word_of(value);
		(void)text_split(&value, '=');
		if (word < WORD_COUNT)
			wanted->values[word] = value.data ? value : TEXT("");
	}
}

// Who names a part of a list names all of it.
static enum status check_words(const struct wanted *wanted, struct directory_problem *problem)
{
	static const struct {
		enum word given, needed;
	} NEEDS[] = { { ACL, ADDRESSES }, { ADDRESSES, ACL }, { LIST, USER },
		      { USER, LIST },     { USER, PASSWORD }, { PASSWORD, USER } };
	for (unsigned i = 0; i < sizeof(NEEDS) / sizeof(NEEDS[0]); i++) {
		enum word given = NEEDS[i].given, needed = NEEDS[i].needed;
		if (!wanted->values[given].data || wanted->values[needed].size > 0)
			continue;
		directory_problem_set(problem, WORDS[needed].name, "missing, %s needs it",
				      WORDS[given].name);
		return ERR_MALFORMED;
	}
	return OK;
}

// NULL: no memory, or no room.
static struct directory_object *add(struct admin_trunk_group *group, enum directory_kind kind)
{
	if (group->count == ADMIN_TRUNK_GROUP_MAX - 1) // the last one is the trunk's
		return NULL;
	struct directory_object *object = directory_object_create(kind);
	if (object)
		group->objects[group->count++] = object;
	return object;
}

static enum status attach(struct directory_object *trunk, const char *field, const char *sid,
			  struct directory_problem *problem)
{
	char room[SIDS_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	struct text before = directory_object_get(trunk, field);
	writer_format(&writer, "%.*s%s%s", TEXT_FORMAT(before), before.size > 0 ? " " : "", sid);
	return directory_object_set(trunk, text_of(field), writer_done(&writer), problem);
}

// A list of the trunk's account; its SID lives as long as the group.
static enum status make_list(struct directory_object *trunk, enum directory_kind kind,
			     struct text name, struct admin_trunk_group *group,
			     struct directory_problem *problem, const char **out_sid)
{
	struct directory_object *list = add(group, kind);
	if (!list)
		return ERR_MEMORY;
	const char *field = kind == DIRECTORY_ACL ? "acls" : "credential_lists";
	enum status status = directory_object_set(list, TEXT("account"),
						  directory_object_get(trunk, "account"), problem);
	if (status == OK)
		status = directory_object_set(list, TEXT("name"), name, problem);
	if (status == OK)
		status = attach(trunk, field, list->sid, problem);
	*out_sid = list->sid;
	return status;
}

static enum status make_addresses(const char *acl, struct text addresses,
				  struct admin_trunk_group *group,
				  struct directory_problem *problem)
{
	unsigned count = 0;
	enum status status = OK;
	while (status == OK && addresses.size > 0) {
		struct text address = text_split(&addresses, ' ');
		if (address.size == 0)
			continue;
		if (count++ == ADDRESSES_MAX) {
			directory_problem_set(problem, WORDS[ADDRESSES].name,
					      "allowed: %d at once; add acl_address adds more",
					      ADDRESSES_MAX);
			return ERR_TOO_LARGE;
		}
		struct directory_object *object = add(group, DIRECTORY_ACL_ADDRESS);
		if (!object)
			return ERR_MEMORY;
		status = directory_object_set(object, TEXT("acl"), text_of(acl), problem);
		if (status == OK)
			status = directory_object_set(object, TEXT("address"), address, problem);
	}
	return status;
}

static enum status make_user(const struct admin_change *change, const char *list,
			     struct admin_trunk_group *group, struct directory_problem *problem)
{
	struct text words[2];
	struct admin_change user = { change->context, change->directory, words, 0 };
	struct directory_object *object = add(group, DIRECTORY_CREDENTIAL);
	if (!object)
		return ERR_MEMORY;
	for (unsigned i = 0; i < change->count; i++) {
		enum word word = word_of(change->words[i]);
		if ((word == USER || word == PASSWORD) && user.count < 2)
			words[user.count++] = word == USER
						      ? text_cut(change->words[i], strlen("new_"))
						      : change->words[i];
	}
	enum status status = directory_object_set(object, TEXT("list"), text_of(list), problem);
	return status == OK ? admin_change_fill(&user, object, problem) : status;
}

enum status admin_trunk_make_lists(const struct admin_change *change,
				   struct directory_object *trunk,
				   struct admin_trunk_group *out_group,
				   struct directory_problem *problem)
{
	struct wanted wanted = { 0 };
	const char *sid = NULL;
	read_words(change, &wanted);
	out_group->count = 0;
	enum status status = check_words(&wanted, problem);
	if (status == OK && wanted.values[ACL].data) {
		status = make_list(trunk, DIRECTORY_ACL, wanted.values[ACL], out_group, problem,
				   &sid);
		if (status == OK)
			status = make_addresses(sid, wanted.values[ADDRESSES], out_group, problem);
	}
	if (status == OK && wanted.values[LIST].data) {
		status = make_list(trunk, DIRECTORY_CREDENTIAL_LIST, wanted.values[LIST], out_group,
				   problem, &sid);
		if (status == OK)
			status = make_user(change, sid, out_group, problem);
	}
	return status;
}
