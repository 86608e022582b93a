#pragma once

// What names a leg: the addresses, hosts, Call-ID and tags of one of its messages. None of them may be
// found in what goes to the other leg.
// Runs on: control thread; borrows from the message.

#include <stdbool.h>

#include "base/address.h"
#include "base/text.h"
#include "call/header/claims.h"
#include "sip/message.h"

#define PLACES_MAX 32

struct places {
	struct text items[PLACES_MAX];
	unsigned count;
	struct text domain; // ours: a host below it names a trunk
	char source[ADDRESS_TEXT_SIZE];
	struct header_claims *claims; // NULL: nobody is asked
};

void places_read(const struct sip_message *message, const char *domain, struct places *out_places);
// Does it hold one of them, or any IP address at all?
bool places_are_in(const struct places *places, struct text text);
// May that host be told to the other leg? Only a public name that is not one of them.
bool places_hide(const struct places *places, struct text host);
