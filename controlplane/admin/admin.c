// The door of the operator's side: the socket, and the figures that other threads read. Runs on the
// control thread, but for admin_is_ready.

#include "admin/admin.h"

#include <event2/event.h>
#include <sched.h>
#include <stdlib.h>

#include "admin/numbers/import.h"
#include "admin/socket.h"
#include "directory/object.h"
#include "store/store.h"

#define PATIENCE_MS 10000 // with an answer, and with a peer that does not read

_Static_assert(DIRECTORY_KIND_COUNT <= ADMIN_KINDS_MAX, "a counter for every kind");

struct admin {
	struct admin_socket *socket;
	struct admin_context *context;
	struct event *second;
};

// Other threads must not walk the directory; they read this.
static void refresh(struct admin_context *context)
{
	if (context->store)
		counter_set(&context->store_state, store_state(context->store));
	for (unsigned kind = 0; context->directory && kind < DIRECTORY_KIND_COUNT; kind++)
		counter_set(&context->objects[kind],
			    directory_count(context->directory, (enum directory_kind)kind));
}

static void second_passed(evutil_socket_t fd, short events, void *context)
{
	(void)fd;
	(void)events;
	struct admin *admin = context;
	refresh(admin->context);
}

enum status admin_start(struct event_base *loop, const struct admin_options *options,
			struct admin **out_admin)
{
	const struct timeval second = { .tv_sec = 1 };
	enum status status = ERR_MEMORY;
	struct admin *admin = calloc(1, sizeof(*admin));
	if (!admin)
		return ERR_MEMORY;
	admin->context = options->context;
	admin->second = event_new(loop, -1, EV_PERSIST, second_passed, admin);
	if (!admin->second || event_add(admin->second, &second) < 0)
		goto fail;
	refresh(admin->context);
	status = admin_socket_start(loop, options->socket, PATIENCE_MS, options->context,
				    &admin->socket);
	if (status != OK)
		goto fail;
	*out_admin = admin;
	return OK;
fail:
	admin_stop(admin);
	return status;
}

void admin_stop(struct admin *admin)
{
	if (!admin)
		return;
	admin_socket_stop(admin->socket);
	admin_import_abandon(admin->context);
	if (admin->second)
		event_free(admin->second);
	free(admin);
}

struct dataplane *admin_replace_dataplane(struct admin_context *context,
					  struct dataplane *dataplane)
{
	struct dataplane *former = atomic_exchange(&context->dataplane, dataplane);
	while (atomic_load(&context->dataplane_readers) > 0) // a copy of counters: microseconds
		sched_yield();
	return former;
}

bool admin_is_ready(const struct admin_context *context, const char **out_reason)
{
	uint64_t state = counter_get(&context->store_state);
	*out_reason = NULL;
	if (!atomic_load(&context->dataplane))
		*out_reason = "no dataplane is attached";
	else if (state == STORE_STARTING)
		*out_reason = "the directory is not loaded yet";
	return *out_reason == NULL;
}

bool admin_is_ready_any(void *context)
{
	const char *reason;
	return admin_is_ready(context, &reason);
}

const char *admin_reason_any(void *context)
{
	const char *reason;
	(void)admin_is_ready(context, &reason);
	return reason;
}
