#pragma once

// Section numbers of the configuration (config/schema.c says what each option means).
// Runs on: the control thread.

struct numbers_config {
	unsigned quarantine_days; // that a released number rests
};
