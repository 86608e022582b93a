// The forms of a trunk's host and the lines they are in a zone. Runs on any thread; pure.

#include "names/plan.h"

#include <stdio.h>

#include "config/config.h"

#define NAME_MAX 253

static void take_addresses(struct names_form *form, const struct config_addresses *addresses)
{
	for (unsigned i = 0; i < addresses->count && form->count < NAMES_ADDRESSES_MAX; i++)
		form->addresses[form->count++] = addresses->items[i];
}

static bool is_within(struct text name, struct text zone)
{
	return text_is_same(name, zone) ||
	       (name.size > zone.size && text_has_suffix_same(name, zone) &&
		name.data[name.size - zone.size - 1] == '.');
}

static void lower(char *name)
{
	for (; *name; name++)
		*name = *name >= 'A' && *name <= 'Z' ? (char)(*name + ('a' - 'A')) : *name;
}

static void add_form(struct names_plan *plan, const char *suffix,
		     const struct config_addresses *addresses)
{
	if (!is_within(text_of(suffix), text_of(plan->zone))) {
		plan->outside_count++;
		return;
	}
	if (plan->form_count == NAMES_FORMS_MAX)
		return;
	struct names_form *form = &plan->forms[plan->form_count++];
	text_copy_cut(text_of(suffix), form->suffix, sizeof form->suffix);
	lower(form->suffix);
	take_addresses(form, addresses);
}

static void add_api(struct names_plan *plan, const struct names_config *config,
		    const struct config_addresses *addresses)
{
	if (config->api_name[0] == '\0')
		return;
	if (!is_within(text_of(config->api_name), text_of(plan->zone))) {
		plan->outside_count++;
		return;
	}
	text_copy_cut(text_of(config->api_name), plan->api.suffix, sizeof plan->api.suffix);
	lower(plan->api.suffix);
	take_addresses(&plan->api,
		       config->api_addresses.count > 0 ? &config->api_addresses : addresses);
}

// "pstn.dublin.example.com" for the base domain "pstn.example.com"; the regions of the edge as well.
static void add_edge(struct names_plan *plan, const struct edge_config *edge, struct text base,
		     const struct config_addresses *addresses)
{
	char suffix[2 * NAMES_NAME_SIZE];
	struct text rest = base, first = text_split(&rest, '.');
	if (edge->signalling.count > 0)
		addresses = &edge->signalling;
	for (unsigned i = 0; i <= edge->regions.count; i++) {
		(void)snprintf(suffix, sizeof suffix, "%.*s.%s.%.*s", TEXT_FORMAT(first),
			       i == 0 ? edge->name : edge->regions.items[i - 1], TEXT_FORMAT(rest));
		add_form(plan, suffix, addresses);
	}
}

void names_plan_make(const struct config *config, struct names_plan *out_plan)
{
	const struct names_config *names = &config->names;
	const struct config_addresses *addresses =
		names->addresses.count > 0 ? &names->addresses : &config->sip.addresses;
	struct text base = text_of(config->sip.base_domain), rest = base;
	(void)text_split(&rest, '.');
	struct text zone = names->zone[0] != '\0' ? text_of(names->zone) : rest;
	*out_plan = (struct names_plan){ .ttl_s = names->ttl_s, .api_ttl_s = names->api_ttl_s };
	text_copy_cut(zone, out_plan->zone, sizeof out_plan->zone);
	lower(out_plan->zone);
	(void)snprintf(out_plan->marker, sizeof out_plan->marker, "trunkd %.240s",
		       config->sip.base_domain);
	lower(out_plan->marker);
	add_form(out_plan, config->sip.base_domain, addresses);
	for (unsigned i = 0; i < config->edges.count; i++)
		add_edge(out_plan, &config->edges.items[i], base, addresses);
	add_api(out_plan, names, addresses);
}

bool names_plan_host(const struct names_plan *plan, struct text domain, unsigned form,
		     char room[static NAMES_NAME_SIZE])
{
	struct writer writer = writer_of(room, NAMES_NAME_SIZE);
	writer_text(&writer, domain);
	writer_char(&writer, '.');
	writer_string(&writer, plan->forms[form].suffix);
	return writer_string_done(&writer) != NULL && writer.used <= NAME_MAX;
}

// Relative to the zone: "acme.pstn", or "@" for the zone's own name.
static struct text relative(const struct names_plan *plan, const char *host)
{
	struct text name = text_of(host), zone = text_of(plan->zone);
	if (name.size == zone.size)
		return TEXT("@");
	name.size -= zone.size + 1;
	return name;
}

static void write_lines(const struct names_plan *plan, const char *host,
			const struct names_form *form, unsigned ttl_s, struct writer *writer)
{
	struct text name = relative(plan, host);
	for (unsigned i = 0; i < form->count; i++) {
		writer_format(writer, "%.*s %u IN %s ", TEXT_FORMAT(name), ttl_s,
			      form->addresses[i].family == ADDRESS_IPV6 ? "AAAA" : "A");
		address_write_host(&form->addresses[i], writer);
		writer_char(writer, '\n');
	}
}

void names_plan_write_head(const struct names_plan *plan, struct writer *writer)
{
	writer_format(writer, "$ORIGIN %s.\n$TTL %u\n", plan->zone, plan->ttl_s);
	if (plan->api.suffix[0] != '\0')
		write_lines(plan, plan->api.suffix, &plan->api, plan->api_ttl_s, writer);
}

void names_plan_write_domain(const struct names_plan *plan, struct text domain,
			     struct writer *writer)
{
	char host[NAMES_NAME_SIZE];
	for (unsigned i = 0; i < plan->form_count; i++)
		if (names_plan_host(plan, domain, i, host))
			write_lines(plan, host, &plan->forms[i], plan->ttl_s, writer);
}
