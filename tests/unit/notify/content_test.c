// What webhooks and mails say, and that nothing in them ends a line, a header or a parameter.

#include "notify/content.h"

#include <string.h>

#include "tests/check.h"

static struct notify_content content;

static struct notify_event event_of(const char *seen)
{
	return (struct notify_event){ .sid = "NO1",
				      .account_sid = "AC1",
				      .parent_sid = "",
				      .trigger_sid = "TR1",
				      .trigger_name = "mine",
				      .resource_sid = "CA1",
				      .wall_ms = 1795910400000,
				      .code = 32101,
				      .is_error = true,
				      .cause = "called_number",
				      .title = "A title",
				      .text = "a fix",
				      .header = "Request-URI",
				      .seen = seen,
				      .expected = "E.164",
				      .source = "192.0.2.1:5060",
				      .more_info = "" };
}

static const char *body(void)
{
	content.body[content.size] = 0;
	return content.body;
}

// The example of Twilio's documentation of webhook security.
static void a_form_is_signed_as_client_libraries_check_it(void **state)
{
	(void)state;
	const struct notify_pair pairs[] = { { "To", TEXT("+18005551212") },
					     { "CallSid", TEXT("CA1234567890ABCDE") },
					     { "Caller", TEXT("+12349013030") },
					     { "From", TEXT("+12349013030") },
					     { "Digits", TEXT("1234") } };
	const char *url = "https://mycompany.com/myapp.php?foo=1&bar=2";
	assert_true(notify_content_form(&content, url, "12345", pairs, 5));
	assert_string_equal(content.signature, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
	assert_string_equal(body(), "CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&"
				    "From=%2B12349013030&To=%2B18005551212");
	assert_true(notify_content_form(&content, "https://mycompany.com/myapp.php?foo=1&bar=2#x",
					"12345", pairs, 5));
	assert_string_equal(content.signature, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
	assert_true(notify_content_form(&content, url, "", pairs, 5));
	assert_string_equal(content.signature, "");
}

static void a_value_is_one_parameter_whatever_is_in_it(void **state)
{
	(void)state;
	const struct notify_pair pairs[] = { { "A", TEXT("x&B=1\r\n%=+ \xff\0y") } };
	assert_true(notify_content_form(&content, "http://a/", "", pairs, 1));
	assert_string_equal(body(), "A=x%26B%3D1%0D%0A%25%3D%2B+%FF%00y");
}

static void what_is_too_long_is_refused(void **state)
{
	(void)state;
	static char much[NOTIFY_BODY_SIZE];
	memset(much, 'x', sizeof(much));
	const struct notify_pair pairs[] = { { "A", { much, sizeof(much) } } };
	assert_false(notify_content_form(&content, "http://a/", "t", pairs, 1));
}

static void an_event_that_is_no_utf8_is_told_all_the_same(void **state)
{
	(void)state;
	struct notify_event event = event_of("\xff\"\\\r\n\x01");
	assert_true(notify_content_event_form(&content, "http://a/", "t", &event));
	assert_non_null(strstr(body(), "%22seen%22%3A%22%3F%5C%22%5C%5C%3F%3F%3F%22"));
	assert_non_null(strstr(body(), "Level=Error&ParentAccountSid=&Payload="));
	assert_string_equal(content.idempotency, "NO1");
}

// DEBUG-005: whatever a caller sent stands in the text of the mail, in one line of it.
static void a_mail_has_our_headers_and_no_other(void **state)
{
	(void)state;
	struct notify_event event = event_of("x\r\nBcc: y@z\r\n.\r\nQUIT\r\n=\xe3\x81\x82");
	event.title = "A title\r\nBcc: y@z";
	assert_true(notify_content_event_mail(&content, "a@b.example", "c@d.example", &event));
	const char *text = body(), *end = strstr(text, "\r\n\r\n");
	assert_non_null(end);
	assert_non_null(strstr(text, "Subject: trunkd error 32101: A title??Bcc: y@z\r\n"));
	assert_non_null(strstr(text, "Date: Sun, 29 Nov 2026 00:00:00 +0000\r\n"));
	assert_non_null(strstr(text, "Message-ID: <NO1@b.example>\r\n"));
	assert_non_null(strstr(end, "Seen: x  Bcc: y@z  .  QUIT  =3D=E3=81=82\r\n"));
	assert_null(strstr(text, "\nBcc"));
	for (const char *at = text; *at; at++) {
		assert_true(*at != '\n' || at[-1] == '\r');
		assert_true((*at >= ' ' && *at <= '~') || *at == '\r' || *at == '\n');
	}
}

static void a_long_line_of_a_mail_is_folded(void **state)
{
	(void)state;
	char much[400];
	memset(much, 0xe3, sizeof(much) - 1);
	much[sizeof(much) - 1] = 0;
	struct notify_event event = event_of(much);
	assert_true(notify_content_event_mail(&content, "a@b", "c@d", &event));
	size_t column = 0;
	for (const char *at = body(); *at; at++) {
		column = *at == '\n' ? 0 : column + 1;
		assert_in_range(column, 0, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_form_is_signed_as_client_libraries_check_it),
		TEST(a_value_is_one_parameter_whatever_is_in_it),
		TEST(what_is_too_long_is_refused),
		TEST(an_event_that_is_no_utf8_is_told_all_the_same),
		TEST(a_mail_has_our_headers_and_no_other),
		TEST(a_long_line_of_a_mail_is_folded),
	};
	return RUN_TESTS(tests);
}
