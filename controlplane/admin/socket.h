#pragma once

// The listening Unix socket and its connections: lines in, lines out, limits on both.
// Runs on: control thread.

#include "base/status.h"

#define ADMIN_CONNECTIONS_MAX 64

struct admin_context;
struct admin_socket;
struct event_base;

// ERR_CONFLICT: another process answers on the path; ERR_SYSTEM: the path can't be used. An answer that
// takes longer than patience_ms becomes a refusal; a peer that takes nothing for so long is cut off.
enum status admin_socket_start(struct event_base *loop, const char *path, unsigned patience_ms,
			       struct admin_context *context, struct admin_socket **out_socket);
void admin_socket_stop(struct admin_socket *server); // requests under way are detached
