#pragma once

// The calls of this process as a whole: made at start, told of everything SIP and media bring.
// Runs on: control thread.

#include "call/call.h"
#include "sip/flow.h"

struct calls_options {
	const struct clock *clock;
	struct wheel *wheel;
	const struct config *config;
	const struct directory *directory;
	struct history *history;
	struct sip_dialogs *dialogs;
	struct sip_digest *digest;
	struct sip_resolver *resolver;
	uint16_t ports[SIP_PROTOCOL_COUNT]; // of ours, by transport; 0: not spoken
	struct sip_guard *guard; // may be NULL
	struct cnam *cnam; // NULL: names are not looked up
	struct notify *notify; // NULL: nobody is told
	struct store_limits *limits; // NULL: of this node alone
};

struct calls *calls_create(const struct calls_options *options);
// What needs calls before calls can have it.
void calls_attach(struct calls *calls, struct sip_transactions *transactions,
		  struct media_engine *media);
// Before the transactions end: no call names one of them any more. Calls can only be destroyed then.
void calls_detach(struct calls *calls);
// Hangs every call up: BYE, CANCEL or 503. They end through the loop.
void calls_hang_up(struct calls *calls);
void calls_destroy(struct calls *calls); // what is left is recorded as lost at the next start

// The callbacks of struct sip_user; context is the struct calls.
struct sip_user;
void calls_fill_sip_user(struct calls *calls, struct sip_user *out_user);
// A media_event_fn; owner is the struct call.
void call_media_event(void *owner, struct media *media, enum media_side side,
		      enum media_event event);
