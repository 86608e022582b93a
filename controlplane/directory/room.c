// The limits on how many objects there may be, one row for each kind that has one.
// Runs on: control thread. Never changes anything.

#include "directory/room.h"

#include <limits.h>

#include "config/accounts.h"
#include "directory/mirror.h"

// Whose places those of the kind take, by this field; and how many that one has.
struct rule {
	enum directory_kind kind;
	const char *holder; // NULL: all there are, when they are enabled
	unsigned (*most)(const struct directory *directory, const struct directory_entry *holder);
};

static bool is_trial(const struct directory_entry *account)
{
	return account && account->object->kind == DIRECTORY_ACCOUNT &&
	       account->view.account.is_trial;
}

static unsigned most_trunks(const struct directory *directory, const struct directory_entry *holder)
{
	const struct accounts_config *rules = directory->rules.accounts;
	if (!rules)
		return UINT_MAX;
	return is_trial(holder) ? rules->trial_trunks : rules->max_trunks;
}

static unsigned most_numbers(const struct directory *directory,
			     const struct directory_entry *holder)
{
	const struct accounts_config *rules = directory->rules.accounts;
	return rules && is_trial(holder) ? rules->trial_numbers : UINT_MAX;
}

static unsigned most_origination(const struct directory *directory,
				 const struct directory_entry *holder)
{
	(void)directory, (void)holder;
	return DIRECTORY_ORIGINATION_MAX;
}

static unsigned most_carriers(const struct directory *directory,
			      const struct directory_entry *holder)
{
	(void)directory, (void)holder;
	return DIRECTORY_CARRIERS_MAX;
}

static const struct rule rules[] = {
	{ DIRECTORY_TRUNK, "account", most_trunks },
	{ DIRECTORY_NUMBER, "account", most_numbers },
	{ DIRECTORY_ORIGINATION_URI, "trunk",
	  most_origination }, // disabled ones too: a switch away
	{ DIRECTORY_CARRIER, NULL, most_carriers },
};

static const struct rule *find_rule(enum directory_kind kind)
{
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].kind == kind)
			return &rules[i];
	return NULL;
}

bool directory_room_of(const struct directory *directory, const struct directory_object *object,
		       struct directory_room *out_room)
{
	const struct rule *rule = find_rule(object->kind);
	const struct directory_entry *known =
		directory_mirror_entry(directory, text_of(object->sid));
	if (!rule)
		return false;
	const char *field = rule->holder ? rule->holder : "enabled";
	struct text place = directory_object_get(object, field);
	struct text former = known ? directory_object_get(known->object, field) : TEXT_NONE;
	if (place.size == 0 || text_is_equal(place, former) ||
	    (!rule->holder && !text_is_equal(place, TEXT("true"))))
		return false;
	*out_room = (struct directory_room){ .kind = object->kind };
	if (rule->holder)
		text_copy_cut(place, out_room->holder, sizeof(out_room->holder));
	out_room->most = rule->most(directory, directory_mirror_entry(directory, place));
	return out_room->most < UINT_MAX;
}

unsigned directory_room_used(const struct directory *directory, const struct directory_room *room)
{
	if (!room->holder[0])
		return directory->carrier_count;
	const struct mirror_group *group =
		directory_mirror_group(directory, text_of(room->holder), room->kind);
	const struct mirror_link *link = group ? group->first : NULL;
	unsigned count = 0;
	for (; link; link = link->next)
		count++;
	return count;
}

enum status directory_room_refuse(const struct directory *directory,
				  const struct directory_room *room, unsigned used,
				  struct directory_problem *out_problem)
{
	const struct directory_entry *holder =
		directory_mirror_entry(directory, text_of(room->holder));
	if (room->kind == DIRECTORY_CARRIER)
		directory_problem_set(out_problem, "enabled", "at most %u carriers can be enabled",
				      room->most);
	else if (room->kind == DIRECTORY_ORIGINATION_URI)
		directory_problem_set(out_problem, "trunk",
				      "it has %u Origination URIs already, the most there may be: "
				      "remove one, or change it",
				      used);
	else
		directory_problem_set(
			out_problem, "account", "%.*s has %u %s already; allowed: %u%s",
			TEXT_FORMAT(holder ? directory_object_get(holder->object, "name")
					   : text_of(room->holder)),
			used, directory_schema(room->kind)->plural, room->most,
			is_trial(holder) ? " of an account of type trial" : "");
	return ERR_LIMIT;
}
