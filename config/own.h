#pragma once

// Which addresses are ours, wherever the configuration names them: nobody else may lead us there.
// Runs on: any thread; pure.

#include <stdbool.h>

struct address;
struct config;

// Is SIP spoken there, by this node or another of the platform, or do the names of trunks lead there (behind
// a NAT those are other addresses)? Port ignored.
bool config_is_own_signalling(const struct config *config, const struct address *address);
// Or is it one of this host, where media and other services are? Port ignored.
bool config_is_own_host(const struct config *config, const struct address *address);
