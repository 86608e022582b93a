#pragma once

// What a call remembers of its offers and answers while they are under way; part of struct call.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/wheel.h"

struct leg;
struct sip_server;

// Our provisional responses to the caller's INVITE that it must acknowledge (call/session/reliable.h).
#define RELIABLE_WAITING_MAX 4

struct reliable {
	bool is_possible; // the caller knows 100rel
	bool is_required; // or even wants nothing else
	bool is_awaited; // the PRACK of the last one
	bool has_body; // that one: no 2xx before its PRACK (RFC 3262 3)
	bool is_final_held; // the 2xx that waits for it
	uint32_t rseq; // of the last one; 0: there was none
	uint32_t interval_ms; // of its repeats
	uint64_t since_ms; // when it was sent first
	struct wheel_timer timer;
	unsigned waiting_count;
	struct { // later ones, sent one after the other
		uint16_t status;
		bool has_body;
	} waiting[RELIABLE_WAITING_MAX];
};

// What offer and answer of the caller's INVITE have come to. One dialog gets one answer, and never
// another one in a later response (RFC 3261 13.2.1).
enum exchange {
	EXCHANGE_OPEN, // nothing was said yet
	EXCHANGE_TOLD, // our answer went out in a response that may be lost: repeated as it is
	EXCHANGE_OFFERED, // it made none, our offer went out: answered in PRACK
	EXCHANGE_DONE, // both are known to have both
};

// The one change of a call that is being agreed on (call/session/change.h).
struct change {
	struct leg *asker; // NULL: we ourselves
	struct leg *asked; // NULL: there is no change
	struct sip_server *update; // the asker's request, if it is no re-INVITE
	bool is_update; // so we asked
	bool is_late; // the asked one makes the offer, in its 2xx
	struct wheel_timer timer; // a change of ours, some time after a 491
};
