#pragma once

// HTTP by libevent's evhttp, with the bounds it lacks. The only user of evhttp.
// Runs on: api thread; created and destroyed while that thread does not run.

#include "api/api.h"

#define API_CONNECTIONS_MAX 32

struct api_http;
struct event_base;

enum status api_http_create(struct event_base *loop, const struct api_options *options,
			    struct api_http **out_http);
void api_http_destroy(struct api_http *http);
