// Digits from one form into the other. A party may send both, so only what cannot reach the other one in
// the form it came in is turned. Runs on the control thread. No digit is logged, and what held one is wiped.

#include "call/session/digits.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/info.h"
#include "config/config.h"

#define LINES_MAX 8 // of a body

// Some say the number of the event, from "10" for the star on (RFC 4733 3.2).
static char digit_of(struct text word)
{
	static const char digits[] = "0123456789*#ABCD";
	uint64_t number;
	if (word.size == 1) {
		char wanted = word.data[0];
		wanted = (char)(wanted >= 'a' && wanted <= 'd' ? wanted - 'a' + 'A' : wanted);
		const char *found = wanted ? strchr(digits, wanted) : NULL;
		return found ? *found : 0;
	}
	return text_to_unsigned(word, sizeof(digits) - 2, &number) && number > 9 ? digits[number]
										 : 0;
}

static void parse_line(struct text line, struct digits_press *press)
{
	struct text name = text_trim(text_split(&line, '=')), value = text_trim(line);
	uint64_t duration_ms;
	if (text_is_same(name, TEXT("Signal")))
		press->digit = digit_of(value);
	else if (text_is_same(name, TEXT("Duration")) &&
		 text_to_unsigned(value, UINT16_MAX, &duration_ms) && duration_ms > 0)
		press->duration_ms = (unsigned)duration_ms;
}

bool digits_parse(struct text content_type, struct text body, struct digits_press *out_press)
{
	struct digits_press press = { .duration_ms = MEDIA_DIGIT_MS };
	struct text type = text_trim(text_split(&content_type, ';'));
	struct cursor cursor = cursor_of(body);
	bool is_bare = text_is_same(type, TEXT("application/dtmf"));
	if (!is_bare && !text_is_same(type, TEXT("application/dtmf-relay")))
		return false;
	for (unsigned i = 0; i < LINES_MAX && !cursor_is_done(&cursor); i++) {
		struct text line = text_trim(cursor_line(&cursor));
		if (is_bare && i == 0 && !text_find(line, '='))
			press.digit = digit_of(line);
		else
			parse_line(line, &press);
	}
	if (press.digit == 0)
		return false;
	*out_press = press;
	return true;
}

static bool is_converting(const struct leg *leg)
{
	return leg->calls->config->media.dtmf == CONFIG_DTMF_CONVERT;
}

void digits_note_leg(const struct leg *leg)
{
	struct media *media = leg->call != NULL ? leg->call->media : NULL;
	if (media != NULL)
		media_set_told_digits(media, leg->side, is_converting(leg) && leg->allows_info);
}

// One that sends telephone events as well says the same digit twice, so its INFO stays one.
bool digits_take_info(struct leg *leg, struct sip_server *server, const struct sip_message *info)
{
	struct media *media = leg->call->media;
	const struct leg *other = leg_other(leg);
	struct digits_press press;
	if (media == NULL || !is_converting(leg) || media_sends_events(media, leg->side) ||
	    !media_takes_events(media, other->side) ||
	    !digits_parse(sip_message_header(info, "Content-Type", 0), info->body, &press))
		return false;
	enum status status = media_send_digits(media, other->side, (struct text){ &press.digit, 1 },
					       press.duration_ms);
	secret_wipe(&press, sizeof press);
	if (status == ERR_UNSUPPORTED) // on its way: the stream is not open yet
		return false;
	unsigned code = status == OK ? 200 : 500;
	record_ladder_status(leg->call, leg->side, RECORD_OUT, code);
	call_reply(server, code, NULL, code == 200 ? TEXT_NONE : TEXT("Retry-After: 1\r\n"));
	return true;
}

void digits_heard(void *owner, struct media *media, enum media_side side, char digit,
		  unsigned duration_ms)
{
	struct call *call = owner;
	struct leg *leg = side == MEDIA_CALLER ? call->caller : call->called;
	struct leg *other = leg != NULL ? leg_other(leg) : NULL;
	char room[64];
	if (other == NULL || !is_converting(other) || !other->allows_info ||
	    media_takes_events(media, other->side))
		return;
	int size = snprintf(room, sizeof room, "Signal=%c\r\nDuration=%u\r\n", digit, duration_ms);
	info_tell(leg, TEXT("application/dtmf-relay"), (struct text){ room, (size_t)size });
	secret_wipe(room, sizeof room);
}
