// The engine of SRTP among the arguments: a name, or a card that has to be named in full.

#include "tests/check.h"

#include <string.h>

#include "dataplane/nic/driver.h"
#include "dataplane/nic/eal.h"
#include "dataplane/options.h"

static enum options_answer parse(const char *engine, struct options *out_options)
{
	char *arguments[] = {
		(char *)"trunkd-dataplane", (char *)"--port",   (char *)"null:", (char *)"--media",
		(char *)"192.0.2.1",        (char *)"--crypto", (char *)engine
	};
	return options_parse(7, arguments, out_options);
}

static void an_engine_without_a_card_is_its_name(void **state)
{
	(void)state;
	static const char *const names[] = {
		"auto", "off", "ipsec_mb", "crypto_openssl", "crypto_aesni_mb", "libsrtp2"
	};
	for (unsigned i = 0; i < 6; i++) {
		struct options options;
		CHECK_NUMBER(parse(names[i], &options), OPTIONS_RUN);
		CHECK_STRING(options.crypto, names[i]);
		assert_null(options.crypto_device);
	}
}

static void a_card_is_named_by_its_pci_address(void **state)
{
	(void)state;
	struct options options;
	CHECK_NUMBER(parse("crypto_qat:0000:3d:01.0", &options), OPTIONS_RUN);
	CHECK_STRING(options.crypto, "crypto_qat");
	CHECK_STRING(options.crypto_device, "0000:3d:01.0");
}

static void a_card_without_address_and_an_address_without_card_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = { "crypto_qat",
					     "crypto_qat:",
					     "crypto_qat:3d:01.0",
					     "crypto_qat:0000:3D:01.0",
					     "crypto_qat:0000:3d:01.0,class=crypto",
					     "crypto_qat:0000:3d:01-0",
					     "ipsec_mb:0000:3d:01.0",
					     "auto:",
					     "PCI",
					     "",
					     "auto, ipsec_mb" };
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct options options = { .memory_mb = 1 };
		CHECK_NUMBER(parse(wrong[i], &options), OPTIONS_WRONG);
		CHECK_NUMBER(options.memory_mb, 1);
	}
}

// Domain ffff is one no PC has. Nothing of DPDK was started for it.
static void a_card_that_is_not_there_is_refused_before_dpdk_starts(void **state)
{
	(void)state;
	struct options options;
	const char *argument;
	bool has_huge_pages;
	CHECK_NUMBER(parse("crypto_qat:ffff:3d:01.0", &options), OPTIONS_RUN);
	const struct nic_driver *driver = nic_driver_find(options.port, &argument);
	assert_non_null(driver);
	for (unsigned i = 0; i < 2; i++) // of DPDK a second start in a process would be refused
		CHECK_FALSE(nic_eal_start(&options, driver, argument, &has_huge_pages));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_engine_without_a_card_is_its_name),
		TEST(a_card_is_named_by_its_pci_address),
		TEST(a_card_without_address_and_an_address_without_card_are_refused),
		TEST(a_card_that_is_not_there_is_refused_before_dpdk_starts),
	};
	return RUN_TESTS(tests);
}
