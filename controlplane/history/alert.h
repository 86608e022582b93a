#pragma once

// Alerts and what triggers make of them: records of the history.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct history;

enum history_severity { // 0: older than severities
	HISTORY_SEVERITY_NONE,
	HISTORY_SEVERITY_NOTICE, // worth to know
	HISTORY_SEVERITY_WARNING, // a call went on, or went wrong in part
	HISTORY_SEVERITY_ERROR, // a call, or a service, did not come about
	HISTORY_SEVERITY_COUNT,
};

const char *history_severity_text(unsigned severity); // "warning"; "" for NONE
enum history_severity history_severity_of(struct text text);

struct history_alert { // DEBUG-001; one per cause and call
	char call_sid[35], account_sid[35], trunk_sid[35];
	uint64_t at_ms;
	uint32_t code; // 32xxx
	uint8_t severity; // enum history_severity
	char cause[40]; // the metric's label: tells causes apart that share a code
	char source[64];
	char header[64]; // which header or part of the message
	char seen[192], expected[192];
	char text[256]; // a sentence with the fix
};

struct history_delivery { // of a notification, by one way
	char outcome[12]; // "waiting", "delivered", "failed", "dropped", "held"; "": not wanted
	char problem[96]; // of the last attempt; "": none
	uint32_t status; // of HTTP or SMTP, the last; 0: none came
	uint32_t attempts;
};

struct history_notification { // DEBUG-003: a trigger that fired
	char trigger_sid[35];
	uint32_t held_back; // alerts since the last time that it would have fired for
	struct history_alert alert;
	char sid[35]; // "NO…"; of one that was written before, its row is brought up to date
	uint32_t revision; // a row is replaced by higher ones only
	struct history_delivery webhook, mail; // DEBUG-004, DEBUG-005
};

bool history_alert_write(struct history *history, const struct history_alert *alert); // false: full
bool history_notification_write(struct history *history,
				const struct history_notification *notification); // false: full
// The latest alerts, newest first, from memory.
unsigned history_alerts(const struct history *history, struct history_alert *out_alerts,
			unsigned max);
