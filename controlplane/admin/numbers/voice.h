#pragma once

// What answers a number's calls, as one setting of four choices (NUM-007). What is kept is the trunk, the
// URL or the application alone (NUM-008): the setting is told by which of them there is.
// Runs on: control thread.

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"

struct admin_change;
struct directory_object;
struct directory_problem;

#define ADMIN_VOICE_FIELD "voice_handler"
#define ADMIN_VOICE_TEXT                                                                           \
	"What answers its calls: sip_trunking (with trunk=), url (with voice_url=), "              \
	"application (with voice_application=) or none (NUM-007)."

const char *admin_voice_choice(unsigned row); // NULL: there are no more
const char *admin_voice_of(const struct directory_object *number); // the choice that holds
bool admin_voice_is_word(struct text word); // voice_handler=...
// After the other words of a change were taken: ERR_MALFORMED is a choice that is none, or one whose trunk,
// URL or application is missing; ERR_CONFLICT "none" beside one of them. Without such a word nothing is done.
enum status admin_voice_choose(const struct admin_change *change, struct directory_object *number,
			       struct directory_problem *out_problem);
