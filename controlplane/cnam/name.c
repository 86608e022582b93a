// Names come from strangers: nothing in them may end a header or begin another. Runs on any thread; pure.

#include "cnam/name.h"

#include "base/country/country.h"

// How long the character is; 0: no well-formed UTF-8 (RFC 3629 4), or a control character.
static size_t character_size(struct text text)
{
	const unsigned char *at = (const unsigned char *)text.data;
	if (at[0] < 0x80)
		return at[0] >= 0x20 && at[0] != 0x7f ? 1 : 0;
	size_t size = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
	if (size == 0 || size > text.size)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	bool is_overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
	bool is_outside = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
	bool is_control = at[0] == 0xc2 && at[1] < 0xa0;
	return is_overlong || is_outside || is_control ? 0 : size;
}

void cnam_name_clean(struct text raw, char room[static CNAM_NAME_SIZE])
{
	struct writer writer = writer_of(room, CNAM_NAME_SIZE);
	bool is_after_space = true, is_pending = false; // a space, written when something follows
	for (unsigned count = 0; raw.size > 0 && count < CNAM_CHARACTERS_MAX;) {
		size_t size = character_size(raw);
		if (size == 0 || raw.data[0] == ' ') {
			is_pending = !is_after_space;
			raw = text_cut(raw, 1);
			continue;
		}
		if (is_pending && count + 1 == CNAM_CHARACTERS_MAX)
			break; // no room for the character behind the space
		if (is_pending)
			writer_char(&writer, ' ');
		count += is_pending + 1u;
		writer_text(&writer, (struct text){ raw.data, size });
		raw = text_cut(raw, size);
		is_after_space = is_pending = false;
	}
	if (!writer_string_done(&writer))
		room[0] = 0;
}

void cnam_name_write_quoted(const char *name, struct writer *writer)
{
	writer_char(writer, '"');
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			writer_char(writer, '\\');
		writer_char(writer, *name);
	}
	writer_char(writer, '"');
}

// Area codes below +1 that are of no place: free, personal and premium numbers (North American Numbering
// Plan).
static const char nowhere[] =
	"800 822 833 844 855 866 877 880 881 882 883 884 885 886 887 888 889 900 "
	"500 521 522 523 524 525 526 527 528 529 532 533 538 542 543 544 545 546 547 549 "
	"550 552 553 554 556 558 566 569 577 578 588 589 600 700 710";

bool cnam_name_is_public(struct text e164)
{
	unsigned country = country_of_number(e164);
	if (e164.size != 12 || !text_has_prefix(e164, TEXT("+1")) || e164.data[2] < '2' ||
	    country == COUNTRY_NONE)
		return false;
	struct text code = text_of(country_code(country));
	struct text rest = TEXT(nowhere), area = { e164.data + 2, 3 };
	if (!text_is_equal(code, TEXT("US")) && !text_is_equal(code, TEXT("CA")))
		return false;
	while (rest.size > 0)
		if (text_is_equal(text_split(&rest, ' '), area))
			return false;
	return true;
}
