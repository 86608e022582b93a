#pragma once

// What the scan leaves undone, for those who need it.
// Runs on: control thread.

#include "sip/message.h"

// Takes From, To and Contact apart. false: malformed.
bool sip_message_complete(struct sip_message *message);
// libosip2's opinion on the URIs of a message that opens something new.
bool sip_message_is_sound(const struct sip_message *message);
