#pragma once

// What is kept of calls, and what it costs. Options: config/schema.c.
// Runs on: as config.h.

#include "config/list.h"

struct history_config {
	char file[CONFIG_TEXT_SIZE];
	unsigned spool_records;
	unsigned keep_days, keep_alerts_days; // 0: for ever
	unsigned keep_rows; // of each table; 0: no bound
};

struct usage_config {
	char rates_file[CONFIG_TEXT_SIZE]; // empty: nothing has a price
	char currency[CONFIG_TEXT_SIZE];
};

struct alerts_config {
	char more_info_url
		[CONFIG_TEXT_SIZE]; // "{code}" in it, or the code behind it; empty: no link
	char support_url[CONFIG_TEXT_SIZE]; // where customers ask for help; may be empty
	unsigned max_per_s; // written of one trunk and cause; 0: all
};
