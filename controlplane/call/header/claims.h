#pragma once

// What a PBX claims of numbers of ours in its headers, and who knows whether it may.
// Runs on: control thread.

#include <stdbool.h>

struct sip_uri;

// Who is asked whether a URI claims a number of the platform that is not the caller's (DIV-005).
struct header_claims {
	bool (*is_foreign)(const void *context, const struct sip_uri *uri);
	// Whether its user is a number that the caller may say of itself, whatever the host.
	bool (*is_own)(const void *context, const struct sip_uri *uri);
	const void *context;
	unsigned dropped; // values that did
};
