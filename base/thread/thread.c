// Threads with a name. Runs on any thread.

#include "base/thread/thread.h"

#include <signal.h>

#include "base/text.h"

#define NAME_SIZE 16 // the kernel's, with the zero

enum status thread_start(pthread_t *out_thread, const char *name, void *(*run)(void *context),
			 void *context)
{
	char whole[NAME_SIZE];
	struct writer writer = writer_of(whole, sizeof(whole));
	sigset_t all, before;
	writer_format(&writer, "trunkd-%s", name);
	(void)writer_string_done(&writer);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(out_thread, NULL, run, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return ERR_SYSTEM;
	(void)pthread_setname_np(*out_thread, whole); // only shown
	return OK;
}
