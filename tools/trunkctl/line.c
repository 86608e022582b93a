// Quoting of words, and passwords and codes from standard input or the terminal. Must never echo or keep one.

#include "line.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "upload.h"

#define PASSWORD_SIZE 256

static void write_word(struct writer *writer, struct text word)
{
	writer_char(writer, '"');
	for (size_t i = 0; i < word.size; i++) {
		if (word.data[i] == '"' || word.data[i] == '\\')
			writer_char(writer, '\\');
		writer_char(writer, word.data[i]);
	}
	writer_char(writer, '"');
}

static bool read_line(char room[static PASSWORD_SIZE])
{
	if (!fgets(room, PASSWORD_SIZE, stdin))
		return false;
	char *end = strpbrk(room, "\r\n");
	if (end)
		*end = 0;
	return end != NULL && room[0] != 0;
}

static bool prompt(const char *text, char room[static PASSWORD_SIZE])
{
	struct termios before, quiet;
	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return false;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fputs(text, stderr);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0)
		return false;
	bool is_good = read_line(room);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return is_good;
}

static bool read_password(char room[static PASSWORD_SIZE], const char **out_problem)
{
	char again[PASSWORD_SIZE];
	if (!isatty(STDIN_FILENO)) {
		*out_problem = "password=-: no line on standard input";
		return read_line(room);
	}
	*out_problem = "no password was typed";
	if (!prompt("Password: ", room) || !prompt("Again: ", again))
		return false;
	bool is_same = strcmp(room, again) == 0;
	secret_wipe(again, sizeof(again));
	*out_problem = "the two passwords differ";
	return is_same;
}

static bool write_password(struct writer *writer, const char **out_problem)
{
	char room[PASSWORD_SIZE], word[PASSWORD_SIZE + 16];
	bool is_good = read_password(room, out_problem);
	if (is_good) {
		snprintf(word, sizeof(word), "password=%s", room);
		write_word(writer, text_of(word));
	}
	secret_wipe(room, sizeof(room));
	secret_wipe(word, sizeof(word));
	return is_good;
}

// A code that is sent to who owns a number is of no use to who watches the list of processes.
static bool write_code(struct writer *writer, const char **out_problem)
{
	char room[PASSWORD_SIZE];
	bool is_terminal = isatty(STDIN_FILENO);
	*out_problem = is_terminal ? "no code was typed" : "CODE: no line on standard input";
	bool is_good = is_terminal ? prompt("Code: ", room) : read_line(room);
	if (is_good)
		write_word(writer, text_of(room));
	secret_wipe(room, sizeof(room));
	return is_good;
}

// confirm caller_id NUMBER ACCOUNT [CODE]
#define CONFIRM_WORDS 4

static bool takes_code(char *const *words, int count)
{
	bool is_confirm = count >= CONFIRM_WORDS && strcmp(words[0], "confirm") == 0 &&
			  strcmp(words[1], "caller_id") == 0;
	return is_confirm && (count == CONFIRM_WORDS || (count == CONFIRM_WORDS + 1 &&
							 strcmp(words[CONFIRM_WORDS], "-") == 0));
}

static bool is_of(char *const *words, int count, const char *command)
{
	return count > 0 && strcmp(words[0], command) == 0;
}

static bool write_other(struct writer *writer, char *const *words, int count, int *at,
			const char **out_problem)
{
	struct text word = text_of(words[*at]);
	if (is_of(words, count, "explain") && text_has_prefix(word, TEXT("file=")))
		return upload_message(writer, text_cut(word, strlen("file=")), out_problem);
	if (is_of(words, count, "replay") && text_has_prefix(word, TEXT("config=")))
		return upload_path(writer, text_cut(word, strlen("config=")), out_problem);
	if (is_of(words, count, "replay") && text_is_equal(word, TEXT("--config")) &&
	    *at + 1 < count)
		return upload_path(writer, text_of(words[++*at]), out_problem);
	write_word(writer, word);
	return true;
}

// The line is one request: whatever stood behind a line break would be another, of whoever chose the word.
static bool are_of_one_line(char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (strpbrk(words[i], "\r\n"))
			return false;
	return true;
}

bool line_write(struct writer *writer, char *const *words, int count, const char **out_problem)
{
	*out_problem = "a word holds a line break";
	if (!are_of_one_line(words, count))
		return false;
	bool has_code = takes_code(words, count);
	count = has_code ? CONFIRM_WORDS : count;
	for (int i = 0; i < count; i++) {
		struct text word = text_of(words[i]);
		writer_string(writer, i > 0 ? " " : "");
		if (!text_has_prefix(word, TEXT("password="))) {
			if (!write_other(writer, words, count, &i, out_problem))
				return false;
		} else if (!text_is_equal(word, TEXT("password=-"))) {
			*out_problem =
				"a password on the command line is seen in the list of processes;\n"
				"give password=- and type it, or pipe it in";
			return false;
		} else if (!write_password(writer, out_problem)) {
			return false;
		}
	}
	writer_string(writer, has_code ? " " : "");
	if (has_code && !write_code(writer, out_problem))
		return false;
	*out_problem = "too many or too long words: 64 KiB at most";
	return !writer->failed;
}
