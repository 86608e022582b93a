#pragma once

// The signature of a webhook. The door to OpenSSL for it.
// Runs on: any thread; pure.

#include "base/text.h"
#include "notify/content.h"

// HMAC-SHA1 of the text by the token, in base64; "" when it cannot be made.
void notify_sign(const char *token, struct text text, char room[static NOTIFY_SIGNATURE_SIZE]);
