// Addresses from text and back, prefixes, kinds, and the kernel's form.

#include "tests/check.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"

static struct address parsed(const char *string)
{
	struct address address = { 0 };
	if (!address_parse(text_of(string), &address))
		fail_msg("%s is refused", string);
	return address;
}

static void every_form_is_read_and_written_back(void **state)
{
	(void)state;
	static const char *const forms[] = {
		"192.0.2.1",
		"192.0.2.1:5060",
		"2001:db8::1",
		"[2001:db8::1]:5060",
		"::",
		"0.0.0.0",
		"255.255.255.255:65535",
		"[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct address address = parsed(forms[i]);
		char room[ADDRESS_TEXT_SIZE];
		CHECK_STRING(address_string(&address, room), forms[i]);
	}
}

static void everything_else_is_refused(void **state)
{
	(void)state;
	static const char *const refused[] = { "",
					       "localhost",
					       "192.0.2",
					       "192.0.2.256",
					       "192.0.2.1:",
					       "192.0.2.1:0",
					       "192.0.2.1:65536",
					       "192.0.2.1 ",
					       " 192.0.2.1",
					       "192.0.2.1:5060x",
					       "[::1]",
					       "[::1]:",
					       "[::1]x:5060",
					       "[192.0.2.1]:80",
					       "::1%lo",
					       "[::1:5060",
					       "2001:db8",
					       "192.0.2.01:1",
					       "1.2.3.4/24",
					       "[]:5060",
					       ":5060",
					       "192.0.2.1:+5",
					       ":::" };
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct address address = { .port = 77 };
		if (address_parse(text_of(refused[i]), &address))
			fail_msg("\"%s\" is taken", refused[i]);
		CHECK_NUMBER(address.port, 77); // untouched
	}
	struct address address;
	CHECK_FALSE(address_parse((struct text){ "1.2.3.4\0.5", 10 }, &address));
	CHECK_FALSE(address_parse(TEXT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"),
				  &address));
}

static void prefixes_contain_exactly_their_addresses(void **state)
{
	(void)state;
	static const struct {
		const char *prefix;
		const char *address;
		bool is_inside;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.77/24", "192.0.2.1", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.1", "192.0.2.1:5060", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "203.0.113.9", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "2001:db8::1/128", "2001:db8::1", true },
		{ "192.0.2.0/31", "192.0.2.1", true },
		{ "192.0.2.0/32", "192.0.2.1", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix prefix;
		struct address address = parsed(rows[i].address);
		CHECK_TRUE(prefix_parse(text_of(rows[i].prefix), &prefix));
		if (prefix_contains(&prefix, &address) != rows[i].is_inside)
			fail_msg("%s in %s", rows[i].address, rows[i].prefix);
	}
}

static void wrong_prefixes_are_refused(void **state)
{
	(void)state;
	static const char *const refused[] = {
		"",       "/24",          "192.0.2.0/",     "192.0.2.0/33",
		"::/129", "192.0.2.0/-1", "192.0.2.0:5/24", "[::]/0"
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct prefix prefix;
		if (prefix_parse(text_of(refused[i]), &prefix))
			fail_msg("\"%s\" is taken", refused[i]);
	}
}

static void private_addresses_are_known(void **state)
{
	(void)state;
	static const char *const privates[] = {
		"10.1.2.3",  "172.16.0.1",  "172.31.255.255",  "192.168.9.9",    "100.64.0.1",
		"127.0.0.1", "169.254.1.1", "fd00::1",         "fe80::1",        "::1",
		"fc00::",    "febf::1",     "100.127.255.255", "::ffff:10.0.0.1"
	};
	static const char *const publics[] = { "9.255.255.255", "172.15.0.1",  "172.32.0.1",
					       "192.169.0.1",   "100.128.0.0", "2001:db8::1",
					       "fec0::1",       "203.0.113.1", "::2",
					       "::ffff:8.8.8.8" };
	for (size_t i = 0; i < sizeof(privates) / sizeof(privates[0]); i++) {
		struct address address = parsed(privates[i]);
		if (!address_is_private(&address))
			fail_msg("%s", privates[i]);
	}
	for (size_t i = 0; i < sizeof(publics) / sizeof(publics[0]); i++) {
		struct address address = parsed(publics[i]);
		if (address_is_private(&address))
			fail_msg("%s", publics[i]);
	}
}

static void the_unspecified_address_is_known_in_both_families(void **state)
{
	(void)state;
	struct address none = { 0 }, v4 = parsed("0.0.0.0"), v6 = parsed("::");
	struct address mapped = parsed("::ffff:0.0.0.0"), other = parsed("0.0.0.1");
	CHECK_FALSE(address_is_unspecified(&none));
	CHECK_TRUE(address_is_unspecified(&v4));
	CHECK_TRUE(address_is_unspecified(&v6));
	CHECK_TRUE(address_is_unspecified(&mapped));
	CHECK_FALSE(address_is_unspecified(&other));
}

static void equality_and_hash_agree(void **state)
{
	(void)state;
	struct address a = parsed("192.0.2.1:5060"), b = parsed("192.0.2.1:5061"), c = a;
	c.reserved = 9; // carries nothing
	CHECK_FALSE(address_is_equal(&a, &b));
	CHECK_TRUE(address_is_same_host(&a, &b));
	CHECK_TRUE(address_is_equal(&a, &c));
	CHECK_TRUE(address_hash(&a) == address_hash(&c));
	CHECK_FALSE(address_hash(&a) == address_hash(&b));
}

static void the_kernels_form_holds_the_same(void **state)
{
	(void)state;
	static const char *const forms[] = { "192.0.2.1:5060", "[2001:db8::1]:5060", "192.0.2.1" };
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct sockaddr_storage kernel;
		struct address back, address = parsed(forms[i]);
		CHECK_NUMBER(address_to_sockaddr(&address, &kernel),
			     address.family == ADDRESS_IPV4 ? sizeof(struct sockaddr_in)
							    : sizeof(struct sockaddr_in6));
		CHECK_TRUE(address_from_sockaddr((const struct sockaddr *)&kernel, &back));
		CHECK_TRUE(address_is_equal(&address, &back));
	}
	struct address none = { 0 };
	struct sockaddr_storage kernel;
	CHECK_NUMBER(address_to_sockaddr(&none, &kernel), 0);
	kernel.ss_family = AF_UNIX;
	CHECK_FALSE(address_from_sockaddr((const struct sockaddr *)&kernel, &none));
}

static void an_ipv4_peer_of_a_dual_stack_socket_is_ipv4(void **state)
{
	(void)state;
	struct address mapped = parsed("[::ffff:192.0.2.1]:5060"), address;
	struct address expected = parsed("192.0.2.1:5060");
	struct sockaddr_storage kernel;
	CHECK_NUMBER(address_to_sockaddr(&mapped, &kernel), sizeof(struct sockaddr_in6));
	CHECK_TRUE(address_from_sockaddr((const struct sockaddr *)&kernel, &address));
	CHECK_TRUE(address_is_equal(&address, &expected));
}

static void what_never_leaves_the_host_or_link_is_confined(void **state)
{
	static const char *const confined[] = { "127.0.0.1",
						"127.255.255.254",
						"0.0.0.1",
						"169.254.0.1",
						"224.0.0.1",
						"255.255.255.255",
						"::1",
						"::",
						"fe80::1",
						"ff02::1",
						"::ffff:127.0.0.1" };
	static const char *const others[] = { "10.0.0.1",    "126.0.0.1",       "128.0.0.1",
					      "169.253.0.1", "223.255.255.255", "::2",
					      "fc00::1",     "2001:db8::1" };
	struct address address;
	(void)state;
	for (size_t i = 0; i < sizeof(confined) / sizeof(confined[0]); i++) {
		CHECK_TRUE(address_parse(text_of(confined[i]), &address));
		CHECK_TRUE(address_is_confined(&address));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		CHECK_TRUE(address_parse(text_of(others[i]), &address));
		CHECK_FALSE(address_is_confined(&address));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_form_is_read_and_written_back),
		TEST(everything_else_is_refused),
		TEST(prefixes_contain_exactly_their_addresses),
		TEST(wrong_prefixes_are_refused),
		TEST(private_addresses_are_known),
		TEST(what_never_leaves_the_host_or_link_is_confined),
		TEST(the_unspecified_address_is_known_in_both_families),
		TEST(equality_and_hash_agree),
		TEST(the_kernels_form_holds_the_same),
		TEST(an_ipv4_peer_of_a_dual_stack_socket_is_ipv4),
	};
	return RUN_TESTS(tests);
}
