// The pages of the management address. Runs on the api thread. Must never hold more than a few small
// things for a stranger: connections, header and body sizes and idle times are bounded.

#include "api/http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"

#define HEADERS_MAX 8192
#define BODY_MAX 1024 // no page takes one
#define IDLE_S 10
#define SWEEP_MS 100

struct api_http {
	struct api_options options;
	struct evhttp *server;
	struct evconnlistener *listener; // the server's
	struct event *sweep;
	// evhttp has no limit of its own and tells of no end of a connection. A reference to each is
	// held here, and given back once evhttp has let go.
	struct bufferevent *connections[API_CONNECTIONS_MAX];
	unsigned count;
};

typedef void (*page_fn)(struct api_http *http, struct evhttp_request *request);

static void reply(struct evhttp_request *request, int status, const char *text)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();
	evhttp_add_header(headers, "Connection", "close"); // so that few connections serve many
	evhttp_add_header(headers, "Cache-Control", "no-store");
	if (!evhttp_find_header(headers, "Content-Type"))
		evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8");
	if (body)
		evbuffer_add_printf(body, "%s\n", text);
	evhttp_send_reply(request, status, NULL, body);
	if (body)
		evbuffer_free(body);
}

static void free_page(const void *data, size_t size, void *page)
{
	(void)data;
	(void)size;
	free(page);
}

static void reply_metrics(struct api_http *http, struct evhttp_request *request)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	char *page = http->options.write_metrics(http->options.context);
	struct evbuffer *body = evbuffer_new();
	if (!page || !body ||
	    evbuffer_add_reference(body, page, strlen(page), free_page, page) < 0) {
		free(page);
		if (body)
			evbuffer_free(body);
		reply(request, HTTP_INTERNAL, "out of memory");
		return;
	}
	evhttp_add_header(headers, "Connection", "close");
	evhttp_add_header(headers, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	evhttp_send_reply(request, HTTP_OK, NULL, body);
	evbuffer_free(body);
}

static void reply_health(struct api_http *http, struct evhttp_request *request)
{
	(void)http;
	reply(request, HTTP_OK, "ok");
}

static void reply_ready(struct api_http *http, struct evhttp_request *request)
{
	const struct api_options *options = &http->options;
	if (options->is_ready(options->context)) {
		reply(request, HTTP_OK, "ready");
		return;
	}
	const char *reason = options->reason ? options->reason(options->context) : NULL;
	reply(request, HTTP_SERVUNAVAIL, reason ? reason : "not ready");
}

static const struct {
	const char *path;
	page_fn reply;
} PAGES[] = {
	{ "/metrics", reply_metrics },
	{ "/healthz", reply_health },
	{ "/readyz", reply_ready },
};

static void on_request(struct evhttp_request *request, void *context)
{
	struct api_http *http = context;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	page_fn page = NULL;
	for (unsigned i = 0; i < sizeof(PAGES) / sizeof(PAGES[0]); i++)
		if (path && strcmp(path, PAGES[i].path) == 0)
			page = PAGES[i].reply;
	if (!page) {
		reply(request, HTTP_NOTFOUND, "there are /metrics, /healthz and /readyz");
	} else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
		reply(request, HTTP_BADMETHOD, "only GET and HEAD");
	} else {
		page(http, request);
	}
}

// bufferevent_free takes the callbacks away; only our reference keeps the rest.
static bool is_let_go(struct bufferevent *connection)
{
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;
	void *context;
	bufferevent_getcb(connection, &on_read, &on_write, &on_event, &context);
	return !on_read && !on_write && !on_event;
}

static void sweep(evutil_socket_t fd, short events, void *context)
{
	(void)fd;
	(void)events;
	struct api_http *http = context;
	for (unsigned i = 0; i < http->count;) {
		if (!is_let_go(http->connections[i])) {
			i++;
			continue;
		}
		bufferevent_decref(http->connections[i]); // closes the socket
		http->connections[i] = http->connections[--http->count];
	}
	if (http->count < API_CONNECTIONS_MAX)
		evconnlistener_enable(http->listener);
	if (http->count == 0)
		event_del(http->sweep);
}

// Called for each connection before evhttp takes it. The listener rests while there are too many.
static struct bufferevent *on_connection(struct event_base *loop, void *context)
{
	const struct timeval soon = { .tv_usec = SWEEP_MS * 1000 };
	struct api_http *http = context;
	struct bufferevent *connection = bufferevent_socket_new(loop, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!connection || http->count == API_CONNECTIONS_MAX)
		return connection;
	bufferevent_incref(connection);
	http->connections[http->count++] = connection;
	if (http->count == API_CONNECTIONS_MAX)
		evconnlistener_disable(http->listener);
	if (!event_pending(http->sweep, EV_TIMEOUT, NULL))
		event_add(http->sweep, &soon);
	return connection;
}

static enum status listen_on(struct api_http *http)
{
	struct address address;
	char host[ADDRESS_TEXT_SIZE];
	struct writer writer = writer_of(host, sizeof(host));
	if (!address_parse(text_of(http->options.metrics_address), &address) || address.port == 0)
		return ERR_MALFORMED;
	address_write_host(&address, &writer);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(
		http->server, writer_string_done(&writer), address.port);
	if (!bound)
		return ERR_SYSTEM;
	http->listener = evhttp_bound_socket_get_listener(bound);
	return OK;
}

static void set_bounds(struct api_http *http)
{
	evhttp_set_max_headers_size(http->server, HEADERS_MAX);
	evhttp_set_max_body_size(http->server, BODY_MAX);
	evhttp_set_timeout(http->server, IDLE_S);
	// All that evhttp knows come to on_request, so that a wrong one is answered 405 and not 501.
	evhttp_set_allowed_methods(http->server, EVHTTP_REQ_GET | EVHTTP_REQ_POST |
							 EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
							 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
							 EVHTTP_REQ_TRACE | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(http->server, on_request, http);
	evhttp_set_bevcb(http->server, on_connection, http);
}

enum status api_http_create(struct event_base *loop, const struct api_options *options,
			    struct api_http **out_http)
{
	enum status status = ERR_MEMORY;
	struct api_http *http = calloc(1, sizeof(*http));
	if (!http)
		return ERR_MEMORY;
	http->options = *options;
	http->server = evhttp_new(loop);
	http->sweep = event_new(loop, -1, EV_PERSIST, sweep, http);
	if (!http->server || !http->sweep)
		goto fail;
	set_bounds(http);
	status = listen_on(http);
	if (status != OK)
		goto fail;
	http->options.metrics_address = NULL; // the caller's text
	*out_http = http;
	return OK;
fail:
	log_event(LOG_ERROR, "api_failed", "address", options->metrics_address, "status",
		  status_name(status), "hint",
		  status == ERR_SYSTEM ? "is the address ours, and the port free?" : "", NULL);
	api_http_destroy(http);
	return status;
}

void api_http_destroy(struct api_http *http)
{
	if (!http)
		return;
	if (http->server)
		evhttp_free(http->server);
	while (http->count > 0)
		bufferevent_decref(http->connections[--http->count]);
	if (http->sweep)
		event_free(http->sweep);
	free(http);
}
