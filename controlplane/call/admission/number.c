// Which number is called, and who calls. Runs on the control thread; reads memory only.

#include <string.h>

#include "call/admission/check.h"
#include "directory/directory.h"

#define E164_DIGITS_MAX 15

bool call_is_e164(struct text text)
{
	if (text.size < 3 || text.size > 1 + E164_DIGITS_MAX || text.data[0] != '+')
		return false;
	if (text.data[1] < '1' || text.data[1] > '9')
		return false;
	for (size_t i = 2; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	}
	return true;
}

// RFC 3261 19.1.4: "%2B" is "+". Nothing else may be escaped in a number, so all else fails.
bool call_read_number(struct text user, bool has_plus, char room[static 17])
{
	char unescaped[20] = "+";
	struct text rest = user;
	if (rest.size >= 3 && text_is_same((struct text){ rest.data, 3 }, TEXT("%2B")))
		rest = text_cut(rest, 3);
	else if (rest.size > 0 && rest.data[0] == '+')
		rest = text_cut(rest, 1);
	else if (has_plus)
		return false;
	if (!text_copy(rest, unescaped + 1, sizeof unescaped - 1))
		return false;
	return call_is_e164(text_of(unescaped)) && text_copy(text_of(unescaped), room, 17);
}

enum admission admission_judge_called(struct admission_case *admission_case)
{
	const struct sip_uri *target = &admission_case->invite->target;
	if (call_read_number(target->user, true, admission_case->admitted.called))
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_CALLED_NUMBER, "Request-URI", target->whole,
				"E.164 with +, such as +15005551212");
}

bool admission_may_show(const struct calls *calls, const struct account *account, const char *e164)
{
	return directory_has_number(calls->directory, account, text_of(e164)) ||
	       directory_is_verified(calls->directory, account, text_of(e164));
}

static bool is_number_like(struct text user)
{
	if (user.size == 0)
		return false;
	char first = user.data[0];
	return first == '+' || first == '%' || (first >= '0' && first <= '9');
}

// The caller ID a header carries; the first right one counts. A header may carry none.
static enum admission judge_identity(struct admission_case *admission_case, const char *header,
				     const struct sip_uri *uri)
{
	struct admitted *admitted = &admission_case->admitted;
	char number[17];
	if (!is_number_like(uri->user))
		return ADMITTED;
	if (!call_read_number(uri->user, true, number))
		return admission_refuse(admission_case, REFUSED_CALLER_ID_FORM, header, uri->whole,
					"E.164 with +, such as +15005551212");
	if (!admission_may_show(admission_case->calls, admitted->account, number))
		return admission_refuse(admission_case, REFUSED_CALLER_ID, header, uri->whole,
					"a number of the trunk's account, or verified for it");
	if (admitted->caller_id[0] == '\0')
		(void)text_copy(text_of(number), admitted->caller_id, sizeof admitted->caller_id);
	return ADMITTED;
}

static enum admission judge_header(struct admission_case *admission_case, const char *header)
{
	struct text value = sip_message_header(admission_case->invite, header, 0);
	struct sip_party party;
	if (value.data == NULL)
		return ADMITTED;
	if (!sip_party_parse(value, &party))
		return admission_refuse(admission_case, REFUSED_CALLER_ID_FORM, header, value,
					"a SIP URI with a number");
	return judge_identity(admission_case, header, &party.uri);
}

// D-10: From first; Remote-Party-ID must be right whenever it is there; where From carries no number
// Remote-Party-ID, then P-Asserted-Identity gives it.
enum admission admission_judge_caller_id(struct admission_case *admission_case)
{
	const struct sip_uri *from = &admission_case->invite->from.uri;
	const char *caller_id = admission_case->admitted.caller_id;
	enum admission admission = judge_identity(admission_case, "From", from);
	if (admission == ADMITTED)
		admission = judge_header(admission_case, "Remote-Party-ID");
	if (admission == ADMITTED && caller_id[0] == '\0')
		admission = judge_header(admission_case, "P-Asserted-Identity");
	if (admission != ADMITTED || caller_id[0] != '\0')
		return admission;
	return admission_refuse(admission_case, REFUSED_CALLER_ID_FORM, "From", from->whole,
				"a number of the trunk's account in From, Remote-Party-ID or "
				"P-Asserted-Identity");
}
