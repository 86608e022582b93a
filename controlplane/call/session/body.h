#pragma once

// What a body says it is, before it is read as a session description (RFC 3261 8.2.3, 21.4.13).
// Runs on: control thread; pure.

#include "sip/message.h"

struct body_fault {
	const char *header; // that says it is something else
	const char *expected; // there
	const char *line; // of the 415
};

// NULL: a description, or no body at all. Of several parts the description was taken out already, if there
// is one (sip/multipart).
const struct body_fault *body_judge(const struct sip_message *message);
// What is compressed cannot be looked into.
bool body_is_encoded(const struct sip_message *message);
