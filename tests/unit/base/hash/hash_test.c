// Hashes agree with equality of what was put in, and with nothing else.

#include "base/hash/hash.h"

#include <string.h>

#include "tests/check.h"

#define LONGEST 40

static struct hash_words words_of(struct text text)
{
	struct hash hash = hash_start();
	hash_text(&hash, text);
	return hash_finish_words(&hash);
}

static void both_words_depend_on_every_bit_and_the_size(void **state)
{
	(void)state;
	char room[LONGEST + 1] = { 0 };
	for (size_t size = 0; size < LONGEST; size++) {
		struct hash_words words = words_of((struct text){ room, size });
		struct hash_words longer = words_of((struct text){ room, size + 1 });
		assert_true(hash_is_equal(words, words_of((struct text){ room, size })));
		assert_true(words.first != words.second);
		assert_true(words.first != longer.first && words.second != longer.second);
		for (size_t bit = 0; bit < 8 * size; bit++) {
			room[bit / 8] ^= (char)(1 << bit % 8);
			struct hash_words other = words_of((struct text){ room, size });
			assert_true(words.first != other.first && words.second != other.second);
			room[bit / 8] = 0;
		}
	}
}

static struct hash_words words_of_two(struct text a, struct text b, uint64_t number)
{
	struct hash hash = hash_start();
	hash_text(&hash, a);
	hash_text(&hash, b);
	hash_number(&hash, number);
	return hash_finish_words(&hash);
}

static void what_is_put_in_apart_stays_apart(void **state)
{
	(void)state;
	struct hash_words words = words_of_two(TEXT("ab"), TEXT("c"), 1);
	assert_true(hash_is_equal(words, words_of_two(TEXT("ab"), TEXT("c"), 1)));
	assert_false(hash_is_equal(words, words_of_two(TEXT("a"), TEXT("bc"), 1)));
	assert_false(hash_is_equal(words, words_of_two(TEXT("c"), TEXT("ab"), 1)));
	assert_false(hash_is_equal(words, words_of_two(TEXT("ab"), TEXT("c"), 2)));
	// A text that looks as its neighbour's size and start do.
	char size[8] = { 8 };
	struct text fake = { size, sizeof(size) };
	assert_false(
		hash_is_equal(words_of_two(fake, TEXT_NONE, 0), words_of_two(TEXT_NONE, fake, 0)));
	assert_true(hash_is_equal(words_of_two(TEXT_NONE, TEXT(""), 0),
				  words_of_two(TEXT(""), TEXT_NONE, 0)));
}

static struct hash_words words_of_same(struct text text)
{
	struct hash hash = hash_start();
	hash_text_same(&hash, text);
	return hash_finish_words(&hash);
}

static void case_is_folded_wherever_a_letter_stands(void **state)
{
	(void)state;
	const char *upper = "PBX.EXAMPLE.COM:XYZ", *lower = "pbx.example.com:xyz";
	for (size_t size = 1; size <= strlen(upper); size++) {
		struct text a = { upper, size }, b = { lower, size };
		assert_true(hash_is_equal(words_of_same(a), words_of_same(b)));
		assert_false(hash_is_equal(words_of(a), words_of(b)));
		assert_true(hash_is_equal(words_of(b), words_of_same(b)));
	}
	assert_false(hash_is_equal(words_of_same(TEXT("[")), words_of_same(TEXT("{"))));
	assert_false(hash_is_equal(words_of_same(TEXT("@")), words_of_same(TEXT("`"))));
}

static void a_short_result_is_the_first_word(void **state)
{
	(void)state;
	struct hash hash = hash_start();
	hash_number(&hash, 7);
	struct hash same = hash;
	assert_true(hash_finish(&hash) == hash_finish_words(&same).first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_words_depend_on_every_bit_and_the_size),
		TEST(what_is_put_in_apart_stays_apart),
		TEST(case_is_folded_wherever_a_letter_stands),
		TEST(a_short_result_is_the_first_word),
	};
	return RUN_TESTS(tests);
}
