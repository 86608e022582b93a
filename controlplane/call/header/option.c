// Option tags a request demands. Runs on the control thread; pure.

#include "call/header/option.h"

#include "sip/value.h"

// A tag that is added here is one whose rules trunkd keeps on each leg.
static bool has_option(struct text tag)
{
	return text_is_same(tag, TEXT("100rel")) || // call/session/reliable.h, early.h
	       text_is_same(tag, TEXT("replaces")); // call/transfer/takeover.h
}

static void write_tag(struct text tag, struct writer *writer, size_t start)
{
	struct writer longer = *writer;
	if (writer->used > start)
		writer_text(&longer, TEXT(", "));
	writer_text(&longer, tag);
	if (!longer.failed)
		*writer = longer;
}

static bool write_missing(struct text value, struct writer *writer, size_t start)
{
	bool is_missing = false;
	while (value.data != NULL) {
		struct text tag = sip_value_list(&value);
		if (tag.size == 0 || has_option(tag)) // an empty header demands nothing
			continue;
		is_missing = true;
		write_tag(tag, writer, start);
	}
	return is_missing;
}

bool option_write_missing(const struct sip_message *request, struct writer *writer)
{
	static const char *const headers[] = { "Require", "Proxy-Require" };
	size_t start = writer->used;
	bool is_missing = false;
	struct text value;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		for (unsigned nth = 0;
		     (value = sip_message_header(request, headers[i], nth)).data != NULL; nth++)
			is_missing |= write_missing(value, writer, start);
	return is_missing;
}
