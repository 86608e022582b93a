// A dataplane found running with older options is used, and the operator told which option differs.

#include "tests/check.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attachment.h"
#include "base/clock.h"
#include "config/config.h"

static void changed(void *context, struct dataplane *dataplane)
{
	(void)context;
	(void)dataplane;
}

// What was said on stderr about it. The fake has one worker, one address, and the engine "fake".
static void attach(const struct config *config, char *room, size_t size)
{
	struct clock clock = { 0 };
	struct attachment *attachment = NULL;
	struct attachment_options options = {
		.loop = event_base_new(), .clock = &clock, .config = config, .changed = changed
	};
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	enum status status = attachment_start(&options, &attachment);
	(void)fflush(stderr);
	(void)dup2(saved, STDERR_FILENO);
	close(saved);
	CHECK_OK(status);
	rewind(file);
	room[fread(room, 1, size - 1, file)] = 0;
	fclose(file);
	attachment_stop(attachment, false);
	event_base_free(options.loop);
}

static struct config matching_config(void)
{
	struct config config = { .dataplane = { .port = "fake:0", .workers = 1 } };
	config.media.addresses.count = 1;
	CHECK_TRUE(address_parse(TEXT("192.0.2.1"), &config.media.addresses.items[0]));
	return config;
}

static void expect(const struct config *config, const char *option)
{
	char said[4096];
	char wanted[64];
	attach(config, said, sizeof(said));
	assert_non_null(strstr(said, "dataplane_attached"));
	snprintf(wanted, sizeof(wanted), "option=%s", option ? option : "");
	if (option)
		assert_non_null(strstr(said, wanted));
	else
		assert_null(strstr(said, "dataplane_differs"));
}

static void an_engine_that_is_not_the_configured_one_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *crypto;
		bool differs;
	} cases[] = {
		{ "auto", false },    { "fake", false },
		{ "off", true },      { "crypto_qat:0000:3d:01.0", true },
		{ "libsrtp2", true }, { "fake:0000:3d:01.0", false },
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config config = matching_config();
		(void)text_copy(text_of(cases[i].crypto), config.dataplane.crypto,
				sizeof(config.dataplane.crypto));
		expect(&config, cases[i].differs ? "dataplane.crypto" : NULL);
	}
}

static void other_ports_workers_and_addresses_are_told(void **state)
{
	(void)state;
	struct config config = matching_config();
	(void)text_copy(TEXT("auto"), config.dataplane.crypto, sizeof(config.dataplane.crypto));
	config.dataplane.workers = 2;
	expect(&config, "dataplane.workers");
	config.dataplane.port[0] = 'g';
	expect(&config, "dataplane.port");
	config = matching_config();
	(void)text_copy(TEXT("auto"), config.dataplane.crypto, sizeof(config.dataplane.crypto));
	config.media.addresses.items[0].octets[3]++;
	expect(&config, "media.addresses");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_engine_that_is_not_the_configured_one_is_told),
		TEST(other_ports_workers_and_addresses_are_told),
	};
	return RUN_TESTS(tests);
}
