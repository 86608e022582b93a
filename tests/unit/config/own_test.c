// Which addresses are ours, by whatever option.

#include "config/own.h"

#include "tests/unit/config/file.h"

static bool is_own_signalling(const struct config *config, const char *text)
{
	struct address address;
	assert_true(address_parse(text_of(text), &address));
	return config_is_own_signalling(config, &address);
}

static bool is_own_host(const struct config *config, const char *text)
{
	struct address address;
	assert_true(address_parse(text_of(text), &address));
	return config_is_own_host(config, &address);
}

static const char file[] =
	"sip:\n  addresses: [192.0.2.1, \"2001:db8::1\"]\nmedia:\n  addresses: [192.0.2.2]\n"
	"names:\n  addresses: [203.0.113.1]\n  api_addresses: [203.0.113.2]\n"
	"edges:\n  - name: dublin\n    signalling: [192.0.2.1, 192.0.2.9]\n"
	"dataplane:\n  port: af_packet:eth0\n  addresses: [192.0.2.3/24]\n"
	"admin:\n  metrics_address: 10.0.0.1:9464\n";

static void each_address_of_signalling_is_ours(void **state)
{
	(void)state;
	static const char *const own[] = { "192.0.2.1", "192.0.2.1:22", "[2001:db8::1]:5061",
					   "203.0.113.1", "192.0.2.9" };
	struct config *config = file_must_load(file);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		CHECK_TRUE(is_own_signalling(config, own[i]) && is_own_host(config, own[i]));
	CHECK_FALSE(is_own_signalling(config, "192.0.2.8"));
	CHECK_FALSE(is_own_signalling(config, "2001:db8::2"));
	config_destroy(config);
}

static void a_host_has_other_addresses_too(void **state)
{
	(void)state;
	static const char *const own[] = { "192.0.2.2", "203.0.113.2", "192.0.2.3:443",
					   "10.0.0.1" };
	struct config *config = file_must_load(file);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		CHECK_TRUE(is_own_host(config, own[i]) && !is_own_signalling(config, own[i]));
	CHECK_FALSE(is_own_host(config, "192.0.2.4")); // its neighbour on the wire
	config_destroy(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_address_of_signalling_is_ours),
		TEST(a_host_has_other_addresses_too),
	};
	return RUN_TESTS(tests);
}
