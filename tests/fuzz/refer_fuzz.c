// Fuzz target: the values of Refer-To, Referred-By and Replaces. What is taken names one target, and no
// octet of it can end a line or a string elsewhere.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "call/transfer/refer.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void check_clean(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] < ' ')
			abort();
}

static void check_dialog(const struct replaces *replaces)
{
	if (replaces->call_id.size == 0 || replaces->to_tag.size == 0 ||
	    replaces->from_tag.size == 0)
		abort();
	check_clean(replaces->call_id);
	check_clean(replaces->to_tag);
	check_clean(replaces->from_tag);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static bool is_started;
	struct text rest = { (const char *)octets, size };
	struct sip_message request = { .is_request = true, .method = SIP_REFER };
	static const struct text names[] = { { "Refer-To", 8 }, { "Referred-By", 11 } };
	struct refer refer;
	struct refusal refusal;
	struct replaces replaces;
	if (!is_started)
		sip_message_start();
	is_started = true;
	if (replaces_parse(rest, &replaces))
		check_dialog(&replaces);
	for (unsigned i = 0; i < 2 && rest.size > 0; i++)
		request.headers[request.header_count++] =
			(struct sip_header){ names[i], text_split(&rest, '\n') };
	if (refer_parse(&request, &refer, &refusal) != REFUSED_NOT)
		return 0;
	if (refer.target.user.size == 0 && refer.target.host.size == 0)
		abort();
	if (refer.bare.size > refer.target.whole.size)
		abort();
	if (refer.has_replaces)
		check_dialog(&refer.replaces);
	return 0;
}
