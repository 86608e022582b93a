// Header lines that name another dialog: Refer-To and Replaces (RFC 3515, RFC 3891).
// Runs on: the thread of the test.

#include <string.h>

#include "scenario/agent.h"

static const char *tag_of(const char *value)
{
	const char *tag = strstr(value, ";tag=");
	return tag != NULL ? tag + 5 : NULL;
}

// As the peer of that party sees its dialog: its own tag is the peer's "from", the peer's its "to".
static bool write_dialog(const struct party *party, const char *format, struct writer *writer)
{
	const char *to = tag_of(party->remote), *from = tag_of(party->local);
	if (to == NULL || from == NULL)
		return false;
	for (; *format != '\0'; format++) {
		if (*format == '@')
			writer_string(writer, party->call_id);
		else if (*format == '$')
			writer_string(writer, to);
		else if (*format == '&')
			writer_string(writer, from);
		else
			writer_char(writer, *format);
	}
	return true;
}

bool reference_write(const struct speech *speech, struct writer *writer)
{
	const struct party *party = speech->refers_to;
	if (party != NULL) {
		writer_format(writer, "Refer-To: <%s?Replaces=", party->target);
		if (!write_dialog(party, "@%3Bto-tag%3D$%3Bfrom-tag%3D&", writer))
			return false;
		writer_string(writer, speech->is_early_only ? "%3Bearly-only>\r\n" : ">\r\n");
	}
	party = speech->replaces;
	if (party == NULL)
		return true;
	writer_string(writer, "Replaces: ");
	bool is_written = write_dialog(party, "@;to-tag=$;from-tag=&", writer);
	writer_string(writer, speech->is_early_only ? ";early-only\r\n" : "\r\n");
	return is_written;
}
