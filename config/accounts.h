#pragma once

// The section accounts: what every account may do that does not say it itself. Its rows stand in
// config/schema.c; all of it is live.
// Runs on: the control thread.

#include "base/country/country.h"

struct config_countries { // a list to those who read the file
	unsigned count; // of words
	struct country_set set;
};

struct accounts_config {
	struct config_countries voice_countries; // TERM-029
	unsigned max_trunks, trial_trunks, trial_numbers;
};
