#pragma once

// Overload: how long messages wait for this thread, and how many new calls a second are let in while
// they wait too long. A standing queue, not a burst, begins an episode (as in RFC 8289: the shortest
// wait of an interval counts, and two in a row must be too long). While it lasts new calls by UDP come by
// the door (sip/door), which lets in as many as the thread takes from it; as large a part of all others
// comes in. Where nobody is refused at the door there is a rate, which follows what the thread can do: the
// part of a CPU that it gets over the time that a call takes of it, less while messages wait.
// Runs on: control thread; time in microseconds of the loop's clock.

#include <stdbool.h>
#include <stdint.h>

#include "sip/guard/rate.h"
#include "sip/guard/waiting.h"

#define SIP_GUARD_WINDOW_US 100000 // between two looks
#define SIP_GUARD_CALM_WINDOWS 50 // without need of a limit: the episode is over

// What can make messages wait: datagrams unread in their socket, and the loop's own turns.
enum sip_guard_queue { SIP_GUARD_DATAGRAMS, SIP_GUARD_LOOP, SIP_GUARD_QUEUES };

struct sip_guard_wait {
	uint64_t shortest_us;
	bool is_measured; // something was
};

struct sip_guard_time {
	uint64_t at_us; // of the loop's clock
	uint64_t used_us; // CPU time that the thread has had
	uint64_t turned_away; // new calls that the door has refused
};

struct sip_guard_overload {
	bool is_on;
	struct sip_guard_time now; // when this window began; 0: none yet
	struct sip_guard_wait waits[SIP_GUARD_QUEUES]; // in this window
	uint64_t standing_us, before_us; // the longer one of the last window, and of the one before
	unsigned admitted, refused; // new calls in this window, but for those by the door
	unsigned let_in; // by the door
	double used_us, begun; // the thread's time, and new calls, of the last seconds
	double part; // of a CPU, that the thread can have
	double rate; // new calls a second that it can do, while is_on
	double rest; // of those, for who does not come by the door
	unsigned calm_windows, spare_windows; // in a row
	struct sip_guard_waiting waiting; // at the door
	struct sip_guard_rate calls, answers;
};

enum sip_guard_change { SIP_GUARD_SAME, SIP_GUARD_BEGAN, SIP_GUARD_ENDED };

// Who asks: the later, the sooner refused.
enum sip_guard_need {
	SIP_GUARD_NEED_STARTED, // an INVITE with credentials: work was spent on it already
	SIP_GUARD_NEED_PEER,
	SIP_GUARD_NEED_STRANGER,
};

// A message waited so long, or the loop turned so late.
void sip_guard_overload_note(struct sip_guard_overload *overload, enum sip_guard_queue queue,
			     uint64_t wait_us);
// Once in a while, at least each 100 ms: looks at the window that has passed.
enum sip_guard_change sip_guard_overload_look(struct sip_guard_overload *overload,
					      uint64_t longest_us, struct sip_guard_time now);
// May this new call come in?
bool sip_guard_overload_admit(struct sip_guard_overload *overload, enum sip_guard_need need,
			      uint64_t now_us);
// This one has come in by the door.
void sip_guard_overload_note_let_in(struct sip_guard_overload *overload);
// A refused one: may it have an answer? Half as many may as calls come in: answers cost work too, but no more
// than to read all the repeats of who is not answered.
bool sip_guard_overload_may_answer(struct sip_guard_overload *overload, uint64_t now_us);
