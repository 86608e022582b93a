#pragma once

// Tells somebody: posts webhooks and sends mails, each tried again for a while when it fails. Bounded:
// so many under way, so many that wait, no account more than a quarter of either; what comes beyond is
// dropped and counted. Runs on: control thread, which never waits; a thread of its own sends
// (notify/sender.h).

#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/status.h"
#include "base/text.h"
#include "notify/content.h"

struct clock;
struct event_base;
struct notify;
struct notify_config;
struct wheel;

enum notify_outcome {
	NOTIFY_DELIVERED, // a status 2xx; taken over by the mail server
	NOTIFY_FAILED, // for good
	NOTIFY_DROPPED, // no room, or no mail server
	NOTIFY_HELD, // by notify.mail_every_s; told by who asked, never by `done`
	NOTIFY_STOPPED, // trunkd ends
	NOTIFY_OUTCOME_COUNT
};

enum notify_cause { // of NOTIFY_FAILED
	NOTIFY_CAUSE_OTHER, // nor any of these: an address that must not be reached, broken HTTP
	NOTIFY_CAUSE_NAME, // the host has no address in DNS
	NOTIFY_CAUSE_CONNECTION,
	NOTIFY_CAUSE_TIME,
	NOTIFY_CAUSE_TLS,
	NOTIFY_CAUSE_ANSWER, // another one than 2xx
};

struct notify_end { // valid during the call
	enum notify_way way;
	enum notify_outcome outcome;
	unsigned status; // the last of HTTP or SMTP; 0: none came
	unsigned attempts;
	const char *problem; // a sentence; "" when it was delivered
	enum notify_cause cause;
};
// Exactly once for each that was sent, perhaps before notify_send returns.
typedef void (*notify_done_fn)(void *context, const struct notify_end *end);

struct notify_order { // copied
	enum notify_way way;
	const char *account_sid; // whose share it uses; "": the operator's
	const char *target; // the URL, or the address of the mail
	bool is_trusted; // the operator's own target, which may be anywhere
	bool is_once; // never tried again
	const struct notify_content *content;
	notify_done_fn done;
	void *context;
};

struct notify_counters { // written by the control thread, read by any
	struct counter outcomes[NOTIFY_WAYS][NOTIFY_OUTCOME_COUNT];
	struct counter attempts[NOTIFY_WAYS];
	struct counter waiting, in_flight; // now; those that wait are all others
};

struct notify_options {
	struct event_base *loop;
	const struct clock *clock;
	struct wheel *wheel;
	const struct notify_config *config;
};

enum status notify_start(const struct notify_options *options, struct notify **out_notify);
void notify_stop(struct notify *notify); // what is left ends as NOTIFY_STOPPED
const struct notify_counters *notify_counters(const struct notify *notify);
const char *notify_outcome_label(unsigned outcome); // NULL past the last
const char *notify_way_label(unsigned way); // NULL past the last

void notify_send(struct notify *notify, const struct notify_order *order);
bool notify_has_mail(const struct notify *notify); // is there a mail server?
// May this trigger send a mail now? True: it counts as sent, and *out_held says how many were held back
// since the last one. False: it is held back, and counted (DEBUG-005).
bool notify_may_mail(struct notify *notify, const char *trigger_sid, uint32_t *out_held);
