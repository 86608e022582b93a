#pragma once

// The section limits: how many calls a customer may place and have. Its rows stand in config/schema.c.
// Runs on: the control thread.

enum config_sharing { CONFIG_SHARING_AUTO, CONFIG_SHARING_ON, CONFIG_SHARING_OFF };

struct limits_config {
	unsigned default_cps; // LIMIT-001
	unsigned max_cps; // above it no trunk's or account's own counts
	unsigned trial_calls; // LIMIT-007, D-13
	unsigned bandwidth_mbps; // LIMIT-014; 0: no limit
	unsigned sharing; // enum config_sharing
	unsigned node_timeout_s;
	unsigned redis_wait_ms;
};
