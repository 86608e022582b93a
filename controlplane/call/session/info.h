#pragma once

// INFO of one party, passed through to the other one with its body (RFC 6086): one at a time and in
// order, a few wait.
// Runs on: control thread.

#include "call/state.h"

void info_asked(struct leg *leg, struct sip_server *server, const struct sip_message *info);
// One of ours, as if that party had sent it; what cannot wait any more is dropped and counted.
void info_tell(struct leg *leg, struct text content_type, struct text body);
void info_response(struct leg *asked, const struct sip_message *response);
void info_failed(struct leg *asked);
void info_end(struct leg *leg); // the call ends: what waits is answered
void info_clear(struct leg *leg); // no answers any more
