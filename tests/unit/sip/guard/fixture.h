#pragma once

// A guard under a clock turned by hand; addresses below 192.0.2.0/24 and 2001:db8:1::/64 are listed.
// Runs on: the thread of the test.

#include "tests/check.h"

#include "base/clock.h"
#include "config/config.h"
#include "sip/guard/guard.h"

struct guard_fixture {
	struct clock clock;
	struct guard_config config;
	struct sip_guard *guard;
	unsigned received, shed;
	unsigned events;
	struct sip_guard_event event; // the last
	struct address event_source;
};

struct guard_fixture *guard_fixture_create(void);
void guard_fixture_destroy(struct guard_fixture *fixture);
// Time goes on, with a tick of the guard each 10 ms.
void guard_fixture_wait(struct guard_fixture *fixture, uint64_t ms);
struct sip_flow guard_fixture_flow(const char *source, enum sip_protocol protocol);
enum sip_guard_verdict guard_fixture_send(struct guard_fixture *fixture, const char *source,
					  const char *octets);
// How many of `count` copies came through.
unsigned guard_fixture_flood(struct guard_fixture *fixture, const char *source, const char *octets,
			     unsigned count);
uint64_t guard_fixture_dropped(const struct guard_fixture *fixture, enum sip_guard_drop why);
unsigned guard_fixture_bans(const struct guard_fixture *fixture);

#define GUARD_INVITE                                                                               \
	"INVITE sip:+1@acme.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"             \
	"To: <sip:+1@acme.example>\r\n\r\n"
#define GUARD_INFO                                                                                 \
	"INFO sip:+1@acme.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"               \
	"To: <sip:+1@acme.example>\r\n\r\n"
#define GUARD_BYE                                                                                  \
	"BYE sip:+1@acme.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"                \
	"To: <sip:+1@acme.example>;tag=7\r\n\r\n"
#define GUARD_SCANNER                                                                              \
	"REGISTER sip:acme.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"              \
	"User-Agent: friendly-scanner\r\nTo: <sip:1@acme.example>\r\n\r\n"
