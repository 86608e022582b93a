// A trunk's test: what trunkd says of both directions, then, when it is asked to wait, the calls that really
// come: history is read every second until one of each direction has passed.

#include "verify.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "base/text.h"
#include "format.h"

#define LINE_SIZE 512
#define WAIT_MAX_S 3600
#define SEEN_MAX 64

static const char *const DIRECTIONS[] = { "termination", "origination" };
#define DIRECTION_COUNT 2

struct verify {
	const char *socket;
	char trunk[64], since[32];
	bool has_passed[DIRECTION_COUNT];
	char seen[SEEN_MAX][40]; // SIDs of calls that were told
	unsigned seen_count;
};

bool verify_is_wanted(char *const *words, int count)
{
	return count >= 3 && strcmp(words[0], "test") == 0 && strcmp(words[1], "trunk") == 0;
}

static const char *text_at(const json_t *object, const char *key, char room[static FORMAT_SIZE])
{
	const json_t *value = json_object_get(object, key);
	return value ? format_value(key, value, room) : "-";
}

static bool print_direction(const json_t *test, const char *name)
{
	char room[FORMAT_SIZE];
	const json_t *part = json_object_get(test, name);
	bool passes = json_is_true(json_object_get(part, "passes"));
	printf("%-12s %s: %s\n", name, passes ? "ready" : "not ready",
	       text_at(part, "outcome", room));
	if (json_is_string(json_object_get(part, "dial")))
		printf("  %s %s\n",
		       strcmp(name, "termination") == 0 ? "dial from your equipment:"
							: "call from any phone: ",
		       text_at(part, "dial", room));
	static const char *const KEYS[] = { "header", "seen", "expected", "fix" };
	for (unsigned i = 0; !passes && i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (json_is_string(json_object_get(part, KEYS[i])))
			printf("  %-9s %s\n", KEYS[i], text_at(part, KEYS[i], room));
	return passes;
}

static bool is_new(struct verify *verify, const char *sid)
{
	for (unsigned i = 0; i < verify->seen_count; i++)
		if (strcmp(verify->seen[i], sid) == 0)
			return false;
	if (verify->seen_count == SEEN_MAX)
		return false;
	(void)snprintf(verify->seen[verify->seen_count++], sizeof(verify->seen[0]), "%s", sid);
	return true;
}

static void tell_call(struct verify *verify, const json_t *call)
{
	char room[3][FORMAT_SIZE];
	const char *sid = json_string_value(json_object_get(call, "sid"));
	const char *direction = json_string_value(json_object_get(call, "direction"));
	bool passed = json_integer_value(json_object_get(call, "sip_status")) == 200;
	if (!sid || !direction || !is_new(verify, sid))
		return;
	for (unsigned i = 0; i < DIRECTION_COUNT; i++)
		verify->has_passed[i] |= passed && strcmp(direction, DIRECTIONS[i]) == 0;
	printf("%-12s %s: %s, %s\n", direction, passed ? "passed" : "failed",
	       text_at(call, "sip_status", room[0]), text_at(call, "reason", room[1]));
	printf("  trunkctl show call %s\n", text_at(call, "sid", room[2]));
	(void)fflush(stdout);
}

static bool look(struct verify *verify, int *out_status)
{
	char line[LINE_SIZE];
	(void)snprintf(line, sizeof(line), "show history %d trunk=%s since=%s", SEEN_MAX,
		       verify->trunk, verify->since);
	json_t *answer = ask_trunkd(verify->socket, text_of(line), out_status);
	const json_t *calls = json_object_get(answer, "calls");
	for (size_t i = json_array_size(calls); i > 0; i--) // oldest first
		tell_call(verify, json_array_get(calls, i - 1));
	bool is_good = answer != NULL;
	json_decref(answer);
	return is_good;
}

static int wait_for_calls(struct verify *verify, unsigned long seconds)
{
	static const struct timespec second = { .tv_sec = 1 };
	int status = EXIT_REFUSED;
	printf("waiting %lu s for a call each way\n", seconds);
	(void)fflush(stdout);
	for (unsigned long i = 0; i <= seconds; i++) {
		if (!look(verify, &status))
			return status;
		if (verify->has_passed[0] && verify->has_passed[1])
			return EXIT_SUCCESS;
		(void)nanosleep(&second, NULL);
	}
	for (unsigned i = 0; i < DIRECTION_COUNT; i++)
		if (!verify->has_passed[i])
			printf("%-12s no call passed; one that reached no trunk is in the log\n",
			       DIRECTIONS[i]);
	return EXIT_REFUSED;
}

// The words without wait=, as one line.
static bool read_words(char *const *words, int count, char line[static LINE_SIZE],
		       unsigned long *out_wait_s)
{
	uint64_t wait_s = 0;
	struct writer writer = writer_of(line, LINE_SIZE);
	for (int i = 0; i < count; i++) {
		struct text word = text_of(words[i]);
		if (text_has_prefix(word, TEXT("wait="))) {
			if (!text_to_unsigned(text_cut(word, 5), WAIT_MAX_S, &wait_s))
				return false;
			continue;
		}
		if (text_find(word, '"') || text_find(word, '\\') || text_find(word, '\n'))
			return false;
		writer_format(&writer, "%s\"%s\"", i > 0 ? " " : "", words[i]);
	}
	*out_wait_s = (unsigned long)wait_s;
	return writer_string_done(&writer) != NULL;
}

int verify_run(const char *socket, char *const *words, int count)
{
	char line[LINE_SIZE], room[FORMAT_SIZE];
	unsigned long wait_s = 0;
	int status = EXIT_REFUSED;
	struct verify verify = { .socket = socket };
	if (!read_words(words, count, line, &wait_s)) {
		fprintf(stderr,
			"usage: trunkctl test trunk TRUNK [to=NUMBER] [wait=SECONDS], %d at "
			"most\n",
			WAIT_MAX_S);
		return EXIT_USAGE;
	}
	json_t *answer = ask_trunkd(socket, text_of(line), &status);
	const json_t *test = json_object_get(answer, "test");
	if (!answer)
		return status;
	bool is_ready = true;
	for (unsigned i = 0; i < DIRECTION_COUNT; i++)
		is_ready &= print_direction(test, DIRECTIONS[i]);
	(void)snprintf(verify.trunk, sizeof(verify.trunk), "%s", text_at(test, "sid", room));
	const char *now = json_string_value(json_object_get(test, "now"));
	(void)snprintf(verify.since, sizeof(verify.since), "%.19s", now ? now : "");
	json_decref(answer);
	if (wait_s > 0)
		return wait_for_calls(&verify, wait_s);
	return is_ready ? EXIT_SUCCESS : EXIT_REFUSED;
}
