#pragma once

// What a webhook or a mail says: the form and its signature, the mail with its headers. Whatever is told
// comes from the network in the end: it can end no line, no header, no parameter.
// Runs on: any thread; pure but for the Date and the Message-ID that a mail gets.

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define NOTIFY_BODY_SIZE 16384
#define NOTIFY_SIGNATURE_SIZE 29 // base64 of 20 octets, with its zero
#define NOTIFY_IDEMPOTENCY_SIZE 40
#define NOTIFY_PAIRS_MAX 16

enum notify_way { NOTIFY_WEBHOOK, NOTIFY_MAIL, NOTIFY_WAYS };

struct notify_content {
	char signature[NOTIFY_SIGNATURE_SIZE]; // "": not signed
	char idempotency[NOTIFY_IDEMPOTENCY_SIZE]; // the same in each attempt
	size_t size;
	char body[NOTIFY_BODY_SIZE];
};

struct notify_pair {
	const char *name;
	struct text value;
};

// A form (api.md 3.1) of at most NOTIFY_PAIRS_MAX pairs, in any order, and its signature by the account's
// token for this URL (3.2); token "": none. False: too long.
bool notify_content_form(struct notify_content *content, const char *url, const char *token,
			 const struct notify_pair *pairs, unsigned count);

struct notify_letter {
	const char *sender, *recipient; // addresses, checked where they entered
	const char *subject; // what is not printable ASCII is "?" in it
	struct text text; // lines with \n, UTF-8 or not
	const char *sid; // of what it tells
	uint64_t wall_ms;
};
bool notify_content_mail(struct notify_content *content, const struct notify_letter *letter);

struct notify_event { // an alert that fired a trigger; strings are never NULL
	const char *sid, *account_sid, *parent_sid, *trigger_sid, *trigger_name, *resource_sid;
	uint64_t wall_ms;
	uint32_t code, held_back;
	bool is_error; // else a warning
	const char *cause, *title, *text, *header, *seen, *expected, *source, *more_info;
};
// The debugger's webhook (api.md 3.7), and the same as a mail.
bool notify_content_event_form(struct notify_content *content, const char *url, const char *token,
			       const struct notify_event *event);
bool notify_content_event_mail(struct notify_content *content, const char *sender,
			       const char *recipient, const struct notify_event *event);
