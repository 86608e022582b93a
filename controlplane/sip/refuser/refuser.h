#pragma once

// Refuses new calls by UDP in overload, on a thread of its own: what the control thread has no time even to
// read comes to a second socket of the same address (sip_guard_sieve_steer), and known peers hear 503 with
// Retry-After from there, so that they neither wait nor repeat. Stateless: every copy has the same answer. It
// works at a low priority; what it cannot do is lost in its sockets, which are small.
// Runs on: control thread, but for the thread itself.

#include "base/status.h"
#include "sip/guard/apart.h"

struct sip_transport_counters;

#define SIP_REFUSER_SOCKETS_MAX 64

struct sip_refuser;

// Both must outlive it. Of the counters it writes those of the refuser alone.
enum status sip_refuser_create(struct sip_guard_apart *apart,
			       struct sip_transport_counters *counters,
			       struct sip_refuser **out_refuser);
// A socket that shares `fd`'s address, bound just now; local is that. false: the kernel would not; all goes
// on without. Only before the start.
bool sip_refuser_add(struct sip_refuser *refuser, int fd, const struct address *local);
enum status sip_refuser_start(struct sip_refuser *refuser);
void sip_refuser_destroy(struct sip_refuser *refuser); // stops it; NULL is harmless
