#pragma once

// What the kernel drops for us in overload: a part of the new calls, before they are queued in the
// socket, so that refusing costs this thread nothing and no response is lost for want of room.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct address;

#define SIP_GUARD_SHARE_ALL 65536u

// Every new call has a place among 65536, by the number it calls, by whence it comes, and by the salt: so
// the INVITE that brings credentials meets the fate of the one that was challenged, and so do repeats.
struct sip_guard_sieve {
	uint32_t salt;
	uint32_t start; // the first place that is read
	uint32_t share; // so many are, round the corner if need be; ALL: no sieve
};

// Of the INVITEs over UDP outside any dialog of ours only these are read from now on; family is that of the
// socket's addresses. False: the kernel would not, and all are read. A system call.
bool sip_guard_sieve_set(int fd, uint8_t family, const struct sip_guard_sieve *sieve);
// The same for an address that has two sockets (SO_REUSEPORT), the first of which is read: the others come to
// the second, and so do the ACKs for what they were answered.
bool sip_guard_sieve_steer(int fd, uint8_t family, const struct sip_guard_sieve *sieve);
// How many places after the start such an INVITE stands; 0 too for all that the sieve lets through.
uint32_t sip_guard_sieve_place(const struct sip_guard_sieve *sieve, struct text octets,
			       const struct address *source);
