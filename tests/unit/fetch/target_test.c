// Which addresses a customer's URL may lead to.

#include "fetch/target.h"

#include "tests/check.h"

static bool is_public(const char *text)
{
	struct address address;
	assert_true(address_parse(text_of(text), &address));
	return fetch_target_is_public(&address);
}

static void only_the_internet_is_public(void **state)
{
	(void)state;
	static const char *const publics[] = {
		"198.51.100.7",       "203.0.113.1:443",  "8.8.8.8",       "2001:db8::1",
		"[2606:4700::1]:443", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"
	};
	static const char *const others[] = {
		"0.0.0.0",
		"127.0.0.1",
		"127.255.255.254:80",
		"10.0.0.1",
		"172.31.255.255",
		"192.168.0.1",
		"100.64.0.1",
		"169.254.169.254",
		"192.0.0.8",
		"198.19.0.1",
		"224.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"fe80::1",
		"fc00::1",
		"fd12::1",
		"fec0::1",
		"ff02::1",
		"100::1",
		// The same in other clothes.
		"::ffff:127.0.0.1",
		"::ffff:10.1.2.3",
		"::127.0.0.1",
		"64:ff9b::169.254.169.254",
		"2002:7f00:1::",
		"2002:a00:1::1",
		"64:ff9b:1::127.0.0.1",
		"64:ff9b:1:a00:0:100:808:808",
		"2001::1",
	};
	for (unsigned i = 0; i < sizeof(publics) / sizeof(publics[0]); i++)
		if (!is_public(publics[i]))
			fail_msg("%s is public", publics[i]);
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (is_public(others[i]))
			fail_msg("%s is not public", others[i]);
}

static void prefixes_are_searched(void **state)
{
	(void)state;
	struct prefix prefixes[2];
	struct address in, out;
	assert_true(prefix_parse(TEXT("10.1.0.0/16"), &prefixes[0]));
	assert_true(prefix_parse(TEXT("fd00:1::/32"), &prefixes[1]));
	assert_true(address_parse(TEXT("[fd00:1::7]:80"), &in));
	assert_true(address_parse(TEXT("10.2.0.1:80"), &out));
	assert_true(fetch_target_is_in(&in, prefixes, 2));
	assert_false(fetch_target_is_in(&out, prefixes, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_internet_is_public),
		TEST(prefixes_are_searched),
	};
	return RUN_TESTS(tests);
}
