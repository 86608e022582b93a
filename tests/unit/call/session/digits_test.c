// What phones write into an INFO for a digit, and what others write there.

#include "tests/check.h"

#include "call/session/digits.h"

#define RELAY "application/dtmf-relay"
#define BARE "application/dtmf"

static void a_digit_is_read_in_the_forms_phones_have(void **state)
{
	static const struct {
		const char *type, *body;
		char digit; // 0: none
		unsigned duration_ms;
	} rows[] = {
		{ RELAY, "Signal=5\r\nDuration=160\r\n", '5', 160 },
		{ RELAY, "Signal= 5\r\nDuration= 160", '5', 160 },
		{ RELAY, "duration=80\nSIGNAL=*\n", '*', 80 },
		{ RELAY "; charset=utf-8", "Signal=#", '#', MEDIA_DIGIT_MS },
		{ "Application/DTMF-Relay", "Signal=b", 'B', MEDIA_DIGIT_MS },
		{ RELAY, "Signal=10", '*', MEDIA_DIGIT_MS },
		{ RELAY, "Signal=15", 'D', MEDIA_DIGIT_MS },
		{ RELAY, "Signal=1\r\nDuration=0", '1', MEDIA_DIGIT_MS },
		{ RELAY, "Signal=1\r\nDuration=99999999999", '1', MEDIA_DIGIT_MS },
		{ BARE, "5", '5', MEDIA_DIGIT_MS },
		{ BARE, "#\r\n", '#', MEDIA_DIGIT_MS },
		{ BARE, "Signal=7\r\nDuration=90\r\n", '7', 90 },
		{ RELAY, "", 0, 0 },
		{ RELAY, "5", 0, 0 },
		{ RELAY, "Signal=16", 0, 0 },
		{ RELAY, "Signal=55", 0, 0 },
		{ RELAY, "Signal=05", 0, 0 },
		{ RELAY, "Signal=E", 0, 0 },
		{ RELAY, "Signal=", 0, 0 },
		{ RELAY, "Signal", 0, 0 },
		{ RELAY, "\n\n\n\n\n\n\n\n\nSignal=5", 0, 0 }, // more lines than anybody needs
		{ BARE, "55", 0, 0 },
		{ "application/dtmf-relays", "Signal=5", 0, 0 },
		{ "", "Signal=5", 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct digits_press press = { 0 };
		bool is_digit = digits_parse(text_of(rows[i].type), text_of(rows[i].body), &press);
		CHECK_NUMBER(is_digit, rows[i].digit != 0);
		CHECK_NUMBER(press.digit, rows[i].digit);
		CHECK_NUMBER(press.duration_ms, rows[i].duration_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_digit_is_read_in_the_forms_phones_have),
	};
	return RUN_TESTS(tests);
}
