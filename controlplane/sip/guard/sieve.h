#pragma once

// What the kernel drops for us in overload: a part of the new calls, before they are queued in the
// socket, so that refusing costs this thread nothing and no response is lost for want of room.
// Runs on: control thread; a system call.

#include <stdbool.h>
#include <stdint.h>

#define SIP_GUARD_SHARE_ALL 65536u

// Of the INVITEs over UDP outside any dialog of ours, so many of 65536 are read; ALL takes the sieve
// away. The number called and the salt decide: the INVITE that brings credentials meets the fate of the
// one that was challenged, and so do repeats. False: the kernel would not, and all are read.
bool sip_guard_sieve_set(int fd, unsigned share, uint32_t salt);
