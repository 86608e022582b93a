#pragma once

// When each trigger may send its next mail. What it remembers is bounded; when all of that is in use, a
// trigger that is not among them waits.
// Runs on: control thread; memory only.

#include <stdbool.h>
#include <stdint.h>

struct notify_mailing;

#define NOTIFY_MAILING_MAX 4096 // triggers that sent a mail lately

struct notify_mailing *notify_mailing_create(uint64_t every_ms); // NULL: no memory
void notify_mailing_destroy(struct notify_mailing *mailing);
// As notify_may_mail.
bool notify_mailing_take(struct notify_mailing *mailing, const char *trigger_sid, uint64_t now_ms,
			 uint32_t *out_held);
