// Replaces, by RFC 3891 6.1. Runs on the control thread; pure but for the look-up.

#include "call/transfer/replaces.h"

#include "call/state.h"
#include "sip/value.h"

static bool take_tag(struct text value, struct text *tag)
{
	if (tag->size > 0 || !sip_value_is_token(value))
		return false;
	*tag = value;
	return true;
}

static bool take_parameters(struct text rest, struct replaces *replaces)
{
	struct sip_parameter parameter;
	while (sip_value_parameter(&rest, &parameter)) {
		bool is_to = text_is_same(parameter.name, TEXT("to-tag"));
		bool is_from = text_is_same(parameter.name, TEXT("from-tag"));
		if (is_to && !take_tag(parameter.value, &replaces->to_tag))
			return false;
		if (is_from && !take_tag(parameter.value, &replaces->from_tag))
			return false;
		if (text_is_same(parameter.name, TEXT("early-only")))
			replaces->is_early_only = true;
	}
	return text_trim(rest).size == 0 && replaces->to_tag.size > 0 &&
	       replaces->from_tag.size > 0;
}

// A word or two with '@' between (RFC 3261 25.1), of which the comparison alone is our business.
static bool is_call_id(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] <= ' ' || text.data[i] == ',' ||
		    (unsigned char)text.data[i] >= 127)
			return false;
	return text.size > 0;
}

static bool parse(struct replaces *replaces, size_t size)
{
	struct text whole = { replaces->room, size };
	const char *semicolon = text_find(whole, ';');
	if (semicolon == NULL)
		return false;
	size_t length = (size_t)(semicolon - whole.data);
	replaces->call_id = text_trim((struct text){ whole.data, length });
	return is_call_id(replaces->call_id) && take_parameters(text_cut(whole, length), replaces);
}

bool replaces_parse(struct text value, struct replaces *out_replaces)
{
	*out_replaces = (struct replaces){ 0 };
	return text_copy(value, out_replaces->room, sizeof out_replaces->room) &&
	       parse(out_replaces, value.size);
}

static int nibble(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 32;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool replaces_parse_escaped(struct text value, struct replaces *out_replaces)
{
	*out_replaces = (struct replaces){ 0 };
	struct writer writer = writer_of(out_replaces->room, sizeof out_replaces->room);
	for (size_t i = 0; i < value.size; i++) {
		int octet = (unsigned char)value.data[i];
		if (octet == '%') {
			int high = i + 2 < value.size ? nibble(value.data[i + 1]) : -1;
			int low = i + 2 < value.size ? nibble(value.data[i + 2]) : -1;
			octet = high < 0 || low < 0 ? 0 : high * 16 + low;
			i += 2;
		}
		if (octet < ' ')
			return false;
		writer_char(&writer, (char)octet);
	}
	return !writer.failed && parse(out_replaces, writer.used);
}

// "to" is the side of who is asked, so it is ours; some mean it the other way round.
struct leg *replaces_find(const struct calls *calls, const struct replaces *replaces)
{
	struct sip_dialog *dialog = sip_dialog_find_tags(calls->dialogs, replaces->call_id,
							 replaces->to_tag, replaces->from_tag);
	if (dialog == NULL)
		dialog = sip_dialog_find_tags(calls->dialogs, replaces->call_id, replaces->from_tag,
					      replaces->to_tag);
	struct leg *leg = dialog != NULL ? sip_dialog_owner(dialog) : NULL;
	return leg != NULL && leg->call != NULL && !leg->is_over ? leg : NULL;
}
