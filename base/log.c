// Events as lines: formatted by the caller, gathered in a bounded buffer, written by one thread.
// Runs on: any thread but the workers. Never waits for the disk, never logs a secret.
//
// The state below is one of the two mutable objects at file scope in this project (the other is the
// map's hash key): an event must be possible anywhere, also where nothing was passed down.

#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread/thread.h"

#define LINE_SIZE 2048
#define LINE_END 64 // kept free for the end of a line that was cut
#define BUFFER_SIZE (512 * 1024)

struct log_buffer {
	char *octets;
	size_t used;
};

static struct {
	atomic_int level;
	atomic_int format;
	_Atomic uint64_t dropped;
	pthread_mutex_t mutex; // guards what follows
	pthread_cond_t wake;
	bool is_running, is_stopping;
	struct log_buffer filling;
	struct log_buffer writing; // the writing thread's alone while it writes
	pthread_t thread;
} log_state = { .level = LOG_INFO,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.wake = PTHREAD_COND_INITIALIZER };

static const char *const level_names[] = { "debug", "info", "warning", "error" };

static void write_out(const char *octets, size_t size)
{
	while (size > 0) {
		ssize_t written = write(STDERR_FILENO, octets, size);
		if (written > 0) {
			octets += written;
			size -= (size_t)written;
		} else if (written < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = STDERR_FILENO, .events = POLLOUT };
			poll(&wait, 1, 1000);
		} else if (written == 0 || errno != EINTR) {
			atomic_fetch_add(&log_state.dropped, 1);
			return;
		}
	}
}

// Two buffers change places: callers fill one while this thread writes the other.
static void *write_lines(void *unused)
{
	pthread_mutex_lock(&log_state.mutex);
	for (;;) {
		while (log_state.filling.used == 0 && !log_state.is_stopping)
			pthread_cond_wait(&log_state.wake, &log_state.mutex);
		if (log_state.filling.used == 0)
			break;
		struct log_buffer full = log_state.filling;
		log_state.filling = log_state.writing;
		log_state.writing = full;
		pthread_mutex_unlock(&log_state.mutex);
		write_out(full.octets, full.used);
		pthread_mutex_lock(&log_state.mutex);
		log_state.writing.used = 0;
	}
	pthread_mutex_unlock(&log_state.mutex);
	return unused;
}

bool log_start(enum log_level level, enum log_format format)
{
	log_set_level(level);
	atomic_store(&log_state.format, format);
	pthread_mutex_lock(&log_state.mutex);
	if (!log_state.is_running) {
		log_state.filling = (struct log_buffer){ .octets = malloc(BUFFER_SIZE) };
		log_state.writing = (struct log_buffer){ .octets = malloc(BUFFER_SIZE) };
		memory_touch(log_state.filling.octets, BUFFER_SIZE);
		memory_touch(log_state.writing.octets, BUFFER_SIZE);
		log_state.is_stopping = false;
		log_state.is_running =
			log_state.filling.octets && log_state.writing.octets &&
			thread_start(&log_state.thread, "log", write_lines, NULL) == OK;
	}
	if (!log_state.is_running) {
		free(log_state.filling.octets);
		free(log_state.writing.octets);
	}
	bool is_running = log_state.is_running;
	pthread_mutex_unlock(&log_state.mutex);
	return is_running;
}

void log_stop(void)
{
	pthread_mutex_lock(&log_state.mutex);
	bool was_running = log_state.is_running && !log_state.is_stopping;
	log_state.is_stopping = true;
	pthread_cond_signal(&log_state.wake);
	pthread_mutex_unlock(&log_state.mutex);
	if (!was_running)
		return;
	pthread_join(log_state.thread, NULL);
	pthread_mutex_lock(&log_state.mutex);
	write_out(log_state.filling.octets, log_state.filling.used); // came while joining
	free(log_state.filling.octets);
	free(log_state.writing.octets);
	log_state.is_running = false;
	pthread_mutex_unlock(&log_state.mutex);
}

void log_set_level(enum log_level level)
{
	atomic_store(&log_state.level, level);
}

bool log_level_parse(struct text text, enum log_level *out_level)
{
	for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (text_is_equal(text, text_of(level_names[i]))) {
			*out_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

uint64_t log_dropped(void)
{
	return atomic_load(&log_state.dropped);
}

// Octets of the well-formed UTF-8 character at the start (RFC 3629), 0 when it is none. The C1
// controls are no exception worth keeping: terminals act on them.
static size_t utf8_size(struct text text)
{
	const unsigned char *at = (const unsigned char *)text.data;
	size_t size = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
	if (size == 0 || size > text.size)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	bool is_overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
	bool is_outside = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
	bool is_control = at[0] == 0xc2 && at[1] < 0xa0;
	return is_overlong || is_outside || is_control ? 0 : size;
}

static void write_escaped(struct writer *writer, unsigned char octet, enum log_format format)
{
	const char *kind = format == LOG_JSON ? "\\u00" : "\\x";
	if (octet == '"' || octet == '\\')
		writer_char(writer, '\\');
	else
		writer_string(writer, kind);
	if (octet == '"' || octet == '\\')
		writer_char(writer, (char)octet);
	else
		writer_format(writer, "%02x", octet);
}

static void write_quoted(struct writer *writer, struct text value, enum log_format format)
{
	writer_char(writer, '"');
	while (value.size > 0) {
		unsigned char octet = (unsigned char)value.data[0];
		bool is_plain = octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\';
		size_t size = is_plain ? 1 : utf8_size(value);
		if (size > 0)
			writer_text(writer, (struct text){ value.data, size });
		else
			write_escaped(writer, octet, format);
		value = text_cut(value, size > 0 ? size : 1);
	}
	writer_char(writer, '"');
}

static bool needs_quotes(struct text value)
{
	for (size_t i = 0; i < value.size; i++) {
		char octet = value.data[i];
		if (octet <= ' ' || octet >= 0x7f || octet == '"' || octet == '\\' || octet == '=')
			return true; // a char above 0x7f is negative here, or not: both are caught
	}
	return value.size == 0;
}

static void write_pair(struct writer *writer, const char *key, const char *value,
		       enum log_format format)
{
	struct text text = text_of(value);
	if (writer->used > 0)
		writer_char(writer, format == LOG_JSON ? ',' : ' ');
	if (format == LOG_JSON)
		write_quoted(writer, text_of(key), format);
	else
		writer_string(writer, key);
	writer_char(writer, format == LOG_JSON ? ':' : '=');
	if (format == LOG_JSON || needs_quotes(text))
		write_quoted(writer, text, format);
	else
		writer_text(writer, text);
}

// The braces of JSON are put around the pairs by finish_line.
static void write_pairs(struct writer *writer, va_list pairs, enum log_format format)
{
	for (;;) {
		const char *key = va_arg(pairs, const char *);
		const char *value = key ? va_arg(pairs, const char *) : NULL;
		if (!key)
			return;
		size_t used = writer->used;
		write_pair(writer, key, value, format);
		if (!writer->failed)
			continue;
		writer->used = used; // the pair that does not fit is left out whole, and said so
		writer->failed = false;
		writer->size += LINE_END / 2;
		write_pair(writer, "cut", key, format);
		if (writer->failed) {
			writer->used = used;
			writer->failed = false;
		}
		return;
	}
}

static void append(const char *line, size_t size)
{
	pthread_mutex_lock(&log_state.mutex);
	bool is_running = log_state.is_running;
	bool fits = is_running && BUFFER_SIZE - log_state.filling.used >= size;
	if (fits) {
		memcpy(log_state.filling.octets + log_state.filling.used, line, size);
		log_state.filling.used += size;
		pthread_cond_signal(&log_state.wake);
	}
	pthread_mutex_unlock(&log_state.mutex);
	if (!is_running)
		write_out(line, size);
	else if (!fits)
		atomic_fetch_add(&log_state.dropped, 1);
}

void log_event(enum log_level level, const char *event, ...)
{
	if ((int)level < atomic_load_explicit(&log_state.level, memory_order_relaxed))
		return;
	enum log_format format = (enum log_format)atomic_load(&log_state.format);
	struct clock clock;
	char time[25];
	char line[LINE_SIZE];
	clock_update(&clock);
	clock_write_iso(clock.wall_ms, time);
	// The first octet is JSON's brace; key=value lines start after it.
	line[0] = '{';
	struct writer writer = writer_of(line + 1, LINE_SIZE - LINE_END);
	write_pair(&writer, "time", time, format);
	write_pair(&writer, "level", level_names[level], format);
	write_pair(&writer, "event", event, format);
	va_list pairs;
	va_start(pairs, event);
	write_pairs(&writer, pairs, format);
	va_end(pairs);
	char *end = line + 1 + writer.used;
	if (format == LOG_JSON)
		*end++ = '}';
	*end++ = '\n';
	const char *start = format == LOG_JSON ? line : line + 1;
	append(start, (size_t)(end - start));
}

const char *log_number(struct log_value *value, int64_t number)
{
	struct writer writer = writer_of(value->room, sizeof(value->room));
	if (number < 0)
		writer_char(&writer, '-');
	writer_unsigned(&writer, number < 0 ? -(uint64_t)number : (uint64_t)number);
	return writer_string_done(&writer);
}

const char *log_text(struct log_value *value, struct text text)
{
	size_t size = text.size < sizeof(value->room) ? text.size : sizeof(value->room) - 1;
	for (size_t i = 0; i < size; i++)
		value->room[i] = text.data[i] ? text.data[i] : '?'; // a zero would hide the rest
	value->room[size] = 0;
	return value->room;
}
