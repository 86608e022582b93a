// What DNS said, for the operator: every answer in memory with the time it has left, and what fails.
// Runs on the control thread; reads memory only.

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "sip/resolve/resolve.h"

#define ENTRIES_SHOWN 1000

static json_t *record_to_json(enum dns_type type, const struct dns_record *record)
{
	char room[DNS_NAME_SIZE + 64];
	struct writer writer = writer_of(room, sizeof(room));
	const char *name = record->name[0] != '\0' ? record->name : ".";
	if (type == DNS_SRV)
		writer_format(&writer, "%u %u %u %s", record->priority, record->weight,
			      record->port, name);
	else if (type == DNS_NAPTR)
		writer_format(&writer, "%u %u %s %s", record->priority, record->weight,
			      sip_protocol_name(record->protocol), name);
	else
		address_write_host(&record->address, &writer);
	return admin_json_text(writer_done(&writer));
}

static json_t *records_to_json(const struct dns_entry_facts *facts)
{
	json_t *array = json_array();
	for (unsigned i = 0; facts->answer != NULL && i < facts->answer->count; i++)
		(void)json_array_append_new(
			array, record_to_json(facts->type, &facts->answer->records[i]));
	return array;
}

static const char *state_of(const struct dns_entry_facts *facts)
{
	if (facts->answer == NULL)
		return facts->failure != NULL ? "failed" : "asked";
	if (facts->ttl_left_ms > 0)
		return "fresh";
	return facts->stale_left_ms > 0 ? "old" : "over";
}

static json_t *entry_to_json(const struct dns_entry_facts *facts)
{
	json_t *object = json_object();
	admin_json_set(object, "name", admin_json_string(facts->name));
	admin_json_set(object, "type", json_string(dns_type_name(facts->type)));
	admin_json_set(object, "state", json_string(state_of(facts)));
	admin_json_set(object, "outcome",
		       facts->answer != NULL ? json_string(dns_outcome_name(facts->answer->outcome))
					     : json_null());
	admin_json_set(object, "ttl_left_s", admin_json_number((facts->ttl_left_ms + 999) / 1000));
	admin_json_set(object, "alias",
		       facts->answer != NULL && facts->answer->alias[0] != '\0'
			       ? admin_json_string(facts->answer->alias)
			       : json_null());
	admin_json_set(object, "records", records_to_json(facts));
	admin_json_set(object, "failures", admin_json_number(facts->failures));
	admin_json_set(object, "failure",
		       facts->failure != NULL ? json_string(facts->failure) : json_null());
	return object;
}

static json_t *entries_to_json(const struct sip_resolver *resolver, struct text name)
{
	const struct dns_cache *cache = sip_resolver_cache(resolver);
	const struct dns_entry *entry = NULL;
	json_t *array = json_array();
	while ((entry = dns_cache_next(cache, entry)) != NULL &&
	       json_array_size(array) < ENTRIES_SHOWN) {
		struct dns_entry_facts facts;
		dns_cache_read(cache, entry, &facts);
		if (name.size == 0 || text_is_same(name, text_of(facts.name)) ||
		    text_has_suffix_same(text_of(facts.name), name))
			(void)json_array_append_new(array, entry_to_json(&facts));
	}
	return array;
}

static void set_counter(json_t *object, const char *key, const struct counter *counter)
{
	admin_json_set(object, key, admin_json_number(counter_get(counter)));
}

static json_t *totals_to_json(const struct sip_resolver *resolver)
{
	const struct sip_resolver_counters *lookups = sip_resolver_counters(resolver);
	const struct dns_cache_counters *cache = dns_cache_counters(sip_resolver_cache(resolver));
	json_t *object = json_object();
	set_counter(object, "lookups", &lookups->lookups);
	set_counter(object, "waited", &lookups->waited);
	set_counter(object, "timed_out", &lookups->timeouts);
	set_counter(object, "unresolved", &lookups->unresolved);
	set_counter(object, "waiting", &lookups->waiting);
	set_counter(object, "questions", &cache->questions);
	set_counter(object, "failed", &cache->answers[DNS_FAILED]);
	set_counter(object, "hits", &cache->hits);
	set_counter(object, "old_used", &cache->stale);
	set_counter(object, "entries", &cache->entries);
	set_counter(object, "asking", &cache->asking);
	return object;
}

void admin_dns_show(struct admin_request *request)
{
	const struct sip_resolver *resolver = request->context->resolver;
	struct text name = request->argument_count > 0 ? request->arguments[0] : TEXT_NONE;
	json_t *result = json_object();
	if (resolver != NULL) {
		admin_json_set(result, "dns", totals_to_json(resolver));
		admin_json_set(result, "answers", entries_to_json(resolver, name));
	}
	admin_request_answer(request, result);
}
