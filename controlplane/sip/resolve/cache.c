// The answers of DNS in memory. Runs on the control thread; never waits, never asks twice at once.

#include "sip/resolve/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define ASKING_MAX 256 // questions on their way at once, for whatever names
#define RETRY_MS 5000 // after a failure the same is not asked again so soon
#define REFRESH_PART 10 // of its time before the end, what is in use is asked for ahead
#define FAILURE_LOG_MS 60000 // one line a minute

struct dns_entry {
	struct map_node node;
	struct dns_cache *cache;
	struct dns_entry *newer, *older; // by last use
	struct dns_waiter waiters; // head of a ring
	struct dns_answer *answer; // the last good one; records beyond its count are not there
	uint64_t refresh_ms, expires_ms, stale_until_ms;
	uint64_t retry_ms; // not asked again before
	const char *failure; // of the last question; NULL: it went well
	uint64_t failures;
	enum dns_type type;
	bool is_asking;
	char name[];
};

struct dns_cache {
	struct dns_cache_options options;
	struct dns_cache_counters counters;
	struct map entries;
	struct dns_entry *newest, *oldest;
	struct dns_answer failed; // what is told of something that cannot be had
	uint64_t logged_ms; // the last line about a failure; 0: none
};

struct dns_cache *dns_cache_create(const struct dns_cache_options *options)
{
	struct dns_cache *cache = calloc(1, sizeof(*cache));
	if (cache == NULL)
		return NULL;
	cache->options = *options;
	if (map_init(&cache->entries, 256))
		return cache;
	free(cache);
	return NULL;
}

// ---- entries by last use

static void unlink_use(struct dns_entry *entry)
{
	struct dns_cache *cache = entry->cache;
	*(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
	*(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
	entry->newer = entry->older = NULL;
}

static void link_use(struct dns_entry *entry)
{
	struct dns_cache *cache = entry->cache;
	entry->older = cache->newest;
	*(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
	cache->newest = entry;
}

static void discard(struct dns_entry *entry)
{
	struct dns_cache *cache = entry->cache;
	unlink_use(entry);
	map_remove(&cache->entries, &entry->node);
	counter_set(&cache->counters.entries, cache->entries.count);
	free(entry->answer);
	free(entry);
}

void dns_cache_destroy(struct dns_cache *cache)
{
	if (cache == NULL)
		return;
	while (cache->oldest != NULL)
		discard(cache->oldest);
	map_clear(&cache->entries);
	free(cache);
}

static bool has_waiters(const struct dns_entry *entry)
{
	return entry->waiters.next != &entry->waiters;
}

// Makes room for one more. False: every entry is being asked for.
static bool make_room(struct dns_cache *cache)
{
	struct dns_entry *entry = cache->oldest;
	if (cache->entries.count < cache->options.entries_max)
		return true;
	while (entry != NULL && (entry->is_asking || has_waiters(entry)))
		entry = entry->newer;
	if (entry == NULL)
		return false;
	discard(entry);
	counter_add(&cache->counters.evicted, 1);
	return true;
}

struct key {
	const char *name;
	enum dns_type type;
};

static bool is_equal(const struct map_node *node, const void *wanted)
{
	const struct dns_entry *entry = map_entry((struct map_node *)node, struct dns_entry, node);
	const struct key *key = wanted;
	return entry->type == key->type && text_is_same(text_of(entry->name), text_of(key->name));
}

static struct dns_entry *create(struct dns_cache *cache, const char *name, enum dns_type type)
{
	size_t size = strlen(name) + 1;
	if (!make_room(cache))
		return NULL;
	struct dns_entry *entry = calloc(1, sizeof(*entry) + size);
	if (entry == NULL)
		return NULL;
	entry->cache = cache;
	entry->type = type;
	entry->waiters.next = entry->waiters.previous = &entry->waiters;
	memcpy(entry->name, name, size);
	map_add(&cache->entries, &entry->node, map_hash_same(text_of(name)));
	link_use(entry);
	counter_set(&cache->counters.entries, cache->entries.count);
	return entry;
}

// ---- asking and being told

static uint32_t within(uint32_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : value;
}

static void keep(struct dns_entry *entry, const struct dns_answer *answer)
{
	const struct dns_cache_options *options = &entry->cache->options;
	uint64_t now_ms = options->clock->now_ms;
	size_t size =
		offsetof(struct dns_answer, records) + answer->count * sizeof(answer->records[0]);
	struct dns_answer *kept = malloc(size);
	if (kept == NULL) {
		entry->failure = "out of memory";
		entry->retry_ms = now_ms + RETRY_MS;
		return;
	}
	memcpy(kept, answer, size);
	free(entry->answer);
	entry->answer = kept;
	entry->failure = NULL;
	entry->failures = 0;
	uint32_t most = answer->outcome == DNS_FOUND || answer->alias[0] != '\0'
				? options->ttl_max_s
				: options->negative_ttl_max_s;
	uint64_t ttl_ms = 1000ull * within(answer->ttl_s, options->ttl_min_s, most);
	entry->refresh_ms = now_ms + ttl_ms - ttl_ms / REFRESH_PART;
	entry->expires_ms = now_ms + ttl_ms;
	entry->stale_until_ms = entry->expires_ms + 1000ull * options->stale_s;
}

static void note_failure(struct dns_entry *entry, const char *problem)
{
	struct dns_cache *cache = entry->cache;
	uint64_t now_ms = cache->options.clock->now_ms;
	struct log_value failures;
	entry->failure = problem;
	entry->failures++;
	entry->retry_ms = now_ms + RETRY_MS;
	if (cache->logged_ms != 0 && now_ms < cache->logged_ms + FAILURE_LOG_MS)
		return;
	cache->logged_ms = now_ms;
	log_event(LOG_WARNING, "dns_failed", "name", entry->name, "type",
		  dns_type_name(entry->type), "problem", problem, "failures",
		  log_number(&failures, (int64_t)entry->failures), NULL);
}

// Those who wait now; who waits again while they are woken is woken by the next answer.
static void wake(struct dns_entry *entry)
{
	struct dns_waiter woken = { .next = &woken, .previous = &woken };
	if (!has_waiters(entry))
		return;
	woken.next = entry->waiters.next;
	woken.previous = entry->waiters.previous;
	woken.next->previous = woken.previous->next = &woken;
	entry->waiters.next = entry->waiters.previous = &entry->waiters;
	while (woken.next != &woken) {
		struct dns_waiter *waiter = woken.next;
		dns_cache_leave(waiter);
		waiter->wake(waiter);
	}
}

static void on_answer(void *context, const struct dns_answer *answer)
{
	struct dns_entry *entry = context;
	struct dns_cache *cache = entry->cache;
	entry->is_asking = false;
	counter_set(&cache->counters.asking, counter_get(&cache->counters.asking) - 1);
	counter_add(&cache->counters.answers[answer->outcome], 1);
	if (answer->outcome == DNS_FAILED)
		note_failure(entry, answer->problem);
	else
		keep(entry, answer);
	wake(entry);
}

static void ask(struct dns_entry *entry)
{
	struct dns_cache *cache = entry->cache;
	const struct dns_cache_options *options = &cache->options;
	enum status status = ERR_LIMIT;
	if (counter_get(&cache->counters.asking) < ASKING_MAX)
		status = options->ask(options->ask_context, entry->name, entry->type, on_answer,
				      entry);
	if (status != OK) {
		counter_add(&cache->counters.refused, 1);
		note_failure(entry, status == ERR_LIMIT ? "too many questions at once"
							: status_text(status));
		return;
	}
	entry->is_asking = true;
	counter_add(&cache->counters.questions, 1);
	counter_set(&cache->counters.asking, counter_get(&cache->counters.asking) + 1);
}

// ---- finding

static const struct dns_answer *fail(struct dns_cache *cache, const char *problem)
{
	dns_answer_fail(&cache->failed, problem);
	return &cache->failed;
}

// A failure is not followed by the same question at once.
static bool is_due(const struct dns_entry *entry, uint64_t now_ms)
{
	return !entry->is_asking && (entry->failure == NULL || now_ms >= entry->retry_ms);
}

// After its time. Once a question has failed old answers serve at once, and questions go on behind them.
static const struct dns_answer *find_old(struct dns_entry *entry, enum dns_cache_mode mode)
{
	struct dns_cache *cache = entry->cache;
	uint64_t now_ms = cache->options.clock->now_ms;
	bool is_usable = entry->answer != NULL && now_ms < entry->stale_until_ms;
	if (mode == DNS_CACHE_ASK && is_due(entry, now_ms))
		ask(entry);
	if (is_usable && (mode == DNS_CACHE_HAVE || entry->failure != NULL)) {
		counter_add(&cache->counters.hits, 1);
		counter_add(&cache->counters.stale, 1);
		return entry->answer;
	}
	if (entry->is_asking)
		return mode == DNS_CACHE_ASK ? NULL : fail(cache, "DNS did not answer in time");
	return fail(cache, entry->failure != NULL ? entry->failure : "it was not asked");
}

const struct dns_answer *dns_cache_find(struct dns_cache *cache, const char *name,
					enum dns_type type, enum dns_cache_mode mode,
					struct dns_entry **out_entry)
{
	const struct key key = { name, type };
	struct map_node *node =
		map_find(&cache->entries, map_hash_same(text_of(name)), is_equal, &key);
	struct dns_entry *entry = node != NULL ? map_entry(node, struct dns_entry, node) : NULL;
	if (entry == NULL && mode == DNS_CACHE_HAVE)
		return fail(cache, "DNS did not answer in time");
	if (entry == NULL)
		entry = create(cache, name, type);
	if (entry == NULL) {
		counter_add(&cache->counters.refused, 1);
		return fail(cache, "too many names at once");
	}
	unlink_use(entry);
	link_use(entry);
	*out_entry = entry;
	uint64_t now_ms = cache->options.clock->now_ms;
	if (entry->answer == NULL || now_ms >= entry->expires_ms)
		return find_old(entry, mode);
	if (mode == DNS_CACHE_ASK && now_ms >= entry->refresh_ms && is_due(entry, now_ms))
		ask(entry);
	counter_add(&cache->counters.hits, 1);
	return entry->answer;
}

// ---- waiting

void dns_cache_wait(struct dns_waiter *waiter, struct dns_entry *entry)
{
	dns_cache_leave(waiter);
	waiter->entry = entry;
	waiter->next = &entry->waiters;
	waiter->previous = entry->waiters.previous;
	waiter->previous->next = waiter;
	entry->waiters.previous = waiter;
}

void dns_cache_leave(struct dns_waiter *waiter)
{
	if (waiter->entry == NULL)
		return;
	waiter->previous->next = waiter->next;
	waiter->next->previous = waiter->previous;
	waiter->entry = NULL;
}

// ---- reading

const struct dns_cache_counters *dns_cache_counters(const struct dns_cache *cache)
{
	return &cache->counters;
}

const struct dns_entry *dns_cache_next(const struct dns_cache *cache, const struct dns_entry *after)
{
	return after == NULL ? cache->newest : after->older;
}

static uint64_t left(uint64_t until_ms, uint64_t now_ms)
{
	return until_ms > now_ms ? until_ms - now_ms : 0;
}

void dns_cache_read(const struct dns_cache *cache, const struct dns_entry *entry,
		    struct dns_entry_facts *out_facts)
{
	uint64_t now_ms = cache->options.clock->now_ms;
	*out_facts = (struct dns_entry_facts){
		.name = entry->name,
		.type = entry->type,
		.answer = entry->answer,
		.failure = entry->failure,
		.failures = entry->failures,
		.ttl_left_ms = entry->answer != NULL ? left(entry->expires_ms, now_ms) : 0,
		.stale_left_ms = entry->answer != NULL ? left(entry->stale_until_ms, now_ms) : 0,
		.is_asking = entry->is_asking,
	};
}
