// What is in the zone against what should be. Runs on the publisher's thread. Never touches a name that
// does not carry our mark.

#include "names/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define KNOWN_EXPECTED 1024

enum order { ORDER_ADD, ORDER_REPLACE, ORDER_REMOVE };

struct known { // a name of the zone
	struct map_node node;
	uint64_t sum; // of its addresses, in any order
	bool is_there, is_ours, is_wanted;
	char name[];
};

struct job {
	struct names_server *server;
	const struct names_plan *plan;
	struct names_update *update; // being filled; NULL: none
	struct names_outcome *outcome;
	unsigned added, replaced, removed; // in it
	struct map known;
};

static bool known_is_equal(const struct map_node *node, const void *key)
{
	const struct known *known = map_entry(node, struct known, node);
	return text_is_equal(*(const struct text *)key, text_of(known->name));
}

static struct known *find(const struct job *job, struct text name)
{
	struct map_node *node = map_find(&job->known, map_hash(name), known_is_equal, &name);
	return node ? map_entry(node, struct known, node) : NULL;
}

static uint64_t sum_of(const struct address *address, uint32_t ttl_s)
{
	char room[ADDRESS_TEXT_SIZE + 16];
	struct writer writer = writer_of(room, sizeof(room));
	address_write_host(address, &writer);
	writer_format(&writer, " %u", ttl_s);
	return map_hash(writer_done(&writer));
}

static uint64_t sum_of_form(const struct names_form *form, uint32_t ttl_s)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < form->count; i++)
		sum += sum_of(&form->addresses[i], ttl_s);
	return sum;
}

static bool is_below(struct text name, const char *suffix)
{
	size_t size = strlen(suffix);
	return name.size > size + 1 && text_has_suffix_same(name, text_of(suffix)) &&
	       name.data[name.size - size - 1] == '.';
}

// All that is marked, and whatever stands where a name of ours could.
static bool is_of_interest(const struct job *job, const struct names_record *record)
{
	if (record->is_mark || text_is_equal(record->name, text_of(job->plan->api.suffix)))
		return true;
	for (unsigned i = 0; i < job->plan->form_count; i++)
		if (is_below(record->name, job->plan->forms[i].suffix))
			return true;
	return false;
}

static bool note(void *context, const struct names_record *record)
{
	struct job *job = context;
	if (!is_of_interest(job, record))
		return true;
	struct known *known = find(job, record->name);
	if (!known) {
		known = calloc(1, sizeof(*known) + record->name.size + 1);
		if (!known)
			return false;
		memcpy(known->name, record->name.data, record->name.size);
		map_add(&job->known, &known->node, map_hash(record->name));
	}
	known->is_ours |= record->is_mark;
	known->is_there |= !record->is_mark;
	if (record->address.family != ADDRESS_NONE)
		known->sum += sum_of(&record->address, record->ttl_s);
	return true;
}

static void forget(struct job *job)
{
	size_t bucket = 0;
	struct map_node *node = map_next(&job->known, &bucket, NULL);
	while (node) {
		struct map_node *next = map_next(&job->known, &bucket, node);
		free(map_entry(node, struct known, node));
		node = next;
	}
	map_clear(&job->known);
}

static enum status send(struct job *job)
{
	if (!job->update)
		return OK;
	enum status status = names_update_send(job->update, job->outcome->problem);
	names_update_destroy(job->update);
	job->update = NULL;
	if (status == OK) {
		job->outcome->added += job->added;
		job->outcome->replaced += job->replaced;
		job->outcome->removed += job->removed;
		job->outcome->names += job->added + job->replaced;
	}
	job->added = job->replaced = job->removed = 0;
	return status;
}

static enum status give(struct job *job, enum order order, const char *name,
			const struct names_addresses *addresses)
{
	bool is_good = false;
	if (!job->update)
		job->update = names_update_create(job->server);
	if (!job->update)
		return ERR_MEMORY;
	switch (order) {
	case ORDER_ADD:
		is_good = names_update_add(job->update, name, addresses);
		job->added++;
		break;
	case ORDER_REPLACE:
		is_good = names_update_replace(job->update, name, addresses);
		job->replaced++;
		break;
	case ORDER_REMOVE:
		is_good = names_update_remove(job->update, name);
		job->removed++;
		break;
	}
	if (!is_good)
		return ERR_MEMORY;
	return names_update_is_full(job->update) ? send(job) : OK;
}

static enum status want(struct job *job, const char *name, const struct names_form *form,
			uint32_t ttl_s)
{
	const struct names_addresses addresses = { form->addresses, form->count, ttl_s };
	struct known *known = find(job, text_of(name));
	if (!known)
		return give(job, ORDER_ADD, name, &addresses);
	known->is_wanted = true;
	if (!known->is_ours) {
		job->outcome->conflicts++;
		text_copy_cut(text_of(name), job->outcome->conflict,
			      sizeof(job->outcome->conflict));
		return OK;
	}
	if (!known->is_there || known->sum != sum_of_form(form, ttl_s))
		return give(job, ORDER_REPLACE, name, &addresses);
	job->outcome->names++;
	return OK;
}

static enum status want_all(struct job *job, const struct names_list *wanted)
{
	const struct names_plan *plan = job->plan;
	char name[NAMES_NAME_SIZE];
	enum status status = OK;
	if (plan->api.suffix[0] != '\0')
		status = want(job, plan->api.suffix, &plan->api, plan->api_ttl_s);
	for (unsigned i = 0; i < wanted->count; i++)
		for (unsigned form = 0; status == OK && form < plan->form_count; form++)
			if (names_plan_host(plan, text_of(wanted->domains[i]), form, name))
				status = want(job, name, &plan->forms[form], plan->ttl_s);
	return status;
}

static enum status remove_rest(struct job *job)
{
	size_t bucket = 0;
	enum status status = OK;
	struct map_node *node = map_next(&job->known, &bucket, NULL);
	for (; status == OK && node; node = map_next(&job->known, &bucket, node)) {
		const struct known *known = map_entry(node, struct known, node);
		if (known->is_ours && !known->is_wanted)
			status = give(job, ORDER_REMOVE, known->name, NULL);
	}
	return status;
}

static enum status finish(struct job *job, enum status status)
{
	if (status == OK)
		status = send(job);
	else if (status == ERR_MEMORY)
		text_copy_cut(TEXT("out of memory"), job->outcome->problem,
			      sizeof(job->outcome->problem));
	names_update_destroy(job->update);
	return status;
}

enum status names_reconcile(struct names_server *server, const struct names_plan *plan,
			    const struct names_list *wanted, struct names_outcome *out_outcome)
{
	struct job job = { .server = server, .plan = plan, .outcome = out_outcome };
	*out_outcome = (struct names_outcome){ 0 };
	if (!map_init(&job.known, KNOWN_EXPECTED))
		return ERR_MEMORY;
	enum status status = names_server_read(server, note, &job, out_outcome->problem);
	if (status == OK)
		status = want_all(&job, wanted);
	if (status == OK)
		status = remove_rest(&job);
	status = finish(&job, status);
	forget(&job);
	return status;
}

static enum status give_domain(struct job *job, enum order order, const char *domain)
{
	const struct names_plan *plan = job->plan;
	char name[NAMES_NAME_SIZE];
	enum status status = OK;
	for (unsigned form = 0; status == OK && form < plan->form_count; form++) {
		const struct names_addresses addresses = { plan->forms[form].addresses,
							   plan->forms[form].count, plan->ttl_s };
		if (names_plan_host(plan, text_of(domain), form, name))
			status = give(job, order, name, &addresses);
	}
	return status;
}

// Both lists are sorted: one walk along both.
enum status names_follow(struct names_server *server, const struct names_plan *plan,
			 const struct names_list *before, const struct names_list *after,
			 struct names_outcome *out_outcome)
{
	struct job job = { .server = server, .plan = plan, .outcome = out_outcome };
	unsigned old = 0, new = 0;
	enum status status = OK;
	*out_outcome = (struct names_outcome){ 0 };
	while (status == OK && (old < before->count || new < after->count)) {
		int order = old == before->count ? 1
			    : new == after->count
				    ? -1
				    : strcmp(before->domains[old], after->domains[new]);
		if (order < 0)
			status = give_domain(&job, ORDER_REMOVE, before->domains[old]);
		else if (order > 0)
			status = give_domain(&job, ORDER_ADD, after->domains[new]);
		old += order <= 0;
		new += order >= 0;
	}
	return finish(&job, status);
}
