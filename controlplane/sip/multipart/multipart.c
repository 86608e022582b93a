// Splits a body at its boundary, each octet looked at a bounded number of times.
// Runs on any thread; borrows, never allocates, never reads past the body.

#include "sip/multipart/multipart.h"

#include <string.h>

#include "sip/value.h"

#define BOUNDARY_MAX 70 // RFC 2046 5.1.1

struct split {
	char delimiter[2 + 2 + BOUNDARY_MAX]; // CRLF "--" boundary
	size_t size;
	struct text rest;
	struct text description;
	unsigned descriptions;
};

static struct text unquote(struct text value)
{
	bool is_quoted = value.size >= 2 && value.data[0] == '"';
	return is_quoted ? (struct text){ value.data + 1, value.size - 2 } : value;
}

static struct text boundary_of(struct text parameters)
{
	struct sip_parameter parameter;
	while (sip_value_parameter(&parameters, &parameter))
		if (text_is_same(parameter.name, TEXT("boundary")))
			return unquote(parameter.value);
	return TEXT_NONE;
}

static bool begin(struct split *split, struct text boundary, struct text body)
{
	if (boundary.size == 0 || boundary.size > BOUNDARY_MAX)
		return false;
	memcpy(split->delimiter, "\r\n--", 4);
	memcpy(split->delimiter + 4, boundary.data, boundary.size);
	split->size = 4 + boundary.size;
	split->rest = body;
	return true;
}

// Up to the next delimiter line, which is left behind. The first may stand at the body's very start.
static bool take_part(struct split *split, bool is_first, struct text *out_part, bool *out_is_last)
{
	struct text rest = split->rest;
	size_t skipped = 0;
	const char *found = NULL;
	if (is_first && rest.size >= split->size - 2 &&
	    memcmp(rest.data, split->delimiter + 2, split->size - 2) == 0) {
		found = rest.data;
		skipped = 2;
	} else {
		found = memmem(rest.data, rest.size, split->delimiter, split->size);
	}
	if (found == NULL)
		return false;
	size_t part_size = (size_t)(found - rest.data);
	*out_part = (struct text){ rest.data, part_size };
	rest = text_cut(rest, part_size + split->size - skipped);
	*out_is_last = rest.size >= 2 && memcmp(rest.data, "--", 2) == 0;
	if (*out_is_last)
		return true;
	while (rest.size > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t'))
		rest = text_cut(rest, 1); // padding a transport may add
	if (rest.size < 2 || memcmp(rest.data, "\r\n", 2) != 0)
		return false;
	split->rest = rest; // with the CRLF that may begin the next delimiter
	return true;
}

// One line of a part's head without its CRLF; false: there is none.
static bool take_line(struct text *rest, struct text *out_line)
{
	const char *end = memmem(rest->data, rest->size, "\r\n", 2);
	if (end == NULL)
		return false;
	*out_line = (struct text){ rest->data, (size_t)(end - rest->data) };
	*rest = text_cut(*rest, out_line->size + 2);
	return true;
}

static bool is_plain(struct text encoding)
{
	return text_is_same(encoding, TEXT("binary")) || text_is_same(encoding, TEXT("8bit")) ||
	       text_is_same(encoding, TEXT("7bit"));
}

// False: its head has no end, or too many lines.
static bool read_part(struct split *split, struct text part)
{
	struct text line;
	bool is_description = false;
	if (part.size < 2)
		return true; // empty
	part = text_cut(part, 2); // the delimiter's CRLF
	for (unsigned i = 0; i <= SIP_MULTIPART_HEADERS_MAX; i++) {
		if (!take_line(&part, &line))
			return false;
		if (line.size == 0) {
			split->descriptions += is_description;
			if (is_description)
				split->description = part;
			return true;
		}
		struct text name = text_trim(text_split(&line, ':'));
		struct text value = text_trim(text_split(&line, ';'));
		if (text_is_same(name, TEXT("Content-Type")))
			is_description = text_is_same(value, TEXT("application/sdp"));
		else if (text_is_same(name, TEXT("Content-Transfer-Encoding")) && !is_plain(value))
			return false;
	}
	return false;
}

enum sip_multipart_verdict sip_multipart_description(struct text type, struct text body,
						     struct text *out_description)
{
	struct split split = { .descriptions = 0 };
	struct text part, parameters = type;
	bool is_last = false;
	struct text kind = text_split(&parameters, ';');
	if (kind.size < 10 || !text_is_same((struct text){ kind.data, 10 }, TEXT("multipart/")))
		return SIP_MULTIPART_OTHER;
	parameters = text_cut(type, kind.size); // with its first semicolon
	if (!begin(&split, boundary_of(parameters), body) ||
	    !take_part(&split, true, &part, &is_last)) // what stands before the first is for nobody
		return SIP_MULTIPART_MALFORMED;
	for (unsigned i = 0; !is_last; i++)
		if (i == SIP_MULTIPART_PARTS_MAX || !take_part(&split, false, &part, &is_last) ||
		    !read_part(&split, part))
			return SIP_MULTIPART_MALFORMED;
	if (split.descriptions > 1)
		return SIP_MULTIPART_MALFORMED;
	if (split.descriptions == 0)
		return SIP_MULTIPART_NONE;
	*out_description = split.description;
	return SIP_MULTIPART_FOUND;
}
