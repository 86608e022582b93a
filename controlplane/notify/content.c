// Forms and mails. Runs on any thread. Must never let a value end a line or a parameter.

#include "notify/content.h"

#include <string.h>
#include <time.h>

#include "notify/sign.h"

#define LINE_MAX 76 // RFC 2045 6.7
#define SUBJECT_MAX 200

static bool is_unreserved(char octet)
{
	return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
	       (octet >= '0' && octet <= '9') || (octet != 0 && strchr("-_.*", octet));
}

// application/x-www-form-urlencoded
static void write_encoded(struct writer *writer, struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		char octet = text.data[i];
		if (octet == ' ')
			writer_char(writer, '+');
		else if (is_unreserved(octet))
			writer_char(writer, octet);
		else
			writer_format(writer, "%%%02X", (unsigned char)octet);
	}
}

// By names, as the signature wants them: order means nothing else in a form.
static void sort(const struct notify_pair *pairs, unsigned count,
		 const struct notify_pair *out_sorted[static NOTIFY_PAIRS_MAX])
{
	for (unsigned i = 0; i < count; i++) {
		unsigned at = i;
		for (; at > 0 && strcmp(out_sorted[at - 1]->name, pairs[i].name) > 0; at--)
			out_sorted[at] = out_sorted[at - 1];
		out_sorted[at] = &pairs[i];
	}
}

static bool sign(struct notify_content *content, const char *url, const char *token,
		 const struct notify_pair *const *sorted, unsigned count)
{
	char room[NOTIFY_BODY_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	content->signature[0] = 0;
	if (token[0] == 0)
		return true;
	struct text whole = text_of(url);
	writer_text(&writer, text_split(&whole, '#'));
	for (unsigned i = 0; i < count; i++) {
		writer_string(&writer, sorted[i]->name);
		writer_text(&writer, sorted[i]->value);
	}
	if (writer.failed)
		return false;
	notify_sign(token, writer_done(&writer), content->signature);
	return content->signature[0] != 0;
}

bool notify_content_form(struct notify_content *content, const char *url, const char *token,
			 const struct notify_pair *pairs, unsigned count)
{
	const struct notify_pair *sorted[NOTIFY_PAIRS_MAX];
	struct writer writer = writer_of(content->body, sizeof(content->body));
	if (count > NOTIFY_PAIRS_MAX)
		return false;
	sort(pairs, count, sorted);
	for (unsigned i = 0; i < count; i++) {
		writer_format(&writer, "%s%s=", i > 0 ? "&" : "", sorted[i]->name);
		write_encoded(&writer, sorted[i]->value);
	}
	content->size = writer.used;
	return !writer.failed && sign(content, url, token, sorted, count);
}

static void write_subject(struct writer *writer, const char *subject)
{
	size_t size = strnlen(subject, SUBJECT_MAX);
	for (size_t i = 0; i < size; i++)
		writer_char(writer, subject[i] >= ' ' && subject[i] <= '~' ? subject[i] : '?');
}

static void write_date(struct writer *writer, uint64_t wall_ms)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm time;
	if (!gmtime_r(&seconds, &time))
		return;
	writer_format(writer, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[time.tm_wday],
		      time.tm_mday, months[time.tm_mon], time.tm_year + 1900, time.tm_hour,
		      time.tm_min, time.tm_sec);
}

// Quoted-printable: nothing but short lines of printable ASCII leaves here.
static void write_quoted(struct writer *writer, struct text text)
{
	size_t column = 0;
	for (size_t i = 0; i < text.size; i++) {
		char octet = text.data[i];
		bool is_plain = octet >= ' ' && octet <= '~' && octet != '=';
		bool ends_line = i + 1 < text.size && text.data[i + 1] == '\n';
		if (octet == '\n') {
			writer_string(writer, "\r\n");
			column = 0;
			continue;
		}
		if (column + 3 >= LINE_MAX) {
			writer_string(writer, "=\r\n");
			column = 0;
		}
		if (is_plain && !(octet == ' ' && ends_line)) {
			writer_char(writer, octet);
			column++;
		} else {
			writer_format(writer, "=%02X", (unsigned char)octet);
			column += 3;
		}
	}
	writer_string(writer, "\r\n");
}

bool notify_content_mail(struct notify_content *content, const struct notify_letter *letter)
{
	struct writer writer = writer_of(content->body, sizeof(content->body));
	struct text domain = text_of(letter->sender);
	(void)text_split(&domain, '@');
	content->signature[0] = content->idempotency[0] = 0;
	writer_format(&writer, "From: trunkd <%s>\r\nTo: <%s>\r\nSubject: ", letter->sender,
		      letter->recipient);
	write_subject(&writer, letter->subject);
	writer_string(&writer, "\r\n");
	write_date(&writer, letter->wall_ms);
	writer_format(&writer, "Message-ID: <%s@%.*s>\r\n", letter->sid, TEXT_FORMAT(domain));
	writer_string(&writer, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
			       "Content-Type: text/plain; charset=utf-8\r\n"
			       "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	write_quoted(&writer, letter->text);
	content->size = writer.used;
	return !writer.failed;
}
