// One look through the header lines, up to the one that decides. Pure; never allocates.

#include "sip/shard/shard.h"

#include <string.h>

#include "base/map.h"
#include "base/random.h"
#include "sip/value.h"

static const struct text cookie = TEXT("z9hG4bK");

void sip_shard_write(unsigned shard, size_t octets, struct writer *writer)
{
	writer_format(writer, "%02x", shard);
	random_write_hex(writer, octets);
}

static int digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

// false: no name of ours.
static bool read_name(struct text name, unsigned count, unsigned *out_shard)
{
	if (name.size <= SIP_SHARD_DIGITS)
		return false;
	int high = digit(name.data[0]), low = digit(name.data[1]);
	if (high < 0 || low < 0 || (unsigned)(high << 4 | low) >= count)
		return false;
	*out_shard = (unsigned)(high << 4 | low);
	return true;
}

// A header line with what is folded into it, without its end.
static struct text take_line(struct text *rest)
{
	struct text whole = *rest;
	size_t end = 0;
	do {
		const char *newline = memchr(whole.data + end, '\n', whole.size - end);
		end = newline != NULL ? (size_t)(newline - whole.data) + 1 : whole.size;
	} while (end < whole.size && (whole.data[end] == ' ' || whole.data[end] == '\t'));
	*rest = text_cut(whole, end);
	while (end > 0 && (whole.data[end - 1] == '\n' || whole.data[end - 1] == '\r'))
		end--;
	return (struct text){ whole.data, end };
}

static bool is_header(struct text line, struct text name, char compact, struct text *out_value)
{
	struct text value = line;
	struct text found = text_trim(text_split(&value, ':'));
	bool is_compact = found.size == 1 && (found.data[0] | 32) == compact;
	if (!is_compact && !text_is_same(found, name))
		return false;
	*out_value = value;
	return true;
}

// The value of a parameter; not of one inside the brackets of a URI or quotes.
static struct text parameter(struct text value, struct text name)
{
	const char *bracket = memrchr(value.data, '>', value.size);
	if (bracket != NULL)
		value = text_cut(value, (size_t)(bracket - value.data) + 1);
	(void)text_split(&value, ';');
	while (value.size > 0) {
		struct text one = text_split(&value, ';');
		struct text key = text_trim(text_split(&one, '='));
		if (text_is_same(key, name))
			return text_trim(one);
	}
	return TEXT_NONE;
}

static unsigned of_response(struct text rest, unsigned count)
{
	struct text value;
	unsigned shard = 0;
	while (rest.size > 0) {
		if (!is_header(take_line(&rest), TEXT("via"), 'v', &value))
			continue;
		struct text branch = parameter(sip_value_list(&value), TEXT("branch"));
		if (text_has_prefix(branch, cookie))
			(void)read_name(text_cut(branch, cookie.size), count, &shard);
		break;
	}
	return shard;
}

static unsigned of_request(struct text rest, unsigned count)
{
	struct text value, call_id = TEXT_NONE, from_tag = TEXT_NONE;
	bool has_to = false, has_from = false;
	while (rest.size > 0 && (!has_to || !has_from || call_id.size == 0)) {
		struct text line = take_line(&rest);
		unsigned shard;
		if (line.size == 0)
			break;
		if (is_header(line, TEXT("to"), 't', &value)) {
			has_to = true;
			if (read_name(parameter(value, TEXT("tag")), count, &shard))
				return shard;
		} else if (is_header(line, TEXT("from"), 'f', &value)) {
			has_from = true;
			from_tag = parameter(value, TEXT("tag"));
		} else if (is_header(line, TEXT("call-id"), 'i', &value)) {
			call_id = text_trim(value);
		}
	}
	return (unsigned)(map_hash_pair(call_id, from_tag) % count);
}

unsigned sip_shard_of(struct text octets, unsigned count)
{
	struct text rest = octets;
	if (count <= 1)
		return 0;
	while (rest.size > 0 && (rest.data[0] == '\r' || rest.data[0] == '\n'))
		rest = text_cut(rest, 1);
	bool is_response = text_has_prefix(rest, TEXT("SIP/"));
	(void)take_line(&rest);
	return is_response ? of_response(rest, count) : of_request(rest, count);
}
