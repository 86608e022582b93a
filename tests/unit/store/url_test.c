// Which URLs of a Redis are understood, and how the others are refused.

#include "store/url.h"

#include <string.h>

#include "tests/check.h"

static void good_urls_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *url, *path, *address;
		unsigned database;
	} rows[] = {
		{ "unix:///run/redis.sock", "/run/redis.sock", "none", 0 },
		{ "redis://192.0.2.1", "", "192.0.2.1:6379", 0 },
		{ "redis://192.0.2.1:7000/3", "", "192.0.2.1:7000", 3 },
		{ "redis://[2001:db8::1]:7000/", "", "[2001:db8::1]:7000", 0 },
		{ "redis://localhost", "", "127.0.0.1:6379", 0 },
		{ "REDIS://LocalHost:1234/15", "", "127.0.0.1:1234", 15 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_url url;
		char room[ADDRESS_TEXT_SIZE];
		if (store_url_parse(text_of(rows[i].url), &url, NULL) != OK)
			fail_msg("%s", rows[i].url);
		CHECK_STRING(url.path, rows[i].path);
		CHECK_STRING(address_string(&url.address, room), rows[i].address);
		CHECK_NUMBER(url.database, rows[i].database);
	}
}

static void other_urls_are_refused_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *url, *says;
	} rows[] = {
		{ "", "allowed" },
		{ "redis.example.com", "allowed" },
		{ "rediss://192.0.2.1", "allowed" },
		{ "redis://redis.example.com", "IP address" },
		{ "redis://192.0.2.1:0", "IP address" },
		{ "redis://localhost:0", "IP address" },
		{ "redis://localhost:70000", "IP address" },
		{ "redis://user:secret@192.0.2.1", "password_file" },
		{ "redis://192.0.2.1/16", "0 to 15" },
		{ "redis://192.0.2.1/x", "0 to 15" },
		{ "unix://run/redis.sock", "unix:///" },
		{ "unix://", "unix:///" },
		{ "unix:///0123456789012345678901234567890123456789012345678901234567890123456789"
		  "0123456789012345678901234567890123456789",
		  "107" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_url url;
		const char *why = NULL;
		CHECK_STATUS(store_url_parse(text_of(rows[i].url), &url, &why), ERR_MALFORMED);
		assert_non_null(why);
		if (!strstr(why, rows[i].says))
			fail_msg("%s: %s", rows[i].url, why);
		CHECK_TRUE(!strstr(why, "secret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_urls_are_read),
		TEST(other_urls_are_refused_with_a_reason),
	};
	return RUN_TESTS(tests);
}
