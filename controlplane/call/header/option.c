// Option tags a request demands. Runs on the control thread; pure.

#include "call/header/option.h"

#include "sip/value.h"

// A tag that is added here is one whose rules trunkd keeps on each leg.
static bool has_option(struct text tag)
{
	return text_is_same(tag, TEXT("100rel")) || // call/session/reliable.h, early.h
	       text_is_same(tag, TEXT("replaces")); // call/transfer/takeover.h
}

static void write_missing(struct text value, struct writer *writer, size_t start)
{
	while (value.data != NULL) {
		struct text tag = sip_value_list(&value);
		if (!sip_value_is_token(tag) || has_option(tag))
			continue;
		if (writer->used > start)
			writer_text(writer, TEXT(", "));
		writer_text(writer, tag);
	}
}

bool option_write_missing(const struct sip_message *request, struct writer *writer)
{
	static const char *const headers[] = { "Require", "Proxy-Require" };
	size_t start = writer->used;
	struct text value;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		for (unsigned nth = 0;
		     (value = sip_message_header(request, headers[i], nth)).data != NULL; nth++)
			write_missing(value, writer, start);
	return writer->used > start;
}
