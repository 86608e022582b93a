#pragma once

// The file of a TSIG key: what tsig-keygen of BIND writes, or one line ALGORITHM:NAME:SECRET.
// Runs on: any thread; pure but for the reading of the file.

#include "base/status.h"
#include "base/text.h"

struct names_key {
	char algorithm[32]; // "hmac-sha256"
	char name[256];
	char secret[512]; // Base64; wiped by names_key_clear
};

// ERR_MALFORMED: no such key in it. The problem says what is wrong, never what the secret is.
enum status names_key_parse(struct text content, struct names_key *out_key,
			    const char **out_problem);
enum status names_key_read(const char *path, struct names_key *out_key, const char **out_problem);
void names_key_clear(struct names_key *key);
