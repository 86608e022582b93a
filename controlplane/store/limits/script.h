#pragma once

// What nodes do to the limits they share: each script is one step that no other node can come between.
// Runs on: any thread; constant.

enum store_limits_script {
	STORE_LIMITS_JOIN,
	STORE_LIMITS_BEAT,
	STORE_LIMITS_TAKE,
	STORE_LIMITS_GIVE,
	STORE_LIMITS_HOLD,
	STORE_LIMITS_READ,
	STORE_LIMITS_SCRIPTS
};

// Each answers a text.
extern const char *const store_limits_scripts[STORE_LIMITS_SCRIPTS];
