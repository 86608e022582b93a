// Crypto lines of strangers: one that is taken has a key of its suite's size and nothing behind it, and
// written again it is read as the same; one that is skipped leaves nothing behind.
// The first octet of the input is the suites that may be taken, the rest is the line's value.
// Runs on: the fuzzer's thread, or the replay's.

#include <stdlib.h>
#include <string.h>

#include "media/sdes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_taken(const struct media_sdes *line, unsigned suites)
{
	const struct suite_facts *facts = suite_facts((enum suite)line->key.suite);
	size_t size = (size_t)facts->key_size + facts->salt_size;
	require(line->key.suite > SUITE_NONE && line->key.suite < SUITE_COUNT);
	require(suites & SUITE_BIT(line->key.suite));
	require(line->tag <= 999999999 && size <= sizeof(line->key.octets));
	for (size_t i = size; i < sizeof(line->key.octets); i++)
		require(line->key.octets[i] == 0);
}

static void write_and_read_back(const struct media_sdes *line)
{
	char room[MEDIA_SDES_SIZE_MAX];
	struct media_sdes back;
	struct writer writer = writer_of(room, sizeof(room));
	media_sdes_write(line, &writer);
	struct text written = writer_done(&writer);
	require(written.size > 0);
	require(media_sdes_parse(written, SUITE_BIT(line->key.suite), &back) == MEDIA_SDES_TAKEN);
	require(back.tag == line->tag && !back.has_lifetime);
	require(media_key_is_equal(&back.key, &line->key));
	require(memcmp(&back.key, &line->key, sizeof(back.key)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct media_sdes line, untouched;
	if (size < 1)
		return 0;
	unsigned suites = data[0];
	memset(&line, 0xa5, sizeof(line));
	memset(&untouched, 0xa5, sizeof(untouched));
	struct text value = { (const char *)data + 1, size - 1 };
	enum media_sdes_fate fate = media_sdes_parse(value, suites, &line);
	require(fate < MEDIA_SDES_FATES && media_sdes_fate_text(fate)[0] != '\0');
	if (fate == MEDIA_SDES_TAKEN) {
		require(value.size <= MEDIA_SDES_SIZE_MAX);
		check_taken(&line, suites);
		write_and_read_back(&line);
	} else {
		require(memcmp(&line, &untouched, sizeof(line)) == 0);
	}
	return 0;
}
