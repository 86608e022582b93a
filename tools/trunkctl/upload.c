// Reads a SIP message as it stood, from a file or standard input; lines may end in LF alone there.

#include "upload.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 45000 // of which base64 makes less than a line

static bool read_file(struct text path, struct writer *message, const char **out_problem)
{
	char name[PATH_MAX];
	bool is_standard = text_is_equal(path, TEXT("-"));
	*out_problem = "file=: this file cannot be read";
	if (!text_copy(path, name, sizeof(name)))
		return false;
	FILE *file = is_standard ? stdin : fopen(name, "re");
	if (!file)
		return false;
	char before = 0;
	for (int letter; (letter = fgetc(file)) != EOF; before = (char)letter) {
		if (letter == '\n' && before != '\r') // as editors leave it; SIP wants CRLF
			writer_char(message, '\r');
		writer_char(message, (char)letter);
	}
	bool is_good = !ferror(file);
	if (!is_standard)
		(void)fclose(file);
	if (message->failed)
		*out_problem = "file=: longer than 45,000 octets";
	return is_good && !message->failed && message->used > 0;
}

static void write_base64(struct writer *writer, struct text octets)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t at = 0; at < octets.size; at += 3) {
		size_t left = octets.size - at;
		unsigned bits = (unsigned)(unsigned char)octets.data[at] << 16;
		bits |= left > 1 ? (unsigned)(unsigned char)octets.data[at + 1] << 8 : 0;
		bits |= left > 2 ? (unsigned)(unsigned char)octets.data[at + 2] : 0;
		writer_char(writer, letters[bits >> 18]);
		writer_char(writer, letters[bits >> 12 & 63]);
		writer_char(writer, left > 1 ? letters[bits >> 6 & 63] : '=');
		writer_char(writer, left > 2 ? letters[bits & 63] : '=');
	}
}

bool upload_message(struct writer *writer, struct text path, const char **out_problem)
{
	char *room = malloc(MESSAGE_MAX);
	if (!room)
		return false;
	struct writer message = writer_of(room, MESSAGE_MAX);
	bool is_good = read_file(path, &message, out_problem);
	if (is_good) {
		writer_string(writer, "message=");
		write_base64(writer, writer_done(&message));
	}
	free(room);
	return is_good;
}

bool upload_path(struct writer *writer, struct text path, const char **out_problem)
{
	char name[PATH_MAX], whole[PATH_MAX];
	*out_problem = "config=: there is no such file";
	if (!text_copy(path, name, sizeof(name)) || !realpath(name, whole))
		return false;
	writer_format(writer, "\"config=%s\"", whole);
	*out_problem = "config=: a path with a quote or backslash";
	return !strpbrk(whole, "\"\\");
}
