#pragma once

// The socket trunkd attaches to, and the shared memory it is handed: mailboxes, which it writes too,
// and views, which it can only read.
// Runs on: main.

#include <stdbool.h>
#include <stdint.h>

struct attach;
struct dataplane_facts;
struct shared_mailboxes;
struct shared_views;

// Memory for that many workers and streams. NULL: said on stderr.
struct attach *attach_create(const struct dataplane_facts *facts, uint32_t stream_count);
void attach_destroy(struct attach *attach); // NULL is harmless
struct shared_mailboxes *attach_mailboxes(const struct attach *attach);
struct shared_views *attach_views(const struct attach *attach);

// Nobody serves that socket yet; ask before a second dataplane takes the first one's port. false: said
// on stderr.
bool attach_is_free(const char *path);
// A Unix socket for root, this user and `allow_uid` (UINT32_MAX: nobody else). false: said on stderr.
bool attach_listen(struct attach *attach, const char *path, uint32_t allow_uid);
// Serves one control process after the other until stop_fd is readable.
void attach_run(struct attach *attach, int stop_fd);
