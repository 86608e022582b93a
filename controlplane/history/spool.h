#pragma once

// The records that are not in the database yet: fixed slots in a file mapped into memory. What was
// stored there is the kernel's, so it outlives the process, killed at whatever instruction.
// Runs on: open, recover, take, finish on the control thread; next, give, touch on the history
// thread. None of them but open and close makes a system call that can wait.

#include <stdatomic.h>
#include <stdint.h>

#include "base/status.h"
#include "history/history.h"

#define HISTORY_SID_SIZE 35

enum history_slot_state {
	HISTORY_SLOT_FREE, // zero, as a new file is
	HISTORY_SLOT_OPEN, // being filled by the control thread
	HISTORY_SLOT_DONE, // the history thread's, until it is in the database
};

enum history_slot_kind {
	HISTORY_SLOT_CALL,
	HISTORY_SLOT_ALERT,
	HISTORY_SLOT_USAGE,
	HISTORY_SLOT_NOTIFICATION
};

struct history_slot {
	_Atomic uint32_t state;
	uint32_t kind;
	char alert_sid
		[HISTORY_SID_SIZE]; // makes the replay of an alert harmless; a call has its own
	union {
		struct history_call call;
		struct history_alert alert;
		struct history_usage usage;
		struct history_notification notification;
	};
};

struct history_spool;

// ERR_CONFLICT: another process has it; ERR_SYSTEM: not to be had. A file of another size is taken as it
// is while records wait in it, else made anew. One that holds records of another layout, or what is none
// of ours, is put aside (aside.h) and told.
enum status history_spool_open(const char *file, unsigned records,
			       struct history_spool **out_spool);
void history_spool_close(struct history_spool *spool); // what is in it stays in the file
// What a former process left: DONE records are handed on, OPEN calls become LOST first, and then what
// `rates` says.
unsigned history_spool_recover(struct history_spool *spool, const struct history_rates *rates,
			       unsigned *out_lost);

struct history_slot *history_spool_take(struct history_spool *spool, enum history_slot_kind kind);
void history_spool_finish(struct history_spool *spool, struct history_slot *slot);
struct history_slot *history_spool_slot(struct history_call *call); // the one that holds it

struct history_slot *history_spool_next(struct history_spool *spool); // NULL: none waits
void history_spool_give(struct history_spool *spool, struct history_slot *slot);
void history_spool_touch(struct history_spool *spool, uint64_t wall_ms); // "the process lives"
unsigned history_spool_size(const struct history_spool *spool); // slots in all
