// What SIP itself asks of an INVITE before it is passed on. Runs on the control thread; pure.

#include "call/admission/check.h"
#include "call/header/option.h"

enum admission admission_judge_hops(struct admission_case *admission_case)
{
	if (admission_case->invite->max_forwards > 0)
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_MAX_FORWARDS, "Max-Forwards", TEXT("0"),
				"20 or more");
}

enum admission admission_judge_extensions(struct admission_case *admission_case)
{
	char room[128];
	struct writer writer = writer_of(room, sizeof room);
	if (!option_write_missing(admission_case->invite, &writer))
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_EXTENSION, "Require", writer_done(&writer),
				"no extension but 100rel");
}

static bool is_range_of_sdp(struct text range)
{
	struct text kind = text_trim(text_split(&range, ';'));
	return text_is_same(kind, TEXT("application/sdp")) ||
	       text_is_same(kind, TEXT("application/*")) || text_is_equal(kind, TEXT("*/*"));
}

// RFC 3261 20.1: without an Accept it is application/sdp, with an empty one nothing at all.
static bool accepts_sdp(const struct sip_message *invite)
{
	struct text value = sip_message_header(invite, "Accept", 0);
	bool is_accepted = value.data == NULL;
	for (unsigned nth = 0; (value = sip_message_header(invite, "Accept", nth)).data != NULL;
	     nth++)
		while (value.size > 0)
			is_accepted |= is_range_of_sdp(text_split(&value, ','));
	return is_accepted;
}

enum admission admission_judge_accept(struct admission_case *admission_case)
{
	if (accepts_sdp(admission_case->invite))
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_ACCEPT, "Accept",
				sip_message_header(admission_case->invite, "Accept", 0),
				"application/sdp");
}

enum refusal_cause admission_refuse_dialog(const struct sip_message *invite,
					   struct refusal *refusal)
{
	bool has_contact = invite->contact.uri.host.size > 0;
	if (!has_contact || invite->from.tag.size == 0)
		return refusal_set(refusal, REFUSED_CONTACT, "Contact", invite->contact.uri.whole,
				   "one Contact with a SIP URI, and a tag in From");
	return refusal_set(refusal, REFUSED_CONTACT, "Record-Route",
			   sip_message_header(invite, "Record-Route", 0),
			   "at most 32 values, each a SIP URI in angle brackets");
}
