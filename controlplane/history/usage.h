#pragma once

// What is billed (OTHER-003): one item per answered call, looked-up name, number and month, recording,
// message. An item has a key that is its own for ever, so what is told twice, or replayed after a crash,
// is metered once. Items of calls are derived where the call's row is written, in the same transaction.
// Runs on: control thread; the sums are kept on the history thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

struct history;
struct history_call;

// clang-format off
// enumerator, word, unit of a quantity, what is metered
#define HISTORY_CATEGORY_LIST(ROW)                                                                 \
	ROW(TERMINATION, "termination", "second", "answered calls from a trunk to the PSTN")       \
	ROW(ORIGINATION, "origination", "second", "answered calls from the PSTN to a trunk")       \
	ROW(TRANSFER, "transfer", "second", "answered legs of calls that a REFER transferred")     \
	ROW(DISASTER, "disaster", "second", "voice of the disaster recovery URL")                  \
	ROW(APPLICATION, "application", "second", "voice of applications")                         \
	ROW(RECORDING, "recording", "second", "recordings")                                        \
	ROW(CNAM, "cnam", "lookup", "looked-up names of callers")                                  \
	ROW(NUMBER, "number", "month", "numbers of the account")                                   \
	ROW(MESSAGE_OUT, "message-out", "segment", "text messages sent")                           \
	ROW(MESSAGE_IN, "message-in", "segment", "text messages received")
// clang-format on

#define HISTORY_CATEGORY(name, word, unit, text) HISTORY_USAGE_##name,
enum history_category { HISTORY_CATEGORY_LIST(HISTORY_CATEGORY) HISTORY_CATEGORY_COUNT };
#undef HISTORY_CATEGORY

struct history_category_facts {
	const char *word, *unit, *text;
};

const struct history_category_facts *history_category_facts(enum history_category category);
// HISTORY_CATEGORY_COUNT: there is none of this name.
enum history_category history_category_of(struct text word);

struct history_usage {
	char key[96]; // "number/PN…/2026-11", "cnam/CA…": of no other item, ever
	char account_sid[35], trunk_sid[35];
	char subject[64]; // the number that the price hangs on, in E.164
	uint64_t at_ms; // wall clock; the month is that of UTC
	uint32_t quantity; // in the unit of its category
	uint8_t category; // enum history_category
	// Filled in when it is accepted:
	uint8_t is_priced; // 0: the rates hold no price for it
	uint64_t price_micro; // millionths of the currency
};

// ERR_MALFORMED: without key or account, or of no category. ERR_BUSY: the spool is full; write the
// same item again later. OK: it is metered once, whatever happens now.
enum status history_usage_write(struct history *history, const struct history_usage *item);

// The item of an answered call; false: it costs nothing.
bool history_usage_of_call(const struct history_call *call, struct history_usage *out_item);
