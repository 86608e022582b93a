// Threads beside the control thread: their names, and that no signal is theirs.

#include "tests/check.h"

#include <signal.h>

#include "base/thread/thread.h"

struct seen {
	char name[16];
	bool is_blocked;
};

static void *look(void *context)
{
	struct seen *seen = context;
	sigset_t mask;
	// The name is given by who starts it, perhaps a moment later.
	for (unsigned i = 0; i < 1000 && seen->name[6] != '-'; i++) {
		pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	seen->is_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGHUP);
	return NULL;
}

static void it_has_a_name_and_no_signals(void **state)
{
	(void)state;
	struct seen seen = { 0 };
	pthread_t thread;
	sigset_t before, after;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	CHECK_OK(thread_start(&thread, "door", look, &seen));
	CHECK_NUMBER(pthread_join(thread, NULL), 0);
	CHECK_STRING(seen.name, "trunkd-door");
	CHECK_TRUE(seen.is_blocked);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	CHECK_NUMBER(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_has_a_name_and_no_signals),
	};
	return RUN_TESTS(tests);
}
