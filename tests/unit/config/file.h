#pragma once

// Configuration files of a test: written, loaded, removed. All are named t.yaml to the loader.
// Runs on: the thread of the test.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "tests/check.h"

// What a file must hold at least; lines 1 to 6 of most tests' files.
#define FILE_LEAST                                                                                 \
	"sip:\n  addresses: 192.0.2.1\nmedia:\n  addresses: [192.0.2.2]\n"                         \
	"dataplane:\n  port: af_packet:eth0\n"

static inline enum status file_load(const char *content, struct config **out_config,
				    struct config_problems *problems)
{
	char directory[] = "/tmp/trunkd-config-XXXXXX";
	char before[4096];
	assert_non_null(getcwd(before, sizeof(before)));
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	FILE *file = fopen("t.yaml", "w");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	enum status status = config_load("t.yaml", out_config, problems);
	unlink("t.yaml");
	assert_int_equal(chdir(before), 0);
	rmdir(directory);
	return status;
}

static inline struct config *file_must_load(const char *content)
{
	struct config *config = NULL;
	struct config_problems *problems = calloc(1, sizeof(*problems));
	assert_non_null(problems);
	if (file_load(content, &config, problems) != OK)
		fail_msg("%s", problems->count > 0 ? problems->messages[0] : "no message");
	free(problems);
	return config;
}

// The file is refused with exactly these messages, in this order; they end with NULL.
static inline void file_is_refused(const char *content, const char *const *messages)
{
	struct config *config = NULL;
	struct config_problems *problems = calloc(1, sizeof(*problems));
	assert_non_null(problems);
	CHECK_STATUS(file_load(content, &config, problems), ERR_MALFORMED);
	assert_null(config);
	for (unsigned i = 0; i < problems->count || messages[i]; i++) {
		if (!messages[i])
			fail_msg("one more: %s", problems->messages[i]);
		assert_true(i < problems->count);
		CHECK_STRING(problems->messages[i], messages[i]);
	}
	free(problems);
}
