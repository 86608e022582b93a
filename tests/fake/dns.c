// The zone of a test. Runs on the thread of the test.

#include "tests/fake/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/fake/memory.h"

#define ROWS_MAX 1024
#define TYPE_CNAME 5
#define TYPE_SOA 6
#define ALIASES_MAX 8

struct row {
	char name[DNS_NAME_SIZE];
	unsigned type;
	uint32_t ttl_s;
	struct dns_record record;
};

struct question {
	struct fake_dns *dns;
	struct question *next;
	struct wheel_timer timer;
	dns_answer_fn done;
	void *context;
	enum dns_type type;
	char name[DNS_NAME_SIZE];
};

struct fake_dns {
	const struct clock *clock;
	struct wheel *wheel;
	struct question *open;
	bool is_dead, is_silent;
	uint32_t delay_ms;
	unsigned asked;
	unsigned count;
	struct row rows[ROWS_MAX];
};

struct fake_dns *fake_dns_create(const struct clock *clock, struct wheel *wheel)
{
	struct fake_dns *dns = memory_take(sizeof(*dns));
	dns->clock = clock;
	dns->wheel = wheel;
	dns->delay_ms = WHEEL_TICK_MS;
	return dns;
}

void fake_dns_destroy(struct fake_dns *dns)
{
	while (dns->open != NULL) {
		struct question *question = dns->open;
		dns->open = question->next;
		wheel_stop(&question->timer);
		free(question);
	}
	free(dns);
}

static bool fill(struct row *row, const char *type, const char *value)
{
	struct dns_record *record = &row->record;
	char first[64] = "", name[DNS_NAME_SIZE] = "";
	if (strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0) {
		row->type = strcmp(type, "A") == 0 ? DNS_A : DNS_AAAA;
		return address_parse(text_of(value), &record->address);
	}
	if (strcmp(type, "SRV") == 0) {
		row->type = DNS_SRV;
		if (sscanf(value, "%hu %hu %hu %253s", &record->priority, &record->weight,
			   &record->port, name) != 4)
			return false;
		return strcmp(name, ".") == 0 ||
		       text_copy(text_of(name), record->name, sizeof(record->name));
	}
	if (strcmp(type, "NAPTR") == 0) {
		row->type = DNS_NAPTR;
		if (sscanf(value, "%hu %hu %63s %253s", &record->priority, &record->weight, first,
			   record->name) != 4)
			return false;
		record->protocol = strcmp(first, "SIP+D2U") == 0   ? SIP_UDP
				   : strcmp(first, "SIP+D2T") == 0 ? SIP_TCP
								   : SIP_TLS;
		return true;
	}
	if (strcmp(type, "CNAME") == 0) {
		row->type = TYPE_CNAME;
		return text_copy(text_of(value), record->name, sizeof(record->name));
	}
	row->type = TYPE_SOA;
	row->ttl_s = (uint32_t)strtoul(value, NULL, 10);
	return strcmp(type, "SOA") == 0;
}

bool fake_dns_add(struct fake_dns *dns, const char *name, const char *type, const char *value,
		  uint32_t ttl_s)
{
	struct row row = { .ttl_s = ttl_s };
	if (dns->count == ROWS_MAX || !text_copy(text_of(name), row.name, sizeof(row.name)) ||
	    !fill(&row, type, value))
		return false;
	dns->rows[dns->count++] = row;
	return true;
}

void fake_dns_remove(struct fake_dns *dns, const char *name)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < dns->count; i++) {
		if (strcasecmp(dns->rows[i].name, name) != 0)
			dns->rows[kept++] = dns->rows[i];
	}
	dns->count = kept;
}

void fake_dns_set_dead(struct fake_dns *dns, bool is_dead)
{
	dns->is_dead = is_dead;
}

void fake_dns_set_silent(struct fake_dns *dns, bool is_silent)
{
	dns->is_silent = is_silent;
}

void fake_dns_set_delay(struct fake_dns *dns, uint32_t delay_ms)
{
	dns->delay_ms = delay_ms;
}

unsigned fake_dns_asked(const struct fake_dns *dns)
{
	return dns->asked;
}

static const struct row *find(const struct fake_dns *dns, const char *name, unsigned type)
{
	for (unsigned i = 0; i < dns->count; i++) {
		if (dns->rows[i].type == type && strcasecmp(dns->rows[i].name, name) == 0)
			return &dns->rows[i];
	}
	return NULL;
}

static bool exists(const struct fake_dns *dns, const char *name)
{
	for (unsigned i = 0; i < dns->count; i++) {
		size_t size = strlen(dns->rows[i].name), wanted = strlen(name);
		const char *end = dns->rows[i].name + size - wanted;
		if (dns->rows[i].type != TYPE_SOA && size >= wanted && strcasecmp(end, name) == 0 &&
		    (size == wanted || end[-1] == '.'))
			return true;
	}
	return false;
}

static uint32_t negative_ttl(const struct fake_dns *dns, const char *name)
{
	for (; name != NULL; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
		const struct row *row = find(dns, name, TYPE_SOA);
		if (row != NULL)
			return row->ttl_s;
	}
	return 0;
}

static void look(const struct fake_dns *dns, const char *name, enum dns_type type,
		 struct dns_answer *answer)
{
	const struct row *alias;
	answer->ttl_s = UINT32_MAX;
	for (unsigned i = 0; i < ALIASES_MAX && (alias = find(dns, name, TYPE_CNAME)); i++) {
		name = alias->record.name;
		if (alias->ttl_s < answer->ttl_s)
			answer->ttl_s = alias->ttl_s;
	}
	for (unsigned i = 0; i < dns->count && answer->count < DNS_RECORDS_MAX; i++) {
		const struct row *row = &dns->rows[i];
		if (row->type != (unsigned)type || strcasecmp(row->name, name) != 0)
			continue;
		answer->records[answer->count++] = row->record;
		if (row->ttl_s < answer->ttl_s)
			answer->ttl_s = row->ttl_s;
	}
	if (answer->count > 0)
		return;
	answer->outcome = exists(dns, name) ? DNS_NO_DATA : DNS_NO_NAME;
	answer->ttl_s = negative_ttl(dns, name);
}

static void on_time(struct wheel_timer *timer, void *context)
{
	struct question *question = context;
	struct fake_dns *dns = question->dns;
	struct dns_answer answer = { .outcome = DNS_FOUND };
	struct question **at = &dns->open;
	(void)timer;
	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	if (dns->is_dead)
		dns_answer_fail(&answer, "no server answered in time");
	else
		look(dns, question->name, question->type, &answer);
	question->done(question->context, &answer);
	free(question);
}

enum status fake_dns_ask(void *context, const char *name, enum dns_type type, dns_answer_fn done,
			 void *done_context)
{
	struct fake_dns *dns = context;
	struct question *question = memory_take(sizeof(*question));
	*question = (struct question){
		.dns = dns, .next = dns->open, .done = done, .context = done_context, .type = type
	};
	(void)text_copy(text_of(name), question->name, sizeof(question->name));
	wheel_timer_init(&question->timer, on_time, question);
	dns->open = question;
	dns->asked++;
	if (!dns->is_silent)
		wheel_start(dns->wheel, &question->timer, dns->clock->now_ms + dns->delay_ms);
	return OK;
}
