// Files of keys, as tools write them and as people do.

#include "names/key.h"

#include "tests/check.h"

static void keys_are_read_in_either_form(void **state)
{
	(void)state;
	static const struct {
		const char *content, *algorithm, *name, *secret;
	} rows[] = {
		{ "key \"trunkd\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0IQ==\";\n};\n",
		  "hmac-sha256", "trunkd", "c2VjcmV0IQ==" },
		{ "# hmac-sha256:x:y\nkey trunkd.example { secret c2VjcmV0IQ==; algorithm "
		  "HMAC-SHA512. ; };",
		  "hmac-sha512", "trunkd.example", "c2VjcmV0IQ==" },
		{ "\n hmac-sha1:trunkd:c2VjcmV0IQ==\n", "hmac-sha1", "trunkd", "c2VjcmV0IQ==" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct names_key key;
		const char *problem;
		CHECK_STATUS(names_key_parse(text_of(rows[i].content), &key, &problem), OK);
		CHECK_STRING(key.algorithm, rows[i].algorithm);
		CHECK_STRING(key.name, rows[i].name);
		CHECK_STRING(key.secret, rows[i].secret);
		names_key_clear(&key);
		CHECK_STRING(key.secret, "");
	}
}

static void what_is_no_key_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *content, *problem;
	} rows[] = {
		{ "", "it holds neither a key block nor a line ALGORITHM:NAME:SECRET" },
		{ "# nothing\n", "it holds neither a key block nor a line ALGORITHM:NAME:SECRET" },
		{ "hmac-md5:trunkd:c2VjcmV0IQ==",
		  "its algorithm is none of hmac-sha256, hmac-sha512, hmac-sha1" },
		{ "hmac-sha256::c2VjcmV0IQ==", "its name is no domain name" },
		{ "hmac-sha256:a b:c2VjcmV0IQ==", "its name is no domain name" },
		{ "hmac-sha256:trunkd:secret!", "its secret is not Base64" },
		{ "hmac-sha256:trunkd:", "its secret is not Base64" },
		{ "key \"trunkd\" { algorithm hmac-sha256; }", "its secret is not Base64" },
		{ "key \"trunkd", "its algorithm is none of hmac-sha256, hmac-sha512, hmac-sha1" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct names_key key;
		const char *problem;
		CHECK_STATUS(names_key_parse(text_of(rows[i].content), &key, &problem),
			     ERR_MALFORMED);
		CHECK_STRING(problem, rows[i].problem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_are_read_in_either_form),
		TEST(what_is_no_key_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
