#pragma once

// Where somebody is told something: URLs and addresses of e-mail. Both go into requests of ours.
// Runs on: any thread; pure.

#include "base/text.h"

#define DIRECTORY_WEB_HOST_MAX 253 // octets of a host name (RFC 1035 2.3.4)

// http or https, the scheme in lower case (RFC 3986 3.1); NULL, or what is allowed.
const char *directory_web_write_url(struct text value, size_t max, struct writer *out);
// RFC 5321 4.1.2 without quoted parts: what stands in a header must not end it.
const char *directory_web_write_mail(struct text value, size_t max, struct writer *out);
