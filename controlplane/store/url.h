#pragma once

// Where Redis is: "unix:///path" or "redis://address[:port][/database]", without names to resolve and
// without a password, which has its own file.
// Runs on: any thread; pure.

#include "base/address.h"
#include "base/status.h"

#define STORE_URL_PATH_SIZE 108 // of sockaddr_un
#define STORE_URL_PORT 6379 // of Redis

struct store_url {
	char path[STORE_URL_PATH_SIZE]; // empty: by address
	struct address address;
	unsigned database;
};

// ERR_MALFORMED: out_why, when not NULL, is a sentence on what is allowed.
enum status store_url_parse(struct text text, struct store_url *out_url, const char **out_why);
