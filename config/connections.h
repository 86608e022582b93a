#pragma once

// The section of SIP's TCP and TLS connections (config/config.h).
// Runs on: any thread; constant after the start.

struct connections_config {
	unsigned max; // TCP and TLS; 0: UDP alone
	unsigned max_per_source;
	unsigned connect_timeout_ms; // D-20
	unsigned message_timeout_ms; // from a message's first octet to its last
	unsigned silent_s; // from the start to the first message
	unsigned idle_s; // from one message to the next
	unsigned queue_bytes;
};
