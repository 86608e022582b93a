#pragma once

// What can come of an operation that can fail, and what the caller on each protocol hears of it.
// Runs on: any thread; pure.

// name, text, SIP status, HTTP status
#define STATUS_LIST(ROW)                                                                           \
	ROW(OK, "ok", 200, 200)                                                                    \
	ROW(ERR_MALFORMED, "malformed input", 400, 400)                                            \
	ROW(ERR_UNAUTHORIZED, "credentials required", 407, 401)                                    \
	ROW(ERR_FORBIDDEN, "not allowed", 403, 403)                                                \
	ROW(ERR_NOT_FOUND, "not found", 404, 404)                                                  \
	ROW(ERR_CONFLICT, "already exists or still in use", 403, 409)                              \
	ROW(ERR_TOO_LARGE, "too large", 513, 413)                                                  \
	ROW(ERR_UNSUPPORTED, "not supported", 415, 415)                                            \
	ROW(ERR_NOT_ACCEPTABLE, "not acceptable here", 488, 406)                                   \
	ROW(ERR_LIMIT, "limit reached", 503, 429)                                                  \
	ROW(ERR_BUSY, "busy, try again", 503, 503)                                                 \
	ROW(ERR_UNAVAILABLE, "a part it needs is away", 503, 503)                                  \
	ROW(ERR_TIMEOUT, "no answer in time", 408, 504)                                            \
	ROW(ERR_MEMORY, "out of memory", 500, 500)                                                 \
	ROW(ERR_SYSTEM, "the operating system refused", 500, 500)

#define STATUS_ENUMERATOR(name, text, sip, http) name,
// clang-format off
enum [[nodiscard]] status { STATUS_LIST(STATUS_ENUMERATOR) STATUS_COUNT };
// clang-format on
#undef STATUS_ENUMERATOR

const char *status_name(enum status status);
const char *status_text(enum status status);
unsigned status_sip(enum status status); // RFC 3261 status code
unsigned status_http(enum status status); // RFC 9110 status code
