#pragma once

// How a caller ID becomes verified (NUM-018): its owner is sent a code of six digits and says it back.
// All that is known of it stands in the object, so that it outlives a restart: of the code a digest alone.
// Runs on: control thread; pure.

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

struct directory;
struct directory_object;
struct directory_problem;

#define DIRECTORY_VERIFICATION_VALID_S 600
#define DIRECTORY_VERIFICATION_TRIES 5 // of one code
#define DIRECTORY_VERIFICATION_PAUSE_S 60 // between two codes to one number, whoever asks for them
#define DIRECTORY_VERIFICATION_CODES 5 // of one number and account in a day
#define DIRECTORY_VERIFICATION_DAY_S 86400

// The account's caller ID of this number; NULL: none.
const struct directory_object *directory_verification_find(const struct directory *directory,
							   struct text account_sid,
							   struct text e164);
// May the number be sent another code now? Looks at all accounts. ERR_LIMIT says from when on.
enum status directory_verification_may(const struct directory *directory, struct text e164,
				       uint64_t now_s, struct directory_problem *out_problem);
// Makes the object pending, with the digest of its new code. ERR_CONFLICT: it is verified already; ERR_LIMIT.
enum status directory_verification_begin(struct directory_object *object, struct text digest,
					 uint64_t now_s, struct directory_problem *out_problem);
// Counts the try, or makes the object verified; either is to be stored before anybody hears of it.
// ERR_CONFLICT: no code was sent, or the number is verified; ERR_TIMEOUT: too late; ERR_LIMIT: too many
// tries.
enum status directory_verification_try(struct directory_object *object, struct text digest,
				       uint64_t now_s, bool *out_is_right,
				       struct directory_problem *out_problem);
unsigned directory_verification_tries_left(const struct directory_object *object);
// Verified on somebody's word; `by` is one of the choices of verified_by.
enum status directory_verification_accept(struct directory_object *object, struct text by,
					  uint64_t now_s, struct directory_problem *out_problem);
bool directory_verification_is_pending(const struct directory_object *object);
