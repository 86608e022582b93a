// The life of a caller ID until it is verified. Runs on the control thread; pure.

#include "directory/verification/verification.h"

#include "base/secret.h"
#include "directory/object.h"

static uint64_t number_of(const struct directory_object *object, const char *field)
{
	uint64_t value = 0;
	return text_to_unsigned(directory_object_get(object, field), UINT64_MAX, &value) ? value
											 : 0;
}

static enum status set_number(struct directory_object *object, struct text field, uint64_t value,
			      struct directory_problem *problem)
{
	char room[24];
	struct writer writer = writer_of(room, sizeof(room));
	writer_unsigned(&writer, value);
	return directory_object_set(object, field, writer_done(&writer), problem);
}

static enum status clear(struct directory_object *object, struct directory_problem *problem)
{
	static const char *const fields[] = { "code_sha256", "expires_s", "tries" };
	enum status status = OK;
	for (unsigned i = 0; status == OK && i < sizeof(fields) / sizeof(fields[0]); i++)
		status = directory_object_set(object, text_of(fields[i]), TEXT_NONE, problem);
	return status;
}

bool directory_verification_is_pending(const struct directory_object *object)
{
	return text_is_equal(directory_object_get(object, "status"), TEXT("pending"));
}

const struct directory_object *directory_verification_find(const struct directory *directory,
							   struct text account_sid,
							   struct text e164)
{
	const struct directory_object *object = NULL;
	while ((object = directory_next(directory, DIRECTORY_CALLER_ID, object)))
		if (text_is_equal(directory_object_get(object, "e164"), e164) &&
		    text_is_equal(directory_object_get(object, "account"), account_sid))
			return object;
	return NULL;
}

// Whoever owns the number is to be troubled no more often because many accounts claim it.
enum status directory_verification_may(const struct directory *directory, struct text e164,
				       uint64_t now_s, struct directory_problem *out_problem)
{
	const struct directory_object *object = NULL;
	while ((object = directory_next(directory, DIRECTORY_CALLER_ID, object))) {
		uint64_t asked_s = number_of(object, "asked_s");
		if (!text_is_equal(directory_object_get(object, "e164"), e164) || asked_s > now_s ||
		    now_s - asked_s >= DIRECTORY_VERIFICATION_PAUSE_S)
			continue;
		directory_problem_set(
			out_problem, "e164",
			"was sent a code a moment ago; allowed: another in %u s",
			(unsigned)(DIRECTORY_VERIFICATION_PAUSE_S - (now_s - asked_s)));
		return ERR_LIMIT;
	}
	return OK;
}

static enum status count_code(struct directory_object *object, uint64_t now_s,
			      struct directory_problem *problem)
{
	uint64_t since_s = number_of(object, "codes_since_s"), codes = number_of(object, "codes");
	if (since_s == 0 || now_s >= since_s + DIRECTORY_VERIFICATION_DAY_S) {
		since_s = now_s;
		codes = 0;
	}
	if (codes >= DIRECTORY_VERIFICATION_CODES) {
		directory_problem_set(problem, "e164",
				      "was sent %u codes for this account within a day; allowed: "
				      "another a day after the first",
				      DIRECTORY_VERIFICATION_CODES);
		return ERR_LIMIT;
	}
	enum status status = set_number(object, TEXT("codes"), codes + 1, problem);
	return status == OK ? set_number(object, TEXT("codes_since_s"), since_s, problem) : status;
}

enum status directory_verification_begin(struct directory_object *object, struct text digest,
					 uint64_t now_s, struct directory_problem *out_problem)
{
	bool is_known = object->version > 0; // a new one is born verified, see the schema
	if (is_known && !directory_verification_is_pending(object)) {
		directory_problem_set(out_problem, "e164", "is verified for this account already");
		return ERR_CONFLICT;
	}
	enum status status = count_code(object, now_s, out_problem);
	if (status == OK)
		status = directory_object_set(object, TEXT("status"), TEXT("pending"), out_problem);
	if (status == OK)
		status = directory_object_set(object, TEXT("code_sha256"), digest, out_problem);
	if (status == OK)
		status = set_number(object, TEXT("expires_s"),
				    now_s + DIRECTORY_VERIFICATION_VALID_S, out_problem);
	if (status == OK)
		status = set_number(object, TEXT("asked_s"), now_s, out_problem);
	return status == OK ? set_number(object, TEXT("tries"), 0, out_problem) : status;
}

unsigned directory_verification_tries_left(const struct directory_object *object)
{
	uint64_t tries = number_of(object, "tries");
	return tries < DIRECTORY_VERIFICATION_TRIES ? DIRECTORY_VERIFICATION_TRIES - (unsigned)tries
						    : 0;
}

static enum status check_code(const struct directory_object *object, uint64_t now_s,
			      struct directory_problem *problem)
{
	struct text known = directory_object_get(object, "code_sha256");
	if (!directory_verification_is_pending(object) || known.size == 0) {
		directory_problem_set(problem, "code",
				      directory_verification_is_pending(object)
					      ? "no code was sent; verify caller_id sends one"
					      : "the number is verified already");
		return ERR_CONFLICT;
	}
	if (now_s >= number_of(object, "expires_s")) {
		directory_problem_set(problem, "code",
				      "is too old; verify caller_id sends another");
		return ERR_TIMEOUT;
	}
	if (directory_verification_tries_left(object) == 0) {
		directory_problem_set(problem, "code",
				      "was wrong too often; verify caller_id sends another");
		return ERR_LIMIT;
	}
	return OK;
}

enum status directory_verification_try(struct directory_object *object, struct text digest,
				       uint64_t now_s, bool *out_is_right,
				       struct directory_problem *out_problem)
{
	struct text known = directory_object_get(object, "code_sha256");
	enum status status = check_code(object, now_s, out_problem);
	if (status != OK)
		return status;
	*out_is_right =
		known.size == digest.size && secret_is_equal(known.data, digest.data, digest.size);
	if (*out_is_right)
		return directory_verification_accept(object, TEXT("code"), now_s, out_problem);
	return set_number(object, TEXT("tries"), number_of(object, "tries") + 1, out_problem);
}

enum status directory_verification_accept(struct directory_object *object, struct text by,
					  uint64_t now_s, struct directory_problem *out_problem)
{
	enum status status = clear(object, out_problem);
	if (status == OK)
		status =
			directory_object_set(object, TEXT("status"), TEXT("verified"), out_problem);
	if (status == OK)
		status = directory_object_set(object, TEXT("verified_by"), by, out_problem);
	return status == OK ? set_number(object, TEXT("verified_s"), now_s, out_problem) : status;
}
