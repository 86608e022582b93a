// Which numbers an account may call. Runs on the control thread; reads memory only.

#include "base/country/country.h"
#include "call/admission/check.h"
#include "directory/directory.h"

// D-12: the called number of a trial account has to be verified, whoever owns it.
static enum refusal_cause check_verified(const struct calls *calls, const struct account *account,
					 const char *header, struct text called,
					 struct refusal *refusal)
{
	if (!account->is_trial || directory_is_verified(calls->directory, account, called))
		return REFUSED_NOT;
	return refusal_set(refusal, REFUSED_UNVERIFIED, header, called,
			   "a caller ID verified for the account, which is of type trial");
}

static enum refusal_cause check_blacklist(const struct calls *calls, const char *header,
					  struct text called, struct refusal *refusal)
{
	if (!directory_is_blocked(calls->directory, called))
		return REFUSED_NOT;
	return refusal_set(refusal, REFUSED_BLACKLISTED, header, called,
			   "a number that is not blocked on this platform");
}

static enum refusal_cause check_country(const struct calls *calls, const struct account *account,
					const char *header, struct text called,
					struct refusal *refusal)
{
	char seen[sizeof refusal->seen], expected[sizeof refusal->expected], codes[150];
	const struct country_set *allowed = directory_countries(calls->directory, account);
	unsigned country = country_of_number(called);
	if (country_set_has(allowed, country))
		return REFUSED_NOT;
	struct writer seen_writer = writer_of(seen, sizeof seen);
	struct writer expected_writer = writer_of(expected, sizeof expected);
	struct writer codes_writer = writer_of(codes, sizeof codes);
	writer_format(&seen_writer, "%.*s, of %s (%s)", TEXT_FORMAT(called),
		      country != COUNTRY_NONE ? country_name(country) : "no country",
		      country != COUNTRY_NONE ? country_code(country) : "none");
	country_set_write(allowed, &codes_writer);
	writer_format(&expected_writer, "a number of %s",
		      codes_writer.failed ? "one of the account's voice_countries"
		      : codes_writer.used ? writer_string_done(&codes_writer)
					  : "no country at all");
	const char *text = writer_string_done(&expected_writer);
	return refusal_set(refusal, REFUSED_COUNTRY, header, writer_done(&seen_writer),
			   text != NULL ? text : "");
}

static enum admission of_cause(enum refusal_cause cause)
{
	return cause == REFUSED_NOT ? ADMITTED : ADMISSION_REFUSED;
}

enum admission admission_judge_verified(struct admission_case *admission_case)
{
	const struct admitted *admitted = &admission_case->admitted;
	return of_cause(check_verified(admission_case->calls, admitted->account, "Request-URI",
				       text_of(admitted->called), &admission_case->refusal));
}

enum admission admission_judge_blacklist(struct admission_case *admission_case)
{
	return of_cause(check_blacklist(admission_case->calls, "Request-URI",
					text_of(admission_case->admitted.called),
					&admission_case->refusal));
}

enum admission admission_judge_country(struct admission_case *admission_case)
{
	const struct admitted *admitted = &admission_case->admitted;
	return of_cause(check_country(admission_case->calls, admitted->account, "Request-URI",
				      text_of(admitted->called), &admission_case->refusal));
}
