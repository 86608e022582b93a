#pragma once

// What is to be published: the forms of a trunk's host, the addresses each leads to, and the zone that
// holds them. Also as the text of a zone (NET-017).
// Runs on: any thread; pure.

#include <stdbool.h>

#include "base/address.h"
#include "base/text.h"

#define NAMES_FORMS_MAX 64
#define NAMES_ADDRESSES_MAX 16
#define NAMES_NAME_SIZE 256
#define NAMES_DOMAIN_SIZE 65 // of a trunk, with its zero

struct config;

struct names_form { // TERM-012..014: the global form, or one of an edge or a legacy region
	char suffix[NAMES_NAME_SIZE]; // what follows the trunk's domain and a dot
	unsigned count;
	struct address addresses[NAMES_ADDRESSES_MAX];
};

struct names_plan {
	char zone[NAMES_NAME_SIZE];
	char marker[NAMES_NAME_SIZE]; // text that says of a name in the zone that it is ours
	unsigned ttl_s, api_ttl_s;
	unsigned form_count; // those that the zone can hold
	unsigned outside_count; // those that it cannot
	struct names_form forms[NAMES_FORMS_MAX];
	struct names_form api; // suffix: the whole name; "": none
};

// An edge without addresses of its own has those of the global form.
void names_plan_make(const struct config *config, struct names_plan *out_plan);
// "acme.pstn.dublin.example.com"; false: longer than a name can be.
bool names_plan_host(const struct names_plan *plan, struct text domain, unsigned form,
		     char room[static NAMES_NAME_SIZE]);
// What follows a trunk's domain in the zone's text: $ORIGIN and $TTL and the name of the API.
void names_plan_write_head(const struct names_plan *plan, struct writer *writer);
// Every address of every form of one trunk's host, a line each.
void names_plan_write_domain(const struct names_plan *plan, struct text domain,
			     struct writer *writer);
