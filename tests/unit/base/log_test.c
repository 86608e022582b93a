// What the log writes, read back from a pipe put in the place of stderr.

#include "tests/check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/fake/allocation.h"

#define TIME_SIZE 24 // 2026-11-21T20:47:38.123Z

struct capture {
	int saved_fd;
	int read_fd;
	char text[65536];
	size_t size;
};

static void capture_start(struct capture *capture)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	capture->saved_fd = dup(STDERR_FILENO);
	capture->read_fd = ends[0];
	capture->size = 0;
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
}

// Gives stderr back, then reads all that was written; a pipe holds 64 KiB, more than a test writes.
static struct text capture_stop(struct capture *capture)
{
	dup2(capture->saved_fd, STDERR_FILENO);
	close(capture->saved_fd);
	ssize_t got;
	while ((got = read(capture->read_fd, capture->text + capture->size,
			   sizeof(capture->text) - capture->size)) > 0)
		capture->size += (size_t)got;
	close(capture->read_fd);
	return (struct text){ capture->text, capture->size };
}

static void an_event_is_one_line_of_pairs(void **state)
{
	(void)state;
	struct capture capture;
	struct log_value number, cut;
	capture_start(&capture);
	log_event(LOG_INFO, "call_answered", "call", "CA12", "after_ms", log_number(&number, -15),
		  "user", log_text(&cut, TEXT("alice")), "none", "", "more", "a b=c", NULL);
	struct text line = capture_stop(&capture);
	CHECK_TRUE(text_has_prefix(line, TEXT("time=20")));
	CHECK_TEXT(text_cut(line, 5 + TIME_SIZE),
		   " level=info event=call_answered call=CA12 after_ms=-15 user=alice none=\"\""
		   " more=\"a b=c\"\n");
}

static void text_from_the_network_cannot_make_lines_of_its_own(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		const char *key_value;
		const char *json;
	} rows[] = {
		{ "a\nlevel=error", "\"a\\x0alevel=error\"", "\"a\\u000alevel=error\"" },
		{ "\r\t\x1b[2J", "\"\\x0d\\x09\\x1b[2J\"", "\"\\u000d\\u0009\\u001b[2J\"" },
		{ "say \"hi\\\"", "\"say \\\"hi\\\\\\\"\"", "\"say \\\"hi\\\\\\\"\"" },
		{ "Zoë €𝄞", "\"Zoë €𝄞\"", "\"Zoë €𝄞\"" },
		{ "\x7f\xff\xc3(", "\"\\x7f\\xff\\xc3(\"", "\"\\u007f\\u00ff\\u00c3(\"" },
		{ "\xc2\x85", "\"\\xc2\\x85\"", "\"\\u00c2\\u0085\"" }, // C1 control
		{ "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"", "\"\\u00ed\\u00a0\\u0080\"" }, // surrogate
		{ "\xc0\xaf", "\"\\xc0\\xaf\"", "\"\\u00c0\\u00af\"" }, // overlong
		{ "\xe2\x82", "\"\\xe2\\x82\"", "\"\\u00e2\\u0082\"" }, // cut short
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct capture capture;
		char expected[256];
		struct writer writer = writer_of(expected, sizeof(expected));
		capture_start(&capture);
		log_event(LOG_WARNING, "seen", "value", rows[i].value, NULL);
		struct text line = capture_stop(&capture);
		writer_format(&writer, " level=warning event=seen value=%s\n", rows[i].key_value);
		CHECK_TEXT(text_cut(line, 5 + TIME_SIZE), writer_string_done(&writer));

		capture_start(&capture);
		CHECK_TRUE(log_start(LOG_INFO, LOG_JSON));
		log_event(LOG_WARNING, "seen", "value", rows[i].value, NULL);
		log_stop();
		line = capture_stop(&capture);
		CHECK_TRUE(log_start(LOG_INFO, LOG_KEY_VALUE));
		log_stop();
		writer = writer_of(expected, sizeof(expected));
		writer_format(&writer,
			      "\",\"level\":\"warning\",\"event\":\"seen\",\"value\":%s}\n",
			      rows[i].json);
		CHECK_TRUE(text_has_prefix(line, TEXT("{\"time\":\"20")));
		CHECK_TEXT(text_cut(line, 9 + TIME_SIZE), writer_string_done(&writer));
	}
}

static void events_below_the_level_are_not_written(void **state)
{
	(void)state;
	struct capture capture;
	capture_start(&capture);
	log_set_level(LOG_ERROR);
	log_event(LOG_WARNING, "hidden", NULL);
	log_set_level(LOG_DEBUG);
	log_event(LOG_DEBUG, "shown", NULL);
	log_set_level(LOG_INFO);
	log_event(LOG_DEBUG, "hidden", NULL);
	struct text lines = capture_stop(&capture);
	CHECK_TEXT(text_cut(lines, 5 + TIME_SIZE), " level=debug event=shown\n");
}

static void a_line_too_long_is_cut_at_a_pair_and_says_so(void **state)
{
	(void)state;
	struct capture capture;
	char lengthy[4000];
	memset(lengthy, 'x', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = 0;
	capture_start(&capture);
	log_event(LOG_INFO, "seen", "first", "1", "lengthy", lengthy, "last", "3", NULL);
	CHECK_TRUE(log_start(LOG_INFO, LOG_JSON));
	log_event(LOG_INFO, "seen", "first", "1", "lengthy", lengthy, "last", "3", NULL);
	log_stop();
	CHECK_TRUE(log_start(LOG_INFO, LOG_KEY_VALUE));
	log_stop();
	struct text rest = capture_stop(&capture);
	struct text line = text_split(&rest, '\n');
	CHECK_TEXT(text_cut(line, 5 + TIME_SIZE), " level=info event=seen first=1 cut=lengthy");
	CHECK_TRUE(text_has_suffix_same(rest, TEXT("\"first\":\"1\",\"cut\":\"lengthy\"}\n")));
}

static void texts_are_cut_at_their_room_and_hold_no_zero(void **state)
{
	(void)state;
	struct log_value value;
	char lengthy[400];
	memset(lengthy, 'x', sizeof(lengthy));
	CHECK_NUMBER(strlen(log_text(&value, (struct text){ lengthy, sizeof(lengthy) })), 255);
	CHECK_STRING(log_text(&value, (struct text){ "a\0b", 3 }), "a?b");
	CHECK_STRING(log_number(&value, INT64_MIN), "-9223372036854775808");
}

static void levels_are_read_from_their_names(void **state)
{
	(void)state;
	enum log_level level = LOG_DEBUG;
	CHECK_TRUE(log_level_parse(TEXT("warning"), &level));
	assert_int_equal(level, LOG_WARNING);
	CHECK_FALSE(log_level_parse(TEXT("Warning"), &level));
	CHECK_FALSE(log_level_parse(TEXT(""), &level));
	assert_int_equal(level, LOG_WARNING);
}

static void *log_many(void *argument)
{
	for (int i = 0; i < 100; i++)
		log_event(LOG_INFO, "many", "thread", argument, NULL);
	return NULL;
}

static void lines_of_several_threads_are_all_written_whole(void **state)
{
	(void)state;
	struct capture capture;
	pthread_t threads[4];
	static char names[4][2] = { "a", "b", "c", "d" };
	capture_start(&capture);
	CHECK_TRUE(log_start(LOG_INFO, LOG_KEY_VALUE));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	log_stop();
	struct text rest = capture_stop(&capture);
	unsigned seen[4] = { 0 };
	while (rest.size > 0) {
		struct text line = text_split(&rest, '\n');
		CHECK_TRUE(text_has_prefix(line, TEXT("time=20")));
		CHECK_NUMBER(line.size,
			     5 + TIME_SIZE + sizeof(" level=info event=many thread=a") - 1);
		seen[line.data[line.size - 1] - 'a']++;
	}
	for (size_t i = 0; i < 4; i++)
		CHECK_NUMBER(seen[i], 100);
}

// A reader that stops reading: callers go on, what does not fit is dropped and counted.
static void a_slow_console_never_stops_the_caller(void **state)
{
	(void)state;
	struct capture capture;
	char filler[1000];
	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = 0;
	uint64_t before = log_dropped();
	capture_start(&capture);
	CHECK_TRUE(log_start(LOG_INFO, LOG_KEY_VALUE));
	for (int i = 0; i < 3000; i++) // 3 MB into two buffers of 512 KiB and a pipe of 64 KiB
		log_event(LOG_INFO, "flood", "filler", filler, NULL);
	assert_true(log_dropped() - before > 1000);
	assert_true(log_dropped() - before < 3000);
	// Nobody will read the rest: with the pipe's reading end on /dev/null's way out, let it go.
	dup2(capture.saved_fd, STDERR_FILENO);
	int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(sink, STDERR_FILENO);
	char drain[65536];
	fcntl(capture.read_fd, F_SETFL, O_NONBLOCK);
	while (read(capture.read_fd, drain, sizeof(drain)) != 0) {
		if (errno == EAGAIN)
			usleep(1000); // the writer is still at its last write into the pipe
		errno = 0;
	}
	log_stop();
	close(sink);
	close(capture.read_fd);
	dup2(capture.saved_fd, STDERR_FILENO);
	close(capture.saved_fd);
}

static void without_memory_it_stays_on_stderr(void **state)
{
	(void)state;
	struct capture capture;
	for (unsigned i = 1; i <= 2; i++) {
		allocation_fail_at(i);
		CHECK_FALSE(log_start(LOG_INFO, LOG_KEY_VALUE));
	}
	allocation_fail_at(0);
	log_stop(); // harmless when it does not run
	capture_start(&capture);
	log_event(LOG_ERROR, "memory_short", NULL);
	struct text line = capture_stop(&capture);
	CHECK_TRUE(text_has_suffix_same(line, TEXT(" event=memory_short\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_is_one_line_of_pairs),
		TEST(text_from_the_network_cannot_make_lines_of_its_own),
		TEST(events_below_the_level_are_not_written),
		TEST(a_line_too_long_is_cut_at_a_pair_and_says_so),
		TEST(texts_are_cut_at_their_room_and_hold_no_zero),
		TEST(levels_are_read_from_their_names),
		TEST(lines_of_several_threads_are_all_written_whole),
		TEST(a_slow_console_never_stops_the_caller),
		TEST(without_memory_it_stays_on_stderr),
	};
	return RUN_TESTS(tests);
}
