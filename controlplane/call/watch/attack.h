#pragma once

// What the guard in front of SIP tells of peers and of overload, made into alerts: a customer whose
// messages are not all taken has to know it, and so has the operator.
// Runs on: control thread.

struct calls;
struct sip_guard_event;

void call_tell_attack(struct calls *calls, const struct sip_guard_event *event);
