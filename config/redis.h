#pragma once

// Section redis of the configuration: where the directory is kept (config/schema.c says what each option
// means). Runs on: the control thread.

#include "config/list.h"

struct redis_config {
	char url[CONFIG_TEXT_SIZE]; // empty: trunkd starts one of its own
	struct config_addresses addresses; // further ones of it
	char password_file[CONFIG_TEXT_SIZE];
	char program[CONFIG_TEXT_SIZE];
};
