#pragma once

// Which of two sockets of one address (SO_REUSEPORT) a datagram comes to: the first is the control thread's,
// the second is the door's (sip/door), to which new calls come while there is overload.
// Runs on: control thread.

#include <stdbool.h>

#include "base/text.h"

#define SIP_GUARD_STEER_MAX 4096 // octets of what comes to the door; larger ones are rare

// From now on INVITEs to a number come to the second socket, and ACKs with such a Request-URI, which are
// for what an INVITE was refused with; or all to the first again. `fd` is either of them. False: the kernel
// would not. A system call.
bool sip_guard_steer(int fd, bool is_to_door);
// Is this INVITE one of those?
bool sip_guard_steer_takes(struct text octets);
