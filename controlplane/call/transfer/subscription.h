#pragma once

// The subscription that a REFER makes by itself: what became of it is told by NOTIFY, one at a time,
// with the status line alone (RFC 3515 2.4.4, RFC 6665 4.2, RFC 3420). A leg has one at most; it ends
// with the final status, whether that arrives or not.
// Runs on: control thread; never waits.

#include "call/state.h"

struct subscription;

// Of an accepted REFER. NULL: no memory, and nothing will be told.
struct subscription *subscription_open(struct leg *leg, const struct sip_message *refer,
				       bool is_quiet);
// What is told next; while a NOTIFY is on its way, after it. A final status ends the subscription, by
// transfer_told when it has arrived or cannot. phrase NULL: the RFC's. Harmless without one.
void subscription_tell(struct leg *leg, unsigned status, const char *phrase);
// SUBSCRIBE in the dialog: told again, for longer or no more.
void subscription_asked(struct leg *leg, struct sip_server *server,
			const struct sip_message *subscribe);
void subscription_response(struct leg *leg, const struct sip_message *response);
void subscription_failed(struct leg *leg);
// Is that client transaction its NOTIFY?
bool subscription_has(const struct leg *leg, const struct sip_client *client);
void subscription_finish(
	struct leg *leg); // the leg ends: what waits to be told is sent, and no more
void subscription_clear(struct leg *leg); // without a word; harmless without one
