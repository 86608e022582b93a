// The api thread: a loop of its own, so that a scrape never delays a call. Runs on the control thread
// to start and stop; everything else on the thread it starts.

#include "api/api.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/http.h"
#include "base/thread/thread.h"

struct api {
	struct event_base *loop;
	struct api_http *http;
	struct event *stop;
	int stop_fd; // readable: the thread shall end
	pthread_t thread;
	bool is_running;
};

static void stop_asked(evutil_socket_t fd, short events, void *context)
{
	(void)fd;
	(void)events;
	struct api *api = context;
	event_base_loopbreak(api->loop);
}

static void *run(void *context)
{
	struct api *api = context;
	event_base_dispatch(api->loop);
	return NULL;
}

static enum status start_thread(struct api *api)
{
	enum status status = thread_start(&api->thread, "api", run, api);
	api->is_running = status == OK;
	return status;
}

enum status api_start(const struct api_options *options, struct api **out_api)
{
	enum status status = ERR_MEMORY;
	struct api *api = calloc(1, sizeof(*api));
	if (!api)
		return ERR_MEMORY;
	api->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	api->loop = event_base_new();
	if (api->stop_fd < 0 || !api->loop)
		goto fail;
	api->stop = event_new(api->loop, api->stop_fd, EV_READ, stop_asked, api);
	if (!api->stop || event_add(api->stop, NULL) < 0)
		goto fail;
	status = api_http_create(api->loop, options, &api->http);
	if (status == OK)
		status = start_thread(api);
	if (status != OK)
		goto fail;
	*out_api = api;
	return OK;
fail:
	api_stop(api);
	return status;
}

void api_stop(struct api *api)
{
	const uint64_t one = 1;
	if (!api)
		return;
	if (api->is_running && write(api->stop_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(api->thread, NULL);
	api_http_destroy(api->http);
	if (api->stop)
		event_free(api->stop);
	if (api->loop)
		event_base_free(api->loop);
	if (api->stop_fd >= 0)
		close(api->stop_fd);
	free(api);
}
