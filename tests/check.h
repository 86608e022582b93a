#pragma once

// cmocka with what it needs before it, and checks that say what they saw in our own words.
// Runs on: the thread of the test.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"
#include "base/text.h"

#define CHECK_STATUS(expression, expected)                                                         \
	do {                                                                                       \
		enum status check_status = (expression);                                           \
		if (check_status != (expected))                                                    \
			fail_msg("%s is %s, not %s", #expression, status_name(check_status),       \
				 status_name(expected));                                           \
	} while (0)

#define CHECK_OK(expression) CHECK_STATUS(expression, OK)

#define CHECK_TRUE(expression) assert_true(expression)
#define CHECK_FALSE(expression) assert_false(expression)

// A struct text against a C string.
#define CHECK_TEXT(expression, expected)                                                           \
	do {                                                                                       \
		struct text check_text = (expression);                                             \
		if (!text_is_equal(check_text, text_of(expected)))                                 \
			fail_msg("%s is \"%.*s\", not \"%s\"", #expression,                        \
				 TEXT_FORMAT(check_text), (expected));                             \
	} while (0)

// A C string against a C string.
#define CHECK_STRING(expression, expected) assert_string_equal(expression, expected)

// Two unsigned numbers; both are shown in decimal.
#define CHECK_NUMBER(expression, expected)                                                         \
	do {                                                                                       \
		unsigned long long check_number = (unsigned long long)(expression);                \
		unsigned long long check_expected = (unsigned long long)(expected);                \
		if (check_number != check_expected)                                                \
			fail_msg("%s is %llu, not %llu", #expression, check_number,                \
				 check_expected);                                                  \
	} while (0)

#define TEST(function) cmocka_unit_test(function)
#define RUN_TESTS(tests) cmocka_run_group_tests(tests, NULL, NULL)
