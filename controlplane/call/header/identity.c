// Who calls, as carriers are told. Runs on the control thread; pure.
// Carriers are the trust domain of RFC 3325: they get the number in P-Asserted-Identity, whatever From says.

#include "call/header/identity.h"

#include "sip/message_uri.h"
#include "sip/value.h"

static bool has_word(struct text value, const char *word)
{
	while (value.size > 0)
		if (text_is_same(text_trim(text_split(&value, ';')), text_of(word)))
			return true;
	return false;
}

// Separators are ';', and ',' of those who take it for a list.
static bool asks(const struct sip_message *message, const char *word)
{
	struct text value;
	for (unsigned nth = 0; (value = sip_message_header(message, "Privacy", nth)).data != NULL;
	     nth++)
		while (value.size > 0)
			if (has_word(text_split(&value, ','), word))
				return true;
	return false;
}

// RFC 3323 4.1.1.3, and those who leave out a part of it.
static bool is_anonymous(const struct sip_party *from)
{
	return text_is_same(from->uri.user, TEXT("anonymous")) ||
	       text_is_same(from->uri.host, TEXT("anonymous.invalid"));
}

// ";privacy=full" and its kin, of which "off" alone means nothing (draft-ietf-sip-privacy-04).
static bool is_party_private(const struct sip_message *message)
{
	struct text value = sip_message_header(message, "Remote-Party-ID", 0);
	const char *end = NULL;
	struct sip_parameter parameter;
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] == '>')
			end = value.data + i;
	if (end == NULL)
		return false;
	struct text rest = text_cut(value, (size_t)(end - value.data) + 1);
	while (sip_value_parameter(&rest, &parameter))
		if (text_is_same(parameter.name, TEXT("privacy")) &&
		    !text_is_same(parameter.value, TEXT("off")))
			return true;
	return false;
}

void identity_read(const struct sip_message *invite, struct identity *out_identity)
{
	*out_identity = (struct identity){
		.is_open = asks(invite, "none"),
		.hides_history = asks(invite, "history"),
		.is_private = asks(invite, "id") || asks(invite, "user") ||
			      is_anonymous(&invite->from) || is_party_private(invite),
	};
	out_identity->is_open &= !out_identity->is_private;
}

void identity_copy_wishes(const struct identity *identity, struct identity *out_identity)
{
	out_identity->is_private = identity->is_private;
	out_identity->hides_history = identity->hides_history;
	out_identity->is_open = identity->is_open;
}

void identity_write_name(const struct identity *identity, struct writer *writer)
{
	if (identity->is_private || identity->name[0] == '\0')
		return;
	cnam_name_write_quoted(identity->name, writer);
	writer_char(writer, ' ');
}

static void write_number(const struct identity *identity, const char *number,
			 const struct address *host, struct writer *writer)
{
	identity_write_name(identity, writer);
	writer_format(writer, "<sip:%s@", number);
	address_write(host, writer);
	writer_char(writer, '>');
}

void identity_write_from(const struct identity *identity, const char *number,
			 const struct address *host, struct writer *writer)
{
	if (identity->is_private)
		writer_text(writer, TEXT("\"Anonymous\" <sip:anonymous@anonymous.invalid>"));
	else
		write_number(identity, number, host, writer);
}

void identity_write_lines(const struct identity *identity, bool is_trusted, const char *number,
			  const struct address *host, struct writer *writer)
{
	if (is_trusted || !identity->is_private) {
		writer_text(writer, TEXT("P-Asserted-Identity: "));
		write_number(identity, number, host, writer);
		writer_text(writer, TEXT("\r\n"));
	}
	if (identity->is_private && identity->hides_history)
		writer_text(writer, TEXT("Privacy: id;history\r\n"));
	else if (identity->is_private)
		writer_text(writer, TEXT("Privacy: id\r\n"));
	else if (identity->hides_history)
		writer_text(writer, TEXT("Privacy: history\r\n"));
	else if (identity->is_open)
		writer_text(writer, TEXT("Privacy: none\r\n"));
}
